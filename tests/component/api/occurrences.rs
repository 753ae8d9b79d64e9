//! Deleting, reopening and moving occurrences of a series.

use serde_json::{Value, json};

use super::{relay, settled};
use crate::support::{Caller, Service, json, text};

async fn daily(alice: &Caller<'_>, extra: Value) -> Value {
    let mut body = json!({
        "title": "Water the plants", "due": "2026-12-01T09:00", "recurrence": "daily", "reminders": [{ "minutesBefore": 60 }],
    });
    body.as_object_mut()
        .expect("an object")
        .extend(extra.as_object().cloned().unwrap_or_default());
    alice.create("/api/v1/tasks", &body).await
}

fn path(task: &Value) -> String {
    format!("/api/v1/tasks/{}", text(task, "id"))
}

async fn pending(alice: &Caller<'_>) -> Vec<Value> {
    let page = json(&alice.get("/api/v1/tasks?status=pending&sort=due").await, 200);
    page["items"].as_array().cloned().expect("items")
}

#[tokio::test]
async fn deleting_one_occurrence_goes_on_with_the_next() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let task = daily(&alice, json!({})).await;
    let deleted = alice.delete(&format!("{}?scope=occurrence", path(&task))).await;
    assert_eq!(deleted.status, 204);
    assert_eq!(alice.get(&path(&task)).await.status, 404);
    let left = pending(&alice).await;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0]["due"], "2026-12-02T09:00:00+01:00");
    assert_eq!(left[0]["occurrence"], 2);
    assert_eq!(left[0]["seriesId"], task["seriesId"]);
    assert_eq!(left[0]["reminders"][0]["remindAt"], "2026-12-02T08:00:00+01:00");
}

#[tokio::test]
async fn deleting_the_series_ends_it() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    for query in ["", "?scope=series"] {
        let task = daily(&alice, json!({})).await;
        assert_eq!(alice.delete(&format!("{}{query}", path(&task))).await.status, 204);
        settled(&api).await;
        api.pass(3600);
        relay(&api).await;
        assert_eq!(pending(&api.user("alice")).await, Vec::<Value>::new(), "{query}");
    }
    let task = daily(&api.user("alice"), json!({})).await;
    let answer = api
        .user("alice")
        .delete(&format!("{}?scope=all", path(&task)))
        .await;
    assert_eq!(json(&answer, 400)["errors"][0]["field"], "scope");
}

#[tokio::test]
async fn deleting_the_last_occurrence_is_the_end() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let task = daily(&alice, json!({ "recurrence": "FREQ=DAILY;COUNT=2" })).await;
    for (occurrence, left) in [(task, 1), (Value::Null, 0)] {
        let occurrence = match occurrence {
            Value::Null => pending(&alice).await.remove(0),
            first => first,
        };
        let url = format!("{}?scope=occurrence", path(&occurrence));
        assert_eq!(alice.delete(&url).await.status, 204);
        assert_eq!(pending(&alice).await.len(), left);
    }
}

#[tokio::test]
async fn a_crash_between_an_occurrence_and_the_next_is_mended_by_the_relay_however_late() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let task = daily(&alice, json!({})).await;
    let url = format!("{}?scope=occurrence", path(&task));
    assert_eq!(alice.delete(&url).await.status, 204);
    settled(&api).await;
    // As if the process had crashed right after the deletion.
    api.sql("DELETE FROM reminder WHERE task_id IN (SELECT id FROM task WHERE occurrence = 2)");
    api.sql("DELETE FROM task WHERE occurrence = 2");
    api.sql("UPDATE task SET successor = 'pending'");
    api.sql("DELETE FROM task_event WHERE type = 'nudge.task.created.v1' AND task_id NOT IN (SELECT id FROM task)");
    api.pass(3 * 24 * 60 * 60);
    relay(&api).await;
    let left = pending(&api.user("alice")).await;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0]["occurrence"], 2);
    relay(&api).await;
    assert_eq!(pending(&api.user("alice")).await.len(), 1);
}

#[tokio::test]
async fn completing_again_after_reopening_and_moving_does_not_split_the_series() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let task = daily(&alice, json!({})).await;
    let complete = format!("{}/complete", path(&task));
    json(&alice.post(&complete, &json!({})).await, 200);
    let successor = format!("/internal/tasks/{}/successor", text(&task, "id"));
    let next = |id: u32, day: u32| {
        json!({
            "kind": "next", "id": format!("018f0000-0000-5000-8000-00000000000{id}"),
            "due": format!("2026-12-0{day}T09:00:00+01:00"), "occurrence": day,
        })
    };
    assert_eq!(api.sidecar().post(&successor, &next(2, 2)).await.status, 204);

    let reopened = json(
        &alice.post(&format!("{}/reopen", path(&task)), &json!({})).await,
        200,
    );
    assert_eq!(reopened["status"], "pending");
    assert_eq!(pending(&alice).await.len(), 2, "what was made stays");
    json(
        &alice
            .post(
                &format!("{}/move", path(&task)),
                &json!({ "due": "2026-12-03T09:00" }),
            )
            .await,
        200,
    );
    json(&alice.post(&complete, &json!({})).await, 200);
    assert_eq!(api.sidecar().post(&successor, &next(4, 4)).await.status, 204);
    let left = pending(&alice).await;
    assert_eq!(left.len(), 1, "the one that was made first is still to do");
    assert_eq!(left[0]["occurrence"], 2);
}

