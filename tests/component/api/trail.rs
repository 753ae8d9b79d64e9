//! The trail of a task: what happened to it and its reminders, with times.

use nudge_test_kit::dapr::{Function, unavailable};
use serde_json::{Value, json};

use super::leases::{DEFERRALS, lease, remind};
use super::{delivery, outcome, settled};
use crate::support::{Service, Setup, TRACE, json as body, text};

const OUTCOMES: &str = "/internal/events/reminder-outcomes";

/// A trace of its own for deliveries.
const DELIVERY: &str = "00-11111111111111111111111111111111-b7ad6b7169203331-01";

fn path(task: &Value) -> String {
    format!("/api/v1/tasks/{}/trail", text(task, "id"))
}

/// The steps of alice's task.
async fn trail(api: &Service, task: &Value) -> Vec<Value> {
    let page = body(&api.user("alice").get(&path(task)).await, 200);
    assert_eq!(page["nextCursor"], Value::Null);
    page["items"].as_array().expect("items").clone()
}

fn kinds(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| text(item, "kind")).collect()
}

/// The step of a kind; there is one.
fn step<'a>(items: &'a [Value], kind: &str) -> &'a Value {
    let mut steps = items.iter().filter(|item| item["kind"] == kind);
    let step = steps.next().unwrap_or_else(|| panic!("no {kind} in {items:#?}"));
    assert_eq!(steps.next(), None, "{kind} is there once");
    step
}

/// Reports how the delivery of a task's reminder ended.
async fn end(api: &Service, task: &Value, failure: Option<&str>, more: &Value) {
    let kind = match failure {
        None => "nudge.reminder.sent.v1",
        Some(_) => "nudge.reminder.failed.v1",
    };
    let mut event = outcome(task, 0, kind, failure);
    for (name, value) in more.as_object().expect("fields") {
        event["data"][name] = value.clone();
    }
    let answer = body(&api.sidecar().post(OUTCOMES, &event).await, 200);
    assert_eq!(answer["status"], "SUCCESS");
}

/// Gives a reminder of a lease back.
async fn give_back(api: &Service, leased: &Value, seconds: u32, because: &str) {
    let mut item = leased["items"][0].clone();
    item.as_object_mut().expect("an object").remove("task");
    item["afterSeconds"] = json!(seconds);
    item["because"] = json!(because);
    let answer = api.sidecar().post(DEFERRALS, &json!({ "items": [item] })).await;
    assert_eq!(answer.status, 204, "{:?}", answer.body);
}

pub(crate) async fn a_sent_reminder_is_told_step_by_step_of(api: &Service) {
    let task = remind(api, "alice", "Call", 10).await;
    settled(api).await;
    api.pass(11);
    let leased = lease(api, 1).await;
    api.pass(2);
    let more = json!({
        "leaseId": leased["items"][0]["leaseId"],
        "handedOverAt": "2026-11-21T12:00:11.25Z",
        "at": "2026-11-21T12:00:12.5Z",
        "attempts": 2,
        "traceparent": DELIVERY,
    });
    end(api, &task, None, &more).await;
    settled(api).await;

    let items = trail(api, &task).await;
    let id = &task["reminders"][0]["id"];
    let (own, of_delivery) = (TRACE.split('-').nth(1), DELIVERY.split('-').nth(1));
    let due_at = text(&task["reminders"][0], "remindAt").parse::<jiff::Timestamp>();
    let due_at = due_at.expect("an instant").to_string();
    assert_eq!(
        items,
        [
            json!({ "time": "2026-11-21T12:00:00Z", "kind": "changed", "change": "created", "by": { "kind": "user" }, "version": 1, "traceId": own }),
            json!({ "time": "2026-11-21T12:00:00Z", "kind": "published", "version": 1, "traceId": own }),
            json!({ "time": due_at, "kind": "reminder_due", "reminderId": id, "traceId": of_delivery }),
            json!({ "time": "2026-11-21T12:00:11Z", "kind": "leased", "reminderId": id, "traceId": of_delivery, "lateBySeconds": 1.0 }),
            json!({ "time": "2026-11-21T12:00:11.25Z", "kind": "handed_over", "reminderId": id, "traceId": of_delivery, "lateBySeconds": 1.25 }),
            json!({ "time": "2026-11-21T12:00:12.5Z", "kind": "sent", "reminderId": id, "traceId": of_delivery, "lateBySeconds": 2.5,
                    "detail": "The mail server accepted it at attempt 3." }),
            json!({ "time": "2026-11-21T12:00:13Z", "kind": "changed", "change": "updated", "by": { "kind": "nudge" }, "changed": ["reminders"],
                    "version": 2, "traceId": of_delivery }),
            json!({ "time": "2026-11-21T12:00:13Z", "kind": "published", "version": 2, "traceId": of_delivery }),
        ]
    );
    // An outcome that is reported again, by the event of a later lease, is not told twice.
    let again = json!({ "handedOverAt": "2026-11-21T12:00:30Z", "at": "2026-11-21T12:00:12.5Z" });
    end(api, &task, None, &again).await;
    assert_eq!(trail(api, &task).await.len(), items.len());
}

