//! What is known about the entries of a batch.

use std::sync::{Mutex, PoisonError};

/// Whether the entries of a batch failed, by their index; `None` if nothing is known yet.
pub(super) struct Results(Mutex<Vec<Option<bool>>>);

impl Results {
    pub(super) fn new(entries: usize) -> Self {
        Self(Mutex::new(vec![None; entries]))
    }

    fn with<T>(&self, change: impl FnOnce(&mut Vec<Option<bool>>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sets those of which nothing is known.
    pub(super) fn set_others(&self, failed: bool) {
        self.with(|all| {
            for result in all {
                result.get_or_insert(failed);
            }
        });
    }

    /// Records whether an entry failed.
    pub(super) fn set(&self, index: usize, failed: bool) {
        self.with(|all| {
            if let Some(result) = all.get_mut(index) {
                *result = Some(failed);
            }
        });
    }

    pub(super) fn failed(&self, index: usize) -> bool {
        self.with(|all| all.get(index).copied().flatten() == Some(true))
    }
}
