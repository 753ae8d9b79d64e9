//! The legacy-adapter: plain JSON of one system in, that of the other out.

use expect_test::expect;
use http::Method;
use nudge_test_kit::dapr::{Function, Response, unavailable};
use serde_json::{Value, json};

use crate::sample::{cloud_event, task, task_event};
use crate::support::{Service, Setup, json as body, send, text};

const EVENT: &str = "5f0c6f0a-8f3e-4a50-9a3f-6c1d7b1f0a11";

fn event(kind: &str, more: &Value) -> Value {
    let mut event = json!({
        "event_id": EVENT, "event_type": kind, "timestamp": "2026-11-21T10:00:00.123456", "user_id": 7, "schema_version": "1.0",
        "task_id": 42,
    });
    event
        .as_object_mut()
        .expect("an object")
        .extend(more.as_object().expect("an object").clone());
    event
}

/// Delivers a message as Dapr does to a raw subscription, and gives back Dapr's word.
async fn deliver(service: &Service, path: &str, text: &str, headers: &[(&str, &str)]) -> String {
    use base64::Engine as _;
    let wrapped = json!({
        "data_base64": base64::engine::general_purpose::STANDARD.encode(text), "datacontenttype": "application/octet-stream",
        "id": "x", "pubsubname": "legacy", "source": "Dapr", "specversion": "1.0", "topic": "task-events", "type": "com.dapr.event.sent",
    });
    let call = service
        .sidecar()
        .call(Method::POST, path)
        .body("application/cloudevents+json", wrapped.to_string());
    let call = headers
        .iter()
        .fold(call, |call, (name, value)| call.header(name, *value));
    crate::support::text(&body(&send(call).await, 200), "status").to_owned()
}

async fn apply(service: &Service, event: &Value) -> String {
    deliver(service, "/legacy-adapter/events/legacy", &event.to_string(), &[]).await
}

fn answers(service: &Service, outcome: &Value) {
    service.dapr.answer_json(200, &json!({ "results": [outcome] }));
}

/// What the api was asked last.
fn asked(service: &Service) -> Value {
    let asked = service.dapr.invocations();
    let asked = asked.last().expect("a question");
    assert_eq!(asked.request.path, "internal/legacy/changes");
    serde_json::from_str(asked.request.body.as_deref().expect("a body")).expect("JSON")
}

fn reasons(service: &Service) -> Vec<String> {
    let dead = service.dapr.published("nudge-dead-letter");
    dead.iter()
        .map(|dead| text(&dead.data().expect("JSON"), "reason").to_owned())
        .collect()
}

#[tokio::test]
async fn events_become_changes() {
    let adapter = Setup::new("legacy-adapter")
        .variable("remind_before_minutes", "60")
        .start()
        .await;
    answers(&adapter, &json!({ "outcome": "created" }));
    let created = json!({ "title": "Rent", "description": "", "priority": null, "due_date": "2026-12-01T09:00:00", "recurrence_rule": "monthly", "category_id": 3, "tag_ids": [4] });
    for (kind, more, what) in [
        (
            "task.created",
            created,
            json!({ "kind": "stored", "reminded": false, "remindBefore": 60, "fields": {
                "title": "Rent", "description": null, "priority": null, "due": "2026-12-01T09:00:00Z", "recurrence": "monthly", "category": 3, "tags": [4],
            } }),
        ),
        (
            "task.updated",
            json!({ "updated_fields": { "completed": false, "due_date": null, "updated_at": "x" } }),
            json!({ "kind": "updated", "remindBefore": 60, "fields": { "status": "pending", "due": null } }),
        ),
        ("task.deleted", json!({}), json!({ "kind": "deleted" })),
        (
            "task.completed",
            json!({ "recurrence_rule": "daily", "completed_at": "2026-11-21T09:59:59+00:00" }),
            json!({ "kind": "completed", "completedAt": "2026-11-21T09:59:59Z" }),
        ),
        (
            "reminder.sent",
            json!({ "task_title": "Rent", "task_due_date": "x", "reminder_time": "x" }),
            json!({ "kind": "reminded" }),
        ),
    ] {
        assert_eq!(apply(&adapter, &event(kind, &more)).await, "SUCCESS", "{kind}");
        let mut expected =
            json!({ "eventId": EVENT, "at": "2026-11-21T10:00:00.123456Z", "userId": "7", "task": 42 });
        expected
            .as_object_mut()
            .expect("an object")
            .extend(what.as_object().expect("an object").clone());
        assert_eq!(asked(&adapter), json!({ "changes": [expected] }), "{kind}");
    }
    assert!(reasons(&adapter).is_empty());
}

