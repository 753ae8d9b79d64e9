//! What services tell and ask the api in batches: outcomes, decisions about deliveries, next occurrences.

use futures_util::future::join_all;
use http::Method;
use serde_json::{Value, json};

use super::leases::remind;
use super::{outcome, sent, settled};
use crate::sample::batch;
use crate::support::{Service, json as body, text};

const OUTCOMES: &str = "/internal/events/reminder-outcomes";
const UNKNOWN: &str = "018f0000-0000-7000-8000-000000000001";

fn path(task: &Value) -> String {
    format!("/api/v1/tasks/{}", text(task, "id"))
}

async fn read(api: &Service, user: &str, task: &Value) -> Value {
    body(&api.user(user).get(&path(task)).await, 200)
}

/// Delivers events in a batch, and returns the status of each.
async fn deliver(api: &Service, events: &[Value]) -> Vec<String> {
    let answer = body(&api.sidecar().post(OUTCOMES, &batch(events)).await, 200);
    let statuses = answer["statuses"].as_array().unwrap();
    (0..)
        .zip(statuses)
        .map(|(number, status): (u32, _)| {
            assert_eq!(status["entryId"], json!(number.to_string()));
            text(status, "status").to_owned()
        })
        .collect()
}

/// A user's task that is due at a time of the day on which tests begin, in Berlin, with reminders that many minutes before.
async fn due(api: &Service, user: &str, time: &str, reminders: &[u32]) -> Value {
    let reminders: Vec<Value> = reminders
        .iter()
        .map(|minutes| json!({ "minutesBefore": minutes }))
        .collect();
    let task = json!({ "title": "x", "due": format!("2026-11-21T{time}"), "reminders": reminders });
    api.user(user).create("/api/v1/tasks", &task).await
}

/// Outcomes that cannot be stored fail alone, and repeated ones change nothing more.
pub(crate) async fn outcomes_alone(api: &Service) {
    let one = due(api, "alice", "14:00", &[60]).await;
    let two = due(api, "bob", "14:00", &[60]).await;
    let deleted = due(api, "bob", "14:00", &[60]).await;
    assert_eq!(api.user("bob").delete(&path(&deleted)).await.status, 204);
    let mut poisoned = sent(&one, 0);
    poisoned["data"]["reminderId"] = json!("seven");
    let mut unknown = sent(&one, 0);
    unknown["data"]["taskId"] = json!(UNKNOWN);
    let failed = outcome(&two, 0, "nudge.reminder.failed.v1", Some("no such mailbox"));
    let events = [
        poisoned,
        sent(&one, 0),
        unknown,
        failed,
        sent(&one, 0),
        sent(&deleted, 0),
    ];
    assert_eq!(deliver(api, &events).await, ["SUCCESS"; 6]);
    let dead = api.dapr.published("dead-letter");
    let reasons: Vec<String> = dead
        .iter()
        .map(|dead| text(&dead.data().unwrap(), "reason").to_owned())
        .collect();
    assert_eq!(reasons.len(), 2, "{reasons:?}");
    assert!(
        reasons.contains(&format!("there is no task {UNKNOWN}")),
        "{reasons:?}"
    );
    for (user, task, status) in [("alice", &one, "sent"), ("bob", &two, "failed")] {
        let now = read(api, user, task).await;
        assert_eq!(
            (&now["reminders"][0]["status"], &now["version"]),
            (&json!(status), &json!(2))
        );
    }
    settled(api).await;
    let told = api.dapr.published("task-events");
    let told = told
        .iter()
        .filter(|event| event.data().unwrap()["change"] == "updated");
    assert_eq!(told.count(), 2);
}

#[tokio::test]
async fn outcomes_of_a_batch_fail_alone() {
    outcomes_alone(&Service::start("api").await).await;
}

