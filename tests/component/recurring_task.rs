//! Recurring-task: completed recurring tasks in, a request for the next occurrence out.

use http::Method;
use nudge_test_kit::bindings::api::nudge::events::types as wit;
use nudge_test_kit::bindings::recurring_task::RecurringTask;
use nudge_test_kit::dapr::{Function, Response, unavailable};
use serde_json::{Value, json};

use crate::sample::{SERIES, TASK, task, task_event, wit_task};
use crate::support::{Service, TRACE, json, send};

const EVENTS: &str = "/recurring-task/events/task-recurrence";

/// The third occurrence of a daily series, done an hour before it is due.
fn completed(rule: &str) -> Value {
    let mut task = task();
    for (name, value) in [
        ("status", json!("completed")),
        ("due", json!("2026-11-21T14:00:00+01:00")),
        ("recurrence", json!(rule)),
        ("seriesId", json!(SERIES)),
        ("seriesStart", json!("2026-11-19T14:00:00+01:00")),
        ("occurrence", json!(3)),
        ("version", json!(2)),
        ("completedAt", json!("2026-11-21T12:00:00Z")),
    ] {
        task[name] = value;
    }
    task
}

async fn deliver(recurring: &Service, task: &Value) -> String {
    let answer = json(
        &recurring
            .sidecar()
            .post(EVENTS, &task_event("completed", task))
            .await,
        200,
    );
    answer["status"].as_str().expect("one of Dapr's words").to_owned()
}

async fn start(status: u16) -> Service {
    let recurring = Service::start("recurring-task").await;
    recurring.dapr.answer(move |_| Response {
        status,
        body: b"{\"detail\":\"because\"}".to_vec(),
    });
    recurring
}

/// The last request to the api.
fn asked(recurring: &Service) -> Value {
    let last = recurring.dapr.invocations().pop().expect("the api was asked");
    assert_eq!(
        (last.app_id.as_str(), last.request.method.as_str()),
        ("api", "POST")
    );
    assert_eq!(last.request.path, format!("internal/tasks/{TASK}/successor"));
    assert_eq!(last.request.traceparent.as_deref(), Some(TRACE));
    serde_json::from_str(&last.request.body.expect("a body")).expect("JSON")
}

#[tokio::test]
async fn asks_for_the_next_occurrence_by_an_id_that_follows_from_the_series() {
    let recurring = start(204).await;
    assert_eq!(deliver(&recurring, &completed("FREQ=DAILY")).await, "SUCCESS");
    let first = asked(&recurring);
    let id = uuid::Uuid::new_v5(&SERIES.parse().expect("a UUID"), b"2026-11-22T13:00:00Z");
    assert_eq!(
        first,
        json!({ "kind": "next", "id": id.to_string(), "due": "2026-11-22T14:00:00+01:00", "occurrence": 4,
                "completedAt": "2026-11-21T12:00:00Z" })
    );
    assert_eq!(deliver(&recurring, &completed("FREQ=DAILY")).await, "SUCCESS");
    assert_eq!(asked(&recurring), first, "the same however often it is asked");
}

#[tokio::test]
async fn completing_late_skips_what_has_passed() {
    let recurring = start(204).await;
    let mut late = completed("FREQ=DAILY");
    late["completedAt"] = json!("2026-11-24T20:00:00Z");
    deliver(&recurring, &late).await;
    let next = asked(&recurring);
    assert_eq!(
        (&next["due"], &next["occurrence"]),
        (&json!("2026-11-25T14:00:00+01:00"), &json!(7))
    );
}

#[tokio::test]
async fn a_series_that_follows_the_work_counts_from_the_completion() {
    let recurring = start(204).await;
    let mut task = completed("FREQ=DAILY;INTERVAL=3");
    task["recurrenceFrom"] = json!("completion");
    task["completedAt"] = json!("2026-11-24T20:00:00Z");
    deliver(&recurring, &task).await;
    let next = asked(&recurring);
    assert_eq!(
        (&next["due"], &next["occurrence"]),
        (&json!("2026-11-27T14:00:00+01:00"), &json!(4))
    );
}

#[tokio::test]
async fn nine_oclock_stays_nine_oclock_when_the_clocks_change() {
    let recurring = start(204).await;
    let mut task = completed("FREQ=WEEKLY");
    task["seriesStart"] = json!("2027-03-22T09:00:00+01:00");
    task["due"] = json!("2027-03-22T09:00:00+01:00");
    task["occurrence"] = json!(1);
    task["completedAt"] = json!("2027-03-22T08:00:00Z");
    deliver(&recurring, &task).await;
    assert_eq!(asked(&recurring)["due"], "2027-03-29T09:00:00+02:00");
}

#[tokio::test]
async fn a_series_ends_with_its_count_or_its_last_day() {
    let recurring = start(204).await;
    for rule in ["FREQ=DAILY;COUNT=3", "FREQ=DAILY;UNTIL=20261121"] {
        assert_eq!(deliver(&recurring, &completed(rule)).await, "SUCCESS");
        assert_eq!(
            asked(&recurring),
            json!({ "kind": "ended", "completedAt": "2026-11-21T12:00:00Z" }),
            "{rule}"
        );
    }
    assert_eq!(
        deliver(&recurring, &completed("FREQ=DAILY;COUNT=4")).await,
        "SUCCESS"
    );
    assert_eq!(asked(&recurring)["kind"], "next");
}

