//! Due reminders are published when jobs fire.

use expect_test::expect_file;
use nudge_test_kit::bindings::api::nudge::events::types::Disposition;
use nudge_test_kit::bindings::notification::Notification;
use nudge_test_kit::dapr::{Function, unavailable};
use serde_json::{Value, json};

use crate::golden::{stable, without_task};
use crate::sample::{REMINDER, TASK, task, task_event};
use crate::support::{Service, json};

/// The body that the scheduler sends when the sample's first reminder is due.
fn data() -> Value {
    json!({ "reminderId": REMINDER, "remindAt": "2026-11-21T13:30:00+01:00", "task": task() })
}

#[tokio::test]
async fn a_job_becomes_one_due_reminder() {
    let notification = Service::start("notification").await;
    notification
        .sidecar()
        .post(
            "/notification/events/task-events",
            &task_event("created", &task()),
        )
        .await;
    let name = format!("reminder-{REMINDER}");
    let job = notification.dapr.take_job(&name).expect("armed");
    notification.pass(30 * 60 + 1);

    let body: Value = serde_json::from_str(&job.data).expect("JSON");
    let answer = notification.sidecar().post(&format!("/job/{name}"), &body).await;

    assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 0));
    let due = notification.dapr.published("task-reminders");
    assert_eq!(due.len(), 1);
    assert_eq!(due[0].event.id, format!("{REMINDER}:2026-11-21T13:30:00+01:00"));
    assert_eq!(due[0].event.subject.as_deref(), Some(TASK));
    assert_eq!(due[0].event.partition_key.as_deref(), Some(TASK));
    assert_eq!(due[0].data().expect("JSON")["minutesLeft"], 59, "whole minutes");
    expect_file!["../../golden/events/task-reminders.due.json"]
        .assert_eq(&stable(&without_task(due[0].delivery().expect("JSON"), &task())));
}

#[tokio::test]
async fn minutes_left_are_negative_after_the_due_date_and_none_without_one() {
    let notification = Service::start("notification").await;
    notification.pass(90 * 60 + 30);
    let mut without = data();
    without["task"]["due"] = Value::Null;
    for body in [data(), without] {
        assert_eq!(
            notification
                .sidecar()
                .post(&format!("/job/reminder-{REMINDER}"), &body)
                .await
                .status,
            200
        );
    }
    let left: Vec<Value> = notification
        .dapr
        .published("task-reminders")
        .iter()
        .map(|due| due.data().expect("JSON")["minutesLeft"].clone())
        .collect();
    assert_eq!(left, [json!(-1), Value::Null]);
}

#[tokio::test]
async fn a_job_whose_event_is_not_published_is_to_be_fired_again() {
    let notification = Service::start("notification").await;
    notification
        .dapr
        .fail_next(Function::Publish, unavailable("the broker is away"));
    let path = format!("/job/reminder-{REMINDER}");
    let answer = notification.sidecar().post(&path, &data()).await;
    assert_eq!(json(&answer, 503)["code"], "unavailable");
    assert_eq!(notification.sidecar().post(&path, &data()).await.status, 200);
    assert_eq!(notification.dapr.published("task-reminders").len(), 1);
}

#[tokio::test]
async fn an_unknown_job_is_an_error_because_a_404_counts_as_a_success() {
    let notification = Service::start("notification").await;
    for (path, body) in [
        ("/job/backup", data()),
        ("/job/reminder-x", json!({ "reminderId": 7 })),
        ("/job/reminder-x", json!(null)),
    ] {
        let answer = notification.sidecar().post(path, &body).await;
        // Dapr takes a 404 for success.
        assert_eq!(json(&answer, 422)["code"], "unknown_job", "{path} {body}");
    }
    assert!(notification.dapr.published("task-reminders").is_empty());
}

#[tokio::test]
async fn the_wit_export_runs_jobs_and_drops_what_it_does_not_know() {
    let notification = Service::start("notification").await;
    let (mut store, instance) = notification
        .host
        .component("notification")
        .unwrap()
        .instantiate()
        .await
        .unwrap();
    let exports = Notification::new(&mut store, &instance).unwrap();
    let handler = exports.nudge_events_job_handler();
    let name = format!("reminder-{REMINDER}");
    notification.dapr.pass_next(Function::Publish);
    notification
        .dapr
        .fail_next(Function::Publish, unavailable("the broker is away"));
    let (fired, again, unknown) = store
        .run_concurrent(async |accessor| {
            (
                handler
                    .call_handle(accessor, name.clone(), data().to_string())
                    .await,
                handler.call_handle(accessor, name, data().to_string()).await,
                handler
                    .call_handle(accessor, "backup".to_owned(), "{}".to_owned())
                    .await,
            )
        })
        .await
        .unwrap();
    assert_eq!(fired.unwrap(), Ok(()));
    assert!(matches!(again.unwrap(), Err(Disposition::Retry(_))));
    assert!(matches!(unknown.unwrap(), Err(Disposition::Drop(reason)) if reason.contains("backup")));
    assert_eq!(notification.dapr.published("task-reminders").len(), 1);
}
