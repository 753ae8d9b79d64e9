//! One user with thousands of reminders that become due over many seconds.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::honest::{LATE, Reminders, check_late};
use crate::target::{Target, in_seconds};

/// This is about the turns that users take. Fewer reminders in flight, because those are sent before another user's turn: on a busy machine
/// the default of 128 is several seconds of email.
const VARIABLES: [(&str, &str); 5] = [
    ("reminders_in_flight", "32"),
    ("rate_limit_per_minute", "0"),
    ("max_reminders_per_minute", "0"),
    ("emails_per_user_and_day", "0"),
    ("emails_per_recipient_and_day", "0"),
];

/// 5,000 reminders of one user, 250 in each of 20 seconds; another user has one every two seconds.
///
/// This guards the turns that were there before: those of the other user were late by 2.3 s (median), at most 2.9 s, while 15 emails a second
/// were sent. With 128 in flight they were late by 13 s (median).
pub(crate) async fn five_thousand() {
    let attack = "5,000 reminders of one user in 20 s";
    // Without limits: this is about the turns that users take.
    let target = Target::start(&VARIABLES).await;
    let mallory = target.user("mallory");
    let first = in_seconds(12);
    let tasks: Vec<Value> = (0..1_000)
        .map(|number| {
            let reminders: Vec<Value> = (0..5)
                .map(|part| {
                    let at = first + SignedDuration::from_secs(part * 4 + number % 4);
                    json!({ "at": at.to_string() })
                })
                .collect();
            json!({ "title": format!("Mallory {number}"), "reminders": reminders })
        })
        .collect();
    mallory.create_all(tasks).await;
    let others = Reminders::create(&target, "bob", first + SignedDuration::from_secs(1), 10, 2, 1).await;
    let late = others.late(&target, Duration::from_secs(10)).await;
    let sent = target.emails().len();
    eprintln!("{attack}: {sent} emails were sent until then");
    check_late(attack, &late, LATE);
}
