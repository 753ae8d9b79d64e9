//! What the services ask the api about reminders, and what they tell it.

use nudge_test_kit::bindings::api::Api;
use nudge_test_kit::bindings::api::nudge::events::types::{Delivery, DeliveryOutcome, Disposition};
use serde_json::{Value, json};

use super::{delivery, outcome, relay, sent, settled};
use crate::support::{Service, json, text};

const OUTCOMES: &str = "/internal/events/reminder-outcomes";

/// A task of alice's that is due on 1 December at nine, with a reminder an hour before.
async fn armed(api: &Service) -> (Value, String) {
    let body = json!({ "title": "x", "due": "2026-12-01T09:00", "reminders": [{ "minutesBefore": 60 }] });
    let task = api.user("alice").create("/api/v1/tasks", &body).await;
    let path = format!("/api/v1/tasks/{}", text(&task, "id"));
    (task, path)
}

#[tokio::test]
async fn a_scheduled_reminder_is_to_be_sent_to_its_owner() {
    let api = Service::start("api").await;
    let (task, _) = armed(&api).await;
    let mut snapshot = task.clone();
    snapshot["userId"] = json!("alice");
    snapshot["seriesStart"] = Value::Null;
    let mut decided = delivery(&api, &task).await;
    let link = decided["stopLink"].take();
    assert!(
        link.as_str()
            .expect("a link")
            .starts_with("https://nudge.example/email/stop/")
    );
    assert_eq!(
        decided,
        json!({ "decision": "send", "stopLink": null, "email": "alice@example.com", "timeZone": "Europe/Berlin", "task": snapshot })
    );
}

#[tokio::test]
async fn a_reminder_that_was_moved_cancelled_sent_or_deleted_is_not_to_be_sent() {
    let api = Service::start("api").await;
    let alice = api.user("alice");

    let (moved, path) = armed(&api).await;
    let now = json(
        &alice.patch(&path, &json!({ "due": "2026-12-02T09:00" })).await,
        200,
    );
    assert_eq!(
        delivery(&api, &moved).await,
        json!({ "decision": "skip", "reason": "the reminder was moved" })
    );
    assert_eq!(delivery(&api, &now).await["decision"], "send");

    let (completed, path) = armed(&api).await;
    json(&alice.post(&format!("{path}/complete"), &json!({})).await, 200);
    assert_eq!(delivery(&api, &completed).await["decision"], "skip");

    let (taken_off, path) = armed(&api).await;
    json(&alice.patch(&path, &json!({ "reminders": [] })).await, 200);
    assert_eq!(delivery(&api, &taken_off).await["decision"], "skip");

    let (deleted, path) = armed(&api).await;
    assert_eq!(alice.delete(&path).await.status, 204);
    assert_eq!(delivery(&api, &deleted).await["decision"], "skip");

    let (over, _) = armed(&api).await;
    api.sidecar().post(OUTCOMES, &sent(&over, 0)).await;
    assert_eq!(delivery(&api, &over).await["decision"], "skip");
}

#[tokio::test]
async fn a_reminder_of_a_user_without_an_address_says_so() {
    use nudge_test_kit::tokens;
    let api = Service::start("api").await;
    let mut claims = tokens::claims("carol", "UTC", api.clock.now());
    claims.as_object_mut().expect("an object").remove("email");
    let token = tokens::signed(json!({ "alg": "HS256" }), claims, tokens::KEY);
    let body = json!({ "title": "x", "due": "2026-12-01T09:00", "reminders": [{ "minutesBefore": 60 }] });
    let call = api
        .anybody()
        .call(http::Method::POST, "/api/v1/tasks")
        .bearer(&token)
        .json(&body);
    let task = json(&crate::support::send(call).await, 201);
    assert_eq!(delivery(&api, &task).await, json!({ "decision": "noAddress" }));
}

#[tokio::test]
async fn a_question_without_an_instant_is_refused() {
    let api = Service::start("api").await;
    let (task, _) = armed(&api).await;
    let path = format!(
        "/internal/reminders/{}/delivery",
        text(&task["reminders"][0], "id")
    );
    assert_eq!(
        json(&api.sidecar().get(&path).await, 400)["errors"][0]["field"],
        "remindAt"
    );
}

#[tokio::test]
async fn the_outcome_of_an_email_is_recorded_once() {
    let api = Service::start("api").await;
    for (kind, failure, status) in [
        ("nudge.reminder.sent.v1", None, "sent"),
        (
            "nudge.reminder.failed.v1",
            Some("the mail server refused it with 550"),
            "failed",
        ),
    ] {
        let (task, path) = armed(&api).await;
        let event = outcome(&task, 0, kind, failure);
        for _ in 0..2 {
            assert_eq!(
                json(&api.sidecar().post(OUTCOMES, &event).await, 200),
                json!({ "status": "SUCCESS" })
            );
        }
        let after = json(&api.user("alice").get(&path).await, 200);
        assert_eq!(
            (&after["reminders"][0]["status"], &after["version"]),
            (&json!(status), &json!(2))
        );
    }
    assert!(api.dapr.published("dead-letter").is_empty());
}

