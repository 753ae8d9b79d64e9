//! What an instance has read from the database a moment ago and goes on with, so that no request pays a statement of its own for it.

use jiff::{SignedDuration, Timestamp};

/// Age from which one request reads it again.
const FRESH: SignedDuration = SignedDuration::from_secs(5);

/// Age up to which others go on with what was read before. A token that is revoked counts no more after this time.
const USABLE: SignedDuration = SignedDuration::from_secs(10);

/// What was read, and when that began.
pub(super) struct Read<T> {
    at: Timestamp,
    /// When a request last began to read it again.
    asked_at: Timestamp,
    pub(super) value: T,
}

impl<T> Read<T> {
    pub(super) fn new(at: Timestamp, value: T) -> Self {
        Self {
            at,
            asked_at: at,
            value,
        }
    }

    /// The value, unless it is too old, or old enough for this request to read it again.
    pub(super) fn usable(&mut self, now: Timestamp) -> Option<&T> {
        let age = now.duration_since(self.at);
        // An instant in the future means that the clock was set back.
        if !(SignedDuration::ZERO..USABLE).contains(&age) {
            return None;
        }
        if age >= FRESH && now.duration_since(self.asked_at) >= FRESH {
            self.asked_at = now;
            return None;
        }
        Some(&self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn what_was_read_is_used_for_ten_seconds_and_read_again_by_one_request_after_five() {
        let mut read = Read::new(at(100), ());
        let mut usable = |second| read.usable(at(second)).is_some();
        assert!(usable(100) && usable(104));
        assert!(!usable(105), "this request reads it again");
        assert!(usable(105) && usable(109), "others do not wait for it");
        assert!(!usable(110) && !usable(110), "too old for any");
        assert!(!usable(99), "the clock was set back");
    }
}
