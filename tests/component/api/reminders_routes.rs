//! One reminder of a task at a time.

use http::Method;
use serde_json::{Value, json};

use super::{sent, settled};
use crate::support::{Service, json, send, text};

/// A task of alice's that is due on 1 December at nine, without reminders, and the path of its reminders.
async fn due(api: &Service) -> (Value, String) {
    let body = json!({ "title": "x", "due": "2026-12-01T09:00" });
    let task = api.user("alice").create("/api/v1/tasks", &body).await;
    let path = format!("/api/v1/tasks/{}/reminders", text(&task, "id"));
    (task, path)
}

fn of(task: &Value) -> String {
    format!("/api/v1/tasks/{}", text(task, "id"))
}

#[tokio::test]
async fn reminders_come_change_and_go_one_by_one() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let (task, path) = due(&api).await;
    assert_eq!(json(&alice.get(&path).await, 200), json!({ "items": [] }));

    let added = alice.post(&path, &json!({ "minutesBefore": 60 })).await;
    let reminder = json(&added, 201);
    let one = added.header("location").to_owned();
    assert_eq!(one, format!("{path}/{}", text(&reminder, "id")));
    assert_eq!(added.header("etag"), "\"2\"", "that of the task");
    assert_eq!(reminder["remindAt"], "2026-12-01T08:00:00+01:00");
    assert_eq!(reminder["status"], "scheduled");
    assert_eq!(json(&alice.get(&one).await, 200), reminder);
    assert_eq!(json(&alice.get(&path).await, 200), json!({ "items": [reminder] }));

    let moved = alice.patch(&one, &json!({ "minutesBefore": 30 })).await;
    assert_eq!(moved.header("etag"), "\"3\"");
    let moved = json(&moved, 200);
    assert_eq!(moved["id"], reminder["id"]);
    assert_eq!(moved["remindAt"], "2026-12-01T08:30:00+01:00");
    let same = alice.patch(&one, &json!({ "minutesBefore": 30 })).await;
    assert_eq!(
        same.header("etag"),
        "\"3\"",
        "a change that changes nothing is none"
    );
    let absolute = json(&alice.patch(&one, &json!({ "at": "tomorrow 9am" })).await, 200);
    assert_eq!(absolute["at"], "2026-11-22T09:00:00+01:00");
    assert_eq!(
        json(&alice.get(&of(&task)).await, 200)["reminders"],
        json!([absolute])
    );

    let gone = alice.delete(&one).await;
    assert_eq!((gone.status.as_u16(), gone.header("etag")), (204, "\"5\""));
    assert_eq!(alice.get(&one).await.status, 404);
    assert_eq!(alice.delete(&one).await.status, 404);
    assert_eq!(json(&alice.get(&path).await, 200), json!({ "items": [] }));
}

#[tokio::test]
async fn a_snoozed_reminder_fires_later_or_again() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let (task, path) = due(&api).await;
    let reminder = alice.create(&path, &json!({ "minutesBefore": 60 })).await;
    let snooze = format!("{path}/{}/snooze", text(&reminder, "id"));

    // START is 13:00 in Berlin.
    let later = json(&alice.post(&snooze, &json!({ "minutes": 10 })).await, 200);
    assert_eq!(later["remindAt"], "2026-11-21T13:10:00+01:00");
    assert_eq!(later["minutesBefore"], 60, "what was asked for stays");
    let task = json(&alice.get(&of(&task)).await, 200);
    api.sidecar()
        .post("/internal/events/reminder-outcomes", &sent(&task, 0))
        .await;
    assert_eq!(json(&alice.get(&path).await, 200)["items"][0]["status"], "sent");

    let again = json(&alice.post(&snooze, &json!({ "until": "in 3 hours" })).await, 200);
    assert_eq!(
        (&again["remindAt"], &again["status"]),
        (&json!("2026-11-21T16:00:00+01:00"), &json!("scheduled"))
    );
    settled(&api).await;
    let told = api.dapr.published("task-events").pop().unwrap().data().unwrap();
    assert_eq!(told["changed"], json!(["reminders"]));
    assert_eq!(told["task"]["reminders"], json!([again]));

    let moved = json(
        &alice
            .patch(&of(&task), &json!({ "due": "2026-12-02T09:00" }))
            .await,
        200,
    );
    assert_eq!(
        moved["reminders"][0]["remindAt"], "2026-12-02T08:00:00+01:00",
        "moving the due date ends the snooze"
    );
}

