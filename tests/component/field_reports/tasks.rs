//! Tasks, their due dates and reminders.

use serde_json::{Value, json};

use crate::support::{Caller, Service, json as body, text};

fn path(task: &Value) -> String {
    format!("/api/v1/tasks/{}", text(task, "id"))
}

async fn read(caller: &Caller<'_>, task: &Value) -> Value {
    body(&caller.get(&path(task)).await, 200)
}

#[tokio::test]
async fn null_takes_a_due_date_and_its_reminder_away_and_silence_leaves_them() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let task = json!({ "title": "x", "due": "2026-12-01T09:00", "reminders": [{ "minutesBefore": 5 }] });
    let task = alice.create("/api/v1/tasks", &task).await;
    let kept = body(&alice.patch(&path(&task), &json!({ "title": "y" })).await, 200);
    assert_eq!(
        (&kept["due"], &kept["reminders"]),
        (&task["due"], &task["reminders"])
    );
    let taken = body(&alice.patch(&path(&task), &json!({ "due": null })).await, 200);
    assert_eq!(taken["due"], Value::Null);
    assert_eq!(taken["reminders"][0]["status"], "cancelled");
    let nothing = body(&alice.patch(&path(&task), &json!({})).await, 200);
    assert_eq!(
        nothing["version"], taken["version"],
        "an empty patch changes nothing"
    );
}

#[tokio::test]
async fn a_due_date_after_a_snooze_counts_more_than_the_snooze() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let task = json!({ "title": "x", "due": "2026-11-21T13:10", "reminders": [{ "minutesBefore": 0 }] });
    let task = alice.create("/api/v1/tasks", &task).await;
    let snooze = format!(
        "{}/reminders/{}/snooze",
        path(&task),
        text(&task["reminders"][0], "id")
    );
    api.pass(15 * 60);
    // From now, not from when it was to fire.
    let snoozed = body(&alice.post(&snooze, &json!({ "minutes": 60 })).await, 200);
    assert_eq!(snoozed["remindAt"], "2026-11-21T14:15:00+01:00");
    assert_eq!(
        read(&alice, &task).await["due"],
        task["due"],
        "a snooze moves no due date"
    );
    let moved = json!({ "due": "2026-11-21T13:17" });
    let moved = body(&alice.patch(&path(&task), &moved).await, 200);
    assert_eq!(moved["reminders"][0]["remindAt"], "2026-11-21T13:17:00+01:00");
    assert_eq!(moved["reminders"][0]["status"], "scheduled");
}

#[tokio::test]
async fn a_task_for_a_day_is_due_at_the_end_of_that_day_whatever_clocks_do() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    // On 24 October 2026 clocks in Nuuk go back from 24:00 to 23:00; on 27 March 2027 they skip the last hour.
    for (day, ends) in [
        ("2026-10-24", "2026-10-24T23:59:59-02:00"),
        ("2027-03-27", "2027-03-27T22:59:59-02:00"),
    ] {
        let task = json!({ "title": day, "due": day, "timeZone": "America/Nuuk" });
        let task = alice.create("/api/v1/tasks", &task).await;
        assert_eq!(task["due"], ends);
        let resent = json!({ "due": task["due"] });
        let resent = body(&alice.patch(&path(&task), &resent).await, 200);
        assert_eq!(resent["version"], 1, "what was shown is what was meant");
    }
    let task = json!({ "title": "daily", "due": "2027-03-26", "timeZone": "America/Nuuk", "recurrence": "FREQ=DAILY" });
    let task = alice.create("/api/v1/tasks", &task).await;
    let moved = body(
        &alice
            .post(&format!("{}/move", path(&task)), &json!({ "by": "P1D" }))
            .await,
        200,
    );
    assert_eq!(moved["due"], "2027-03-27T22:59:59-02:00");
}
