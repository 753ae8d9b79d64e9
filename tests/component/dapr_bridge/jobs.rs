//! Jobs.

use expect_test::expect;
use nudge_test_kit::bindings::bridge::exports::nudge::dapr::jobs::{
    ConstantPolicy, FailurePolicy, Job, Outcome, Timing,
};
use nudge_test_kit::sidecar::Reply;

use super::{Bridge, call, kind};

/// The beginning of the metadata of 1.16.0.
const METADATA: &str =
    r#"{"id":"orders","runtimeVersion":"1.16.0","enabledFeatures":["SchedulerReminders"]}"#;

fn once() -> Job {
    Job {
        timing: Timing::Once("2026-12-01T08:00:00+01:00".to_owned()),
        data: r#"{"n": 1}"#.to_owned(),
        overwrite: true,
        failure_policy: Some(FailurePolicy::Constant(ConstantPolicy {
            interval_ms: 5_000,
            max_retries: Some(60),
        })),
    }
}

/// A bridge that knows its sidecar's version.
async fn start(version: &str) -> Bridge {
    let mut bridge = Bridge::start().await;
    bridge.reply(Reply::json(200, &METADATA.replace("1.16.0", version)));
    bridge.reply(Reply::empty(204));
    assert_eq!(call!(bridge, nudge_dapr_jobs.call_delete("x".into())), Ok(()));
    bridge.sidecar.requests();
    bridge
}

#[tokio::test]
async fn the_path_follows_the_sidecars_version_which_is_asked_once() {
    for (version, path) in [
        ("1.16.0", "/v1.0-alpha1/jobs/x"),
        ("1.17.5", "/v1.0-alpha1/jobs/x"),
        ("1.18.0", "/v1.0/jobs/x"),
        ("edge", "/v1.0/jobs/x"),
    ] {
        let mut bridge = Bridge::start().await;
        bridge.reply(Reply::json(200, &METADATA.replace("1.16.0", version)));
        for _ in 0..2 {
            bridge.reply(Reply::empty(204));
            assert_eq!(call!(bridge, nudge_dapr_jobs.call_delete("x".into())), Ok(()));
        }
        let delete = format!("DELETE {path}\n");
        assert_eq!(
            bridge.sidecar.requests(),
            ["GET /v1.0/metadata\n", &delete, &delete],
            "{version}"
        );
    }
}

#[tokio::test]
async fn a_version_that_could_not_be_asked_is_asked_again() {
    let mut bridge = Bridge::start().await;
    bridge.reply(Reply::empty(503));
    let error = call!(bridge, nudge_dapr_jobs.call_delete("x".into())).unwrap_err();
    assert_eq!(kind(&error).0, "unavailable");
    bridge.reply(Reply::json(200, METADATA));
    bridge.reply(Reply::empty(204));
    assert_eq!(call!(bridge, nudge_dapr_jobs.call_delete("x".into())), Ok(()));
}

