//! Jobs are scheduled for changes of tasks.

use nudge_test_kit::bindings::api::nudge::events::types as wit;
use nudge_test_kit::bindings::notification::Notification;
use nudge_test_kit::dapr::{FailurePolicy, FakeDapr, Function, Timing, timeout, unavailable};
use serde_json::{Value, json};

use crate::sample::{OTHER_REMINDER, REMINDER, TASK, task, task_event, wit_task};
use crate::support::{Service, TRACE, json};

const EVENTS: &str = "/notification/events/task-events";

async fn deliver(notification: &Service, event: &Value) -> String {
    let answer = json(&notification.sidecar().post(EVENTS, event).await, 200);
    answer["status"].as_str().expect("one of Dapr's words").to_owned()
}

/// The scheduled jobs: reminder and instant.
fn armed(dapr: &FakeDapr) -> Vec<(String, String)> {
    let instant = |timing| match timing {
        Timing::Once(instant) => instant,
        Timing::Repeated(schedule) => panic!("{schedule}"),
    };
    dapr.jobs()
        .into_iter()
        .map(|(name, job)| (name, instant(job.timing)))
        .collect()
}

fn job(reminder: &str, instant: &str) -> (String, String) {
    (format!("reminder-{reminder}"), instant.to_owned())
}

fn both() -> [(String, String); 2] {
    [
        job(REMINDER, "2026-11-21T13:30:00+01:00"),
        job(OTHER_REMINDER, "2026-11-21T13:10:00+01:00"),
    ]
}

/// The sample at a later version with the first reminder moved.
fn moved(version: u32, remind_at: &str) -> Value {
    let mut task = task();
    task["version"] = json!(version);
    task["reminders"][0]["remindAt"] = json!(remind_at);
    task
}

#[tokio::test]
async fn each_reminder_of_a_task_becomes_a_job() {
    let notification = Service::start("notification").await;
    assert_eq!(
        deliver(&notification, &task_event("created", &task())).await,
        "SUCCESS"
    );
    assert_eq!(armed(&notification.dapr), both());
    let job = notification
        .dapr
        .take_job(&format!("reminder-{REMINDER}"))
        .expect("armed");
    assert!(job.overwrite, "a redelivered event must not fail on its own job");
    assert!(
        matches!(job.failure_policy, Some(FailurePolicy::Constant(policy)) if policy.interval_ms == 5_000 && policy.max_retries == Some(60))
    );
    assert_eq!(
        serde_json::from_str::<Value>(&job.data).expect("JSON"),
        json!({ "reminderId": REMINDER, "remindAt": "2026-11-21T13:30:00+01:00", "task": task(), "traceparent": TRACE })
    );
    let record = notification
        .dapr
        .stored(&format!("armed-{TASK}"))
        .expect("a record");
    assert_eq!(record.ttl_seconds, None, "it is needed as long as there are jobs");
    assert_eq!(
        serde_json::from_str::<Value>(&record.value).expect("JSON"),
        json!({ "version": 1, "jobs": { REMINDER: "2026-11-21T13:30:00+01:00", OTHER_REMINDER: "2026-11-21T13:10:00+01:00" } })
    );
}

#[tokio::test]
async fn the_wit_export_does_what_the_route_does() {
    let notification = Service::start("notification").await;
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
    let (done, refused) = store
        .run_concurrent(async |accessor| {
            (
                handler.call_handle(accessor, event).await,
                handler.call_handle(accessor, bad).await,
            )
        })
        .await
        .unwrap();
    assert_eq!(done.unwrap(), Ok(()));
    assert_eq!(armed(&notification.dapr), both());
    assert!(
        matches!(refused.unwrap(), Err(wit::Disposition::Drop(reason)) if reason.starts_with("reminder.id"))
    );
}

#[tokio::test]
async fn a_new_task_without_reminders_asks_nothing_of_the_sidecar() {
    let notification = Service::start("notification").await;
    let mut task = task();
    task["reminders"] = json!([]);
    assert_eq!(
        deliver(&notification, &task_event("created", &task)).await,
        "SUCCESS"
    );
    assert_eq!(notification.dapr.calls(Function::StateGet), 0);
    assert_eq!(notification.dapr.calls(Function::StatePut), 0);
    // A previous version was not seen: its jobs must be removed.
    task["version"] = json!(2);
    deliver(&notification, &task_event("updated", &task)).await;
    assert!(notification.dapr.stored(&format!("armed-{TASK}")).is_some());
}