#[tokio::test]
async fn what_is_no_event_is_put_aside_with_the_reason() {
    let adapter = Service::start("legacy-adapter").await;
    let cases = [
        ("no JSON".to_owned(), "it is not an event of the legacy system"),
        (
            json!({ "event_type": "task.deleted" }).to_string(),
            "it is not an event of the legacy system: missing field",
        ),
        (
            event("task.deleted", &json!({ "schema_version": "2.0" })).to_string(),
            "schema_version \"2.0\"",
        ),
        (
            event("task.archived", &json!({})).to_string(),
            "event_type \"task.archived\" is not known",
        ),
        (
            event("task.deleted", &json!({ "user_id": null })).to_string(),
            "user_id: ",
        ),
        (
            event("task.deleted", &json!({ "user_id": "" })).to_string(),
            "user_id: `` is not a user id",
        ),
        (
            event("task.deleted", &json!({ "timestamp": "noon" })).to_string(),
            "timestamp: \"noon\" is not an instant",
        ),
        (
            event(
                "task.updated",
                &json!({ "updated_fields": { "due_date": "noon" } }),
            )
            .to_string(),
            "due_date: \"noon\" is not an instant",
        ),
        (
            event("task.completed", &json!({ "completed_at": "noon" })).to_string(),
            "completed_at: \"noon\" is not an instant",
        ),
        (
            event("task.updated", &json!({})).to_string(),
            "updated_fields: must be an object",
        ),
        (
            event("task.updated", &json!({ "updated_fields": { "colour": "red" } })).to_string(),
            "colour: is not a field",
        ),
        (
            event("task.updated", &json!({ "updated_fields": { "due_date": 5 } })).to_string(),
            "due_date: must be a string",
        ),
        (
            event("task.updated", &json!({ "updated_fields": { "tag_ids": ["x"] } })).to_string(),
            "tag_ids: ",
        ),
        (
            event(
                "task.updated",
                &json!({ "updated_fields": { "category_id": "x" } }),
            )
            .to_string(),
            "category_id: ",
        ),
        (
            event(
                "task.updated",
                &json!({ "updated_fields": { "completed": "yes" } }),
            )
            .to_string(),
            "completed: ",
        ),
    ];
    for (count, (text, words)) in cases.iter().enumerate() {
        assert_eq!(
            deliver(&adapter, "/legacy-adapter/events/legacy", text, &[]).await,
            "SUCCESS"
        );
        let reasons = reasons(&adapter);
        assert_eq!(reasons.len(), count + 1, "{text}");
        assert!(
            reasons[count].starts_with(words),
            "{} does not begin with {words}",
            reasons[count]
        );
    }
    assert!(adapter.dapr.invocations().is_empty());
    answers(
        &adapter,
        &json!({ "outcome": "refused", "reason": "title: it is empty" }),
    );
    assert_eq!(
        apply(&adapter, &event("task.deleted", &json!({}))).await,
        "SUCCESS"
    );
    assert_eq!(
        reasons(&adapter).last().map(String::as_str),
        Some("title: it is empty")
    );
    let call = adapter
        .sidecar()
        .call(Method::POST, "/legacy-adapter/events/legacy")
        .body("application/json", "{}");
    assert_eq!(body(&send(call).await, 200)["status"], "SUCCESS");
    assert!(
        reasons(&adapter)
            .last()
            .expect("a reason")
            .starts_with("it is not a message of a raw subscription")
    );
}