#[tokio::test]
async fn the_outcome_of_an_email_for_an_instant_that_was_moved_changes_nothing() {
    let api = Service::start("api").await;
    let (task, path) = armed(&api).await;
    let now = json(
        &api.user("alice")
            .patch(&path, &json!({ "due": "2026-12-02T09:00" }))
            .await,
        200,
    );
    assert_eq!(
        json(&api.sidecar().post(OUTCOMES, &sent(&task, 0)).await, 200),
        json!({ "status": "SUCCESS" })
    );
    assert_eq!(json(&api.user("alice").get(&path).await, 200), now);
}

#[tokio::test]
async fn the_outcome_of_an_email_is_ignored_for_a_deleted_task_and_dead_lettered_for_an_unknown_one() {
    let api = Service::start("api").await;
    let (mut task, path) = armed(&api).await;
    assert_eq!(api.user("alice").delete(&path).await.status, 204);
    assert_eq!(
        json(&api.sidecar().post(OUTCOMES, &sent(&task, 0)).await, 200),
        json!({ "status": "SUCCESS" })
    );
    assert!(api.dapr.published("dead-letter").is_empty());

    task["id"] = json!("018f0000-0000-7000-8000-000000000001");
    assert_eq!(
        json(&api.sidecar().post(OUTCOMES, &sent(&task, 0)).await, 200),
        json!({ "status": "SUCCESS" })
    );
    assert_eq!(api.dapr.published("dead-letter").len(), 1);
}

#[tokio::test]
async fn the_wit_export_does_what_the_route_does() {
    let api = Service::start("api").await;
    let (task, path) = armed(&api).await;
    let reminder = &task["reminders"][0];
    let event = DeliveryOutcome {
        reminder_id: text(reminder, "id").to_owned(),
        task_id: text(&task, "id").to_owned(),
        remind_at: text(reminder, "remindAt").to_owned(),
        delivery: Delivery::Failed("no such mailbox".to_owned()),
        at: "2026-12-01T07:00:01Z".to_owned(),
        traceparent: None,
    };
    let (mut store, instance) = api.host.component("api").unwrap().instantiate().await.unwrap();
    let exports = Api::new(&mut store, &instance).unwrap();
    let handler = exports.nudge_events_reminder_outcomes_handler();
    let bad = DeliveryOutcome {
        task_id: "seven".to_owned(),
        ..event.clone()
    };
    let results = store
        .run_concurrent(async |accessor| handler.call_handle(accessor, vec![bad, event]).await)
        .await
        .unwrap()
        .unwrap();
    assert!(
        matches!(results.as_slice(), [Err(Disposition::Drop(reason)), Ok(())] if reason.starts_with("task-id: `seven` is not a task id")),
        "{results:?}"
    );
    assert_eq!(
        json(&api.user("alice").get(&path).await, 200)["reminders"][0]["status"],
        "failed"
    );
}

#[tokio::test]
async fn reminders_that_were_not_sent_are_overdue_after_half_a_minute() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let at = |minutes: i64| json!({ "title": "x", "reminders": [{ "at": format!("2026-11-21T12:{minutes:02}:00Z") }] });
    let second = alice.create("/api/v1/tasks", &at(2)).await;
    let first = alice.create("/api/v1/tasks", &at(1)).await;
    let done = alice.create("/api/v1/tasks", &at(1)).await;
    alice.create("/api/v1/tasks", &at(9)).await;
    json(
        &alice
            .post(
                &format!("/api/v1/tasks/{}/complete", text(&done, "id")),
                &json!({}),
            )
            .await,
        200,
    );
    let overdue =
        async || json(&api.sidecar().get("/internal/reminders/overdue").await, 200)["items"].clone();

    api.pass(89);
    assert_eq!(overdue().await, json!([]));
    api.pass(62);
    let items = overdue().await;
    assert_eq!(overdue().await, json!([]), "they are leased");
    let reminders: Vec<&Value> = items
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["reminderId"])
        .collect();
    assert_eq!(
        reminders,
        [&first["reminders"][0]["id"], &second["reminders"][0]["id"]],
        "oldest first"
    );
    assert_eq!(items[0]["remindAt"], "2026-11-21T13:01:00+01:00");
    assert_eq!(items[0]["task"]["userId"], "alice");

    api.sidecar().post(OUTCOMES, &sent(&first, 0)).await;
    api.pass(90);
    assert_eq!(overdue().await.as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_reminder_that_was_sent_is_news_of_the_task() {
    let api = Service::start("api").await;
    let (task, _) = armed(&api).await;
    settled(&api).await;
    api.sidecar().post(OUTCOMES, &sent(&task, 0)).await;
    settled(&api).await;
    let events = api.dapr.published("task-events");
    assert_eq!(events[1].data().unwrap()["changed"], json!(["reminders"]));
    api.pass(10);
    assert_eq!(relay(&api).await["published"], 0);
}
