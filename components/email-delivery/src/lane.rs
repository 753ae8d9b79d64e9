//! One email at a time, or none.
//!
//! Dapr's smtp binding keeps recipient, sender and subject of a request in the one record that all requests share, and builds the
//! email from that record a moment later. Two requests at the same time can become an email with the recipient of one
//! and the body of the other: an email that reaches the wrong person (docs/upstream/smtp-binding-mixes-emails.md). The sidecar must
//! therefore deliver one reminder at a time, which is a setting of the sidecar and not of this component.
//! A late email is better than one that somebody else reads, so without the setting nothing is sent.
//!
//! The sidecar is asked, since nothing else knows how it was started. It is not asked for each email: an answer holds for
//! [`GOOD_FOR`], and not for the life of the instance, because a sidecar that is started anew may have lost the setting while
//! the instance lives on. Each replica asks its own sidecar.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use nudge_component::dapr::metadata;
use nudge_component::dapr::types::Error;
use nudge_contract::names::app;

/// How long an answer of the sidecar holds. A sidecar takes about as long to be started anew.
const GOOD_FOR: SignedDuration = SignedDuration::from_secs(1);

/// The sidecar's last answer, and when it was asked. It is the same for every request.
static LIMIT: Mutex<Option<(Timestamp, Option<u32>)>> = Mutex::new(None);

/// Whether this instance is sending an email.
static SENDING: AtomicBool = AtomicBool::new(false);

/// Why no email may be sent: the sidecar makes so many calls at a time; none is as many as come.
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

/// Whether the sidecar delivers one reminder at a time, as far as it said so within [`GOOD_FOR`].
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

/// The same, asked now: for those who want to know how it is.
///
/// # Errors
///
/// The sidecar cannot be asked.
pub(crate) async fn ask() -> Result<Result<(), Closed>, Error> {
    // The answer is not newer than the question.
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

/// The last answer, unless it is too old. One from the future is of a clock that was set back, and says nothing.
fn remembered(now: Timestamp) -> Option<Option<u32>> {
    let (asked, limit) = (*LIMIT.lock().unwrap_or_else(PoisonError::into_inner))?;
    let age = now.duration_since(asked);
    (SignedDuration::ZERO..GOOD_FOR).contains(&age).then_some(limit)
}

/// The right to call the binding, until it is dropped.
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

/// Takes the turn.
///
/// A sidecar that gave up waiting for a delivery begins the next one, while the component still works on the first. The
/// second email then waits for another delivery. That is no complete protection, since the two deliveries may be of two instances
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
