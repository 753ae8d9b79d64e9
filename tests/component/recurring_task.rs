//! Recurring-task: completed recurring tasks in, a request for the next occurrence out.

use http::Method;
use nudge_test_kit::bindings::api::nudge::events::types as wit;
use nudge_test_kit::bindings::recurring_task::RecurringTask;
use nudge_test_kit::dapr::{Function, Response, unavailable};
use serde_json::{Value, json};

use crate::sample::{SERIES, TASK, batch, task, task_event, wit_task};
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

/// Recurring-task with an api that answers each completed task so.
async fn start_with(result: impl Fn(&Value) -> Value + Send + 'static) -> Service {
    let recurring = Service::start("recurring-task").await;
    recurring.dapr.answer(move |invocation| {
        let body = invocation.request.body.as_deref().expect("a body");
        let body: Value = serde_json::from_str(body).expect("JSON");
        let items = body["items"].as_array().expect("a list");
        let results: Vec<Value> = items.iter().map(&result).collect();
        Response {
            status: 200,
            body: json!({ "items": results }).to_string().into_bytes(),
        }
    });
    recurring
}

/// Recurring-task with an api that creates whatever it is asked for.
async fn start() -> Service {
    start_with(|_| json!({ "result": "done" })).await
}

/// The items of each request to the api.
fn all_asked(recurring: &Service) -> Vec<Vec<Value>> {
    let invocations = recurring.dapr.invocations().into_iter();
    let items = invocations.map(|asked| {
        assert_eq!(
            (
                asked.app_id.as_str(),
                asked.request.method.as_str(),
                asked.request.path.as_str()
            ),
            ("api", "POST", "internal/successors")
        );
        assert!(asked.request.traceparent.is_some());
        let body: Value = serde_json::from_str(&asked.request.body.expect("a body")).expect("JSON");
        body["items"].as_array().expect("a list").clone()
    });
    items.collect()
}

/// The successor in the last request to the api, which is about the sample alone.
fn asked(recurring: &Service) -> Value {
    let last = all_asked(recurring).pop().expect("the api was asked");
    assert_eq!(last.len(), 1);
    assert_eq!(
        (&last[0]["taskId"], &last[0]["traceparent"]),
        (&json!(TASK), &json!(TRACE))
    );
    last[0]["successor"].clone()
}