/// Two outcomes of one task are one change of it.
pub(crate) async fn outcomes_of_one_task(api: &Service) {
    let task = due(api, "alice", "14:00", &[60, 30, 15]).await;
    let failed = outcome(&task, 1, "nudge.reminder.failed.v1", Some("no such mailbox"));
    assert_eq!(deliver(api, &[sent(&task, 0), failed]).await, ["SUCCESS"; 2]);
    let now = read(api, "alice", &task).await;
    let statuses: Vec<&str> = (0..3).map(|n| text(&now["reminders"][n], "status")).collect();
    assert_eq!(
        (statuses, &now["version"]),
        (vec!["sent", "failed", "scheduled"], &json!(2))
    );
}

#[tokio::test]
async fn outcomes_of_two_reminders_of_a_task_are_both_stored() {
    outcomes_of_one_task(&Service::start("api").await).await;
}

/// Outcomes and changes that are stored at the same time are all stored.
pub(crate) async fn outcomes_beside_changes(api: &Service) {
    let mut tasks = Vec::new();
    for _ in 0..4 {
        tasks.push(due(api, "alice", "14:00", &[60, 30]).await);
    }
    let alice = api.user("alice");
    let change = |task: &Value, n: usize| {
        let change = json!({ "description": n.to_string() });
        alice.call(Method::PATCH, &path(task)).json(&change)
    };
    let delivery = |reminder: usize| {
        let events: Vec<Value> = tasks.iter().map(|task| sent(task, reminder)).collect();
        api.sidecar().call(Method::POST, OUTCOMES).json(&batch(&events))
    };
    let changes = (0..12).map(|n| change(&tasks[n % 4], n));
    let calls = changes.chain([delivery(0), delivery(1), delivery(0)]);
    for answer in join_all(calls.map(|call| call.send())).await {
        let answer = answer.unwrap();
        let shown = body(&answer, 200);
        let statuses = shown["statuses"].as_array();
        assert!(
            statuses.is_none_or(|statuses| statuses.iter().all(|entry| entry["status"] == "SUCCESS")),
            "{shown}"
        );
    }
    for task in &tasks {
        let now = read(api, "alice", task).await;
        for n in 0..2 {
            assert_eq!(now["reminders"][n]["status"], "sent", "{now}");
        }
        assert_eq!(now["version"], 6, "three changes and two outcomes: {now}");
    }
}

#[tokio::test]
async fn a_change_at_the_same_time_loses_no_outcome() {
    outcomes_beside_changes(&Service::start("api").await).await;
}

/// The outcome of a task whose owner's account is being deleted is not stored, and does not hold up others.
pub(crate) async fn outcomes_of_closing(api: &Service, sql: impl AsyncFn(&str)) {
    let (one, two) = (
        due(api, "alice", "14:00", &[60]).await,
        due(api, "bob", "14:00", &[60]).await,
    );
    sql("UPDATE person SET leaving_since = 1 WHERE id = 'alice'").await;
    assert_eq!(
        deliver(api, &[sent(&one, 0), sent(&two, 0)]).await,
        ["SUCCESS", "SUCCESS"]
    );
    assert_eq!(read(api, "bob", &two).await["reminders"][0]["status"], "sent");
}

#[tokio::test]
async fn an_outcome_of_a_closing_account_holds_up_no_other() {
    let api = Service::start("api").await;
    outcomes_of_closing(&api, async |sql: &str| api.sql(sql)).await;
}

async fn decide(api: &Service, items: &[Value]) -> Vec<Value> {
    let asked = json!({ "items": items });
    let answer = api.sidecar().post("/internal/reminders/deliveries", &asked).await;
    body(&answer, 200)["items"].as_array().cloned().unwrap()
}

/// A reminder of a task, as requests name it.
fn reminder(task: &Value, n: usize) -> Value {
    let reminder = &task["reminders"][n];
    json!({ "reminderId": reminder["id"], "remindAt": reminder["remindAt"] })
}

