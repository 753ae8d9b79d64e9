//! `set_reminder`.

use serde_json::{Value, json};

use super::{Model, field};
use crate::support::Service;

#[tokio::test]
async fn a_reminder_is_set_before_the_due_date_or_at_a_time() {
    let api = Service::start("api").await;
    let alice = Model::of(&api, "alice").await;
    let task = alice
        .task(json!({ "title": "x", "due_date": "2026-12-01T09:00" }))
        .await;
    let set = async |mut arguments: Value| {
        arguments["task_id"] = task["id"].clone();
        alice.get("set_reminder", arguments).await["task"]["reminders"].take()
    };
    let reminders = set(json!({ "remind_before_minutes": 60 })).await;
    assert_eq!(
        reminders,
        json!([{
            "id": reminders[0]["id"],
            "remind_before_minutes": 60,
            "remind_at": "2026-12-01T08:00:00+01:00",
            "status": "scheduled",
        }])
    );
    assert_eq!(
        set(json!({ "remind_before_minutes": 60 })).await,
        reminders,
        "twice is once"
    );
    assert_eq!(set(json!({ "remind_before_minutes": 60.0 })).await, reminders);
    let two = set(json!({ "remind_at": "2026-11-30T18:00" })).await;
    assert_eq!(two[0], reminders[0]);
    assert_eq!(
        (&two[1]["remind_before_minutes"], &two[1]["remind_at"]),
        (&Value::Null, &json!("2026-11-30T18:00:00+01:00"))
    );
    assert_eq!(
        set(json!({ "remind_at": "2026-11-30 18:00" })).await,
        two,
        "twice is once"
    );
    let arguments = json!({ "task_id": task["id"], "remind_before_minutes": 1440 });
    let told = alice.told("set_reminder", arguments).await;
    assert!(
        told.contains("1440 minutes before, Mon 30 Nov 2026 09:00"),
        "{told}"
    );
}

#[tokio::test]
async fn a_reminder_needs_one_time_that_is_ahead() {
    let api = Service::start("api").await;
    let alice = Model::of(&api, "alice").await;
    let task = alice
        .task(json!({ "title": "x", "due_date": "2026-12-01T09:00" }))
        .await;
    let bare = alice.task(json!({ "title": "y" })).await;
    for (task, mut arguments, named) in [
        (&task, json!({}), "remind_before_minutes"),
        (
            &task,
            json!({ "remind_before_minutes": 5, "remind_at": "2026-11-30" }),
            "remind_at",
        ),
        (
            &task,
            json!({ "remind_before_minutes": 40_321 }),
            "remind_before_minutes",
        ),
        (
            &task,
            json!({ "remind_before_minutes": "soon" }),
            "remind_before_minutes",
        ),
        (&task, json!({ "remind_at": "2020-01-01" }), "remind_at"),
        (&task, json!({ "remind_at": "whenever" }), "remind_at"),
        (
            &bare,
            json!({ "remind_before_minutes": 5 }),
            "remind_before_minutes",
        ),
    ] {
        arguments["task_id"] = task["id"].clone();
        let refusal = alice
            .refusal("set_reminder", arguments.clone(), "VALIDATION_ERROR")
            .await;
        assert_eq!(field(&refusal), named, "{arguments}");
    }
    for time in [
        json!({}),
        json!({ "remind_before_minutes": 5, "remind_at": "2026-11-30" }),
    ] {
        let mut arguments = time;
        arguments["task_id"] = task["id"].clone();
        arguments["minutes"] = json!(5);
        let refusal = alice.refusal("set_reminder", arguments, "VALIDATION_ERROR").await;
        assert_eq!(refusal["errors"].as_array().unwrap().len(), 2, "{refusal:#}");
        assert_eq!(refusal["errors"][1]["code"], "unknown_field");
    }
    for minutes in 1..=5 {
        let arguments = json!({ "task_id": task["id"], "remind_before_minutes": minutes });
        alice.call("set_reminder", arguments).await;
    }
    let sixth = json!({ "task_id": task["id"], "remind_before_minutes": 6 });
    let refusal = alice.refusal("set_reminder", sixth, "VALIDATION_ERROR").await;
    assert_eq!(refusal["errors"][0]["code"], "too_many_reminders");
}
