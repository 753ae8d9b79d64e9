//! Refusals on demand, so that a test sees what a sender does about them.

use std::sync::{Mutex, PoisonError};

/// Where in the SMTP dialogue a [`Fault`] strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The answer to `RCPT TO`.
    Rcpt,
    /// The answer to the end of the message, after `DATA`.
    Data,
}

/// An answer that the server gives instead of accepting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where it strikes.
    pub stage: Stage,
    /// The reply code, for example 550 (for good) or 451 (for now); RFC 5321 section 4.2.
    pub code: u16,
    /// The text behind the code, on one line.
    pub text: String,
    /// How many times it strikes before mails are accepted again.
    pub times: usize,
}

/// The faults that are still to strike.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    pub(crate) fn add(&self, fault: Fault) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
    }

    /// The code and text of the next fault for `stage`, used up once.
    pub(crate) fn strike(&self, stage: Stage) -> Option<(u16, String)> {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        faults.retain(|fault| fault.times > 0);
        let fault = faults.iter_mut().find(|fault| fault.stage == stage)?;
        fault.times -= 1;
        Some((fault.code, fault.text.clone()))
    }
}