#[tokio::test]
async fn schedules_a_job_for_an_instant() {
    let mut bridge = start("1.16.0").await;
    bridge.reply(Reply::empty(204));
    assert_eq!(
        call!(bridge, nudge_dapr_jobs.call_schedule("reminder-1".into(), once())),
        Ok(Outcome::Scheduled)
    );
    expect![[r#"
        POST /v1.0-alpha1/jobs/reminder-1
        content-type: application/json

        {"dueTime":"2026-12-01T08:00:00+01:00","data":{"n": 1},"overwrite":true,"failurePolicy":{"constant":{"interval":"5.000s","maxRetries":60}}}
    "#]]
    .assert_eq(&bridge.request());
}

#[tokio::test]
async fn schedules_a_job_that_repeats() {
    let mut bridge = start("1.16.0").await;
    for failure_policy in [
        Some(FailurePolicy::Drop),
        None,
        Some(FailurePolicy::Constant(ConstantPolicy {
            interval_ms: 500,
            max_retries: None,
        })),
    ] {
        bridge.reply(Reply::empty(204));
        let job = Job {
            timing: Timing::Repeated("@every 15s".to_owned()),
            data: "{}".to_owned(),
            overwrite: false,
            failure_policy,
        };
        assert_eq!(
            call!(bridge, nudge_dapr_jobs.call_schedule("relay".into(), job)),
            Ok(Outcome::Scheduled)
        );
    }
    expect![[r#"
        POST /v1.0-alpha1/jobs/relay
        content-type: application/json

        {"schedule":"@every 15s","data":{},"failurePolicy":{"drop":{}}}

        POST /v1.0-alpha1/jobs/relay
        content-type: application/json

        {"schedule":"@every 15s","data":{}}

        POST /v1.0-alpha1/jobs/relay
        content-type: application/json

        {"schedule":"@every 15s","data":{},"failurePolicy":{"constant":{"interval":"0.500s"}}}
    "#]]
    .assert_eq(&bridge.sidecar.requests().join("\n"));
}

#[tokio::test]
async fn a_job_that_exists_is_a_result() {
    let mut bridge = start("1.16.0").await;
    bridge.reply(Reply::json(
        409,
        r#"{"errorCode":"DAPR_SCHEDULER_SCHEDULE_JOB","message":"failed to schedule job due to: rpc error: code = AlreadyExists desc = job already exists: 'app||default||orders||j-obj'"}"#,
    ));
    assert_eq!(
        call!(bridge, nudge_dapr_jobs.call_schedule("j".into(), once())),
        Ok(Outcome::Exists)
    );
}

#[tokio::test]
async fn says_whether_a_job_waits() {
    let mut bridge = start("1.16.0").await;
    bridge.reply(Reply::json(200, r#"{"name":"j-obj","dueTime":"1s","data":{"@type":"type.googleapis.com/google.protobuf.Value","value":{}}}"#));
    assert_eq!(
        call!(bridge, nudge_dapr_jobs.call_exists("j-obj".into())),
        Ok(true)
    );
    expect![[r#"
        GET /v1.0-alpha1/jobs/j-obj
    "#]]
    .assert_eq(&bridge.request());
    bridge.reply(Reply::json(
        500,
        r#"{"errorCode":"DAPR_SCHEDULER_GET_JOB","message":"failed to get job due to: rpc error: code = NotFound desc = job not found: zzz"}"#,
    ));
    assert_eq!(
        call!(bridge, nudge_dapr_jobs.call_exists("zzz".into())),
        Ok(false)
    );
}

#[tokio::test]
async fn a_scheduler_that_is_down_is_a_timeout() {
    let mut bridge = start("1.16.0").await;
    let message = "failed to schedule job due to: rpc error: code = DeadlineExceeded desc = latest balancer error: connection error";
    let body = format!(r#"{{"errorCode":"DAPR_SCHEDULER_SCHEDULE_JOB","message":"{message}"}}"#);
    bridge.reply(Reply::json(504, &body));
    let error = call!(bridge, nudge_dapr_jobs.call_schedule("j".into(), once())).unwrap_err();
    assert_eq!(kind(&error), ("timeout", message));
    bridge.reply(Reply::json(500, &body));
    let error = call!(bridge, nudge_dapr_jobs.call_exists("j".into())).unwrap_err();
    assert_eq!(kind(&error).0, "timeout");
}

#[tokio::test]
async fn data_that_is_not_json_is_refused_before_it_is_sent() {
    let mut bridge = start("1.16.0").await;
    for data in ["", "{"] {
        let job = Job {
            data: data.to_owned(),
            ..once()
        };
        let error = call!(bridge, nudge_dapr_jobs.call_schedule("j".into(), job)).unwrap_err();
        assert_eq!(
            kind(&error).0,
            "invalid-argument",
            "a job without data never fires"
        );
    }
    assert!(bridge.sidecar.requests().is_empty());
}
