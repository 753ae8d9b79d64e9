//! A due reminder of a batch.

use nudge_contract::api::{Deferral, DueReminder};
use nudge_contract::event::ReminderDue;

use crate::store;

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

    /// What the api is asked about.
    pub(crate) fn reminder(&self) -> DueReminder {
        DueReminder {
            reminder_id: self.event.reminder_id,
            remind_at: self.event.remind_at,
            lease_id: self.event.lease_id,
        }
    }

    /// What gives it back to the api.
    pub(crate) fn deferral(&self, after_seconds: u32) -> Deferral {
        Deferral {
            reminder: self.reminder(),
            after_seconds,
        }
    }
}