#[tokio::test]
async fn a_due_date_moves_to_a_date_or_by_a_duration_with_its_reminders() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let task = daily(&alice, json!({})).await;
    let url = format!("{}/move", path(&task));
    for (body, due) in [
        (json!({ "by": "P1D" }), "2026-12-02T09:00:00+01:00"),
        (json!({ "by": "-PT30M" }), "2026-12-02T08:30:00+01:00"),
        (json!({ "due": "2026-12-24" }), "2026-12-24T23:59:59+01:00"),
        (json!({ "due": "tomorrow 9am" }), "2026-11-22T09:00:00+01:00"),
    ] {
        let moved = json(&alice.post(&url, &body).await, 200);
        assert_eq!(moved["due"], due, "{body}");
        assert_eq!(moved["recurrence"], task["recurrence"]);
        assert_eq!(moved["seriesId"], task["seriesId"]);
    }
    let moved = json(&alice.get(&path(&task)).await, 200);
    assert_eq!(moved["reminders"][0]["remindAt"], "2026-11-22T08:00:00+01:00");
    for (body, field) in [
        (json!({}), "due"),
        (json!({ "due": "soonish" }), "due"),
        (json!({ "by": "a while" }), "by"),
        (json!({ "by": "P1D", "due": "2026-12-24" }), "by"),
    ] {
        assert_eq!(
            json(&alice.post(&url, &body).await, 400)["errors"][0]["field"],
            field
        );
    }
    let without = alice.create("/api/v1/tasks", &json!({ "title": "x" })).await;
    let answer = alice
        .post(&format!("{}/move", path(&without)), &json!({ "by": "P1D" }))
        .await;
    assert_eq!(json(&answer, 400)["errors"][0]["field"], "by");
}

#[tokio::test]
async fn reopening_schedules_reminders_that_are_still_in_the_future() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let task = daily(&alice, json!({ "recurrence": null })).await;
    let done = json(
        &alice.post(&format!("{}/complete", path(&task)), &json!({})).await,
        200,
    );
    assert_eq!(done["reminders"][0]["status"], "cancelled");
    let url = format!("{}/reopen", path(&task));
    for _ in 0..2 {
        let open = json(&alice.post(&url, &json!({})).await, 200);
        assert_eq!(open["reminders"][0]["status"], "scheduled");
        assert_eq!(
            (&open["completedAt"], &open["version"]),
            (&Value::Null, &json!(3))
        );
    }
}

#[tokio::test]
async fn a_series_that_was_reopened_and_deleted_does_not_come_back() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let task = daily(&alice, json!({})).await;
    json(
        &alice.post(&format!("{}/complete", path(&task)), &json!({})).await,
        200,
    );
    json(
        &alice.post(&format!("{}/reopen", path(&task)), &json!({})).await,
        200,
    );
    assert_eq!(alice.delete(&path(&task)).await.status, 204);
    settled(&api).await;
    api.pass(120);
    relay(&api).await;
    assert_eq!(pending(&api.user("alice")).await, Vec::<Value>::new());
}

#[tokio::test]
async fn what_follows_a_completion_that_was_taken_back_is_not_created() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let task = daily(&alice, json!({})).await;
    let complete = format!("{}/complete", path(&task));
    let first = json(&alice.post(&complete, &json!({})).await, 200);
    json(
        &alice.post(&format!("{}/reopen", path(&task)), &json!({})).await,
        200,
    );
    api.pass(1);
    let second = json(&alice.post(&complete, &json!({})).await, 200);
    let successor = format!("/internal/tasks/{}/successor", text(&task, "id"));
    let next = |completed: &Value, day: u32| {
        json!({
            "kind": "next", "id": format!("018f0000-0000-5000-8000-00000000000{day}"), "completedAt": completed["completedAt"],
            "due": format!("2026-12-0{day}T09:00:00+01:00"), "occurrence": day,
        })
    };
    assert_eq!(api.sidecar().post(&successor, &next(&first, 2)).await.status, 204);
    let ended = json!({ "kind": "ended", "completedAt": first["completedAt"] });
    assert_eq!(api.sidecar().post(&successor, &ended).await.status, 204);
    assert_eq!(pending(&alice).await, Vec::<Value>::new());
    assert_eq!(
        api.sidecar().post(&successor, &next(&second, 3)).await.status,
        204
    );
    assert_eq!(pending(&alice).await.len(), 1);
}