#[tokio::test]
async fn a_reminder_at_an_instant_keeps_it_while_it_is_snoozed() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let (task, path) = due(&api).await;
    let reminder = alice.create(&path, &json!({ "at": "2026-11-21T14:00" })).await;
    let one = format!("{path}/{}", text(&reminder, "id"));
    let snoozed = json(
        &alice
            .post(&format!("{one}/snooze"), &json!({ "until": "2026-11-21T15:00" }))
            .await,
        200,
    );
    assert_eq!(snoozed["at"], "2026-11-21T14:00:00+01:00");
    assert_eq!(snoozed["remindAt"], "2026-11-21T15:00:00+01:00");
    assert_eq!(json(&alice.get(&one).await, 200), snoozed, "it is stored so");
    let unchanged = alice.patch(&of(&task), &json!({ "reminders": [snoozed] })).await;
    assert_eq!(
        unchanged.header("etag"),
        "\"3\"",
        "a list that is sent back changes nothing"
    );
    let back = json(
        &alice.patch(&one, &json!({ "at": "2026-11-21T14:00" })).await,
        200,
    );
    assert_eq!(
        back["remindAt"], "2026-11-21T14:00:00+01:00",
        "its own time takes the snooze back"
    );
}

#[tokio::test]
async fn every_change_of_a_reminder_takes_the_tasks_entity_tag() {
    let api = Service::start("api").await;
    let (_, path) = due(&api).await;
    let alice = api.user("alice");
    let reminder = alice.create(&path, &json!({ "minutesBefore": 60 })).await;
    let one = format!("{path}/{}", text(&reminder, "id"));
    let calls = |tag: &'static str| {
        [
            (Method::POST, path.clone(), json!({ "minutesBefore": 5 })),
            (Method::PATCH, one.clone(), json!({ "minutesBefore": 10 })),
            (Method::POST, format!("{one}/snooze"), json!({ "minutes": 1 })),
            (Method::DELETE, one.clone(), json!({})),
        ]
        .map(|(method, path, body)| send(alice.call(method, &path).json(&body).header("if-match", tag)))
    };
    for call in calls("\"1\"") {
        let problem = json(&call.await, 412);
        assert_eq!(
            (&problem["code"], &problem["currentVersion"]),
            (&json!("version_mismatch"), &json!(2))
        );
    }
    let [add, change, ..] = calls("\"2\"");
    assert_eq!(add.await.status, 201);
    assert_eq!(change.await.status, 412, "the one before made a new version");
}

