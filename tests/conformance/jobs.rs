//! Jobs.

use std::time::{Duration, SystemTime};

use nudge_test_kit::bindings::bridge::exports::nudge::dapr::jobs::{
    ConstantPolicy, FailurePolicy, Job, Outcome, Timing,
};
use nudge_test_kit::call;
use serde_json::{Value, json};

use crate::bench::{Setup, Subject, World, told};

const JOBS: &str = "/v1.0-alpha1/jobs";

/// A job that is due after some milliseconds.
fn due(after: u64, data: &str) -> Job {
    let at = SystemTime::now() + Duration::from_millis(after);
    let at = jiff::Timestamp::try_from(at).expect("an instant");
    Job {
        timing: Timing::Once(at.to_string()),
        data: data.to_owned(),
        overwrite: false,
        failure_policy: None,
    }
}

async fn start(subject: &Subject) -> World {
    Setup::default().jobs().start(subject).await
}

/// Waits until a job no longer exists.
async fn gone(world: &World, job: &str) {
    let path = format!("{JOBS}/{job}");
    let gone = async { while world.get(&path).await.status != 500 {} };
    tokio::time::timeout(test_app::PATIENCE, gone)
        .await
        .expect("the job ends");
}

/// Waits until another job has fired that was due later than those before it.
async fn meanwhile(world: &World, after: &str) {
    let control = json!({ "dueTime": after, "data": 1 }).to_string();
    assert_eq!(world.post(&format!("{JOBS}/control"), &control).await.status, 204);
    world.app().wait("/job/control", 1).await;
}

