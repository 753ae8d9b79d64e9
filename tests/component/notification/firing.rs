//! Due reminders are published when jobs fire.

use expect_test::expect_file;
use nudge_test_kit::bindings::api::nudge::events::types::Disposition;
use nudge_test_kit::bindings::notification::Notification;
use nudge_test_kit::dapr::{Function, unavailable};
use serde_json::{Value, json};

use super::{Api, LEASE, due_reminder, reminder};
use crate::golden::{stable, without_task};
use crate::sample::{REMINDER, TASK, task};
use crate::support::{START, Service, TRACE, json, text};

/// The second in which the reminders are due, half an hour after the start, in Unix time.
fn due() -> i64 {
    let start: jiff::Timestamp = START.parse().expect("an instant");
    start.as_second() + 30 * 60
}

fn path() -> String {
    format!("/job/due-{}", due())
}

/// Notification when the reminders are due, and the api that has that many of them.
async fn start(reminders: usize) -> (Service, Api) {
    let notification = Service::start("notification").await;
    notification.pass(30 * 60 + 1);
    let api = Api::start(&notification.dapr, reminders);
    (notification, api)
}

async fn fire(notification: &Service, path: &str, data: &Value) -> u16 {
    notification.sidecar().post(path, data).await.status.as_u16()
}

/// The ids of the published events.
fn published(notification: &Service) -> Vec<String> {
    let published = notification.dapr.published("task-reminders");
    published.into_iter().map(|due| due.event.id).collect()
}

fn event_id(number: usize) -> String {
    format!("{}:2026-11-21T13:30:00+01:00", reminder(number))
}

#[tokio::test]
async fn the_job_of_a_second_publishes_what_is_due() {
    let (notification, api) = start(2).await;
    let answer = notification.sidecar().post(&path(), &json!(due())).await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 0));
    assert_eq!(
        api.leases(),
        [json!({ "dueBy": "2026-11-21T12:30:00Z", "limit": 64 })]
    );
    assert_eq!(published(&notification), [event_id(1), event_id(2)]);
    assert_eq!(notification.dapr.all_calls(), 2, "one request, one bulk publish");
    let due = notification.dapr.published("task-reminders");
    assert_eq!(due[0].event.subject.as_deref(), Some(TASK));
    assert_eq!(due[0].event.partition_key.as_deref(), Some(TASK));
    let data = due[0].data().expect("JSON");
    assert_eq!(data["minutesLeft"], 59, "whole minutes");
    let traces = due
        .iter()
        .map(|due| due.data().expect("JSON")["traceparent"].clone());
    let traces: Vec<Value> = traces.collect();
    assert_ne!(traces[0], traces[1], "each is a trace of its own");
    let mut delivery = due[0].delivery().expect("JSON");
    assert_eq!(text(&data, "traceparent").len(), TRACE.len());
    delivery["data"]["traceparent"] = json!(TRACE);
    expect_file!["../../golden/events/task-reminders.due.json"]
        .assert_eq(&stable(&without_task(delivery, &task())));
}

#[tokio::test]
async fn each_round_has_an_id_and_an_event_that_of_its_lease() {
    let (notification, api) = start(0).await;
    let mut without = due_reminder(1);
    without.as_object_mut().expect("an object").remove("leaseId");
    api.lock().due.extend([without, due_reminder(2)]);
    for _ in 0..2 {
        assert_eq!(fire(&notification, &path(), &json!(due())).await, 200);
    }
    let ids = api.lease_ids();
    assert!(ids.iter().all(Value::is_string), "{ids:?}");
    assert_ne!(ids[0], ids[1]);
    let events = notification.dapr.published("task-reminders");
    let leases = events
        .iter()
        .map(|due| due.data().expect("JSON")["leaseId"].clone());
    let leases: Vec<Value> = leases.collect();
    assert_eq!(
        leases,
        [Value::Null, json!(LEASE)],
        "an api of an older version does not know the id"
    );
}

#[tokio::test]
async fn minutes_left_are_negative_after_the_due_date_and_none_without_one() {
    let (notification, api) = start(2).await;
    notification.pass(60 * 60);
    api.lock().due[1]["task"]["due"] = Value::Null;
    assert_eq!(fire(&notification, &path(), &json!(due())).await, 200);
    let left: Vec<Value> = notification
        .dapr
        .published("task-reminders")
        .iter()
        .map(|due| due.data().expect("JSON")["minutesLeft"].clone())
        .collect();
    assert_eq!(left, [json!(-1), Value::Null]);
}

#[tokio::test]
async fn a_job_that_fires_early_by_this_clock_comes_again() {
    let notification = Service::start("notification").await;
    let api = Api::start(&notification.dapr, 1);
    notification.pass(30 * 60 - 6);
    let answer = notification.sidecar().post(&path(), &json!(due())).await;
    assert_eq!(json(&answer, 503)["code"], "unavailable");
    assert_eq!(api.leases().len(), 0);
    notification.pass(1);
    assert_eq!(fire(&notification, &path(), &json!(due())).await, 200);
    assert_eq!(published(&notification).len(), 1);
}

