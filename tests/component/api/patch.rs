//! Changing, completing, reopening and deleting a task.

use http::Method;
use serde_json::{Value, json};

use super::{relay, settled};
use crate::support::{Caller, Service, json, send, text};

const TASKS: &str = "/api/v1/tasks";

async fn task(alice: &Caller<'_>, body: Value) -> (Value, String) {
    let task = alice.create(TASKS, &body).await;
    let path = format!("{TASKS}/{}", text(&task, "id"));
    (task, path)
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_null_takes_away() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let category = alice
        .create("/api/v1/categories", &json!({ "name": "Home" }))
        .await;
    let (before, path) = task(
        &alice,
        json!({
            "title": "old", "description": "text", "priority": "urgent", "due": "2026-12-01T09:00",
            "categoryId": category["id"], "recurrence": "daily", "reminders": [{ "at": "2026-11-30T09:00" }],
        }),
    )
    .await;
    api.pass(60);

    let answer = alice.patch(&path, &json!({ "title": "new" })).await;
    let mut expected = before.clone();
    expected["title"] = json!("new");
    expected["version"] = json!(2);
    expected["updatedAt"] = json!("2026-11-21T12:01:00Z");
    assert_eq!((answer.header("etag"), json(&answer, 200)), ("\"2\"", expected));

    let nulls = json!({
        "description": null, "priority": null, "due": null, "categoryId": null, "tagIds": null, "recurrence": null, "reminders": null,
    });
    let answer = alice.patch(&path, &nulls).await;
    let mut expected = json(&answer, 200);
    for (name, value) in [
        ("description", Value::Null),
        ("priority", json!("medium")),
        ("due", Value::Null),
        ("categoryId", Value::Null),
        ("tagIds", json!([])),
        ("recurrence", Value::Null),
        ("reminders", json!([])),
        ("seriesId", Value::Null),
        ("title", json!("new")),
        ("version", json!(3)),
    ] {
        assert_eq!(expected[name].take(), value, "{name}");
    }
    assert_eq!(
        json(&alice.patch(&path, &json!({ "title": null })).await, 400)["errors"][0]["field"],
        "title"
    );
}

#[tokio::test]
async fn a_patch_that_changes_nothing_makes_no_version_and_no_event() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let (before, path) = task(
        &alice,
        json!({ "title": "x", "due": "2026-12-01", "reminders": [{ "minutesBefore": 5 }] }),
    )
    .await;
    settled(&api).await;
    api.pass(60);
    for body in [
        json!({}),
        json!({ "title": " x ", "priority": "medium", "due": "2026-12-01T22:59:59Z" }),
        json!({ "reminders": before["reminders"] }),
        json!({ "status": "pending", "recurrence": null }),
    ] {
        assert_eq!(json(&alice.patch(&path, &body).await, 200), before, "{body}");
    }
    api.pass(60);
    assert_eq!(relay(&api).await, json!({ "published": 0, "left": 0 }));
    assert_eq!(api.dapr.published("task-events").len(), 1);
}

#[tokio::test]
async fn a_merge_patch_may_say_that_it_is_one() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let (_, path) = task(&alice, json!({ "title": "x" })).await;
    let call = alice
        .call(Method::PATCH, &path)
        .body("application/merge-patch+json", "{\"title\":\"y\"}");
    assert_eq!(json(&send(call).await, 200)["title"], "y");
}

#[tokio::test]
async fn moving_the_due_date_moves_relative_reminders_and_arms_them_again() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let (before, path) = task(
        &alice,
        json!({ "title": "x", "due": "2026-12-01T09:00", "reminders": [{ "minutesBefore": 60 }, { "at": "2026-11-30T18:00" }] }),
    )
    .await;
    let after = json(
        &alice.patch(&path, &json!({ "due": "2026-12-02T10:00" })).await,
        200,
    );
    assert_eq!(after["reminders"][0]["remindAt"], "2026-12-02T09:00:00+01:00");
    assert_eq!(after["reminders"][0]["id"], before["reminders"][0]["id"]);
    assert_eq!(
        after["reminders"][1], before["reminders"][1],
        "an instant of its own stays"
    );

    let without = json(&alice.patch(&path, &json!({ "due": null })).await, 200);
    assert_eq!(without["reminders"][0]["status"], "cancelled");
    let again = json(
        &alice.patch(&path, &json!({ "due": "2026-12-03T10:00" })).await,
        200,
    );
    assert_eq!(again["reminders"][0]["status"], "scheduled");
    assert_eq!(again["reminders"][0]["remindAt"], "2026-12-03T09:00:00+01:00");
}

#[tokio::test]
async fn a_zone_alone_keeps_the_instant() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let (_, path) = task(&alice, json!({ "title": "x", "due": "2026-12-01T09:00" })).await;
    let moved = json(
        &alice.patch(&path, &json!({ "timeZone": "Asia/Tokyo" })).await,
        200,
    );
    assert_eq!(moved["due"], "2026-12-01T17:00:00+09:00");
}

