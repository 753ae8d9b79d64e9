//! A user's profile as the API shows it.

use jiff::{SignedDuration, Timestamp};
use nudge_domain::QuietHours;
use serde::Serialize;

use super::Mailbox;
use super::standing::{self, Standing, Stop};
use crate::db::{Database, DbError};
use crate::profile::Profile;

/// How long the link that confirms an address is valid.
pub(crate) const VALID: SignedDuration = SignedDuration::from_hours(24);

/// A profile as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Me {
    id: String,
    /// The address that emails go to.
    email: Option<String>,
    /// Why no emails go there; none if they do.
    email_stopped: Option<Stopped>,
    /// The address that waits for its confirmation.
    unconfirmed_email: Option<Unconfirmed>,
    time_zone: String,
    quiet_hours: Option<QuietHours>,
    default_reminder: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Stopped {
    reason: &'static str,
    since: Timestamp,
    /// Why, and how to resume.
    detail: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Unconfirmed {
    email: String,
    /// Until when the link in the email is valid.
    until: Timestamp,
    /// Why the email with the link cannot be sent.
    stopped: Option<Stopped>,
}

impl From<Stop> for Stopped {
    fn from(stop: Stop) -> Self {
        Self {
            reason: stop.reason.name(),
            since: stop.since,
            detail: stop.reason.explain(),
        }
    }
}

/// Until when an address can be confirmed whose link was requested at an instant.
pub(crate) fn valid_until(asked_at: Timestamp) -> Timestamp {
    asked_at.saturating_add(VALID).unwrap_or(Timestamp::MAX)
}

/// A profile with what is known about its addresses.
pub(crate) async fn view(database: &Database, profile: &Profile, now: Timestamp) -> Result<Me, DbError> {
    let pair = |address: &str| (profile.id.clone(), Mailbox::of(address));
    let pending = profile.pending.as_ref();
    let addresses = [profile.email(), pending.map(|pending| pending.email.as_str())];
    let pairs: Vec<_> = addresses.into_iter().flatten().map(pair).collect();
    let standings = standing::find(database, &pairs, now).await?;
    let stop = |address: &str| -> Option<Stop> {
        let standing: Option<&Standing> = standings.get(&pair(address));
        standing.and_then(|standing| standing.stop)
    };
    Ok(Me {
        id: profile.id.to_string(),
        email: profile.email().map(str::to_owned),
        email_stopped: profile.email().and_then(stop).map(Stopped::from),
        unconfirmed_email: pending.map(|pending| Unconfirmed {
            email: pending.email.clone(),
            until: valid_until(pending.asked_at),
            stopped: stop(&pending.email)
                .filter(|stop| stop.holds_up_request_of(pending.asked_at))
                .map(Stopped::from),
        }),
        time_zone: profile.zone().name().to_owned(),
        quiet_hours: profile.quiet_hours,
        default_reminder: profile.default_reminder,
    })
}
