//! Email to someone who never asked for it, in the words of the attacker.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::honest::{LATE, Reminders, check_late};
use crate::target::{Target, User, in_seconds};

/// Someone who does not use Nudge.
const STRANGER: &str = "stranger@example.org";

/// What the attacker wants the stranger to read.
const WORDS: &str = "your bank account is locked, log in at https://evil.example/login";

async fn set_address(user: &User, address: &str) -> StatusCode {
    let call = user.call(Method::PATCH, "/api/v1/me");
    let answer = call.json(&json!({ "email": address })).send().await.unwrap();
    let status = answer.status;
    let expected = [
        StatusCode::OK,
        StatusCode::CONFLICT,
        StatusCode::TOO_MANY_REQUESTS,
    ];
    assert!(expected.contains(&status), "{status}: {:?}", answer.body);
    status
}

/// Confirmations of one user to many people, and of many users to one.
pub(crate) async fn confirmations() {
    let target = Target::start(&[]).await;
    let mallory = target.user_of("mallory", None);
    for number in 0..20 {
        set_address(&mallory, &format!("person-{number}@example.org")).await;
    }
    for number in 0..20 {
        let another = target.user_of(&format!("mallory-{number}"), None);
        set_address(&another, STRANGER).await;
    }
    // When these emails are there, the confirmations that were requested before are, too.
    let others = Reminders::create(&target, "bob", in_seconds(5), 1, 1, 4).await;
    let late = others.late(&target, Duration::from_secs(10)).await;
    let emails = target.emails();
    let to_strangers = emails.iter().filter(|(_, email)| email.to == STRANGER).count();
    let of_mallory = emails
        .iter()
        .filter(|(_, email)| email.to.starts_with("person-"))
        .count();
    eprintln!("confirmations: one user sent {of_mallory} in a minute, a stranger got {to_strangers}");
    // One that is replaced before it is sent is not sent at all.
    assert!(
        (1..=5).contains(&of_mallory),
        "one user sent {of_mallory} confirmations"
    );
    assert_eq!(to_strangers, 3, "a stranger got {to_strangers} confirmations");
    check_late("confirmations", &late, LATE);
}

/// `PATCH /api/v1/me {"email": …}`, then one bulk call of 20 tasks with 5 reminders each.
///
/// Before: 100 emails in the attacker's words, within seconds.
pub(crate) async fn to_a_stranger() {
    let target = Target::start(&[]).await;
    let first = in_seconds(4);
    let mallory = target.user_of("mallory", None);
    set_address(&mallory, STRANGER).await;
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
    assert_eq!(
        received.len(),
        1,
        "a stranger got {} emails: {received:#?}",
        received.len()
    );
    check_late("email to a stranger", &late, LATE);
}