#[tokio::test]
async fn while_the_api_is_away_events_come_again() {
    let adapter = Service::start("legacy-adapter").await;
    let deleted = event("task.deleted", &json!({}));
    adapter.dapr.answer_json(503, &json!({}));
    assert_eq!(apply(&adapter, &deleted).await, "RETRY");
    answers(&adapter, &json!({ "outcome": "waiting" }));
    adapter
        .dapr
        .fail_next(Function::Invoke, unavailable("it is away"));
    assert_eq!(apply(&adapter, &deleted).await, "RETRY");
    assert_eq!(apply(&adapter, &deleted).await, "SUCCESS");
    assert!(reasons(&adapter).is_empty());
}

#[tokio::test]
async fn its_own_messages_are_passed_over() {
    let adapter = Service::start("legacy-adapter").await;
    let own = [("Nudge-Origin", "legacy-adapter")];
    for path in [
        "/legacy-adapter/events/legacy",
        "/legacy-adapter/events/completions",
    ] {
        assert_eq!(deliver(&adapter, path, "whatever", &own).await, "SUCCESS");
    }
    assert!(adapter.dapr.invocations().is_empty());
}

#[tokio::test]
async fn completions_are_taken_over_in_the_place_of_the_old_service() {
    let adapter = Service::start("legacy-adapter").await;
    let completed = event("task.completed", &json!({ "recurrence_rule": "daily" })).to_string();
    let path = "/legacy-adapter/events/completions";
    adapter.dapr.answer_json(503, &json!({}));
    assert_eq!(deliver(&adapter, path, &completed, &[]).await, "RETRY");
    adapter.dapr.answer(|_| Response {
        status: 204,
        body: Vec::new(),
    });
    assert_eq!(deliver(&adapter, path, &completed, &[]).await, "SUCCESS");
    assert_eq!(
        adapter.dapr.invocations()[1].request.path,
        "internal/legacy/take-over"
    );
    let other = event("task.deleted", &json!({})).to_string();
    assert_eq!(deliver(&adapter, path, &other, &[]).await, "SUCCESS");
    assert_eq!(reasons(&adapter), ["the task was not completed"]);
}

/// Delivers an event of Nudge, and gives back what was published of it.
async fn publish(adapter: &Service, path: &str, event: &Value) -> Vec<String> {
    let before = adapter.dapr.published_raw().len();
    let call = adapter
        .sidecar()
        .call(Method::POST, path)
        .body("application/cloudevents+json", event.to_string());
    assert_eq!(body(&send(call).await, 200)["status"], "SUCCESS");
    let published = adapter.dapr.published_raw();
    let line = |raw: &nudge_test_kit::dapr::RawPublished| {
        assert_eq!(raw.pubsub, "legacy");
        assert_eq!(
            raw.message.headers,
            [("nudge-origin".to_owned(), "legacy-adapter".to_owned())]
        );
        let key = raw.message.partition_key.as_deref().expect("a key");
        format!("{} {key} {}", raw.topic, raw.message.data)
    };
    published[before..].iter().map(line).collect()
}

