//! Ensures that each smtp component sends only one email at a time. A component is a lane.
//!
//! Dapr's smtp binding keeps recipient, sender and subject of a request in one record that all requests share, and builds the
//! email from that record a moment later. Two concurrent requests can become an email with the recipient of one and the
//! body of the other: an email that reaches the wrong person (docs/upstream/smtp-binding-mixes-emails.md). Each component has a
//! record of its own, so several components may send at the same time (variable `smtp_components`).
//!
//! A delivery uses each lane for one email after another. The sidecar must therefore make one delivery at a time, which is a
//! setting of the sidecar and not of this component.
//! A late email is better than one that reaches the wrong person, so without the setting nothing is sent.
//!
//! Only the sidecar knows its setting, so it is asked. An answer is cached for [`GOOD_FOR`], not for the life of the instance:
//! a restarted sidecar may have lost the setting while the instance keeps running. Each replica asks its own sidecar.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use nudge_component::dapr::metadata;
use nudge_component::dapr::types::Error;
use nudge_component::settings::variable;
use nudge_contract::names::{app, component};

/// How long an answer of the sidecar is valid: about as long as a sidecar takes to restart.
const GOOD_FOR: SignedDuration = SignedDuration::from_secs(1);

/// The sidecar's last answer, and when it was asked. It is not specific to a request.
static LIMIT: Mutex<Option<(Timestamp, Option<u32>)>> = Mutex::new(None);

/// The components that this instance is using.
static TAKEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Why no email may be sent: the number of concurrent calls that the sidecar makes; none if it has no limit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Closed(Option<u32>);

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = app::EMAIL_DELIVERY;
        match self.0 {
            Some(limit) => write!(
                f,
                "the sidecar of {id} may deliver {limit} reminders at the same time"
            )?,
            None => write!(
                f,
                "the sidecar of {id} may deliver any number of reminders at the same time"
            )?,
        }
        write!(
            f,
            ", and Dapr's smtp binding mixes up emails that are sent at the same time. Start it with --app-max-concurrency 1 (on \
             Kubernetes the annotation dapr.io/app-max-concurrency: \"1\", in dapr.yaml appMaxConcurrency: 1). Until then no \
             email is sent; the reminders wait"
        )
    }
}

/// Whether the sidecar delivers one reminder at a time, from an answer that is at most [`GOOD_FOR`] old.
///
/// # Errors
///
/// The sidecar cannot be asked.
pub(crate) async fn check() -> Result<Result<(), Closed>, Error> {
    match remembered(Timestamp::now()) {
        Some(limit) => Ok(judge(limit)),
        None => ask().await,
    }
}

/// Like [`check`], but always asks the sidecar.
///
/// # Errors
///
/// The sidecar cannot be asked.
pub(crate) async fn ask() -> Result<Result<(), Closed>, Error> {
    // The time before the request, since the answer may be that old.
    let asked = Timestamp::now();
    let limit = metadata::app_max_concurrency().await?;
    *LIMIT.lock().unwrap_or_else(PoisonError::into_inner) = Some((asked, limit));
    Ok(judge(limit))
}

fn judge(limit: Option<u32>) -> Result<(), Closed> {
    if limit == Some(1) {
        Ok(())
    } else {
        Err(Closed(limit))
    }
}

/// The last answer, unless it is too old. One from the future means that the clock was set back; it is ignored.
fn remembered(now: Timestamp) -> Option<Option<u32>> {
    let (asked, limit) = (*LIMIT.lock().unwrap_or_else(PoisonError::into_inner))?;
    let age = now.duration_since(asked);
    (SignedDuration::ZERO..GOOD_FOR).contains(&age).then_some(limit)
}

/// Permission to send emails through a component, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn(String);

impl Turn {
    /// The component.
    pub(crate) fn component(&self) -> &str {
        &self.0
    }
}

/// Acquires the permission for every configured component that this instance does not use yet.
///
/// When a sidecar times out waiting for a delivery, it begins the next one while the component still works on the first. The
/// second one then finds no lane. This protects only within one instance: the two deliveries may reach two instances
/// (decision 0032).
///
/// # Errors
///
/// A sentence for the log if the variable cannot be read.
pub(crate) async fn enter() -> Result<Vec<Turn>, String> {
    let configured = variable("smtp_components").await?;
    Ok(take(&components(configured.as_deref().unwrap_or_default())))
}

/// The names in a comma-separated list, each once; without any, the one component that is always there.
fn components(list: &str) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = list
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    if names.is_empty() {
        names.insert(component::SMTP.to_owned());
    }
    names
}

fn take(components: &BTreeSet<String>) -> Vec<Turn> {
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    let free = components.iter().filter(|name| taken.insert((*name).clone()));
    free.map(|name| Turn(name.clone())).collect()
}

impl Drop for Turn {
    fn drop(&mut self) {
        TAKEN
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_is_free_again_when_its_turn_is_dropped() {
        let names = |turns: &[Turn]| -> Vec<String> {
            turns.iter().map(|turn| turn.component().to_owned()).collect()
        };
        let first = take(&components("one"));
        assert_eq!(names(&first), ["one"]);
        let second = take(&components("one,two"));
        assert_eq!(names(&second), ["two"], "one is in use");
        drop(first);
        assert_eq!(names(&take(&components("one,two"))), ["one"]);
    }

    #[test]
    fn components_are_a_list_and_each_counts_once() {
        for (list, names) in [
            ("", &["smtp"][..]),
            (" , ", &["smtp"]),
            ("smtp", &["smtp"]),
            ("smtp-2, smtp ,,smtp-2", &["smtp", "smtp-2"]),
        ] {
            assert!(components(list).iter().eq(names), "{list}");
        }
    }

    #[test]
    fn a_refusal_names_the_setting_and_every_way_to_set_it() {
        for (limit, number) in [(Some(16), "16 reminders"), (None, "any number of reminders")] {
            let text = Closed(limit).to_string();
            for part in [
                number,
                "--app-max-concurrency 1",
                "dapr.io/app-max-concurrency: \"1\"",
                "appMaxConcurrency: 1",
            ] {
                assert!(text.contains(part), "{part} in {text}");
            }
        }
    }
}
