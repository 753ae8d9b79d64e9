//! Emails and reminders that other programs got wrong; docs/field-reports.md has the reports.

use std::time::Duration;

use serde_json::json;

use crate::support::Bench;

/// More than a timer of 32 bits has milliseconds: such reminders fire at once where a program counts with one.
const SIXTY_DAYS: u64 = 60 * 24 * 3600;

#[tokio::test(flavor = "multi_thread")]
async fn an_email_has_the_text_of_the_task_whatever_it_contains() {
    let bench = Bench::start().await;
    let alice = bench.user("alice+work", "Europe/Berlin");
    let at = bench.in_seconds(5);
    let family = "👨‍👩‍👧‍👦".repeat(28);
    let emoji = "🙃".repeat(200);
    let long_line = "x".repeat(1_900);
    let tasks = [
        // Lines of a single dot end an email where they are not doubled; QUIT would be the next command.
        ("dots", "before\r\n.\r\nQUIT\r\n..two\r\n.end\r\nafter"),
        ("long", long_line.as_str()),
        (emoji.as_str(), "🙃"),
        (family.as_str(), "é e\u{301}"),
        (
            "<img src=x onerror=alert(1)> & \"q\"",
            "<script>alert('x')</script> &amp;",
        ),
        ("Bcc: bob@example.com", "\tTo: bob@example.com"),
    ];
    for (title, description) in &tasks {
        alice
            .create(json!({ "title": title, "description": description, "reminders": [{ "at": at }] }))
            .await;
    }
    bench
        .step_until("all emails are there", 20, async |bench| {
            bench.emails().len() == tasks.len()
        })
        .await;
    let emails = bench.emails();
    for (title, description) in &tasks {
        let email = emails
            .iter()
            .find(|email| email.subject == format!("Reminder: {title}"))
            .unwrap_or_else(|| panic!("no email is about {title}: {emails:#?}"));
        assert_eq!(email.to, "alice+work@example.com");
        assert!(
            !email.html.contains("<img") && !email.html.contains("<script"),
            "{}",
            email.html
        );
        let told: String = email.text().split_whitespace().collect();
        let wanted: String = description.split_whitespace().collect();
        assert!(told.contains(&wanted), "{title}: {}", email.text());
    }
    let raw = std::fs::read_dir(bench.folder.path().join("mail")).unwrap();
    for file in raw {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for line in bytes.split(|byte| *byte == b'\n') {
            assert!(line.len() <= 999, "a line of {} bytes", line.len());
        }
        let head = String::from_utf8_lossy(&bytes);
        let head = head.split("\r\n\r\n").next().unwrap();
        assert!(!head.lines().any(|line| line.starts_with("Bcc:")), "{head}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reminder_months_ahead_waits_for_its_day() {
    let bench = Bench::start().await;
    let alice = bench.user("alice", "Europe/Berlin");
    let day = bench.in_seconds(i64::try_from(SIXTY_DAYS).unwrap());
    alice
        .create(json!({ "title": "In 60 days", "reminders": [{ "at": day }] }))
        .await;
    alice
        .create(
            json!({ "title": "In 2036", "due": "2036-03-26", "reminders": [{ "minutesBefore": 40_320 }] }),
        )
        .await;
    alice
        .create(json!({ "title": "Soon", "reminders": [{ "at": bench.in_seconds(40) }] }))
        .await;
    // The third is a fence: what fires at once has fired before it.
    bench
        .step_until("the fence's email is there", 60, async |bench| {
            !bench.emails().is_empty()
        })
        .await;
    assert_eq!(bench.emails()[0].subject, "Reminder: Soon");

    bench.clock.advance(Duration::from_secs(SIXTY_DAYS));
    let emails = bench.wait_for_emails(2).await;
    assert_eq!(emails[1].subject, "Reminder: In 60 days");
}
