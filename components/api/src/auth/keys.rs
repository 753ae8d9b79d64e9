//! Caches the provider's keys.
//!
//! | age of the set | |
//! | --- | --- |
//! | up to 5 minutes ([`FRESH`]) | used without a request, unless a token names a key that is not in it |
//! | up to an hour ([`USABLE`]) | used while the provider is unavailable |
//! | older | not used: 503 |
//!
//! So a key that the provider removes from its set stops working after 5 minutes, or after an hour if the provider is down. The
//! provider is called at most once per [`PAUSE`], whatever keys tokens name. An instance lives about a second without requests,
//! so it shares the set with the others (`shared.rs`), and also keeps it itself ([`KEYS`]).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use nudge_component::Problem;

use super::fetch::fetch;
use super::jwks::KeySet;
use super::policy::Provider;
use super::shared::{Fetched, PAUSE, Record, Shared, USABLE};

/// Age up to which a set is not fetched again, in seconds.
const FRESH: u64 = 5 * 60;

/// Age up to which a set is used while another instance fetches the next one, in seconds.
const WHILE_ASKED: u64 = 10 * 60;

/// The set that this instance keeps. It is not specific to a user.
static KEYS: Mutex<Known> = Mutex::new(Known {
    held: None,
    asked_at: None,
});

struct Known {
    held: Option<Held>,
    /// When this instance last tried to refresh it.
    asked_at: Option<i64>,
}

#[derive(Clone)]
struct Held {
    keys: Arc<KeySet>,
    fetched: Arc<Fetched>,
}

impl Held {
    fn read(fetched: Fetched) -> Result<Self, String> {
        Ok(Self {
            keys: Arc::new(KeySet::parse(&fetched.text)?),
            fetched: Arc::new(fetched),
        })
    }

    /// A time in the future counts by its distance from now, so that it expires like any other.
    fn younger_than(&self, age: u64, now: Timestamp) -> bool {
        now.as_second().abs_diff(self.fetched.at) < age
    }
}

/// The provider's keys, with the key that a token names if the provider is available and has it. 503 if there are none.
pub(super) async fn keys(
    provider: &Provider,
    kid: Option<&str>,
    algorithm: &str,
    now: Timestamp,
) -> Result<Arc<KeySet>, Problem> {
    let wanted = |held: &Held| held.younger_than(FRESH, now) && held.keys.find(kid, algorithm).is_some();
    let (mut held, asked_at) = {
        let known = known();
        (known.held.clone(), known.asked_at)
    };
    let asked = asked_at.is_some_and(|at| recent(at, now));
    if !asked && !held.as_ref().is_some_and(wanted) {
        held = learn(provider, held, wanted, now).await;
    }
    held.filter(|held| held.younger_than(USABLE, now))
        .map(|held| held.keys)
        .ok_or_else(|| {
            Problem::unavailable(
                "the identity provider",
                format!("there are no keys of {} to check a token with", provider.jwks_url),
            )
        })
}

/// Reads the shared set, calls the provider if it is this instance's turn, and keeps the result.
async fn learn(
    provider: &Provider,
    held: Option<Held>,
    wanted: impl Fn(&Held) -> bool,
    now: Timestamp,
) -> Option<Held> {
    let url = &provider.jwks_url;
    let shared = Shared::read(url).await;
    let failed_at = shared.record.as_ref().and_then(|record| record.failed_at);
    let told = shared.record.as_ref().and_then(|record| record.set.clone());
    let held = newer(held, told);
    if held.as_ref().is_some_and(&wanted) {
        known().held.clone_from(&held);
        return held;
    }
    // Without the turn, an instance uses what there is. If that is too old or missing, it calls out of turn, unless that just failed.
    let content = held
        .as_ref()
        .is_some_and(|held| held.younger_than(WHILE_ASKED, now))
        || failed_at.is_some_and(|at| recent(at, now));
    let held = if !shared.take_turn(now).await && content {
        held
    } else {
        ask(url, &shared, held, now).await
    };
    let mut known = known();
    known.asked_at = Some(now.as_second());
    known.held.clone_from(&held);
    held
}

async fn ask(url: &str, shared: &Shared, held: Option<Held>, now: Timestamp) -> Option<Held> {
    let at = now.as_second();
    let answer = fetch(url).await.and_then(|text| Held::read(Fetched { at, text }));
    let (held, failed_at) = match answer {
        Ok(new) => {
            for reason in new.keys.left_out() {
                tracing::warn!(url, "a key of the identity provider is ignored: {reason}");
            }
            (Some(new), None)
        }
        Err(log) => {
            tracing::warn!(url, "the identity provider's keys cannot be read: {log}");
            (held, Some(at))
        }
    };
    let record = Record {
        url: url.to_owned(),
        set: held.as_ref().map(|held| Fetched::clone(&held.fetched)),
        failed_at,
    };
    shared.write(record).await;
    held
}

/// The newer of two sets; only that one is parsed.
fn newer(held: Option<Held>, told: Option<Fetched>) -> Option<Held> {
    match (held, told) {
        (held, None) => held,
        (Some(held), Some(told)) if told.at <= held.fetched.at => Some(held),
        (held, Some(told)) => Held::read(told).ok().or(held),
    }
}

fn recent(at: i64, now: Timestamp) -> bool {
    now.as_second().abs_diff(at) < PAUSE
}

fn known() -> MutexGuard<'static, Known> {
    KEYS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fetched(at: i64) -> Fetched {
        Fetched {
            at,
            text: r#"{"keys":[]}"#.to_owned(),
        }
    }

    #[test]
    fn the_newer_set_counts_wherever_it_is_from() {
        let held = |at| Held::read(fetched(at)).ok();
        let at = |held: Option<Held>| held.map(|held| held.fetched.at);
        assert_eq!(at(newer(held(2), Some(fetched(1)))), Some(2));
        assert_eq!(at(newer(held(1), Some(fetched(2)))), Some(2));
        assert_eq!(at(newer(None, Some(fetched(2)))), Some(2));
        assert_eq!(at(newer(held(1), None)), Some(1));
        let broken = Fetched {
            at: 2,
            text: "<html>".to_owned(),
        };
        assert_eq!(at(newer(held(1), Some(broken))), Some(1));
    }

    #[test]
    fn a_set_of_the_future_runs_out_as_well() {
        let now = Timestamp::from_second(10_000).unwrap();
        let held = |at| Held::read(fetched(at)).unwrap();
        assert!(held(10_000 + 60).younger_than(FRESH, now));
        assert!(!held(10_000 + 3_600).younger_than(USABLE, now));
        assert!(!held(i64::MAX).younger_than(USABLE, now));
        assert!(!held(i64::MIN).younger_than(USABLE, now));
    }
}