#[tokio::test]
async fn an_event_that_comes_again_changes_nothing() {
    let notification = Service::start("notification").await;
    let event = task_event("created", &task());
    for _ in 0..3 {
        assert_eq!(deliver(&notification, &event).await, "SUCCESS");
    }
    assert_eq!(armed(&notification.dapr), both());
    assert_eq!(notification.dapr.calls(Function::JobSchedule), 2);
    assert_eq!(notification.dapr.calls(Function::StatePut), 1);
}

#[tokio::test]
async fn an_older_version_that_comes_late_is_ignored() {
    let notification = Service::start("notification").await;
    deliver(
        &notification,
        &task_event("updated", &moved(2, "2026-11-21T15:00:00+01:00")),
    )
    .await;
    assert_eq!(
        deliver(&notification, &task_event("created", &task())).await,
        "SUCCESS"
    );
    assert_eq!(
        armed(&notification.dapr)[0],
        job(REMINDER, "2026-11-21T15:00:00+01:00")
    );
}

#[tokio::test]
async fn a_reminder_that_moved_is_armed_again_and_the_other_does_not_change() {
    let notification = Service::start("notification").await;
    deliver(&notification, &task_event("created", &task())).await;
    deliver(
        &notification,
        &task_event("updated", &moved(2, "2026-11-21T15:00:00+01:00")),
    )
    .await;
    assert_eq!(
        armed(&notification.dapr),
        [job(REMINDER, "2026-11-21T15:00:00+01:00"), both()[1].clone()]
    );
    assert_eq!(notification.dapr.calls(Function::JobSchedule), 3);
}

#[tokio::test]
async fn a_task_that_is_done_or_gone_has_no_jobs() {
    for change in ["completed", "deleted"] {
        let notification = Service::start("notification").await;
        deliver(&notification, &task_event("created", &task())).await;
        let mut over = moved(2, "2026-11-21T13:30:00+01:00");
        if change == "completed" {
            over["status"] = json!("completed");
        }
        assert_eq!(
            deliver(&notification, &task_event(change, &over)).await,
            "SUCCESS"
        );
        assert_eq!(armed(&notification.dapr), [], "{change}");
        let record = notification
            .dapr
            .stored(&format!("armed-{TASK}"))
            .expect("a record");
        assert_eq!(
            record.ttl_seconds,
            Some(7 * 24 * 60 * 60),
            "it is kept as long as an event can be late"
        );
        assert_eq!(
            deliver(&notification, &task_event("created", &task())).await,
            "SUCCESS"
        );
        assert_eq!(
            armed(&notification.dapr),
            [],
            "{change}: an older event does not bring them back"
        );
    }
}

#[tokio::test]
async fn a_reminder_that_is_taken_off_loses_its_job() {
    let notification = Service::start("notification").await;
    deliver(&notification, &task_event("created", &task())).await;
    let mut less = moved(2, "2026-11-21T13:30:00+01:00");
    less["reminders"].as_array_mut().expect("a list").remove(0);
    deliver(&notification, &task_event("updated", &less)).await;
    assert_eq!(armed(&notification.dapr), [both()[1].clone()]);
}

#[tokio::test]
async fn a_reminder_whose_email_was_sent_costs_no_call_for_its_job() {
    for status in ["sent", "failed"] {
        let notification = Service::start("notification").await;
        deliver(&notification, &task_event("created", &task())).await;
        let mut over = moved(2, "2026-11-21T13:30:00+01:00");
        over["reminders"][0]["status"] = json!(status);
        deliver(&notification, &task_event("updated", &over)).await;
        assert_eq!(
            notification.dapr.calls(Function::JobDelete),
            0,
            "{status}: it fired, and is gone by itself"
        );
        // Over for another instant than the job's.
        let mut again = moved(3, "2026-11-21T15:00:00+01:00");
        deliver(&notification, &task_event("updated", &again)).await;
        again["version"] = json!(4);
        again["reminders"][0]["status"] = json!(status);
        again["reminders"][0]["remindAt"] = json!("2026-11-21T13:30:00+01:00");
        deliver(&notification, &task_event("updated", &again)).await;
        assert_eq!(notification.dapr.calls(Function::JobDelete), 1, "{status}");
    }
}