pub(crate) async fn a_job_fires_once_with_its_data(subject: Subject) {
    let world = start(&subject).await;
    let mut bridge = world.bridge().await;
    let job = due(1_000, r#"{"n": 1, "hello": "world"}"#);
    let begun = SystemTime::now();
    let outcome = call!(bridge, nudge_dapr_jobs.call_schedule("reminder-1".into(), job));
    assert_eq!(outcome, Ok(Outcome::Scheduled));
    let there = call!(bridge, nudge_dapr_jobs.call_exists("reminder-1".into()));
    assert_eq!(there, Ok(true));
    let (status, body) = told(&world.get(&format!("{JOBS}/reminder-1")).await);
    let data = json!({ "@type": "type.googleapis.com/google.protobuf.Value", "value": { "hello": "world", "n": 1 } });
    let policy = json!({ "constant": { "interval": "1s", "maxRetries": 3 } });
    assert_eq!(
        (status, &body["name"], &body["data"], &body["failurePolicy"]),
        (200, &json!("reminder-1"), &data, &policy)
    );
    let seen = world.app().wait("/job/reminder-1", 1).await.remove(0);
    assert!(
        begun.elapsed().expect("time goes on") >= Duration::from_millis(900),
        "not early"
    );
    assert_eq!(
        (seen.method.as_str(), seen.json()),
        ("POST", json!({ "n": 1, "hello": "world" }))
    );
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert_eq!(seen.header("traceparent"), None);
    gone(&world, "reminder-1").await;
    let there = call!(bridge, nudge_dapr_jobs.call_exists("reminder-1".into()));
    assert_eq!(there, Ok(false));
    assert_eq!(world.app().seen("/job/reminder-1").len(), 1);
}

pub(crate) async fn a_name_is_taken_until_it_is_overwritten(subject: Subject) {
    let world = start(&subject).await;
    let mut bridge = world.bridge().await;
    let later = due(3_600_000, "1");
    let scheduled = call!(bridge, nudge_dapr_jobs.call_schedule("x".into(), later.clone()));
    assert_eq!(scheduled, Ok(Outcome::Scheduled));
    let exists = call!(bridge, nudge_dapr_jobs.call_schedule("x".into(), later));
    assert_eq!(exists, Ok(Outcome::Exists));
    let message = "failed to schedule job due to: rpc error: code = AlreadyExists desc = job already exists: \
                   'app||default||orders||x'";
    let expected = json!({
        "errorCode": "DAPR_SCHEDULER_SCHEDULE_JOB",
        "message": message,
        "details": [{
            "@type": "type.googleapis.com/google.rpc.ErrorInfo", "domain": "dapr.io",
            "metadata": { "appID": "orders", "namespace": "default" }, "reason": "DAPR_SCHEDULER_SCHEDULE_JOB",
        }],
    });
    let again = world
        .post(&format!("{JOBS}/x"), r#"{"dueTime": "1h", "data": 2}"#)
        .await;
    assert_eq!(told(&again), (409, expected));
    let sooner = Job {
        overwrite: true,
        ..due(500, "3")
    };
    let overwritten = call!(bridge, nudge_dapr_jobs.call_schedule("x".into(), sooner));
    assert_eq!(overwritten, Ok(Outcome::Scheduled));
    assert_eq!(world.app().wait("/job/x", 1).await[0].json(), 3);
}

pub(crate) async fn a_deleted_job_does_not_fire(subject: Subject) {
    let world = start(&subject).await;
    let mut bridge = world.bridge().await;
    let scheduled = call!(bridge, nudge_dapr_jobs.call_schedule("x".into(), due(1_000, "1")));
    assert_eq!(scheduled, Ok(Outcome::Scheduled));
    for _ in 0..2 {
        assert_eq!(
            call!(bridge, nudge_dapr_jobs.call_delete("x".into())),
            Ok(()),
            "twice is once"
        );
    }
    meanwhile(&world, "2s").await;
    assert_eq!(world.app().seen("/job/x").len(), 0);
}

pub(crate) async fn a_404_is_a_success(subject: Subject) {
    let world = start(&subject).await;
    world.app().answers("/job/unknown", &[(404, "")]);
    world
        .post(&format!("{JOBS}/unknown"), r#"{"dueTime": "0s", "data": 1}"#)
        .await;
    world.app().wait("/job/unknown", 1).await;
    gone(&world, "unknown").await;
    meanwhile(&world, "2s").await;
    assert_eq!(world.app().seen("/job/unknown").len(), 1);
}

pub(crate) async fn a_failure_is_tried_three_times_more(subject: Subject) {
    let world = start(&subject).await;
    world
        .app()
        .answers("/job/x", &[(500, ""), (400, ""), (302, ""), (503, "")]);
    let begun = SystemTime::now();
    world
        .post(&format!("{JOBS}/x"), r#"{"dueTime": "0s", "data": 1}"#)
        .await;
    world.app().wait("/job/x", 4).await;
    let took = begun.elapsed().expect("time goes on");
    assert!(took >= Duration::from_millis(2_700), "a second apart: {took:?}");
    gone(&world, "x").await;
    meanwhile(&world, "2s").await;
    assert_eq!(world.app().seen("/job/x").len(), 4, "then it is lost");
}

pub(crate) async fn a_policy_says_how_often(subject: Subject) {
    let world = start(&subject).await;
    let mut bridge = world.bridge().await;
    world.app().answers("/job/twice", &[(500, "")]);
    world.app().answers("/job/once", &[(500, "")]);
    let constant = FailurePolicy::Constant(ConstantPolicy {
        interval_ms: 500,
        max_retries: Some(1),
    });
    for (name, policy) in [("twice", constant), ("once", FailurePolicy::Drop)] {
        let job = Job {
            failure_policy: Some(policy),
            ..due(100, "1")
        };
        let scheduled = call!(bridge, nudge_dapr_jobs.call_schedule(name.into(), job));
        assert_eq!(scheduled, Ok(Outcome::Scheduled));
    }
    world.app().wait("/job/twice", 2).await;
    gone(&world, "twice").await;
    gone(&world, "once").await;
    meanwhile(&world, "2s").await;
    assert_eq!(world.app().seen("/job/twice").len(), 2);
    assert_eq!(world.app().seen("/job/once").len(), 1);
}

pub(crate) async fn a_job_without_data_never_fires(subject: Subject) {
    let world = start(&subject).await;
    let answer = world.post(&format!("{JOBS}/x"), r#"{"dueTime": "500ms"}"#).await;
    assert_eq!(told(&answer), (204, Value::Null));
    meanwhile(&world, "2s").await;
    assert_eq!(world.app().seen("/job/x").len(), 0);
}

pub(crate) async fn repeats_are_counted(subject: Subject) {
    let world = start(&subject).await;
    let job = r#"{"schedule": "@every 1s", "repeats": 2, "data": {"x": 1}}"#;
    assert_eq!(world.post(&format!("{JOBS}/x"), job).await.status, 204);
    world.app().wait("/job/x", 2).await;
    gone(&world, "x").await;
    meanwhile(&world, "2s").await;
    assert_eq!(world.app().seen("/job/x").len(), 2);
}

pub(crate) async fn a_job_that_is_not_there(subject: Subject) {
    let world = start(&subject).await;
    let expected = json!({
        "errorCode": "DAPR_SCHEDULER_GET_JOB",
        "message": "failed to get job due to: rpc error: code = NotFound desc = job not found: zzz",
        "details": [{
            "@type": "type.googleapis.com/google.rpc.ErrorInfo", "domain": "dapr.io",
            "metadata": { "appID": "orders", "namespace": "default" }, "reason": "DAPR_SCHEDULER_GET_JOB",
        }],
    });
    assert_eq!(told(&world.get(&format!("{JOBS}/zzz")).await), (500, expected));
    assert_eq!(world.delete(&format!("{JOBS}/zzz")).await.status, 204);
}

pub(crate) async fn what_is_refused_is_named(subject: Subject) {
    let world = start(&subject).await;
    for (path, body, status, code, message) in [
        (
            "x",
            r#"{"data": 1}"#,
            400,
            "DAPR_SCHEDULER_SCHEDULE_EMPTY",
            "Schedule is empty",
        ),
        (
            "x",
            r#"{"name": "x", "dueTime": "1s"}"#,
            400,
            "DAPR_SCHEDULER_JOB_NAME",
            "Set the job name in the url only",
        ),
        (
            "a%7C%7Cb",
            r#"{"dueTime": "1s"}"#,
            400,
            "DAPR_SCHEDULER_JOB_NAME_EMPTY",
            "Name is empty",
        ),
        (
            "x",
            r#"{"schedule": "nonsense"}"#,
            500,
            "DAPR_SCHEDULER_SCHEDULE_JOB",
            "failed to schedule job due to: rpc error: code = Unknown desc = job failed validation: expected exactly 6 \
             fields, found 1: [nonsense]",
        ),
        (
            "x",
            r#"{"dueTime": "1h", "ttl": "10s"}"#,
            500,
            "DAPR_SCHEDULER_SCHEDULE_JOB",
            "failed to schedule job due to: rpc error: code = Unknown desc = job failed validation: job must have a schedule \
             to have a ttl",
        ),
        (
            "x",
            r#"{"schedule": "@every 1h", "repeats": 0}"#,
            500,
            "DAPR_SCHEDULER_SCHEDULE_JOB",
            "failed to schedule job due to: rpc error: code = Unknown desc = job failed validation: defined repeats must be \
             greater than 0",
        ),
    ] {
        let (found, answer) = told(&world.post(&format!("{JOBS}/{path}"), body).await);
        assert_eq!(
            (found, &answer["errorCode"], &answer["message"]),
            (status, &json!(code), &json!(message)),
            "{body}"
        );
    }
    // Dapr ignores what it does not know.
    let unknown = world
        .post(&format!("{JOBS}/y"), r#"{"dueTime": "1h", "foo": 1}"#)
        .await;
    assert_eq!(unknown.status, 204);
}
