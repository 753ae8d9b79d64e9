//! The inbox: one record per reminder and instant, claimed before the email is sent and marked done after it.
//!
//! A claim is a lease. If its holder crashes, the reminder is blocked until the lease expires; then the next delivery takes it
//! over by the record's ETag. The first claim is a first-write without ETag, which is atomic on every store for keys that
//! are only ever created that way (`nudge:dapr/state`, `precondition.absent`).

use jiff::{SignedDuration, Timestamp};
use nudge_component::dapr::state::{self, Outcome, Precondition, PutOperation};
use nudge_component::dapr::types::Error;
use nudge_contract::names::component::STATE_STORE;
use nudge_domain::id::ReminderId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Longer than any attempt can take: the request to the api, and the smtp binding with its retries.
const LEASE: SignedDuration = SignedDuration::from_secs(90);

/// How long a record is kept after its last write: longer than an event can be delayed.
const KEPT_SECONDS: u32 = 7 * 24 * 60 * 60;

/// The state of a reminder's email.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "camelCase", rename_all_fields = "camelCase")]
enum Record {
    /// A delivery is working on it.
    Claimed {
        /// Unique to this claim: reading the record back tells who won, whatever the store guarantees.
        claimant: Uuid,
        until: Timestamp,
        #[serde(flatten)]
        attempts: Attempts,
    },
    /// The last attempt failed; another may follow.
    Free {
        #[serde(flatten)]
        attempts: Attempts,
    },
    /// It was sent or given up.
    Done { ended: Ended },
}

/// Previous attempts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attempts {
    /// The number of attempts.
    #[serde(rename = "attempts")]
    pub(crate) count: u32,
    /// When the first attempt began. None before it, and in records of versions that did not store it.
    #[serde(default)]
    pub(crate) since: Option<Timestamp>,
}

/// The outcome of a reminder's email.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Ended {
    /// Why it failed; none when it was sent.
    pub(crate) failure: Option<String>,
    /// When.
    pub(crate) at: Timestamp,
}

/// The result of claiming a reminder.
pub(crate) enum Claim {
    /// This delivery holds the lease.
    Won(Lease),
    /// Another delivery holds the lease, or crashed with it recently.
    Busy,
    /// It was already sent or given up.
    Done(Ended),
}

/// Permission to send one email.
pub(crate) struct Lease {
    key: String,
    etag: String,
    attempts: Attempts,
}

fn key(reminder: ReminderId, remind_at: Timestamp) -> String {
    format!("mail-{reminder}-{}", remind_at.as_second())
}

/// Claims a reminder.
pub(crate) async fn claim(reminder: ReminderId, remind_at: Timestamp) -> Result<Claim, Error> {
    let key = key(reminder, remind_at);
    let now = Timestamp::now();
    let (precondition, attempts) = match load(&key).await? {
        None => (Precondition::Absent, Attempts::default()),
        Some((Record::Done { ended }, _)) => return Ok(Claim::Done(ended)),
        Some((Record::Claimed { until, .. }, _)) if until > now => return Ok(Claim::Busy),
        Some((Record::Claimed { attempts, .. } | Record::Free { attempts }, etag)) => {
            (Precondition::Unchanged(etag), attempts)
        }
    };
    let attempts = Attempts {
        since: attempts.since.or(Some(now)),
        ..attempts
    };
    let claimed = Record::Claimed {
        claimant: Uuid::now_v7(),
        until: now.saturating_add(LEASE).unwrap_or(Timestamp::MAX),
        attempts,
    };
    match put(&key, &claimed, precondition).await? {
        Outcome::Lost => Ok(Claim::Busy),
        // The next write needs the new ETag. No other delivery writes while the lease lasts.
        Outcome::Done => Ok(match load(&key).await? {
            Some((record, etag)) if record == claimed => Claim::Won(Lease { key, etag, attempts }),
            _ => Claim::Busy,
        }),
    }
}

impl Lease {
    /// Attempts before this one.
    pub(crate) fn attempts(&self) -> u32 {
        self.attempts.count
    }

    /// Whether the first attempt began longer ago than the given time.
    pub(crate) fn tried_for(&self, span: SignedDuration) -> bool {
        self.attempts
            .since
            .is_some_and(|since| Timestamp::now().duration_since(since) > span)
    }

    /// Marks the reminder as done.
    pub(crate) async fn finish(self, ended: Ended) -> Result<Outcome, Error> {
        put(
            &self.key,
            &Record::Done { ended },
            Precondition::Unchanged(self.etag),
        )
        .await
    }

    /// Releases the reminder for a later attempt.
    pub(crate) async fn release(self) -> Result<Outcome, Error> {
        let free = Record::Free {
            attempts: Attempts {
                count: self.attempts.count.saturating_add(1),
                ..self.attempts
            },
        };
        put(&self.key, &free, Precondition::Unchanged(self.etag)).await
    }
}

async fn load(key: &str) -> Result<Option<(Record, String)>, Error> {
    let entry = state::get(STATE_STORE.to_owned(), key.to_owned()).await?;
    Ok(entry.map(|entry| {
        let record = serde_json::from_str(&entry.value).unwrap_or_else(|error| {
            tracing::error!(
                key,
                "the inbox record cannot be read, so the attempt is repeated: {error}"
            );
            Record::Free {
                attempts: Attempts::default(),
            }
        });
        (record, entry.etag)
    }))
}

async fn put(key: &str, record: &Record, precondition: Precondition) -> Result<Outcome, Error> {
    // Writing an enum of strings and numbers as JSON cannot fail.
    let value = serde_json::to_string(record).unwrap_or_default();
    let operation = PutOperation {
        key: key.to_owned(),
        value,
        precondition,
        ttl_seconds: Some(KEPT_SECONDS),
    };
    state::put(STATE_STORE.to_owned(), operation).await
}