#[tokio::test]
async fn what_is_not_published_is_given_back_and_the_job_comes_again() {
    let (notification, api) = start(2).await;
    notification
        .dapr
        .fail_next(Function::PublishAll, unavailable("the broker is away"));
    let answer = notification.sidecar().post(&path(), &json!(due())).await;
    assert_eq!(json(&answer, 503)["code"], "unavailable");
    let given_back = |number, after| json!({ "reminderId": reminder(number), "remindAt": "2026-11-21T13:30:00+01:00", "leaseId": LEASE, "afterSeconds": after, "because": "brokerRefused" });
    assert_eq!(
        api.deferrals(),
        [json!({ "items": [given_back(1, 0), given_back(2, 0)] })]
    );
    // One of two.
    notification.dapr.refuse_event(&event_id(2));
    assert_eq!(fire(&notification, &path(), &json!(due())).await, 503);
    assert_eq!(published(&notification), [event_id(1)]);
    assert_eq!(api.deferrals()[1..], [json!({ "items": [given_back(2, 5)] })]);
    notification.dapr.accept_events();
    assert_eq!(fire(&notification, &path(), &json!(due())).await, 200);
    assert_eq!(published(&notification), [event_id(1), event_id(2)]);
}

#[tokio::test]
async fn a_lease_that_cannot_be_given_back_expires_by_itself() {
    let (notification, _api) = start(1).await;
    notification
        .dapr
        .fail_next(Function::PublishAll, unavailable("the broker is away"));
    notification.dapr.pass_next(Function::Invoke);
    notification
        .dapr
        .fail_next(Function::Invoke, unavailable("the api is away"));
    assert_eq!(fire(&notification, &path(), &json!(due())).await, 503);
}

#[tokio::test]
async fn a_bulk_publish_stays_under_a_mebibyte() {
    let (notification, api) = start(5).await;
    for due in &mut api.lock().due {
        due["task"]["description"] = json!("d".repeat(300_000));
    }
    assert_eq!(fire(&notification, &path(), &json!(due())).await, 200);
    assert_eq!(published(&notification).len(), 5);
    assert_eq!(notification.dapr.calls(Function::PublishAll), 2);
    // After a failure the rest is not tried.
    api.lock().due.extend((1..=5).map(|number| {
        let mut due = due_reminder(number);
        due["task"]["description"] = json!("d".repeat(300_000));
        due
    }));
    notification
        .dapr
        .fail_next(Function::PublishAll, unavailable("the broker is away"));
    assert_eq!(fire(&notification, &path(), &json!(due())).await, 503);
    assert_eq!(notification.dapr.calls(Function::PublishAll), 3);
    assert_eq!(api.deferrals()[0]["items"].as_array().map(Vec::len), Some(5));
}

#[tokio::test]
async fn a_job_of_an_earlier_version_sweeps_and_its_record_is_deleted() {
    let (notification, api) = start(2).await;
    let record = format!("armed-{TASK}");
    let data = json!({
        "reminderId": REMINDER, "remindAt": "2026-11-21T13:30:00.5+01:00", "task": task(), "traceparent": TRACE,
    });
    let path = format!("/job/reminder-{REMINDER}");
    for (error, left) in [(None, 0), (Some(unavailable("no state store")), 1)] {
        notification
            .dapr
            .set_state(&record, &json!({ "version": 1, "jobs": {} }));
        if let Some(error) = error {
            notification.dapr.fail_next(Function::StateDelete, error);
        }
        assert_eq!(fire(&notification, &path, &data).await, 200);
        assert_eq!(notification.dapr.keys().len(), left);
    }
    assert_eq!(
        api.leases()[0],
        json!({ "dueBy": "2026-11-21T12:30:01Z", "limit": 64 })
    );
    assert_eq!(published(&notification), [event_id(1), event_id(2)]);
    // One whose data cannot be read means that something is due.
    for data in [json!({ "reminderId": 7 }), Value::Null] {
        api.lock().due.push_back(due_reminder(3));
        assert_eq!(fire(&notification, "/job/reminder-x", &data).await, 200);
        assert_eq!(api.leases().last(), Some(&json!({ "limit": 64 })));
    }
    assert_eq!(published(&notification).len(), 4);
}

#[tokio::test]
async fn an_unknown_job_is_an_error_because_a_404_counts_as_a_success() {
    let (notification, api) = start(1).await;
    for (path, body) in [
        ("/job/backup", json!(due())),
        ("/job/due-x", json!({ "second": 7 })),
        ("/job/due-x", json!(null)),
        ("/job/due-x", json!(i64::MAX)),
    ] {
        let answer = notification.sidecar().post(path, &body).await;
        // Dapr takes a 404 for success.
        assert_eq!(json(&answer, 422)["code"], "unknown_job", "{path} {body}");
    }
    assert_eq!(api.leases().len(), 0);
}

#[tokio::test]
async fn the_wit_export_runs_jobs_and_drops_what_it_does_not_know() {
    let (notification, _api) = start(1).await;
    let (mut store, instance) = notification
        .host
        .component("notification")
        .unwrap()
        .instantiate()
        .await
        .unwrap();
    let exports = Notification::new(&mut store, &instance).unwrap();
    let handler = exports.nudge_events_job_handler();
    let name = format!("due-{}", due());
    notification
        .dapr
        .fail_next(Function::PublishAll, unavailable("the broker is away"));
    let (again, fired, unknown) = store
        .run_concurrent(async |accessor| {
            let run = |name: &str, data: String| handler.call_handle(accessor, name.to_owned(), data);
            (
                run(&name, due().to_string()).await,
                run(&name, due().to_string()).await,
                run("backup", "{}".to_owned()).await,
            )
        })
        .await
        .unwrap();
    assert!(matches!(again.unwrap(), Err(Disposition::Retry(_))));
    assert_eq!(fired.unwrap(), Ok(()));
    assert!(matches!(unknown.unwrap(), Err(Disposition::Drop(reason)) if reason.contains("backup")));
    assert_eq!(published(&notification).len(), 1);
}