#[tokio::test]
async fn what_the_api_says_decides_what_becomes_of_the_event() {
    for (status, word, rejected) in [
        (200, "SUCCESS", 0),
        (404, "SUCCESS", 0),
        (410, "SUCCESS", 0),
        (400, "SUCCESS", 1),
        (403, "SUCCESS", 1),
        (500, "RETRY", 0),
        (503, "RETRY", 0),
    ] {
        let recurring = start(status).await;
        assert_eq!(
            deliver(&recurring, &completed("FREQ=DAILY")).await,
            word,
            "{status}"
        );
        let dead = recurring.dapr.published("dead-letter");
        assert_eq!(dead.len(), rejected, "{status}");
        if let Some(dead) = dead.first() {
            let reason = dead.data().expect("JSON")["reason"].to_string();
            assert!(
                reason.contains(&status.to_string()) && reason.contains("because"),
                "{reason}"
            );
        }
    }
}

#[tokio::test]
async fn an_api_that_cannot_be_reached_is_asked_again() {
    let recurring = start(204).await;
    recurring.dapr.fail_next(Function::Invoke, unavailable("no app"));
    assert_eq!(deliver(&recurring, &completed("FREQ=DAILY")).await, "RETRY");
    assert_eq!(deliver(&recurring, &completed("FREQ=DAILY")).await, "SUCCESS");
}

#[tokio::test]
async fn a_task_that_cannot_have_a_successor_is_dead_lettered_with_the_reason() {
    for (name, value, words) in [
        ("recurrence", Value::Null, "has no recurrence"),
        ("recurrence", json!("FREQ=SOMETIMES"), "recurrence: "),
        ("seriesId", Value::Null, "has no seriesId"),
        ("seriesStart", Value::Null, "has no seriesStart"),
        ("due", Value::Null, "has no due"),
        ("due", json!("whenever"), "`whenever` is not a timestamp"),
        ("completedAt", Value::Null, "has no completedAt"),
        ("timeZone", json!("Mars/Base"), "timeZone: "),
    ] {
        let recurring = start(204).await;
        let mut task = completed("FREQ=DAILY");
        task[name] = value;
        assert_eq!(deliver(&recurring, &task).await, "SUCCESS", "{name}");
        let dead = recurring.dapr.published("dead-letter");
        let data = dead[0].data().expect("JSON");
        assert!(
            data["reason"]
                .as_str()
                .is_some_and(|reason| reason.contains(words)),
            "{name}: {data}"
        );
        assert_eq!(data["consumer"], "recurring-task");
        assert!(recurring.dapr.invocations().is_empty(), "{name}");
    }
}

#[tokio::test]
async fn the_wit_export_does_what_the_route_does() {
    let recurring = start(204).await;
    let task = wit::Task {
        status: wit::Status::Completed,
        due: Some("2026-11-21T14:00:00+01:00".to_owned()),
        recurrence: Some("FREQ=DAILY".to_owned()),
        series_id: Some(SERIES.to_owned()),
        series_start: Some("2026-11-19T14:00:00+01:00".to_owned()),
        occurrence: 3,
        completed_at: Some("2026-11-21T12:00:00Z".to_owned()),
        ..wit_task()
    };
    let good = wit::TaskCompleted {
        task,
        traceparent: Some(TRACE.to_owned()),
    };
    let mut bad = good.clone();
    bad.task.recurrence = None;
    let (mut store, instance) = recurring
        .host
        .component("recurring-task")
        .unwrap()
        .instantiate()
        .await
        .unwrap();
    let exports = RecurringTask::new(&mut store, &instance).unwrap();
    let handler = exports.nudge_events_task_recurrence_handler();
    let (done, refused) = store
        .run_concurrent(async |accessor| {
            (
                handler.call_handle(accessor, good).await,
                handler.call_handle(accessor, bad).await,
            )
        })
        .await
        .unwrap();
    assert_eq!(done.unwrap(), Ok(()));
    assert_eq!(asked(&recurring)["due"], "2026-11-22T14:00:00+01:00");
    assert!(
        matches!(refused.unwrap(), Err(wit::Disposition::Drop(reason)) if reason.contains("no recurrence"))
    );
    assert!(
        recurring.dapr.published("dead-letter").is_empty(),
        "through WIT the caller learns it"
    );
}

#[tokio::test]
async fn only_the_sidecar_delivers_events_and_anybody_may_ask_for_health() {
    let recurring = start(204).await;
    let call = || {
        recurring
            .anybody()
            .call(Method::POST, EVENTS)
            .json(&task_event("completed", &completed("FREQ=DAILY")))
    };
    assert_eq!(send(call()).await.status, 401);
    assert_eq!(send(call().header("dapr-api-token", "guessed")).await.status, 403);
    assert!(recurring.dapr.invocations().is_empty());
    assert_eq!(
        recurring.anybody().get("/recurring-task/health").await.status,
        200
    );
}