#[tokio::test]
async fn asks_for_the_next_occurrence_by_an_id_that_follows_from_the_series() {
    let recurring = start().await;
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
    let recurring = start().await;
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
    let recurring = start().await;
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
    let recurring = start().await;
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
    let recurring = start().await;
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
    for (result, word, rejected) in [
        (json!({ "result": "done" }), "SUCCESS", 0),
        (json!({ "result": "gone" }), "SUCCESS", 0),
        (json!({ "result": "refused", "reason": "because" }), "SUCCESS", 1),
        (json!({ "result": "later", "reason": "busy" }), "SUCCESS", 0),
    ] {
        let text = result.to_string();
        let recurring = start_with(move |_| result.clone()).await;
        assert_eq!(
            deliver(&recurring, &completed("FREQ=DAILY")).await,
            word,
            "{text}"
        );
        let dead = recurring.dapr.published("dead-letter");
        assert_eq!(dead.len(), rejected, "{text}");
        if let Some(dead) = dead.first() {
            let reason = dead.data().expect("JSON")["reason"].to_string();
            assert!(reason.contains(TASK) && reason.contains("because"), "{reason}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_none_or_too_short_delivers_again() {
    for (status, body) in [
        (400, json!({ "detail": "because" })),
        (404, Value::Null),
        (500, Value::Null),
        (200, json!("done")),
        (200, json!({ "items": [] })),
    ] {
        let recurring = Service::start("recurring-task").await;
        recurring.dapr.answer_json(status, &body);
        assert_eq!(
            deliver(&recurring, &completed("FREQ=DAILY")).await,
            "RETRY",
            "{status} {body}"
        );
    }
}

/// A completed occurrence of a series of its own.
fn another(number: usize) -> Value {
    let mut task = completed("FREQ=DAILY");
    task["id"] = json!(format!("018f0000-0000-7000-8000-{number:012x}"));
    task
}

/// Delivers a batch and returns its statuses, in order.
async fn deliver_all(recurring: &Service, tasks: &[Value]) -> Vec<String> {
    let events: Vec<Value> = tasks.iter().map(|task| task_event("completed", task)).collect();
    let answer = json(&recurring.sidecar().post(EVENTS, &batch(&events)).await, 200);
    let statuses = answer["statuses"].as_array().expect("a list").clone();
    let status = |(number, status): (usize, Value)| {
        assert_eq!(status["entryId"], number.to_string());
        status["status"].as_str().expect("a word").to_owned()
    };
    statuses.into_iter().enumerate().map(status).collect()
}

#[tokio::test]
async fn a_batch_is_one_request_and_each_event_gets_its_own_status() {
    let busy = another(4)["id"].clone();
    let refused = another(5)["id"].clone();
    let recurring = start_with(move |item| match &item["taskId"] {
        id if *id == busy => json!({ "result": "later", "reason": "busy" }),
        id if *id == refused => json!({ "result": "refused", "reason": "because" }),
        _ => json!({ "result": "done" }),
    })
    .await;
    let mut endless = another(2);
    endless["recurrence"] = json!("FREQ=SOMETIMES");
    let tasks = [another(1), endless, another(3), another(4), another(5)];
    assert_eq!(deliver_all(&recurring, &tasks).await, ["SUCCESS"; 5]);
    let dead = recurring.dapr.published("dead-letter");
    let reasons: Vec<String> = dead
        .iter()
        .map(|dead| dead.data().expect("JSON")["reason"].to_string())
        .collect();
    assert_eq!(reasons.len(), 2);
    assert!(reasons[0].contains("recurrence: ") && reasons[1].contains("because"));
    let asked = all_asked(&recurring);
    let ids: Vec<&Value> = asked[0].iter().map(|item| &item["taskId"]).collect();
    assert_eq!(asked.len(), 1);
    assert_eq!(
        ids,
        [
            &another(1)["id"],
            &another(3)["id"],
            &another(4)["id"],
            &another(5)["id"]
        ]
    );
}

#[tokio::test]
async fn a_request_has_at_most_a_hundred_completed_tasks() {
    let recurring = start().await;
    let tasks: Vec<Value> = (1..=101).map(another).collect();
    assert_eq!(deliver_all(&recurring, &tasks).await, vec!["SUCCESS"; 101]);
    let sizes: Vec<usize> = all_asked(&recurring).iter().map(Vec::len).collect();
    assert_eq!(sizes, [100, 1]);
}

#[tokio::test]
async fn a_request_that_fails_delivers_its_events_again_and_no_others() {
    let recurring = start().await;
    recurring.dapr.pass_next(Function::Invoke);
    recurring.dapr.fail_next(Function::Invoke, unavailable("no app"));
    let tasks: Vec<Value> = (1..=101).map(another).collect();
    let statuses = deliver_all(&recurring, &tasks).await;
    let again: Vec<usize> = (0..101).filter(|at| statuses[*at] == "RETRY").collect();
    assert_eq!(again, [100]);
}

#[tokio::test]
async fn an_api_that_cannot_be_reached_is_asked_again() {
    let recurring = start().await;
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
        let recurring = start().await;
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
    let recurring = start().await;
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
    let results = store
        .run_concurrent(async |accessor| handler.call_handle(accessor, vec![bad, good]).await)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(asked(&recurring)["due"], "2026-11-22T14:00:00+01:00");
    assert!(
        matches!(&results[..], [Err(wit::Disposition::Drop(reason)), Ok(())] if reason.contains("no recurrence")),
        "{results:?}"
    );
    assert!(
        recurring.dapr.published("dead-letter").is_empty(),
        "through WIT the caller learns it"
    );
}

#[tokio::test]
async fn only_the_sidecar_delivers_events_and_anybody_may_ask_for_health() {
    let recurring = start().await;
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
