//! Seconds are armed for changes of tasks.

use nudge_test_kit::bindings::api::nudge::events::types as wit;
use nudge_test_kit::bindings::notification::Notification;
use nudge_test_kit::dapr::{FailurePolicy, FakeDapr, Function, Timing, failed, timeout, unavailable};
use serde_json::{Value, json};

use crate::sample::{batch, task, task_event, wit_task};
use crate::support::{START, Service, json};

const EVENTS: &str = "/notification/events/task-events";

/// Seconds from the start, in Unix time.
fn second(after_start: i64) -> i64 {
    let start: jiff::Timestamp = START.parse().expect("an instant");
    start.as_second() + after_start
}

/// The sample with reminders at these instants.
fn task_at(instants: &[&str]) -> Value {
    let mut task = task();
    let reminders = instants.iter().zip(1..).map(|(instant, number): (_, u32)| {
        json!({ "id": format!("018f0000-0000-7000-8000-0000000000a{number}"), "at": instant, "remindAt": instant, "status": "scheduled" })
    });
    task["reminders"] = reminders.collect();
    task
}

async fn deliver(notification: &Service, event: &Value) -> String {
    let answer = json(&notification.sidecar().post(EVENTS, event).await, 200);
    answer["status"].as_str().expect("one of Dapr's words").to_owned()
}

/// Delivers a batch and returns its statuses, in order.
async fn deliver_all(notification: &Service, events: &[Value]) -> Vec<String> {
    let answer = json(&notification.sidecar().post(EVENTS, &batch(events)).await, 200);
    let statuses = answer["statuses"].as_array().expect("a list").clone();
    let status = |(number, status): (usize, Value)| {
        assert_eq!(status["entryId"], number.to_string());
        status["status"].as_str().expect("a word").to_owned()
    };
    statuses.into_iter().enumerate().map(status).collect()
}

/// The seconds that have a job.
fn armed(dapr: &FakeDapr) -> Vec<i64> {
    let second = |name: &str| {
        let second = name.strip_prefix("due-").unwrap_or_else(|| panic!("{name}"));
        second.parse().expect("a number")
    };
    dapr.jobs().keys().map(|name| second(name)).collect()
}

#[tokio::test]
async fn what_is_beyond_the_horizon_asks_nothing_of_the_sidecar() {
    let notification = Service::start("notification").await;
    let far = task_at(&["2026-11-21T12:02:00.001Z", "2026-11-21T12:10:00Z"]);
    for change in ["created", "updated", "reopened"] {
        assert_eq!(deliver(&notification, &task_event(change, &far)).await, "SUCCESS");
    }
    assert_eq!(notification.dapr.all_calls(), 0);
}

#[tokio::test]
async fn a_second_in_which_a_reminder_is_due_soon_becomes_a_job() {
    let notification = Service::start("notification").await;
    let task = task_at(&["2026-11-21T13:02:00+01:00", "2026-11-21T12:00:30.001Z"]);
    assert_eq!(
        deliver(&notification, &task_event("created", &task)).await,
        "SUCCESS"
    );
    assert_eq!(
        armed(&notification.dapr),
        [second(31), second(120)],
        "the reminder is due when its job fires"
    );
    let name = format!("due-{}", second(31));
    let job = notification.dapr.take_job(&name).expect("armed");
    assert_eq!(job.timing, Timing::Once("2026-11-21T12:00:31Z".to_owned()));
    assert_eq!(job.data, second(31).to_string());
    assert!(job.overwrite, "a redelivered event must not fail on its own job");
    assert!(
        matches!(job.failure_policy, Some(FailurePolicy::Constant(policy)) if policy.interval_ms == 5_000 && policy.max_retries == Some(60))
    );
    assert_eq!(notification.dapr.all_calls(), 2, "no record is kept");
}

#[tokio::test]
async fn only_what_is_to_be_sent_is_armed() {
    let notification = Service::start("notification").await;
    let near = task_at(&["2026-11-21T12:01:00Z"]);
    let mut completed = near.clone();
    completed["status"] = json!("completed");
    let mut sent = near.clone();
    sent["reminders"][0]["status"] = json!("sent");
    let events = [
        task_event("completed", &completed),
        task_event("deleted", &near),
        task_event("updated", &sent),
        task_event("created", &task_at(&[])),
    ];
    assert_eq!(deliver_all(&notification, &events).await, ["SUCCESS"; 4]);
    assert_eq!(notification.dapr.all_calls(), 0);
}

