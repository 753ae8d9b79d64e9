//! The recurring jobs: relay and reconcile, and how they are set up.

use http::Method;
use nudge_test_kit::dapr::{FailurePolicy, Function, Timing, failed, unavailable};
use nudge_test_kit::http::DEADLINE;
use serde_json::{Value, json};

use super::Api;
use crate::support::{Service, Setup, send};

async fn run(notification: &Service, job: &str) -> u16 {
    notification
        .sidecar()
        .post(&format!("/job/{job}"), &json!({}))
        .await
        .status
        .as_u16()
}

async fn probe(notification: &Service) {
    let answer = notification.anybody().get("/notification/health").await;
    assert_eq!(answer.status, 200);
}

/// Waits until a function was called `times` times, since a probe takes effect after responding.
async fn called(notification: &Service, function: Function, times: usize) {
    let enough = || (notification.dapr.calls(function) >= times).then_some(());
    notification
        .dapr
        .until(enough)
        .await
        .expect("the probe has its effect");
}

#[tokio::test]
async fn a_health_probe_sets_up_the_recurring_jobs_once() {
    let notification = Service::start("notification").await;
    probe(&notification).await;
    called(&notification, Function::JobSchedule, 2).await;
    let jobs = notification.dapr.jobs();
    let schedules: Vec<(&str, &Timing)> = jobs
        .iter()
        .map(|(name, job)| (name.as_str(), &job.timing))
        .collect();
    assert_eq!(
        schedules,
        [
            ("reconcile", &Timing::Repeated("@every 30s".to_owned())),
            ("relay", &Timing::Repeated("@every 15s".to_owned())),
        ]
    );
    for (name, job) in &jobs {
        assert!(
            !job.overwrite,
            "{name}: overwriting would start its interval anew"
        );
        assert!(
            matches!(job.failure_policy, Some(FailurePolicy::Drop)),
            "{name}: the next tick is the retry"
        );
        assert_ne!(job.data, "", "{name}: Dapr never fires a job without data");
    }
    // The next one asks, and leaves them alone.
    probe(&notification).await;
    called(&notification, Function::JobExists, 4).await;
    assert_eq!(notification.dapr.calls(Function::JobSchedule), 2);
}

#[tokio::test]
async fn a_health_probe_succeeds_without_scheduler_and_sets_up_the_jobs_when_it_is_back() {
    let notification = Service::start("notification").await;
    notification
        .dapr
        .down(Function::JobSchedule, unavailable("the scheduler is away"));
    probe(&notification).await;
    called(&notification, Function::JobSchedule, 2).await;
    assert!(notification.dapr.jobs().is_empty());
    notification.dapr.up(Function::JobSchedule);
    let both = async {
        while notification.dapr.jobs().len() < 2 {
            probe(&notification).await;
        }
    };
    tokio::time::timeout(DEADLINE, both)
        .await
        .expect("the next probe sets them up");
}

#[tokio::test]
async fn a_health_probe_does_not_wait_for_the_scheduler() {
    let notification = Service::start("notification").await;
    let hold = notification.dapr.hold_next(Function::JobExists);
    probe(&notification).await;
    hold.reached().await;
    // While the first still asks, others neither wait nor ask.
    for _ in 0..3 {
        probe(&notification).await;
    }
    assert_eq!(notification.dapr.calls(Function::JobExists), 1);
    hold.release();
    called(&notification, Function::JobSchedule, 2).await;
}

#[tokio::test]
async fn the_relay_is_the_apis() {
    let notification = Service::start("notification").await;
    let api = Api::start(&notification.dapr, 0);
    assert_eq!(run(&notification, "relay").await, 200);
    assert_eq!(api.asked("internal/relay"), [Value::Null]);
    assert!(notification.dapr.invocations()[0].request.traceparent.is_some());
}

#[tokio::test]
async fn reconcile_publishes_what_is_due_and_arms_what_is_due_soon() {
    let notification = Service::start("notification").await;
    let api = Api::start(&notification.dapr, 65);
    api.lock().seconds = vec![1_795_262_430, 1_795_262_431];
    // The scheduler may have lost what this instance has armed: it is armed each time.
    for times in 1..=2 {
        assert_eq!(run(&notification, "reconcile").await, 200);
        let jobs = notification.dapr.jobs();
        let names: Vec<&str> = jobs.keys().map(String::as_str).collect();
        assert_eq!(names, ["due-1795262430", "due-1795262431"]);
        assert_eq!(notification.dapr.calls(Function::JobSchedule), 2 * times);
    }
    assert_eq!(api.leases()[0], json!({ "limit": 64 }));
    notification
        .dapr
        .wait_for("task-reminders", 65)
        .await
        .expect("it goes on as a job does");
}

#[tokio::test]
async fn what_fires_has_the_prefix_of_the_topics() {
    let notification = Setup::new("notification")
        .variable("topic_prefix", "nudge-")
        .start()
        .await;
    Api::start(&notification.dapr, 2);
    assert_eq!(run(&notification, "reconcile").await, 200);
    assert_eq!(notification.dapr.published("nudge-task-reminders").len(), 2);
    assert!(notification.dapr.published("task-reminders").is_empty());
}

#[tokio::test]
async fn nothing_due_is_nothing_to_publish() {
    let notification = Service::start("notification").await;
    Api::start(&notification.dapr, 0);
    assert_eq!(run(&notification, "reconcile").await, 200);
    assert_eq!(notification.dapr.calls(Function::PublishAll), 0);
    assert_eq!(notification.dapr.all_calls(), 2);
}

#[tokio::test]
async fn a_recurring_job_fails_when_the_api_or_the_broker_does() {
    let notification = Service::start("notification").await;
    for answer in [(503, json!({})), (200, json!("no report")), (404, Value::Null)] {
        notification.dapr.answer_json(answer.0, &answer.1);
        assert_eq!(run(&notification, "relay").await, 503, "{answer:?}");
        assert_eq!(run(&notification, "reconcile").await, 503, "{answer:?}");
    }
}

#[tokio::test]
async fn reconcile_arms_although_it_cannot_publish_and_publishes_although_it_cannot_arm() {
    let notification = Service::start("notification").await;
    let api = Api::start(&notification.dapr, 1);
    api.lock().seconds = vec![1_795_262_430];
    notification
        .dapr
        .fail_next(Function::PublishAll, failed("the broker is full"));
    assert_eq!(run(&notification, "reconcile").await, 503);
    assert_eq!(notification.dapr.jobs().len(), 1);
    notification
        .dapr
        .fail_next(Function::JobSchedule, unavailable("the scheduler is away"));
    assert_eq!(run(&notification, "reconcile").await, 503);
    assert_eq!(notification.dapr.published("task-reminders").len(), 1);
    assert_eq!(run(&notification, "reconcile").await, 200);
}

#[tokio::test]
async fn only_the_sidecar_delivers_events_and_fires_jobs() {
    let notification = Service::start("notification").await;
    for path in ["/notification/events/task-events", "/job/relay"] {
        let call = || notification.anybody().call(Method::POST, path).json(&json!({}));
        assert_eq!(send(call()).await.status, 401, "{path}");
        assert_eq!(
            send(call().header("dapr-api-token", "guessed")).await.status,
            403,
            "{path}"
        );
    }
    assert!(notification.dapr.invocations().is_empty());
}
