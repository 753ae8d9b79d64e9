//! A finished task becomes the next one.

use http::Method;
use serde_json::json;

use crate::support::Bench;

#[tokio::test(flavor = "multi_thread")]
async fn completing_a_recurring_task_creates_the_next_occurrence_once() {
    let bench = Bench::start().await;
    let alice = bench.user("alice", "Europe/Berlin");
    let tag = alice
        .send(
            Method::POST,
            "/api/v1/tags",
            Some(json!({ "name": "home", "color": "#00AA00" })),
        )
        .await
        .json()
        .unwrap();
    let category = alice
        .send(
            Method::POST,
            "/api/v1/categories",
            Some(json!({ "name": "Money" })),
        )
        .await
        .json()
        .unwrap();
    let task = alice
        .create(json!({ "title": "Pay rent", "priority": "high", "due": "2026-12-01T09:00:00+01:00", "timeZone": "Europe/Berlin",
                        "recurrence": "FREQ=MONTHLY;BYMONTHDAY=1", "tagIds": [tag["id"]], "categoryId": category["id"],
                        "reminders": [{ "minutesBefore": 30 }, { "at": "2026-11-30T18:00:00Z" }] }))
        .await;
    alice.complete(&task).await;
    alice.complete(&task).await;
    bench
        .wait_until("the next one is there", async |_| {
            alice.list("status=pending").await.len() == 1
        })
        .await;

    let next = alice.list("status=pending").await.remove(0);
    assert_eq!(next["due"], "2027-01-01T09:00:00+01:00");
    for field in [
        "title",
        "priority",
        "timeZone",
        "recurrence",
        "recurrenceFrom",
        "tagIds",
        "categoryId",
        "seriesId",
    ] {
        assert_eq!(next[field], task[field], "{field}");
    }
    assert_eq!(next["occurrence"], 2);
    assert_eq!(
        next["reminders"].as_array().unwrap().len(),
        1,
        "the relative one is carried over, the absolute one is not: {next}"
    );
    assert_eq!(next["reminders"][0]["remindAt"], "2027-01-01T08:30:00+01:00");
    assert_eq!(next["reminders"][0]["status"], "scheduled");

    // After the relay and redeliveries there is still one.
    bench.step(180).await;
    assert_eq!(alice.list("status=all").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_series_ends_with_its_count_and_keeps_its_time_of_day_over_daylight_saving() {
    let bench = Bench::start().await;
    let alice = bench.user("alice", "Europe/Berlin");
    // On 28 March 2027 clocks go forward in Berlin.
    let mut task = alice.create(json!({ "title": "Call home", "due": "2027-03-21T09:00", "recurrence": "every sunday for 3 times" })).await;
    assert_eq!(task["recurrence"], "FREQ=WEEKLY;COUNT=3;BYDAY=SU");
    for (due, occurrence) in [("2027-03-28T09:00:00+02:00", 2), ("2027-04-04T09:00:00+02:00", 3)] {
        alice.complete(&task).await;
        bench
            .wait_until("the next one is there", async |_| {
                alice.list("status=pending").await.len() == 1
            })
            .await;
        task = alice.list("status=pending").await.remove(0);
        assert_eq!(
            (&task["due"], &task["occurrence"]),
            (&json!(due), &json!(occurrence))
        );
    }
    alice.complete(&task).await;
    // Another series is the fence: when its next occurrence is there, one of the first would be, too.
    let fence = alice
        .create(json!({ "title": "Fence", "due": "2027-01-01", "recurrence": "daily" }))
        .await;
    alice.complete(&fence).await;
    bench
        .wait_until("the fence's next one is there", async |_| {
            !alice.list("status=pending").await.is_empty()
        })
        .await;
    let pending = alice.list("status=pending").await;
    assert_eq!(pending.len(), 1);
    assert_eq!(pending[0]["title"], "Fence");
}
