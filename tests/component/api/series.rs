//! The next occurrence of a recurring task, as recurring-task asks for it.

use serde_json::{Value, json};

use super::{relay, settled};
use crate::support::{Caller, Service, json, text};

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

/// A change of a task, and the rule and series that it has then.
async fn patched(user: &Caller<'_>, task: &Value, change: &Value) -> (String, Value) {
    let path = format!("/api/v1/tasks/{}", text(task, "id"));
    let task = json(&user.patch(&path, change).await, 200);
    (text(&task, "recurrence").to_owned(), task["seriesId"].clone())
}

#[tokio::test]
async fn a_phrase_from_the_end_of_a_month_has_the_last_day_in_its_rule() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let anchored = "FREQ=MONTHLY;INTERVAL=6;BYMONTHDAY=-1,31;BYSETPOS=1";
    let body = json!({ "title": "Pay", "due": "2026-08-31T09:00", "recurrence": "every 6 months" });
    let task = alice.create("/api/v1/tasks", &body).await;
    let series = &task["seriesId"];
    assert_eq!(task["recurrence"], anchored);
    let same = (anchored.to_owned(), series.clone());

    // What was sent, or shown, is sent again; also from the occurrence of a shorter month.
    for change in [
        json!({ "recurrence": "every 6 months" }),
        json!({ "recurrence": anchored }),
        json!({ "due": "2027-02-28T09:00" }),
        json!({ "recurrence": "every 6 months" }),
    ] {
        assert_eq!(patched(&alice, &task, &change).await, same, "{change}");
    }

    // Another distance begins another series, which keeps the 31st; so does the way back.
    let (rule, other) = patched(&alice, &task, &json!({ "recurrence": "quarterly" })).await;
    assert_eq!(rule, "FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=-1,31;BYSETPOS=1");
    assert_ne!(&other, series);
    let (rule, series) = patched(&alice, &task, &json!({ "recurrence": "every 6 months" })).await;
    assert_eq!(rule, anchored);
    let same = (rule, series.clone());

    // An occurrence that was moved leaves its series as it is; the phrase given with it begins another on that day.
    let moved = json!({ "due": "2027-02-15T09:00" });
    assert_eq!(patched(&alice, &task, &moved).await, same);
    let again = json!({ "due": "2027-02-15T09:00", "recurrence": "every 6 months" });
    let (rule, other) = patched(&alice, &task, &again).await;
    assert_eq!(rule, "FREQ=MONTHLY;INTERVAL=6");
    assert_ne!(other, series);

    // A rule that is given as a rule stays as it is.
    let typed = json!({ "due": "2027-08-31T09:00", "recurrence": "FREQ=MONTHLY" });
    assert_eq!(patched(&alice, &task, &typed).await.0, "FREQ=MONTHLY");
}

#[tokio::test]
async fn in_another_zone_the_day_of_a_phrase_is_that_of_the_due_date_there() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let body = json!({ "title": "Pay", "due": "2027-01-31T23:00", "timeZone": "Europe/Berlin", "recurrence": "monthly" });
    let task = alice.create("/api/v1/tasks", &body).await;
    let anchored = "FREQ=MONTHLY;BYMONTHDAY=-1,31;BYSETPOS=1";
    assert_eq!(task["recurrence"], anchored);
    for (zone, rule) in [
        ("Europe/London", anchored),
        ("Pacific/Auckland", "FREQ=MONTHLY;BYMONTHDAY=-1,1;BYSETPOS=1"),
        ("Europe/Berlin", anchored),
    ] {
        let change = json!({ "timeZone": zone });
        assert_eq!(patched(&alice, &task, &change).await.0, rule, "{zone}");
    }
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
    let refused = json(&api.sidecar().post(&successor, &late).await, 400);
    assert_eq!(refused["code"], "invalid_body");
    let detail = text(&refused, "detail");
    assert!(detail.contains("`whenever` is not a timestamp"), "{detail}");
    late["due"] = json!("2200-01-01T09:00:00+01:00");
    assert_eq!(
        json(&api.sidecar().post(&successor, &late).await, 400)["errors"][0]["field"],
        "due"
    );
}