#[tokio::test]
async fn changes_become_events() {
    let adapter = Service::start("legacy-adapter").await;
    let mut snapshot = task();
    snapshot["userId"] = json!("7");
    let numbered = json!({ "number": 1_000_000_000, "category": 3, "tags": [4], "task": snapshot });
    adapter.dapr.answer_json(200, &numbered);
    let path = "/legacy-adapter/events/task-events";
    let created = publish(&adapter, path, &task_event("created", &snapshot)).await;
    expect![[r#"task-events 1000000000 {"category_id":3,"description":"to Mrs Smith","due_date":"2026-11-21T13:30:00","event_id":"4b5d58a8-6fed-5153-8ac1-e14bc5cb4944","event_type":"task.created","priority":"high","recurrence_rule":null,"schema_version":"1.0","tag_ids":[4],"task_id":1000000000,"timestamp":"2026-11-21T11:00:00Z","title":"Pay the rent","user_id":7}"#]].assert_eq(&created.join("\n"));
    assert_eq!(
        publish(&adapter, path, &task_event("created", &snapshot)).await,
        created,
        "the same event"
    );

    let mut completed = task_event("completed", &snapshot);
    completed["data"]["changed"] = json!(["status", "completedAt", "reminders"]);
    completed["data"]["task"]["status"] = json!("completed");
    completed["data"]["task"]["recurrence"] = json!("FREQ=DAILY");
    completed["data"]["task"]["completedAt"] = json!("2026-11-21T12:00:00.5Z");
    let completed = publish(&adapter, path, &completed).await;
    expect![[r#"
        task-events 1000000000 {"event_id":"7a7f8f74-8502-58e9-a4e2-2f8a9a0d825c","event_type":"task.updated","schema_version":"1.0","task_id":1000000000,"timestamp":"2026-11-21T11:00:00Z","updated_fields":{"completed":true},"user_id":7}
        task-recurrence 1000000000 {"completed_at":"2026-11-21T12:00:00.5","event_id":"84e4ef42-ca8d-5843-b713-8f713fd2e30d","event_type":"task.completed","recurrence_rule":"FREQ=DAILY","schema_version":"1.0","task_id":1000000000,"timestamp":"2026-11-21T11:00:00Z","user_id":7}"#]].assert_eq(&completed.join("\n"));

    let deleted = publish(&adapter, path, &task_event("deleted", &snapshot)).await;
    expect![[r#"task-events 1000000000 {"event_id":"726aaac2-1787-5122-8ded-43fa1360f90d","event_type":"task.deleted","schema_version":"1.0","task_id":1000000000,"timestamp":"2026-11-21T11:00:00Z","user_id":7}"#]].assert_eq(&deleted.join("\n"));

    let mut slight = task_event("updated", &snapshot);
    slight["data"]["changed"] = json!(["reminders"]);
    assert!(
        publish(&adapter, path, &slight).await.is_empty(),
        "reminders have no place there"
    );
    let mut repeated = task_event("created", &snapshot);
    repeated["data"]["origin"] = json!({ "eventId": "e1", "at": "2026-11-21T12:00:00Z" });
    assert!(
        publish(&adapter, path, &repeated).await.is_empty(),
        "it came from there"
    );

    let outcome = json!({
        "schemaVersion": 1, "reminderId": crate::sample::REMINDER, "taskId": crate::sample::TASK,
        "remindAt": "2026-11-21T13:30:00+01:00", "at": "2026-11-21T12:30:00Z",
    });
    let sent_event = cloud_event("x", "email-delivery", "nudge.reminder.sent.v1", &outcome);
    let outcomes = "/legacy-adapter/events/reminder-outcomes";
    let sent = publish(&adapter, outcomes, &sent_event).await;
    expect![[r#"task-reminders 1000000000 {"event_id":"bae138c0-d4c0-5ab3-a6fd-70ef361048da","event_type":"reminder.sent","reminder_time":"2026-11-21T12:30:00","schema_version":"1.0","task_description":"to Mrs Smith","task_due_date":"2026-11-21T13:30:00","task_id":1000000000,"task_priority":"high","task_title":"Pay the rent","timestamp":"2026-11-21T12:30:00Z","user_id":7}"#]].assert_eq(&sent.join("\n"));

    // Its owner left, and it was purged: its deletion is told all the same, and nothing else.
    let purged = json!({ "number": 1_000_000_000, "category": null, "tags": [], "task": null });
    adapter.dapr.answer_json(200, &purged);
    assert_eq!(
        publish(&adapter, path, &task_event("deleted", &snapshot)).await,
        deleted
    );
    let mut renamed = task_event("updated", &snapshot);
    renamed["data"]["changed"] = json!(["title"]);
    assert!(publish(&adapter, path, &renamed).await.is_empty());
    assert!(publish(&adapter, outcomes, &sent_event).await.is_empty());
    adapter.dapr.answer_json(404, &json!({}));
    assert!(
        publish(&adapter, path, &task_event("deleted", &snapshot))
            .await
            .is_empty(),
        "it never had a number"
    );
}

#[tokio::test]
async fn every_topic_has_the_prefix() {
    let api = Setup::new("api").variable("topic_prefix", "nudge-").start().await;
    api.user("alice")
        .create("/api/v1/tasks", &json!({ "title": "Rent" }))
        .await;
    api.dapr
        .wait_for("nudge-task-updates", 1)
        .await
        .expect("published");
    assert_eq!(api.dapr.published("nudge-task-events").len(), 1);
    assert!(api.dapr.published("task-events").is_empty());
}
