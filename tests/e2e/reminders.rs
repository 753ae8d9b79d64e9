//! A task becomes a reminder email.

use std::time::Duration;

use mail_sink::{Fault, Stage};
use serde_json::json;

use crate::support::Bench;

#[tokio::test(flavor = "multi_thread")]
async fn a_due_task_gives_one_email_at_its_reminders_time() {
    let bench = Bench::start().await;
    let alice = bench.user("alice", "Europe/Berlin");
    // The second task is a fence: when its email is there, an earlier email of the first would be, too.
    let task = alice
        .create(json!({ "title": "Pay rent", "priority": "high", "due": bench.in_seconds(70), "timeZone": "America/New_York",
                        "description": "To <the> landlord & \"Co\"", "reminders": [{ "minutesBefore": 1 }] }))
        .await;
    assert_eq!(task["reminders"][0]["status"], "scheduled");
    assert_eq!(task["reminders"][0]["remindAt"], "2026-11-21T07:00:10-05:00");
    alice.create(json!({ "title": "Fence", "due": bench.in_seconds(60), "reminders": [{ "at": bench.in_seconds(5) }] })).await;

    bench
        .step_until("the fence's email is there", 9, async |bench| {
            !bench.emails().is_empty()
        })
        .await;
    assert_eq!(
        bench.emails()[0].subject,
        "Reminder: Fence",
        "the first reminder is not early"
    );
    bench
        .step_until("both emails are there", 10, async |bench| {
            bench.emails().len() == 2
        })
        .await;

    let email = bench
        .emails()
        .into_iter()
        .find(|email| email.subject == "Reminder: Pay rent")
        .expect("the email is there");
    assert_eq!(email.to, "alice@example.com");
    assert_eq!(
        email.content_type, "text/html",
        "HTML alone, as Dapr's binding sends it"
    );
    assert!(
        email
            .html
            .contains("To &#60;the&#62; landlord &#38; &#34;Co&#34;"),
        "{}",
        email.html
    );
    // The time is in the user's zone, not in the task's.
    let text = email.text();
    let (text, stop) = text.rsplit_once('\n').expect("several lines");
    let link = format!("Stop these emails: {}/email/stop/", bench.system().url());
    assert!(stop.starts_with(&link), "{stop}");
    assert_eq!(
        text,
        "Pay rent\nDue Saturday, 21 November 2026 at 13:01 (Europe/Berlin)\n1 minute left\nPriority: high\n\
         To <the> landlord & \"Co\"\nYou get this email because you set a reminder in Nudge."
    );

    bench
        .wait_until("the reminder shows sent", async |bench| {
            bench.user("alice", "UTC").read(&task).await["reminders"][0]["status"] == "sent"
        })
        .await;
    // Recurring jobs look for overdue reminders; they must not find this one again.
    bench.step(120).await;
    assert_eq!(bench.emails().len(), 2, "one email each");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_reminders_of_one_task_give_two_emails() {
    let bench = Bench::start().await;
    let alice = bench.user("alice", "UTC");
    let task = alice
        .create(json!({ "title": "Catch the train", "due": bench.in_seconds(180),
                        "reminders": [{ "minutesBefore": 2 }, { "minutesBefore": 1 }] }))
        .await;
    bench
        .step_until("two emails are there", 150, async |bench| {
            bench.emails().len() == 2
        })
        .await;
    let emails = bench.emails();
    assert!(
        emails[0].text().contains("2 minutes left") && emails[1].text().contains("1 minute left"),
        "{emails:#?}"
    );
    bench
        .wait_until("both show sent", async |_| {
            let task = alice.read(&task).await;
            task["reminders"][0]["status"] == "sent" && task["reminders"][1]["status"] == "sent"
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn completed_deleted_and_moved_tasks_do_not_remind_at_the_old_time() {
    let bench = Bench::start().await;
    let alice = bench.user("alice", "UTC");
    let task = |title: &str| json!({ "title": title, "due": bench.in_seconds(90), "reminders": [{ "minutesBefore": 1 }] });
    let completed = alice.create(task("Completed")).await;
    let deleted = alice.create(task("Deleted")).await;
    let moved = alice.create(task("Moved")).await;
    let emptied = alice.create(task("Without reminder")).await;
    alice
        .create(json!({ "title": "Fence", "reminders": [{ "at": bench.in_seconds(40) }] }))
        .await;

    assert_eq!(
        alice.complete(&completed).await["reminders"][0]["status"],
        "cancelled"
    );
    alice.delete(&deleted).await;
    let after = alice.patch(&moved, json!({ "due": bench.in_seconds(180) })).await;
    assert_eq!(after["reminders"][0]["remindAt"], "2026-11-21T12:02:00+00:00");
    assert_eq!(
        after["reminders"][0]["id"], moved["reminders"][0]["id"],
        "it is the same reminder"
    );
    alice.patch(&emptied, json!({ "reminders": null })).await;

    bench
        .step_until("the fence's email is there", 60, async |bench| {
            !bench.emails().is_empty()
        })
        .await;
    assert_eq!(bench.wait_for_emails(1).await[0].subject, "Reminder: Fence");
    bench
        .step_until("the moved task's email is there", 120, async |bench| {
            bench.emails().len() == 2
        })
        .await;
    let emails = bench.emails();
    assert_eq!(emails[1].subject, "Reminder: Moved");
    assert!(
        bench.now().to_string().as_str() >= "2026-11-21T12:02:00Z",
        "not at the old time"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn reminders_of_different_people_do_not_mix() {
    let bench = Bench::start().await;
    for name in ["alice", "bob"] {
        let user = bench.user(name, "UTC");
        user.create(json!({ "title": format!("Of {name}"), "reminders": [{ "at": bench.in_seconds(5) }] }))
            .await;
    }
    bench
        .step_until("both emails are there", 20, async |bench| {
            bench.emails().len() == 2
        })
        .await;
    for email in bench.emails() {
        let owner = email.to.trim_end_matches("@example.com").to_owned();
        assert_eq!(email.subject, format!("Reminder: Of {owner}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reminder_that_came_due_while_everything_was_down_is_sent_late_and_once() {
    let mut bench = Bench::start().await;
    let task = bench
        .user("alice", "UTC")
        .create(
            json!({ "title": "Late", "due": bench.in_seconds(600), "reminders": [{ "minutesBefore": 5 }] }),
        )
        .await;
    bench.restart(Duration::from_secs(3_600)).await;
    bench.wait_for_emails(1).await;
    bench.step(60).await;
    let emails = bench.wait_for_emails(1).await;
    assert!(
        emails[0].text().contains("Overdue by 50 minutes"),
        "{}",
        emails[0].text()
    );
    assert_eq!(
        bench.user("alice", "UTC").read(&task).await["reminders"][0]["status"],
        "sent"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_that_is_busy_gets_the_email_later_and_once() {
    let bench = Bench::start().await;
    bench.system().mail().inject(Fault {
        stage: Stage::Data,
        code: 451,
        text: "4.3.0 try later".to_owned(),
        times: 2,
    });
    let alice = bench.user("alice", "UTC");
    let task = alice
        .create(json!({ "title": "Patience", "reminders": [{ "at": bench.in_seconds(5) }] }))
        .await;
    bench
        .step_until("the email is there", 180, async |bench| {
            !bench.emails().is_empty()
        })
        .await;
    bench
        .wait_until("the reminder shows sent", async |_| {
            alice.read(&task).await["reminders"][0]["status"] == "sent"
        })
        .await;
    bench.wait_for_emails(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_refused_permanently_shows_as_failed() {
    let bench = Bench::start().await;
    bench.system().mail().inject(Fault {
        stage: Stage::Rcpt,
        code: 550,
        text: "5.1.1 no such user".to_owned(),
        times: 100,
    });
    let alice = bench.user("alice", "UTC");
    let task = alice
        .create(json!({ "title": "No such user", "reminders": [{ "at": bench.in_seconds(5) }] }))
        .await;
    bench
        .step_until("the reminder shows failed", 60, async |_| {
            alice.read(&task).await["reminders"][0]["status"] == "failed"
        })
        .await;
    assert!(bench.emails().is_empty());
}
