//! A due reminder of a batch.

use jiff::{SignedDuration, Timestamp};
use nudge_contract::api::{Deferral, DueReminder, HeldBack};
use nudge_contract::event::ReminderDue;

use crate::store::{self, WORTH_TRYING, Wanted};

/// A due reminder of a batch.
pub(crate) struct Due {
    /// The key of its record in the inbox, different for each reminder of a batch.
    pub(crate) key: String,
    /// Its event.
    pub(crate) event: ReminderDue,
}

impl Due {
    pub(crate) fn new(event: ReminderDue) -> Self {
        Self {
            key: store::key(event.reminder_id, event.remind_at.at()),
            event,
        }
    }

    /// What is claimed.
    pub(crate) fn wanted(&self, now: Timestamp) -> Wanted<'_> {
        Wanted {
            key: &self.key,
            user: &self.event.task.user_id,
            is_late: self.late(now) > WORTH_TRYING,
        }
    }

    /// How long ago its instant was.
    pub(crate) fn late(&self, now: Timestamp) -> SignedDuration {
        now.duration_since(self.event.remind_at.at())
    }

    /// What the api is asked about.
    pub(crate) fn reminder(&self) -> DueReminder {
        DueReminder {
            reminder_id: self.event.reminder_id,
            remind_at: self.event.remind_at,
            lease_id: self.event.lease_id,
        }
    }

    /// What gives it back to the api.
    pub(crate) fn deferral(&self, after_seconds: u32, because: Option<HeldBack>) -> Deferral {
        Deferral {
            reminder: self.reminder(),
            after_seconds,
            because,
        }
    }
}