#[tokio::test]
async fn a_sent_reminder_is_told_step_by_step() {
    a_sent_reminder_is_told_step_by_step_of(&Service::start("api").await).await;
}

pub(crate) async fn what_holds_up_a_reminder_is_told_with_what_to_do_of(api: &Service) {
    let task = remind(api, "alice", "Call", 10).await;
    settled(api).await;
    assert_eq!(
        kinds(&trail(api, &task).await),
        ["changed", "published"],
        "not due yet"
    );

    api.pass(15);
    let items = trail(api, &task).await;
    let waiting = step(&items, "reminder_due");
    assert_eq!(waiting["lateBySeconds"], 5.0);
    assert!(
        text(waiting, "detail").contains("waits for its turn"),
        "{waiting}"
    );

    for (because, words) in [
        ("mailServerAway", "The mail server cannot be reached"),
        ("slowRecipient", "took too long"),
        ("refusedForNow", "did not accept the email for now"),
        ("queued", "Other emails were sent first"),
        ("brokerRefused", "message broker did not accept it"),
        ("aReasonOfALaterVersion", "could not be sent for now"),
    ] {
        let leased = lease(api, 1).await;
        let items = trail(api, &task).await;
        assert_eq!(step(&items, "reminder_due")["detail"], Value::Null, "{because}");
        let at = step(&items, "leased")["lateBySeconds"].as_f64();
        api.pass(1);
        give_back(api, &leased, 30, because).await;
        let items = trail(api, &task).await;
        let held = step(&items, "held_back");
        assert!(text(held, "detail").contains(words), "{held}");
        assert_eq!(held["lateBySeconds"].as_f64(), at.map(|at| at + 1.0), "{because}");
        let time = text(held, "time").parse::<jiff::Timestamp>().expect("an instant");
        let until = (time + jiff::SignedDuration::from_secs(30)).to_string();
        assert_eq!(text(held, "until"), until, "{because}");
        api.pass(30);
    }

    // One that says nothing new leaves the reason as it is. Once it is leased again there is no time of the next attempt.
    let mut leased = lease(api, 1).await;
    leased["items"][0]
        .as_object_mut()
        .expect("an object")
        .remove("task");
    leased["items"][0]["afterSeconds"] = json!(5);
    let answer = api
        .sidecar()
        .post(DEFERRALS, &json!({ "items": leased["items"] }))
        .await;
    assert_eq!(answer.status, 204);
    api.pass(5);
    lease(api, 1).await;
    let items = trail(api, &task).await;
    assert!(text(step(&items, "held_back"), "detail").contains("could not be sent for now"));
    assert_eq!(step(&items, "held_back")["until"], Value::Null);

    // A snooze is another instant, which nothing has held up yet.
    let snooze = format!(
        "/api/v1/tasks/{}/reminders/{}/snooze",
        text(&task, "id"),
        text(&task["reminders"][0], "id")
    );
    body(
        &api.user("alice").post(&snooze, &json!({ "minutes": 10 })).await,
        200,
    );
    api.pass(600);
    let items = trail(api, &task).await;
    assert!(!kinds(&items).contains(&"held_back"), "{items:#?}");
    assert!(!kinds(&items).contains(&"leased"), "{items:#?}");
}

#[tokio::test]
async fn what_holds_up_a_reminder_is_told_with_what_to_do() {
    what_holds_up_a_reminder_is_told_with_what_to_do_of(&Service::start("api").await).await;
}

pub(crate) async fn a_failure_and_quiet_hours_are_told_with_what_to_do_of(api: &Service) {
    let alice = api.user("alice");
    let task = remind(api, "alice", "Call", 10).await;
    api.pass(12);
    let reason = "the mail server refused it with 550";
    end(api, &task, Some(reason), &json!({ "at": "2026-11-21T12:00:12Z" })).await;
    let items = trail(api, &task).await;
    let failed = step(&items, "failed");
    assert_eq!(failed["lateBySeconds"], 2.0);
    let detail = text(failed, "detail");
    assert!(
        detail.starts_with("The mail server refused it with 550. Set an address"),
        "{detail}"
    );
    assert!(detail.contains("set the reminder again"), "{detail}");

    // In Berlin it is one o'clock.
    let hours = json!({ "quietHours": { "from": "13:00", "until": "14:00" } });
    body(&alice.patch("/api/v1/me", &hours).await, 200);
    let task = remind(api, "alice", "Sleep", 10).await;
    api.pass(10);
    assert_eq!(delivery(api, &task).await["decision"], "skip");
    let items = trail(api, &task).await;
    let held = step(&items, "held_back");
    assert_eq!(held["until"], "2026-11-21T13:00:00Z");
    assert!(text(held, "detail").contains("quiet hours"), "{held}");
    assert_eq!(text(step(&items, "reminder_due"), "time"), text(held, "time"));
    let moved = items
        .iter()
        .rfind(|item| item["kind"] == "changed")
        .expect("a version");
    assert_eq!(
        (&moved["by"]["kind"], &moved["version"]),
        (&json!("nudge"), &json!(2))
    );
}

