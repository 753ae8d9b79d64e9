//! Recipients whose mail server takes too long: their user rests, so that the emails of others do not wait for them again and again.
//!
//! One email that takes too long costs everyone who uses its lane the timeout of the binding (10 s). Without a rest, a user with a
//! hundred reminders would cost a hundred of them. So a user rests after one: 30 s at first, twice as long after each further one, at
//! most 30 minutes. Emails of a user who rests are not claimed. After two hours without such an email the record is forgotten; an email that is
//! sent writes nothing.
//!
//! A user rests, and not an address, because the address may be changed at will. Reminders and notices rest separately: the
//! confirmation of a better address must not wait for the slow one, nor may reminders to a new address keep back the notice to the
//! former one.
//!
//! The last write wins. Two replicas that meet the same recipient at the same time count one email instead of two.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use nudge_component::dapr::state::{Entry, Precondition, PutOperation};
use nudge_domain::id::UserId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How long an email or a user rests the first time.
const FIRST_SECONDS: u32 = 30;

/// The longest rest.
const LONGEST_SECONDS: u32 = 30 * 60;

/// How long a record counts after its last write. Longer than any rest, so that the next one is twice as long.
const KEPT_SECONDS: u32 = 2 * 60 * 60;

/// Seconds of the rest that follows so many earlier ones.
pub(crate) fn seconds_after(earlier: u32) -> u32 {
    let doubled = 1_u32.checked_shl(earlier).unwrap_or(u32::MAX);
    FIRST_SECONDS.saturating_mul(doubled).min(LONGEST_SECONDS)
}

/// What rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The reminders of a user.
    Reminders,
    /// The notices about their account.
    Notices,
}

/// The key of a user's record. A user id is any text, and could contain what a key may not.
fn key(kind: Kind, user: &UserId) -> String {
    let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, user.as_str().as_bytes());
    match kind {
        Kind::Reminders => format!("slow-{id}"),
        Kind::Notices => format!("slow-notices-{id}"),
    }
}

/// A record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rest {
    /// When the first email of this series took too long.
    since: Timestamp,
    /// When the last one did.
    began: Timestamp,
    /// How long the rest is that then began.
    seconds: u32,
}

impl Rest {
    /// What is left of the rest. None if it is over, or if more is left than there was: the clock was set back.
    fn left(&self, now: Timestamp) -> Option<SignedDuration> {
        let whole = SignedDuration::from_secs(self.seconds.into());
        // Clocks of replicas differ by a little.
        let passed = now.duration_since(self.began);
        (passed < whole && passed > -whole).then(|| whole - passed)
    }

    /// Whether it still counts. A store may keep a record for longer than it was told to.
    fn is_known(&self, now: Timestamp) -> bool {
        now.duration_since(self.began).abs() < SignedDuration::from_secs(KEPT_SECONDS.into())
    }
}

/// The users of a batch that are known to be slow.
#[derive(Debug)]
pub(crate) struct Rests {
    kind: Kind,
    known: BTreeMap<UserId, Rest>,
    changed: Vec<UserId>,
}

