//! Log lines: JSON on standard output, without email addresses, and no more of a kind than [`LogLimit`] admits.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, Once, PoisonError};

use jiff::{SignedDuration, Timestamp};
use nudge_domain::masked::Masked;

/// Starts logging; once per instance.
pub(crate) fn start() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let subscriber = tracing_subscriber::fmt()
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .with_max_level(tracing::Level::INFO)
            .with_writer(|| Masked(io::stdout()))
            .finish();
        // Fails only if a subscriber is already set, which then gets the lines.
        let _ = tracing::subscriber::set_global_default(subscriber);
    });
}

/// Minimum time between two lines of a kind.
const PAUSE: SignedDuration = SignedDuration::from_secs(1);

/// Maximum number of kinds that are remembered.
const MAX_KINDS: usize = 64;

/// Bounds the lines that callers can cause: one of each kind in a second, for each instance.
#[derive(Debug, Default)]
pub struct LogLimit(Mutex<BTreeMap<String, Kind>>);

#[derive(Debug)]
struct Kind {
    logged_at: Timestamp,
    suppressed: u64,
}

impl LogLimit {
    /// One that has admitted nothing.
    pub const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    /// Whether a line of this kind may be logged now; then, the number of lines of the kind that were not since the last one.
    pub fn admit(&self, kind: &str, now: Timestamp) -> Option<u64> {
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kinds.get_mut(kind) {
            let age = now.duration_since(known.logged_at);
            if (SignedDuration::ZERO..PAUSE).contains(&age) {
                known.suppressed += 1;
                return None;
            }
            known.logged_at = now;
            return Some(std::mem::take(&mut known.suppressed));
        }
        if kinds.len() >= MAX_KINDS {
            kinds.clear();
        }
        let first = Kind {
            logged_at: now,
            suppressed: 0,
        };
        kinds.insert(kind.to_owned(), first);
        Some(0)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_line_has_no_address_and_stays_json() {
        let mut written = Vec::new();
        let line = br#"{"message":"550 <alice@example.com>: no\nsuch user"}"#;
        assert_eq!(Masked(&mut written).write(line).unwrap(), line.len());
        let read: serde_json::Value = serde_json::from_slice(&written).unwrap();
        assert_eq!(read["message"], "550 <***@example.com>: no\nsuch user");
    }

    #[test]
    fn one_line_of_a_kind_is_admitted_in_a_second_and_the_others_are_counted() {
        let limit = LogLimit::new();
        let at = |milliseconds| Timestamp::from_millisecond(milliseconds).unwrap();
        assert_eq!(limit.admit("a", at(0)), Some(0));
        assert_eq!(limit.admit("a", at(1)), None);
        assert_eq!(limit.admit("b", at(1)), Some(0), "another kind");
        assert_eq!(limit.admit("a", at(999)), None);
        assert_eq!(limit.admit("a", at(1_000)), Some(2));
        assert_eq!(limit.admit("a", at(500)), Some(0), "the clock was set back");
    }

    #[test]
    fn the_number_of_kinds_is_limited() {
        let limit = LogLimit::new();
        for number in 0..=MAX_KINDS {
            limit.admit(&number.to_string(), Timestamp::UNIX_EPOCH);
        }
        assert_eq!(limit.0.lock().unwrap().len(), 1);
    }
}
