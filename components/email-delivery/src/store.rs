//! The inbox: one record per reminder and instant, claimed before the email is sent and marked done after it.
//!
//! A claim is a lease. If its holder crashes, the reminder is blocked until the lease expires; then the next delivery takes it
//! over by the record's ETag. The first claim is a first-write without ETag, which is atomic on every store for keys that
//! are only ever created that way (`nudge:dapr/state`, `precondition.absent`).
//!
//! Emails of a user who rests because the mail server took too long (`rest.rs`) are not claimed.
//!
//! A batch is claimed with three calls: read all records and who rests, claim those that may be claimed, each by what was read, and read the claims
//! back. The claims are no transaction: on Redis, a record that a transaction creates can be overwritten by another first-write,
//! and elsewhere one lost race would lose them all (decision 0004). Reading back tells which were won, even if the response to the
//! claims is lost.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use nudge_component::dapr::state::{self, Entry, Outcome, Precondition, PutOperation};
use nudge_component::dapr::types::Error;
use nudge_contract::names::component::STATE_STORE;
use nudge_domain::id::{ReminderId, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::rest::{Kind, Rests};

/// Longer than a batch can take: the api is asked within 15 s, emails are begun for 8 s, the last one takes at most 15 s, if the mail
/// server is away 2 s follow, and the records are written within 10 s.
const LEASE: SignedDuration = SignedDuration::from_secs(60);

/// How long after its instant a reminder is still attempted, and the minimum time it is retried: a reminder that was not
/// attempted, because nothing ran or the sidecar lacked its setting, has not failed.
pub(crate) const WORTH_TRYING: SignedDuration = SignedDuration::from_hours(24);

/// An email takes at most this long once it is begun.
const LAST: SignedDuration = SignedDuration::from_secs(15);

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

impl Attempts {
    /// Whether the first attempt began longer ago than the given time.
    fn lasted(&self, span: SignedDuration, now: Timestamp) -> bool {
        self.since.is_some_and(|since| now.duration_since(since) > span)
    }
}

/// The outcome of a reminder's email.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Ended {
    /// Why it failed; none when it was sent.
    pub(crate) failure: Option<String>,
    /// When.
    pub(crate) at: Timestamp,
    /// Attempts before the last one. 0 in records of versions that did not store it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) attempts: u32,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// The result of claiming a reminder.
pub(crate) enum Claim {
    /// This delivery holds the lease.
    Won(Lease),
    /// Another delivery holds the lease, or crashed with it recently: when it expires, unless it was taken just now.
    Busy(Option<Timestamp>),
    /// It was already sent or given up.
    Done(Ended),
    /// Its user rests for so many more seconds.
    Resting(u32),
}

/// What is to be claimed.
pub(crate) struct Wanted<'a> {
    pub(crate) key: &'a str,
    pub(crate) user: &'a UserId,
    /// Whether it is given up if it has been tried for [`WORTH_TRYING`].
    pub(crate) is_late: bool,
}

/// Permission to send one email.
pub(crate) struct Lease {
    key: String,
    etag: String,
    /// When it expires.
    until: Timestamp,
    /// As they were before this claim.
    before: Attempts,
    /// With this one's start.
    attempts: Attempts,
}

/// The key of the record of a reminder and an instant. Two events with the same key are the same reminder.
pub(crate) fn key(reminder: ReminderId, remind_at: Timestamp) -> String {
    format!("mail-{reminder}-{}", remind_at.as_second())
}

/// The key of the record of a notice.
pub(crate) fn notice_key(notice: Uuid) -> String {
    format!("notice-{notice}")
}

