//! The next occurrence of a recurring task, as recurring-task asks for it.

use serde_json::{Value, json};

use super::{relay, settled};
use crate::support::{Service, json, text};

const NEXT: &str = "018f0000-0000-5000-8000-000000000001";

struct Completed {
    task: Value,
    successor: String,
}

async fn completed(api: &Service) -> Completed {
    let alice = api.user("alice");
    let category = alice
        .create("/api/v1/categories", &json!({ "name": "Home" }))
        .await;
    let tag = alice.create("/api/v1/tags", &json!({ "name": "soon" })).await;
    let body = json!({
        "title": "Water the plants", "description": "all", "priority": "high", "due": "2026-12-01T09:00", "recurrence": "daily",
        "categoryId": category["id"], "tagIds": [tag["id"]], "reminders": [{ "minutesBefore": 60 }, { "at": "2026-11-30T18:00" }],
    });
    let task = alice.create("/api/v1/tasks", &body).await;
    let id = text(&task, "id").to_owned();
    let task = json(
        &alice
            .post(&format!("/api/v1/tasks/{id}/complete"), &json!({}))
            .await,
        200,
    );
    Completed {
        task,
        successor: format!("/internal/tasks/{id}/successor"),
    }
}

fn next() -> Value {
    json!({ "kind": "next", "id": NEXT, "due": "2026-12-02T09:00:00+01:00", "occurrence": 2 })
}

#[tokio::test]
async fn the_next_occurrence_is_created_once_however_often_it_is_asked_for() {
    let api = Service::start("api").await;
    let Completed { task, successor } = completed(&api).await;
    for _ in 0..3 {
        assert_eq!(api.sidecar().post(&successor, &next()).await.status, 204);
    }
    let tasks = json(&api.user("alice").get("/api/v1/tasks").await, 200);
    assert_eq!(tasks["items"].as_array().map(Vec::len), Some(2));
    let made = json(
        &api.user("alice").get(&format!("/api/v1/tasks/{NEXT}")).await,
        200,
    );
    for name in [
        "title",
        "description",
        "priority",
        "categoryId",
        "tagIds",
        "recurrence",
        "recurrenceFrom",
        "seriesId",
        "timeZone",
    ] {
        assert_eq!(made[name], task[name], "{name}");
    }
    assert_eq!(
        (&made["status"], &made["completedAt"]),
        (&json!("pending"), &Value::Null)
    );
    assert_eq!((&made["version"], &made["occurrence"]), (&json!(1), &json!(2)));
    let reminders = made["reminders"].as_array().expect("a list");
    assert_eq!(
        reminders.len(),
        1,
        "an instant of its own was for that task alone"
    );
    assert_eq!(reminders[0]["minutesBefore"], 60);
    assert_eq!(reminders[0]["remindAt"], "2026-12-02T08:00:00+01:00");
    assert_eq!(reminders[0]["status"], "scheduled");
    assert_ne!(reminders[0]["id"], task["reminders"][0]["id"]);

    settled(&api).await;
    let created: Vec<_> = api
        .dapr
        .published("task-events")
        .into_iter()
        .filter(|event| event.event.id == format!("{NEXT}:1"))
        .collect();
    assert_eq!(created.len(), 1);
}

#[tokio::test]
async fn a_completed_occurrence_is_announced_until_it_has_its_successor() {
    let api = Service::start("api").await;
    let Completed { task, successor } = completed(&api).await;
    settled(&api).await;
    let announced = || api.dapr.published("task-recurrence");
    assert_eq!(announced().len(), 1);

    api.pass(61);
    relay(&api).await;
    assert_eq!(announced().len(), 2);
    assert_eq!(
        announced()[1].event.id,
        format!("{}:2", text(&task, "id")),
        "the same event"
    );

    assert_eq!(api.sidecar().post(&successor, &next()).await.status, 204);
    relay(&api).await;
    assert_eq!(announced().len(), 2);
}

#[tokio::test]
async fn a_series_that_is_over_is_not_announced_again() {
    let api = Service::start("api").await;
    let Completed { successor, .. } = completed(&api).await;
    settled(&api).await;
    assert_eq!(
        api.sidecar()
            .post(&successor, &json!({ "kind": "ended" }))
            .await
            .status,
        204
    );
    api.pass(61);
    relay(&api).await;
    assert_eq!(api.dapr.published("task-recurrence").len(), 1);
    assert_eq!(
        json(&api.user("alice").get("/api/v1/tasks").await, 200)["items"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
}

#[tokio::test]
async fn a_task_that_was_reopened_gets_no_successor_until_it_is_completed_again() {
    let api = Service::start("api").await;
    let Completed { task, successor } = completed(&api).await;
    let path = format!("/api/v1/tasks/{}", text(&task, "id"));
    json(
        &api.user("alice")
            .patch(&path, &json!({ "status": "pending" }))
            .await,
        200,
    );
    assert_eq!(api.sidecar().post(&successor, &next()).await.status, 204);
    assert_eq!(
        api.user("alice")
            .get(&format!("/api/v1/tasks/{NEXT}"))
            .await
            .status,
        404
    );

    json(
        &api.user("alice")
            .post(&format!("{path}/complete"), &json!({}))
            .await,
        200,
    );
    assert_eq!(api.sidecar().post(&successor, &next()).await.status, 204);
    assert_eq!(
        api.user("alice")
            .get(&format!("/api/v1/tasks/{NEXT}"))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_request_for_a_successor_that_cannot_be_is_refused() {
    let api = Service::start("api").await;
    let Completed { successor, .. } = completed(&api).await;
    let unknown = "/internal/tasks/018f0000-0000-7000-8000-000000000009/successor";
    assert_eq!(api.sidecar().post(unknown, &next()).await.status, 404);
    assert_eq!(
        api.sidecar()
            .post(&successor, &json!({ "kind": "later" }))
            .await
            .status,
        400
    );
    let mut late = next();
    late["due"] = json!("whenever");
    assert_eq!(
        json(&api.sidecar().post(&successor, &late).await, 400)["errors"][0]["field"],
        "due"
    );
}