#[tokio::test]
async fn a_failure_and_quiet_hours_are_told_with_what_to_do() {
    a_failure_and_quiet_hours_are_told_with_what_to_do_of(&Service::start("api").await).await;
}

#[tokio::test]
async fn an_event_that_waits_for_the_broker_is_told() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    api.dapr
        .down(Function::PublishAll, unavailable("the broker is away"));
    let task = alice.create("/api/v1/tasks", &json!({ "title": "x" })).await;
    assert_eq!(kinds(&trail(&api, &task).await), ["changed"], "it is on its way");
    api.pass(10);
    let items = trail(&api, &task).await;
    assert_eq!(kinds(&items), ["changed", "unpublished"]);
    assert!(text(&items[1], "detail").contains("tries again"), "{}", items[1]);
    api.dapr.up(Function::PublishAll);
    settled(&api).await;
    let items = trail(&api, &task).await;
    assert_eq!(kinds(&items), ["changed", "published"]);
    assert_eq!(items[1]["time"], "2026-11-21T12:00:10Z", "late");
}

#[tokio::test]
async fn a_trail_has_pages_and_says_what_is_not_there_any_more() {
    let api = Setup::new("api")
        .variable("max_task_versions", "2")
        .variable("rate_limit_per_minute", "0")
        .start()
        .await;
    let alice = api.user("alice");
    let task = alice.create("/api/v1/tasks", &json!({ "title": "x" })).await;
    let task_path = format!("/api/v1/tasks/{}", text(&task, "id"));
    for minutes in 2..=5 {
        api.pass(1);
        let patch = json!({ "estimateMinutes": minutes });
        body(&alice.patch(&task_path, &patch).await, 200);
    }
    assert_eq!(alice.delete(&task_path).await.status, 204);
    settled(&api).await;
    let mut cursor = String::new();
    let mut versions = Vec::new();
    for page in 0..3 {
        let read = body(&alice.get(&format!("{}?limit=2{cursor}", path(&task))).await, 200);
        let items = read["items"].as_array().expect("items");
        let changed = items.iter().filter(|item| item["kind"] == "changed");
        versions.extend(changed.map(|item| item["version"].as_u64().expect("a number")));
        match read["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => assert_eq!(page, 2),
        }
    }
    assert_eq!(versions, [1, 2, 3, 4, 5, 6], "also of a deleted task");

    api.sql("DELETE FROM task_event WHERE version <= 4");
    let items = trail(&api, &task).await;
    assert_eq!(items[0]["kind"], "versions_deleted");
    assert!(
        text(&items[0], "detail").contains("Versions 1 to 4 "),
        "{}",
        items[0]
    );
    assert_eq!(items[0]["time"], items[1]["time"]);

    assert_eq!(api.user("bob").get(&path(&task)).await.status, 404);
    for never in ["6", "99", "x", "-1"] {
        let page = alice.get(&format!("{}?cursor={never}", path(&task))).await;
        assert_eq!(body(&page, 400)["errors"][0]["code"], "invalid_cursor", "{never}");
        assert_eq!(
            api.user("bob")
                .get(&format!("{}?cursor={never}", path(&task)))
                .await
                .status,
            if never == "x" || never == "-1" { 400 } else { 404 }
        );
    }
}

/// What an older version stored has its changes, and no more.
#[tokio::test]
async fn versions_of_before_have_their_changes() {
    let api = Service::start("api").await;
    let task = remind(&api, "alice", "Call", 10).await;
    api.pass(10);
    end(&api, &task, None, &json!({ "at": "2026-11-21T12:00:10Z" })).await;
    settled(&api).await;
    api.sql("UPDATE task_event SET data = json_remove(data, '$.by', '$.traceparent', '$.deliveries')");
    let items = trail(&api, &task).await;
    assert_eq!(kinds(&items), ["changed", "published", "changed", "published"]);
    assert_eq!(
        (&items[0]["by"], &items[0]["traceId"]),
        (&Value::Null, &Value::Null)
    );
}

/// What the trail asks the database.
pub(crate) async fn everything(api: &Service) {
    let task = remind(api, "alice", "Call", 1).await;
    api.pass(2);
    trail(api, &task).await;
    let beyond = format!("{}?cursor=9", path(&task));
    assert_eq!(api.user("alice").get(&beyond).await.status, 400);
}