#[tokio::test]
async fn a_second_that_has_passed_is_armed_if_it_was_a_moment_ago() {
    let notification = Service::start("notification").await;
    for (instant, jobs) in [
        ("2026-11-21T11:58:59Z", &[][..]),
        ("2026-11-21T11:59:00Z", &[-60]),
        ("2026-11-21T12:00:00Z", &[-60, 0]),
    ] {
        deliver(&notification, &task_event("updated", &task_at(&[instant]))).await;
        let jobs: Vec<i64> = jobs.iter().map(|after| second(*after)).collect();
        assert_eq!(armed(&notification.dapr), jobs, "{instant}");
    }
}

#[tokio::test]
async fn a_thousand_events_of_one_second_make_one_job() {
    let notification = Service::start("notification").await;
    let event = task_event("created", &task_at(&["2026-11-21T12:01:00Z"]));
    for _ in 0..20 {
        let statuses = deliver_all(&notification, &vec![event.clone(); 50]).await;
        assert_eq!(statuses, ["SUCCESS"; 50]);
    }
    assert_eq!(armed(&notification.dapr), [second(60)]);
    assert_eq!(notification.dapr.all_calls(), 1);
}

#[tokio::test]
async fn a_second_whose_job_may_have_fired_is_armed_again() {
    let notification = Service::start("notification").await;
    let event = task_event("created", &task_at(&["2026-11-21T12:01:00Z"]));
    // The scheduler's clock may be 5 s ahead.
    for (pass, calls) in [(0, 1), (54, 1), (1, 2), (6, 3)] {
        notification.pass(pass);
        assert_eq!(deliver(&notification, &event).await, "SUCCESS");
        assert_eq!(notification.dapr.calls(Function::JobSchedule), calls, "{pass}");
    }
}

#[tokio::test]
async fn if_a_second_cannot_be_armed_only_the_events_that_need_it_come_again() {
    let notification = Service::start("notification").await;
    let events = [
        task_event("created", &task_at(&["2026-11-21T12:01:00Z"])),
        task_event("created", &task_at(&["2026-11-21T12:10:00Z"])),
        task_event(
            "created",
            &task_at(&["2026-11-21T12:00:30Z", "2026-11-21T12:01:30Z"]),
        ),
        task_event("created", &task_at(&["2026-11-21T12:01:30Z"])),
    ];
    notification
        .dapr
        .fail_next(Function::JobSchedule, failed("it does not like this one"));
    assert_eq!(
        deliver_all(&notification, &events).await,
        ["SUCCESS", "SUCCESS", "RETRY", "SUCCESS"]
    );
    assert_eq!(armed(&notification.dapr), [second(60), second(90)]);
    assert_eq!(deliver_all(&notification, &events).await, ["SUCCESS"; 4]);
    assert_eq!(armed(&notification.dapr), [second(30), second(60), second(90)]);
}

#[tokio::test]
async fn without_a_scheduler_a_batch_waits_for_one_attempt() {
    for error in [unavailable("no sidecar"), timeout("the scheduler is slow")] {
        let notification = Service::start("notification").await;
        notification.dapr.down(Function::JobSchedule, error);
        let events = [
            task_event("created", &task_at(&["2026-11-21T12:10:00Z"])),
            task_event("created", &task_at(&["2026-11-21T12:00:30Z"])),
            task_event("created", &task_at(&["2026-11-21T12:01:30Z"])),
        ];
        assert_eq!(
            deliver_all(&notification, &events).await,
            ["SUCCESS", "RETRY", "RETRY"]
        );
        assert_eq!(notification.dapr.calls(Function::JobSchedule), 1);
        notification.dapr.up(Function::JobSchedule);
        assert_eq!(deliver_all(&notification, &events).await, ["SUCCESS"; 3]);
        assert_eq!(armed(&notification.dapr), [second(30), second(90)]);
    }
}

#[tokio::test]
async fn the_wit_export_does_what_the_route_does() {
    let notification = Service::start("notification").await;
    notification.pass(9 * 60);
    let event = wit::TaskEvent {
        change: wit::Change::Created,
        task: wit_task(),
        changed: Vec::new(),
        origin: None,
        traceparent: None,
    };
    let mut bad = event.clone();
    bad.task.reminders[1].id = "seven".to_owned();
    let (mut store, instance) = notification
        .host
        .component("notification")
        .unwrap()
        .instantiate()
        .await
        .unwrap();
    let exports = Notification::new(&mut store, &instance).unwrap();
    let handler = exports.nudge_events_task_events_handler();
    let results = store
        .run_concurrent(async |accessor| handler.call_handle(accessor, vec![bad, event]).await)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(armed(&notification.dapr), [second(600)]);
    assert!(
        matches!(&results[..], [Err(wit::Disposition::Drop(reason)), Ok(())] if reason.starts_with("reminder.id")),
        "{results:?}"
    );
}
