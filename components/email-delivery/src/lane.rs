//! Ensures that only one email is sent at a time.
//!
//! Dapr's smtp binding keeps recipient, sender and subject of a request in one record that all requests share, and builds the
//! email from that record a moment later. Two concurrent requests can become an email with the recipient of one and the
//! body of the other: an email that reaches the wrong person (docs/upstream/smtp-binding-mixes-emails.md). The sidecar must
//! therefore deliver one reminder at a time, which is a setting of the sidecar and not of this component.
//! A late email is better than one that reaches the wrong person, so without the setting nothing is sent.
//!
//! Only the sidecar knows its setting, so it is asked. An answer is cached for [`GOOD_FOR`], not for the life of the instance:
//! a restarted sidecar may have lost the setting while the instance keeps running. Each replica asks its own sidecar.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use nudge_component::dapr::metadata;
use nudge_component::dapr::types::Error;
use nudge_contract::names::app;

/// How long an answer of the sidecar is valid: about as long as a sidecar takes to restart.
const GOOD_FOR: SignedDuration = SignedDuration::from_secs(1);

/// The sidecar's last answer, and when it was asked. It is not specific to a request.
static LIMIT: Mutex<Option<(Timestamp, Option<u32>)>> = Mutex::new(None);

/// Whether this instance is sending an email.
static SENDING: AtomicBool = AtomicBool::new(false);

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

/// Permission to call the binding, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn(());

/// Another request of this instance calls the binding.
#[derive(Debug)]
pub(crate) struct Taken;

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this instance is sending another email, whose delivery the sidecar no longer waits for")
    }
}

/// Acquires the permission.
///
/// When a sidecar times out waiting for a delivery, it begins the next one while the component still works on the first. The
/// second email then waits for redelivery. This protects only within one instance: the two deliveries may reach two instances
/// (decision 0032).
pub(crate) fn enter() -> Result<Turn, Taken> {
    match SENDING.swap(true, Ordering::AcqRel) {
        false => Ok(Turn(())),
        true => Err(Taken),
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        SENDING.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_over_when_it_is_dropped() {
        let turn = enter().expect("the first");
        assert!(enter().is_err());
        drop(turn);
        assert!(enter().is_ok());
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