#[tokio::test]
async fn a_failure_in_the_middle_is_finished_by_the_next_delivery() {
    let notification = Service::start("notification").await;
    notification.dapr.pass_next(Function::JobSchedule);
    notification
        .dapr
        .fail_next(Function::JobSchedule, timeout("the scheduler is slow"));
    let event = task_event("created", &task());
    assert_eq!(deliver(&notification, &event).await, "RETRY");
    assert_eq!(armed(&notification.dapr), [both()[0].clone()]);
    assert_eq!(
        notification.dapr.keys(),
        Vec::<String>::new(),
        "a record is never written before the work"
    );
    assert_eq!(deliver(&notification, &event).await, "SUCCESS");
    assert_eq!(armed(&notification.dapr), both());
}

#[tokio::test]
async fn an_outage_of_the_state_store_or_the_scheduler_delivers_again() {
    let event = task_event("created", &task());
    for function in [Function::StateGet, Function::StatePut, Function::JobSchedule] {
        let notification = Service::start("notification").await;
        notification.dapr.fail_next(function, unavailable("away"));
        assert_eq!(deliver(&notification, &event).await, "RETRY", "{function:?}");
        assert_eq!(deliver(&notification, &event).await, "SUCCESS", "{function:?}");
        assert_eq!(armed(&notification.dapr), both(), "{function:?}");
    }
    let notification = Service::start("notification").await;
    notification
        .dapr
        .lose_answer(Function::StatePut, timeout("no answer"));
    assert_eq!(deliver(&notification, &event).await, "RETRY");
    assert_eq!(deliver(&notification, &event).await, "SUCCESS");
    assert_eq!(armed(&notification.dapr), both());
}

#[tokio::test]
async fn of_two_versions_at_the_same_time_the_newer_one_decides() {
    let notification = Service::start("notification").await;
    // The older one stands just before it arms the first reminder when the newer one comes and goes.
    let hold = notification.dapr.hold_next(Function::JobSchedule);
    let older = task_event("created", &task());
    let newer = task_event("updated", &moved(2, "2026-11-21T15:00:00+01:00"));
    let overtaking = async {
        hold.reached().await;
        let status = deliver(&notification, &newer).await;
        hold.release();
        status
    };
    let (late, early) = tokio::join!(deliver(&notification, &older), overtaking);
    assert_eq!((late.as_str(), early.as_str()), ("SUCCESS", "SUCCESS"));
    assert_eq!(
        armed(&notification.dapr)[0],
        job(REMINDER, "2026-11-21T15:00:00+01:00")
    );
    let record = notification
        .dapr
        .stored(&format!("armed-{TASK}"))
        .expect("a record");
    assert_eq!(
        serde_json::from_str::<Value>(&record.value).expect("JSON")["version"],
        2
    );
}

#[tokio::test]
async fn an_older_version_that_is_handled_after_the_end_of_its_task_leaves_no_job() {
    let notification = Service::start("notification").await;
    let hold = notification.dapr.hold_next(Function::JobSchedule);
    let older = task_event("created", &task());
    let over = task_event("deleted", &moved(2, "2026-11-21T13:30:00+01:00"));
    let overtaking = async {
        hold.reached().await;
        deliver(&notification, &over).await;
        hold.release();
    };
    let (late, ()) = tokio::join!(deliver(&notification, &older), overtaking);
    assert_eq!(late, "SUCCESS");
    assert_eq!(armed(&notification.dapr), []);
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_replaced() {
    let notification = Service::start("notification").await;
    notification
        .dapr
        .set_state(&format!("armed-{TASK}"), &json!("something else"));
    assert_eq!(
        deliver(&notification, &task_event("created", &task())).await,
        "SUCCESS"
    );
    assert_eq!(armed(&notification.dapr), both());
}