impl Rests {
    /// The keys of the records of users, each once.
    pub(crate) fn keys<'a>(kind: Kind, users: impl Iterator<Item = &'a UserId>) -> BTreeMap<String, UserId> {
        users.map(|user| (key(kind, user), user.clone())).collect()
    }

    /// None is known.
    pub(crate) fn none(kind: Kind) -> Self {
        Self {
            kind,
            known: BTreeMap::new(),
            changed: Vec::new(),
        }
    }

    /// Takes a record that was read.
    pub(crate) fn insert(&mut self, user: UserId, entry: &Entry, now: Timestamp) {
        match serde_json::from_str::<Rest>(&entry.value) {
            Ok(rest) if rest.is_known(now) => {
                self.known.insert(user, rest);
            }
            Ok(_) => {}
            Err(error) => tracing::error!(
                key = entry.key,
                "the record of a slow recipient cannot be read and is ignored: {error}"
            ),
        }
    }

    /// For how many more seconds a user rests, rounded up; none if they do not.
    pub(crate) fn seconds_left(&self, user: &UserId, now: Timestamp) -> Option<u32> {
        let left = self.known.get(user)?.left(now)?;
        let whole = left.as_secs() + i64::from(left.subsec_nanos() > 0);
        Some(u32::try_from(whole).unwrap_or(u32::MAX))
    }

    /// When the first email of a user's series took too long; none if none did lately.
    pub(crate) fn since(&self, user: &UserId) -> Option<Timestamp> {
        self.known.get(user).map(|rest| rest.since)
    }

    /// Notes that an email took too long. Two that were sent at the same time count as one.
    pub(crate) fn begin(&mut self, user: &UserId, now: Timestamp) {
        if self.seconds_left(user, now).is_some() {
            return;
        }
        let (since, seconds) = match self.known.get(user) {
            None => (now, FIRST_SECONDS),
            Some(last) => (last.since, last.seconds.saturating_mul(2).min(LONGEST_SECONDS)),
        };
        let rest = Rest {
            since,
            began: now,
            seconds,
        };
        tracing::warn!(
            seconds,
            "the mail server took too long; the emails of this user rest"
        );
        self.known.insert(user.clone(), rest);
        self.changed.push(user.clone());
    }

    /// The writes that keep what has changed.
    pub(crate) fn writes(&mut self) -> Vec<PutOperation> {
        let changed = std::mem::take(&mut self.changed);
        let writes = changed.into_iter().filter_map(|user| {
            Some(PutOperation {
                key: key(self.kind, &user),
                // Writing a struct of strings and numbers as JSON cannot fail.
                value: serde_json::to_string(self.known.get(&user)?).unwrap_or_default(),
                precondition: Precondition::None,
                ttl_seconds: Some(KEPT_SECONDS),
            })
        });
        writes.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user() -> UserId {
        "alice".parse().unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    #[test]
    fn each_rest_is_twice_as_long_and_what_happens_at_once_counts_once() {
        let mut rests = Rests::none(Kind::Reminders);
        let mut now = 0;
        let mut all = Vec::new();
        for _ in 0..8 {
            rests.begin(&user(), at(now));
            rests.begin(&user(), at(now));
            let seconds = rests.seconds_left(&user(), at(now)).unwrap();
            assert_eq!(rests.writes().len(), 1);
            now += i64::from(seconds);
            assert_eq!(rests.seconds_left(&user(), at(now - 1)), Some(1));
            assert_eq!(rests.seconds_left(&user(), at(now)), None);
            all.push(seconds);
        }
        assert_eq!(all, [30, 60, 120, 240, 480, 960, 1800, 1800]);
        assert_eq!(rests.since(&user()), Some(at(0)));
    }

    #[test]
    fn a_record_is_forgotten_after_two_hours_and_a_clock_that_was_set_back_ends_a_rest() {
        let mut rests = Rests::none(Kind::Reminders);
        rests.begin(&user(), at(0));
        let write = rests.writes().remove(0);
        let entry = Entry {
            key: write.key,
            value: write.value,
            etag: String::new(),
        };
        for (now, left, is_known) in [
            (10, Some(20), true),
            (-10, Some(40), true),
            (-60, None, true),
            (7_199, None, true),
            (7_200, None, false),
            (-7_200, None, false),
        ] {
            let mut read = Rests::none(Kind::Reminders);
            read.insert(user(), &entry, at(now));
            assert_eq!(read.seconds_left(&user(), at(now)), left, "{now}");
            assert_eq!(read.since(&user()).is_some(), is_known, "{now}");
        }
    }

    #[test]
    fn keys_hold_any_user_id_and_notices_have_their_own() {
        let odd: UserId = "a||b ü/".parse().unwrap();
        for (kind, prefix) in [(Kind::Reminders, "slow-"), (Kind::Notices, "slow-notices-")] {
            let key = key(kind, &odd);
            let id = key.strip_prefix(prefix).unwrap();
            assert!(id.parse::<Uuid>().is_ok(), "{key}");
        }
    }
}
