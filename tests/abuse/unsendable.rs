//! A recipient that no mail server takes, and one bulk call of a hundred reminders to it that are due at once.
//!
//! Other people have four reminders every two seconds, from before the attack until 24 s after it.
//!
//! Before, whatever the mail server did: the four that were due before the attack came in time. None of the other 48 had come 33 s after the attack
//! was due, when the mail server had been asked for the attacker's recipient 25 times, or 3 times if it took its time: each email was
//! tried three times.

use std::time::Duration;

use jiff::SignedDuration;
use mail_sink::Treatment;
use serde_json::{Value, json};

use crate::honest::{LATE, Reminders, check_late};
use crate::target::{Target, in_seconds};

/// The recipient.
const RECIPIENT: &str = "no-one@example.org";

/// How much longer a mail server that takes its time may hold up others: twice the time limit of one email.
const ONE_EMAIL: Duration = Duration::from_secs(20);

pub(crate) async fn refused_for_ever() {
    attack(
        "a recipient that is refused with 550",
        Treatment::Refuse(550, "5.1.1 no such user".to_owned()),
        LATE,
    )
    .await;
}

pub(crate) async fn refused_for_now() {
    attack(
        "a recipient that is refused with 451",
        Treatment::Refuse(451, "4.3.0 try again later".to_owned()),
        LATE,
    )
    .await;
}

pub(crate) async fn slow() {
    attack(
        "a recipient that is accepted after 10 s",
        Treatment::Delay(Duration::from_secs(10)),
        ONE_EMAIL,
    )
    .await;
}

pub(crate) async fn silent() {
    attack(
        "a recipient that is never answered",
        Treatment::Delay(Duration::from_secs(3_600)),
        ONE_EMAIL,
    )
    .await;
}

pub(crate) async fn disconnected() {
    attack(
        "a recipient at whose name the connection ends",
        Treatment::Disconnect,
        LATE,
    )
    .await;
}

async fn attack(name: &str, treatment: Treatment, bound: Duration) {
    let target = Target::start(&[]).await;
    target.mail().treat(RECIPIENT, treatment);
    let first = in_seconds(4);
    let others = Reminders::create(&target, "bob", first, 13, 2, 4).await;
    let mallory = target.user_of("mallory", Some(RECIPIENT));
    let at = (first + SignedDuration::from_secs(1)).to_string();
    let tasks: Vec<Value> = (0..100)
        .map(|number| json!({ "title": format!("Mallory {number}"), "reminders": [{ "at": at }] }))
        .collect();
    mallory.create_all(tasks).await;
    let late = others.late(&target, Duration::from_secs(10)).await;
    eprintln!(
        "{name}: the mail server was asked {} times",
        target.mail().times_named(RECIPIENT)
    );
    check_late(name, &late, bound);
}