#[tokio::test]
async fn what_is_wrong_with_a_reminder_is_named() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let (_, path) = due(&api).await;
    let reminder = alice.create(&path, &json!({ "minutesBefore": 60 })).await;
    let one = format!("{path}/{}", text(&reminder, "id"));
    let snooze = format!("{one}/snooze");
    for (path, body, field, code) in [
        (&path, json!({}), "minutesBefore", "required"),
        (
            &path,
            json!({ "minutesBefore": 5, "at": "2026-12-01" }),
            "at",
            "invalid_reminder",
        ),
        (
            &path,
            json!({ "minutesBefore": 40_321 }),
            "minutesBefore",
            "invalid_reminder",
        ),
        (
            &path,
            json!({ "minutesBefore": 60 }),
            "minutesBefore",
            "duplicate_reminder",
        ),
        (
            &path,
            json!({ "at": "2026-11-21T12:59" }),
            "at",
            "invalid_reminder",
        ),
        (&path, json!({ "at": "soonish" }), "at", "invalid_reminder"),
        (
            &path,
            json!({ "minutesBefore": 5, "id": "x" }),
            "id",
            "unknown_field",
        ),
        (&snooze, json!({}), "minutes", "required"),
        (&snooze, json!({ "minutes": 0 }), "minutes", "invalid_reminder"),
        (
            &snooze,
            json!({ "minutes": 40_321 }),
            "minutes",
            "invalid_reminder",
        ),
        (&snooze, json!({ "minutes": "ten" }), "minutes", "wrong_type"),
        (
            &snooze,
            json!({ "until": "2026-11-21T12:59" }),
            "until",
            "invalid_reminder",
        ),
        (
            &snooze,
            json!({ "until": "2026-12-31" }),
            "until",
            "invalid_reminder",
        ),
        (
            &snooze,
            json!({ "minutes": 5, "until": "tomorrow" }),
            "until",
            "invalid_reminder",
        ),
    ] {
        let problem = json(&alice.post(path, &body).await, 400);
        let error = &problem["errors"][0];
        assert_eq!(
            (&error["field"], &error["code"]),
            (&json!(field), &json!(code)),
            "{body}: {problem}"
        );
    }
    for minutes in [1, 2, 3, 4] {
        alice.create(&path, &json!({ "minutesBefore": minutes })).await;
    }
    let problem = json(&alice.post(&path, &json!({ "minutesBefore": 5 })).await, 400);
    assert_eq!(problem["errors"][0]["field"], "reminders");
    assert_eq!(problem["errors"][0]["code"], "too_many_reminders");
}

#[tokio::test]
async fn reminders_of_a_completed_task_wait_for_its_reopening() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let (task, path) = due(&api).await;
    json(
        &alice.post(&format!("{}/complete", of(&task)), &json!({})).await,
        200,
    );
    let reminder = alice.create(&path, &json!({ "minutesBefore": 60 })).await;
    assert_eq!(reminder["status"], "cancelled");
    let snooze = format!("{path}/{}/snooze", text(&reminder, "id"));
    let problem = json(&alice.post(&snooze, &json!({ "minutes": 5 })).await, 409);
    assert_eq!(problem["code"], "task_completed");
    let open = json(
        &alice.patch(&of(&task), &json!({ "status": "pending" })).await,
        200,
    );
    assert_eq!(open["reminders"][0]["status"], "scheduled");
}

#[tokio::test]
async fn reminders_of_others_and_unknown_ones_are_not_there() {
    let api = Service::start("api").await;
    let (alice, bob) = (api.user("alice"), api.user("bob"));
    let (_, path) = due(&api).await;
    let reminder = alice.create(&path, &json!({ "minutesBefore": 60 })).await;
    let one = format!("{path}/{}", text(&reminder, "id"));
    let other = due(&api).await.1;
    let elsewhere = format!("{other}/{}", text(&reminder, "id"));
    for (who, path) in [(&bob, &one), (&alice, &elsewhere), (&alice, &format!("{path}/7"))] {
        let body = json!({ "minutesBefore": 10 });
        assert_eq!(who.get(path).await.status, 404);
        assert_eq!(who.patch(path, &body).await.status, 404);
        assert_eq!(who.delete(path).await.status, 404);
        assert_eq!(
            who.post(&format!("{path}/snooze"), &json!({ "minutes": 5 }))
                .await
                .status,
            404
        );
    }
    assert_eq!(bob.get(&path).await.status, 404);
    assert_eq!(bob.post(&path, &json!({ "minutesBefore": 10 })).await.status, 404);
    assert_eq!(json(&alice.get(&one).await, 200), reminder);
}

#[tokio::test]
async fn a_reminder_that_is_added_twice_with_one_key_is_added_once() {
    let api = Service::start("api").await;
    let (_, path) = due(&api).await;
    let alice = api.user("alice");
    let add = || {
        let call = alice.call(Method::POST, &path).header("idempotency-key", "once");
        send(call.json(&json!({ "minutesBefore": 60 })))
    };
    let (first, second) = (json(&add().await, 201), json(&add().await, 201));
    assert_eq!(first, second);
    assert_eq!(json(&alice.get(&path).await, 200), json!({ "items": [first] }));
}