/// Each reminder of a batch has a decision; those of quiet hours move to their end.
pub(crate) async fn decisions(api: &Service) {
    let quiet = json!({ "quietHours": { "from": "12:55", "until": "14:00" } });
    body(&api.user("bob").patch("/api/v1/me", &quiet).await, 200);
    let mine = due(api, "alice", "14:30", &[90, 30]).await;
    let moved = due(api, "alice", "14:00", &[60]).await;
    let change = json!({ "due": "2026-11-21T15:00" });
    body(&api.user("alice").patch(&path(&moved), &change).await, 200);
    let waiting = due(api, "bob", "14:30", &[90, 89]).await;
    let also_waiting = due(api, "bob", "14:30", &[90]).await;
    let unknown = json!({ "reminderId": UNKNOWN, "remindAt": "2026-11-21T12:00:00Z" });
    let asked = [
        reminder(&mine, 0),
        reminder(&moved, 0),
        reminder(&waiting, 0),
        unknown,
        reminder(&also_waiting, 0),
        reminder(&waiting, 1),
        reminder(&mine, 1),
    ];
    let decided = decide(api, &asked).await;
    let words: Vec<&str> = decided
        .iter()
        .map(|decision| match text(decision, "decision") {
            "skip" => text(decision, "reason"),
            decision => decision,
        })
        .collect();
    let quiet = "its owner has quiet hours: it waits until they end";
    assert_eq!(
        words,
        [
            "send",
            "the reminder was moved",
            quiet,
            "the reminder or its task is gone",
            quiet,
            quiet,
            "send",
        ]
    );
    assert_eq!(decided[0]["email"], "alice@example.com");
    assert_eq!(decided[0]["task"]["id"], mine["id"]);
    for (task, count) in [(&waiting, 2), (&also_waiting, 1)] {
        let now = read(api, "bob", task).await;
        assert_eq!(now["version"], 2, "one change");
        for n in 0..count {
            assert_eq!(now["reminders"][n]["remindAt"], "2026-11-21T14:00:00+01:00");
        }
    }
    let again = decide(api, &asked[2..3]).await;
    assert_eq!(again[0]["reason"], "the reminder was moved");
    assert!(decide(api, &[]).await.is_empty());
}

#[tokio::test]
async fn each_reminder_of_a_batch_has_a_decision() {
    decisions(&Service::start("api").await).await;
}

#[tokio::test]
async fn a_reminder_that_is_leased_early_is_sent_at_the_end_of_quiet_hours() {
    let api = Service::start("api").await;
    let quiet = json!({ "quietHours": { "from": "12:30", "until": "13:01" } });
    body(&api.user("bob").patch("/api/v1/me", &quiet).await, 200);
    let task = due(&api, "bob", "14:01", &[60]).await;
    api.pass(58);
    // The job of 13:01:00, by a clock that is two seconds ahead.
    let asked = json!({ "limit": 1, "dueBy": "2026-11-21T12:01:00Z" });
    let leased = body(
        &api.sidecar().post("/internal/reminders/leases", &asked).await,
        200,
    );
    assert_eq!(leased["items"][0]["reminderId"], task["reminders"][0]["id"]);
    let decided = decide(&api, &[reminder(&task, 0)]).await;
    assert_eq!(decided[0]["decision"], "send", "{}", decided[0]);
}

/// A completed daily task.
async fn completed(api: &Service, user: &str) -> Value {
    let task = json!({ "title": "x", "due": "2026-12-01T09:00", "recurrence": "daily", "reminders": [{ "minutesBefore": 60 }] });
    let who = api.user(user);
    let task = who.create("/api/v1/tasks", &task).await;
    body(
        &who.post(&format!("{}/complete", path(&task)), &json!({})).await,
        200,
    )
}

fn next(n: u32) -> Value {
    let id = format!("018f0000-0000-5000-8000-{n:012}");
    json!({ "kind": "next", "id": id, "due": "2026-12-02T09:00:00+01:00", "occurrence": 2 })
}

