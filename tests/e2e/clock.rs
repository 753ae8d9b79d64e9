//! The system's clock jumps: a machine wakes up, or a time server corrects it.

use std::time::Duration;

use serde_json::json;

use crate::support::Bench;

#[tokio::test(flavor = "multi_thread")]
async fn reminders_survive_a_clock_that_jumps_forward_and_back() {
    let bench = Bench::start().await;
    let alice = bench.user("alice", "UTC");
    let mut tasks = Vec::new();
    for (title, seconds) in [("soon", 10), ("in an hour", 3_600), ("in four hours", 14_400)] {
        let task = json!({ "title": title, "reminders": [{ "at": bench.in_seconds(seconds) }] });
        tasks.push(alice.create(task).await);
    }

    // Three hours at once: reminders that came due meanwhile are sent, each once.
    bench.clock.advance(Duration::from_secs(3 * 3_600));
    bench.wait_for_emails(2).await;
    for task in &tasks[..2] {
        bench
            .step_until("the reminder shows sent", 60, async |_| {
                alice.read(task).await["reminders"][0]["status"] == "sent"
            })
            .await;
    }

    // Ten minutes back: sent reminders stay sent, new ones are on time, and later ones wait for their instant.
    bench.clock.set_back(Duration::from_secs(600));
    let fence = json!({ "title": "fence", "reminders": [{ "at": bench.in_seconds(20) }] });
    alice.create(fence).await;
    bench.step(15).await;
    assert_eq!(bench.emails().len(), 2, "nothing is early, nothing again");
    bench
        .step_until("the new one is sent", 10, async |bench| bench.emails().len() == 3)
        .await;
    bench.clock.advance(Duration::from_secs(3_600 + 900));
    let emails = bench.wait_for_emails(4).await;
    let mut subjects: Vec<&str> = emails.iter().map(|email| email.subject.as_str()).collect();
    // The first two came due at the same time, in either order.
    subjects[..2].sort_unstable();
    assert_eq!(
        subjects,
        [
            "Reminder: in an hour",
            "Reminder: soon",
            "Reminder: fence",
            "Reminder: in four hours"
        ]
    );
    bench
        .step_until("all show sent", 90, async |_| {
            alice
                .list("limit=100")
                .await
                .iter()
                .all(|task| task["reminders"][0]["status"] == "sent")
        })
        .await;
    assert_eq!(bench.emails().len(), 4);
}