#[tokio::test]
async fn if_match_guards_every_change() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let (_, path) = task(&alice, json!({ "title": "x" })).await;
    let complete = format!("{path}/complete");
    let with = async |method: Method, path: &str, tag: &str| {
        send(
            alice
                .call(method, path)
                .header("if-match", tag)
                .json(&json!({ "title": "y" })),
        )
        .await
    };
    for (method, path) in [
        (Method::PATCH, &path),
        (Method::POST, &complete),
        (Method::DELETE, &path),
    ] {
        let stale = with(method.clone(), path, "\"9\"").await;
        assert_eq!(json(&stale, 412)["currentVersion"], 1, "{method}");
        assert_eq!(json(&stale, 412)["code"], "version_mismatch", "{method}");
        assert_eq!(
            with(method.clone(), path, "W/\"1\"").await.status,
            412,
            "{method}: a weak tag never matches"
        );
        let malformed = with(method.clone(), path, "1").await;
        assert_eq!(
            json(&malformed, 400)["errors"][0]["field"],
            "If-Match",
            "{method}"
        );
    }
    assert_eq!(
        json(&with(Method::PATCH, &path, "\"1\"").await, 200)["version"],
        2
    );
    assert_eq!(with(Method::POST, &complete, "\"1\", \"2\"").await.status, 200);
    assert_eq!(with(Method::DELETE, &path, "*").await.status, 204);
}

#[tokio::test]
async fn completing_twice_is_completing_once() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let (_, path) = task(
        &alice,
        json!({ "title": "x", "due": "2026-12-01", "reminders": [{ "minutesBefore": 5 }] }),
    )
    .await;
    let complete = format!("{path}/complete");
    api.pass(60);
    let done = json(&alice.post(&complete, &json!({})).await, 200);
    assert_eq!(
        (&done["status"], &done["completedAt"]),
        (&json!("completed"), &json!("2026-11-21T12:01:00Z"))
    );
    assert_eq!(done["reminders"][0]["status"], "cancelled");
    api.pass(60);
    assert_eq!(json(&alice.post(&complete, &json!({})).await, 200), done);
    assert_eq!(
        json(&alice.patch(&path, &json!({ "status": "completed" })).await, 200),
        done
    );
}

#[tokio::test]
async fn reopening_schedules_reminders_that_are_still_in_the_future() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let reminders = json!([{ "minutesBefore": 5 }, { "at": "2026-11-21T12:30:00Z" }]);
    let (_, path) = task(
        &alice,
        json!({ "title": "x", "due": "2026-12-01", "reminders": reminders }),
    )
    .await;
    alice.patch(&path, &json!({ "status": "completed" })).await;
    api.pass(31 * 60);
    let open = json(&alice.patch(&path, &json!({ "status": "pending" })).await, 200);
    assert_eq!(
        (&open["status"], &open["completedAt"]),
        (&json!("pending"), &Value::Null)
    );
    assert_eq!(open["reminders"][0]["status"], "scheduled");
    assert_eq!(
        open["reminders"][1]["status"], "cancelled",
        "its instant has passed"
    );
}

#[tokio::test]
async fn reopening_with_another_due_date_moves_the_reminders_along() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let (before, path) = task(
        &alice,
        json!({ "title": "x", "due": "2026-12-01T09:00", "reminders": [{ "minutesBefore": 60 }] }),
    )
    .await;
    let outcome = super::sent(&before, 0);
    assert_eq!(
        api.sidecar()
            .post("/internal/events/reminder-outcomes", &outcome)
            .await
            .status,
        200
    );
    alice.patch(&path, &json!({ "status": "completed" })).await;
    let open = json(
        &alice
            .patch(&path, &json!({ "status": "pending", "due": "2026-12-05T09:00" }))
            .await,
        200,
    );
    assert_eq!(open["reminders"][0]["remindAt"], "2026-12-05T08:00:00+01:00");
    assert_eq!(open["reminders"][0]["status"], "scheduled");
}

#[tokio::test]
async fn a_series_begins_anew_with_another_rule_and_goes_on_with_another_due_date() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let (first, path) = task(
        &alice,
        json!({ "title": "x", "due": "2026-12-01T09:00", "recurrence": "weekly" }),
    )
    .await;
    let moved = json(
        &alice.patch(&path, &json!({ "due": "2026-12-02T09:00" })).await,
        200,
    );
    assert_eq!(moved["seriesId"], first["seriesId"]);
    assert_eq!(moved["recurrence"], "FREQ=WEEKLY");
    let other = json(&alice.patch(&path, &json!({ "recurrence": "daily" })).await, 200);
    assert_ne!(other["seriesId"], first["seriesId"]);
}

#[tokio::test]
async fn a_deleted_task_is_gone() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let (_, path) = task(&alice, json!({ "title": "x" })).await;
    let answer = alice.delete(&path).await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0));
    assert_eq!(alice.get(&path).await.status, 404);
    assert_eq!(alice.patch(&path, &json!({ "title": "y" })).await.status, 404);
    assert_eq!(alice.delete(&path).await.status, 404);
    assert_eq!(json(&alice.get(TASKS).await, 200)["items"], json!([]));
}

#[tokio::test]
async fn changes_at_the_same_time_are_all_made() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let (_, path) = task(&alice, json!({ "title": "x" })).await;
    let bodies = [
        json!({ "title": "y" }),
        json!({ "description": "d" }),
        json!({ "priority": "high" }),
        json!({ "due": "2026-12-01" }),
    ];
    let (a, b, c, d) = tokio::join!(
        alice.patch(&path, &bodies[0]),
        alice.patch(&path, &bodies[1]),
        alice.patch(&path, &bodies[2]),
        alice.patch(&path, &bodies[3]),
    );
    for answer in [a, b, c, d] {
        json(&answer, 200);
    }
    let after = json(&alice.get(&path).await, 200);
    assert_eq!(after["version"], 5);
    assert_eq!(
        (
            text(&after, "title"),
            text(&after, "description"),
            text(&after, "priority")
        ),
        ("y", "d", "high")
    );
}