/// Each completed task of a batch gets its next occurrence, or a reason why not.
pub(crate) async fn next_occurrences(api: &Service, sql: impl AsyncFn(&str)) {
    let (one, two) = (completed(api, "alice").await, completed(api, "alice").await);
    let (closing, over) = (completed(api, "bob").await, completed(api, "carol").await);
    let reopened = completed(api, "carol").await;
    let reopen = format!("{}/reopen", path(&reopened));
    body(&api.user("carol").post(&reopen, &json!({})).await, 200);
    sql("UPDATE person SET leaving_since = 1 WHERE id = 'bob'").await;
    let item = |task: &Value, successor: Value| json!({ "taskId": task["id"], "successor": successor });
    let mut never = next(4);
    never["due"] = json!("2200-01-01T09:00:00+01:00");
    let asked = json!({ "items": [
        item(&one, next(1)),
        item(&closing, next(2)),
        item(&two, next(3)),
        item(&json!({ "id": UNKNOWN }), next(5)),
        item(&over, json!({ "kind": "ended" })),
        // A later occurrence is pending by now.
        item(&one, next(6)),
        item(&one, next(1)),
        item(&reopened, next(7)),
    ] });
    let create = async |asked: &Value| {
        let answer = api.sidecar().post("/internal/successors", asked).await;
        body(&answer, 200)["items"].clone()
    };
    let done = json!({ "result": "done" });
    let gone = json!({ "result": "gone" });
    let expected = json!([done, done, done, gone, done, done, done, done]);
    for _ in 0..2 {
        assert_eq!(create(&asked).await, expected);
    }
    let refused = create(&json!({ "items": [item(&two, never)] })).await;
    assert_eq!(refused[0]["result"], "refused");
    let reason = text(&refused[0], "reason");
    assert!(reason.starts_with("due: "), "{reason}");

    // Two that would split a series, in one statement if nothing kept them apart.
    let split = completed(api, "dave").await;
    let asked = json!({ "items": [item(&split, next(8)), item(&split, next(9))] });
    assert_eq!(create(&asked).await, json!([done, done]));

    let pending = async |user: &str| {
        let page = body(
            &api.user(user)
                .get("/api/v1/tasks?status=pending&sort=created")
                .await,
            200,
        );
        let items = page["items"].as_array().unwrap();
        items
            .iter()
            .map(|task| text(task, "id").to_owned())
            .collect::<Vec<_>>()
    };
    let mut made = pending("alice").await;
    made.sort();
    assert_eq!(made, [1, 3].map(|n| text(&next(n), "id").to_owned()));
    assert_eq!(pending("carol").await, [text(&reopened, "id")]);
    assert_eq!(pending("dave").await, [text(&next(8), "id")]);
    let first = read(api, "alice", &json!({ "id": next(1)["id"] })).await;
    assert_eq!((&first["version"], &first["occurrence"]), (&json!(1), &json!(2)));
    assert_eq!(first["reminders"][0]["remindAt"], "2026-12-02T08:00:00+01:00");
    assert_eq!(
        (&first["seriesId"], &first["title"]),
        (&one["seriesId"], &one["title"])
    );
    settled(api).await;
    let told = api.dapr.published("task-events");
    let created = told
        .iter()
        .filter(|event| event.event.id == format!("{}:1", text(&next(1), "id")));
    assert_eq!(created.count(), 1);
    // Nothing is to be done about them any more.
    api.pass(61);
    let announced = api.dapr.published("task-recurrence").len();
    super::relay(api).await;
    assert_eq!(api.dapr.published("task-recurrence").len(), announced);
}

#[tokio::test]
async fn each_completed_task_of_a_batch_gets_its_next_occurrence() {
    let api = Service::start("api").await;
    next_occurrences(&api, async |sql: &str| api.sql(sql)).await;
}

/// Every statement about batches.
pub(crate) async fn everything(api: &Service) {
    let task = remind(api, "alice", "x", 60).await;
    decide(api, &[reminder(&task, 0)]).await;
    deliver(api, &[sent(&task, 0)]).await;
    let completed = completed(api, "alice").await;
    let item = json!({ "taskId": completed["id"], "successor": next(1) });
    let asked = json!({ "items": [item] });
    body(&api.sidecar().post("/internal/successors", &asked).await, 200);
}
