//! Reminders that are due in quiet hours.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Bench, User};

/// Quiet hours from now, noon in UTC, until five past.
async fn quiet(alice: &User<'_>) {
    let hours = json!({ "quietHours": { "from": "12:00", "until": "12:05" } });
    let answer = alice.send(Method::PATCH, "/api/v1/me", Some(hours)).await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
}

fn task(bench: &Bench) -> Value {
    json!({ "title": "Wait for me", "due": bench.in_seconds(120), "reminders": [{ "at": bench.in_seconds(5) }] })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reminder_waits_for_the_end_of_quiet_hours_and_then_goes_out_once() {
    let bench = Bench::start().await;
    let (alice, bob) = (bench.user("alice", "UTC"), bench.user("bob", "UTC"));
    quiet(&alice).await;
    let waiting = alice.create(task(&bench)).await;
    bob.create(json!({ "title": "Fence", "reminders": [{ "at": bench.in_seconds(60) }] }))
        .await;

    bench
        .step_until("the reminder waits", 60, async |_| {
            alice.read(&waiting).await["reminders"][0]["remindAt"] == "2026-11-21T12:05:00+00:00"
        })
        .await;
    bench
        .step_until("the fence's email is there", 120, async |bench| {
            !bench.emails().is_empty()
        })
        .await;
    assert_eq!(
        bench.wait_for_emails(1).await[0].subject,
        "Reminder: Fence",
        "no other reminder waits"
    );
    bench
        .step_until("the email is there", 300, async |bench| bench.emails().len() == 2)
        .await;
    let email = bench.emails().remove(1);
    assert_eq!(email.subject, "Reminder: Wait for me");
    assert!(
        bench.now().to_string().as_str() >= "2026-11-21T12:05:00Z",
        "not before quiet hours end"
    );
    assert!(
        email.text().contains("Overdue by 3 minutes"),
        "the actual delay: {}",
        email.text()
    );
    bench
        .wait_until("the reminder shows sent", async |_| {
            alice.read(&waiting).await["reminders"][0]["status"] == "sent"
        })
        .await;
    bench.step(60).await;
    bench.wait_for_emails(2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reminder_that_waits_survives_a_restart() {
    let mut bench = Bench::start().await;
    let alice = bench.user("alice", "UTC");
    quiet(&alice).await;
    let waiting = alice.create(task(&bench)).await;
    // If the system is down at its time, it fires after the restart, during quiet hours, and waits.
    bench.restart(Duration::from_secs(30)).await;
    let alice = bench.user("alice", "UTC");
    bench
        .step_until("the reminder waits", 90, async |_| {
            alice.read(&waiting).await["reminders"][0]["remindAt"] == "2026-11-21T12:05:00+00:00"
        })
        .await;
    assert!(bench.emails().is_empty());
    // If the system is down at the end of quiet hours, it is sent late and once.
    bench.restart(Duration::from_secs(3_600)).await;
    let emails = bench.wait_for_emails(1).await;
    assert_eq!(emails[0].subject, "Reminder: Wait for me");
    bench.step(60).await;
    bench.wait_for_emails(1).await;
}
