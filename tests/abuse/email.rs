//! Email to someone who never asked for it, in the words of the attacker.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::honest::{LATE, Reminders, check_late};
use crate::target::{Target, in_seconds};

/// Someone who does not use Nudge.
const STRANGER: &str = "stranger@example.org";

/// What the attacker wants the stranger to read.
const WORDS: &str = "your bank account is locked, log in at https://evil.example/login";

/// `PATCH /api/v1/me {"email": …}`, then one bulk call of 20 tasks with 5 reminders each.
pub(crate) async fn to_a_stranger() {
    let target = Target::start(&[]).await;
    let first = in_seconds(4);
    let mallory = target.user_of("mallory", None);
    let patch = mallory
        .call(Method::PATCH, "/api/v1/me")
        .json(&json!({ "email": STRANGER }))
        .send()
        .await
        .unwrap();
    assert_eq!(patch.status, StatusCode::OK, "{:?}", patch.body);
    let tasks: Vec<Value> = (0..20)
        .map(|number| {
            // Reminders of a task must differ.
            let reminders: Vec<Value> = (0..5)
                .map(|second| {
                    let at = first + jiff::SignedDuration::from_secs(second);
                    json!({ "at": at.to_string() })
                })
                .collect();
            json!({ "title": format!("URGENT {number}: {WORDS}"), "reminders": reminders })
        })
        .collect();
    mallory.create_all(tasks).await;
    // Due after all of the attacker's: when these emails are there, the attacker's have had their turn.
    let last = first + jiff::SignedDuration::from_secs(6);
    let others = Reminders::create(&target, "bob", last, 3, 2, 4).await;
    let late = others.late(&target, Duration::from_secs(10)).await;

    let emails = target.emails();
    let received: Vec<_> = emails.iter().filter(|(_, email)| email.to == STRANGER).collect();
    let with_words = received
        .iter()
        .filter(|(_, email)| email.subject.contains("evil.example") || email.html.contains("evil.example"))
        .count();
    eprintln!(
        "email to a stranger: {} emails, {with_words} of them in the attacker's words",
        received.len()
    );
    assert_eq!(
        with_words, 0,
        "a stranger got {with_words} emails in the attacker's words"
    );
    assert!(
        received.len() <= 1,
        "a stranger got {} emails: {received:#?}",
        received.len()
    );
    check_late("email to a stranger", &late, LATE);
}