/// Claims reminders or notices, whose keys are all different. Returns one result for each, in order, and which of their users are
/// slow.
pub(crate) async fn claim_all(kind: Kind, all: &[Wanted<'_>]) -> (Vec<Result<Claim, Error>>, Rests) {
    let now = Timestamp::now();
    let mut rests = Rests::none(kind);
    let slow = Rests::keys(kind, all.iter().map(|wanted| wanted.user));
    let keys = all.iter().map(|wanted| wanted.key.to_owned());
    let entries = match get(keys.chain(slow.keys().cloned()).collect()).await {
        Ok(entries) => entries,
        Err(error) => return (all.iter().map(|_| Err(error.clone())).collect(), rests),
    };
    let mut before = BTreeMap::new();
    for entry in entries {
        match slow.get(&entry.key) {
            Some(user) => rests.insert(user.clone(), &entry, now),
            None => {
                before.insert(entry.key.clone(), read(entry));
            }
        }
    }
    let claimant = Uuid::now_v7();
    let attempts: Vec<_> = all
        .iter()
        .map(|wanted| {
            let before = before.get(wanted.key).map(|(record, _)| record);
            attempt(wanted, before, &rests, claimant, now)
        })
        .collect();
    let writes = all.iter().zip(&attempts).filter_map(|(wanted, attempt)| {
        let Ok(attempt) = attempt else { return None };
        let precondition = match before.get(wanted.key) {
            None => Precondition::Absent,
            Some((_, etag)) => Precondition::Unchanged(etag.clone()),
        };
        Some(put(wanted.key.to_owned(), &attempt.record, precondition))
    });
    let writes: Vec<PutOperation> = writes.collect();
    let claimed: Vec<String> = writes.iter().map(|write| write.key.clone()).collect();
    let written = write_all(writes).await;
    // The next write of each needs its new ETag. No other delivery writes while the lease lasts.
    let mut after = if claimed.is_empty() {
        Ok(BTreeMap::new())
    } else {
        load(claimed).await
    };
    let results = all.iter().zip(attempts).map(|(wanted, attempt)| {
        let attempt = match attempt {
            Ok(attempt) => attempt,
            Err(claim) => return Ok(*claim),
        };
        let found = match &mut after {
            Ok(after) => after.remove(wanted.key),
            Err(error) => return Err(error.clone()),
        };
        match found {
            Some((record, etag)) if record == attempt.record => Ok(Claim::Won(Lease {
                key: wanted.key.to_owned(),
                etag,
                until: attempt.until,
                before: attempt.before,
                attempts: attempt.attempts,
            })),
            // Another delivery was faster, whatever it has made of it since.
            _ => match &written {
                Ok(_) => Ok(Claim::Busy(None)),
                Err(error) => Err(error.clone()),
            },
        }
    });
    (results.collect(), rests)
}

/// What a claim writes.
struct Attempt {
    record: Record,
    until: Timestamp,
    before: Attempts,
    attempts: Attempts,
}

/// The claim that may follow a record, or why none may.
fn attempt(
    wanted: &Wanted<'_>,
    before: Option<&Record>,
    rests: &Rests,
    claimant: Uuid,
    now: Timestamp,
) -> Result<Attempt, Box<Claim>> {
    let before = match before {
        None => Attempts::default(),
        Some(Record::Done { ended }) => return Err(Box::new(Claim::Done(ended.clone()))),
        Some(Record::Claimed { until, .. }) if *until > now => {
            return Err(Box::new(Claim::Busy(Some(*until))));
        }
        Some(Record::Claimed { attempts, .. } | Record::Free { attempts }) => *attempts,
    };
    let attempts = Attempts {
        // A user with many reminders and a slow mail server gets one attempt per rest, so all of them count from the first.
        since: before.since.or_else(|| rests.since(wanted.user)).or(Some(now)),
        ..before
    };
    // What is given up is claimed for that, and not sent.
    if let Some(seconds) = rests.seconds_left(wanted.user, now)
        && !(wanted.is_late && attempts.lasted(WORTH_TRYING, now))
    {
        return Err(Box::new(Claim::Resting(seconds)));
    }
    let until = now.saturating_add(LEASE).unwrap_or(Timestamp::MAX);
    Ok(Attempt {
        record: Record::Claimed {
            claimant,
            until,
            attempts,
        },
        until,
        before,
        attempts,
    })
}

impl Lease {
    /// Whether an email that is begun now ends before another delivery may take over. More is left than there was if the clock was set
    /// back.
    pub(crate) fn may_begin(&self) -> bool {
        let left = self.until.duration_since(Timestamp::now());
        left >= LAST && left <= LEASE
    }

    /// Attempts before this one.
    pub(crate) fn attempts(&self) -> u32 {
        self.attempts.count
    }

    /// Whether the first attempt began longer ago than the given time.
    pub(crate) fn tried_for(&self, span: SignedDuration) -> bool {
        self.attempts.lasted(span, Timestamp::now())
    }

    /// The write that marks the reminder as done.
    pub(crate) fn done(self, ended: Ended) -> PutOperation {
        put(
            self.key,
            &Record::Done { ended },
            Precondition::Unchanged(self.etag),
        )
    }

    /// The write that releases the reminder after an attempt, for a later one.
    pub(crate) fn tried(self) -> PutOperation {
        let attempts = Attempts {
            count: self.attempts.count.saturating_add(1),
            ..self.attempts
        };
        put(
            self.key,
            &Record::Free { attempts },
            Precondition::Unchanged(self.etag),
        )
    }

    /// The write that releases the reminder after an attempt that failed for every email: it counts as begun, for [`tried_for`], and
    /// not as an attempt of this one.
    ///
    /// [`tried_for`]: Self::tried_for
    pub(crate) fn not_counted(self) -> PutOperation {
        let free = Record::Free {
            attempts: self.attempts,
        };
        put(self.key, &free, Precondition::Unchanged(self.etag))
    }

    /// The write that releases the reminder as it was before: no email was attempted.
    pub(crate) fn untried(self) -> PutOperation {
        let free = Record::Free {
            attempts: self.before,
        };
        put(self.key, &free, Precondition::Unchanged(self.etag))
    }
}

/// Writes records in one call, each on its own. Lost if any of them was changed in the meantime.
pub(crate) async fn write_all(writes: Vec<PutOperation>) -> Result<Outcome, Error> {
    if writes.is_empty() {
        return Ok(Outcome::Done);
    }
    state::put_many(STATE_STORE.to_owned(), writes).await
}

/// Reads records and their ETags, by key.
async fn load(keys: Vec<String>) -> Result<BTreeMap<String, (Record, String)>, Error> {
    let entries = get(keys).await?;
    Ok(entries
        .into_iter()
        .map(|entry| (entry.key.clone(), read(entry)))
        .collect())
}

async fn get(keys: Vec<String>) -> Result<Vec<Entry>, Error> {
    state::get_many(STATE_STORE.to_owned(), keys).await
}

/// A record and its ETag.
fn read(entry: Entry) -> (Record, String) {
    let record = serde_json::from_str(&entry.value).unwrap_or_else(|error| {
        tracing::error!(
            key = entry.key,
            "the inbox record cannot be read, so the attempt is repeated: {error}"
        );
        Record::Free {
            attempts: Attempts::default(),
        }
    });
    (record, entry.etag)
}

fn put(key: String, record: &Record, precondition: Precondition) -> PutOperation {
    PutOperation {
        key,
        // Writing an enum of strings and numbers as JSON cannot fail.
        value: serde_json::to_string(record).unwrap_or_default(),
        precondition,
        ttl_seconds: Some(KEPT_SECONDS),
    }
}
