//! Refusals on demand, so that a test can check how a sender handles them.

use std::sync::{Mutex, PoisonError};

/// Where in the SMTP dialogue a [`Fault`] occurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The reply to `RCPT TO`.
    Rcpt,
    /// The reply to the end of the message, after `DATA`.
    Data,
}

/// A reply that the server gives instead of accepting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where it occurs.
    pub stage: Stage,
    /// The reply code, for example 550 (permanent) or 451 (transient); RFC 5321 section 4.2.
    pub code: u16,
    /// The text after the code, on one line.
    pub text: String,
    /// How many times it occurs before email is accepted again.
    pub times: usize,
}

/// The faults that have not occurred yet.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    pub(crate) fn add(&self, fault: Fault) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
    }

    /// The code and text of the next fault for `stage`, which is thereby used once.
    pub(crate) fn take(&self, stage: Stage) -> Option<(u16, String)> {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        faults.retain(|fault| fault.times > 0);
        let fault = faults.iter_mut().find(|fault| fault.stage == stage)?;
        fault.times -= 1;
        Some((fault.code, fault.text.clone()))
    }
}
