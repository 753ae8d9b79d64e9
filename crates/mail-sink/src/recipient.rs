//! Recipients that the server does not simply accept, so that a test can check what a sender does about them.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What the server does with `RCPT TO` of one recipient, every time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// Replies with a code of RFC 5321, section 4.2, such as 550 (permanent) or 451 (transient), and this text on one line.
    Refuse(u16, String),
    /// Accepts the recipient after this time. A time longer than any client waits is a server that never replies.
    Delay(Duration),
    /// Closes the connection without a reply.
    Disconnect,
}

/// The treatment of a recipient, by address, and how often each was named.
#[derive(Debug, Default)]
pub(crate) struct Recipients(Mutex<BTreeMap<String, (Treatment, usize)>>);

impl Recipients {
    pub(crate) fn set(&self, address: &str, treatment: Treatment) {
        let mut recipients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        recipients.insert(address.to_owned(), (treatment, 0));
    }

    /// What to do now that a client has named this recipient.
    pub(crate) fn named(&self, address: &str) -> Option<Treatment> {
        let mut recipients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (treatment, times) = recipients.get_mut(address)?;
        *times += 1;
        Some(treatment.clone())
    }

    pub(crate) fn times(&self, address: &str) -> usize {
        let recipients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        recipients.get(address).map_or(0, |(_, times)| *times)
    }
}
