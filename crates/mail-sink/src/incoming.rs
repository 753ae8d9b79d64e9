//! How many mails come in at the same time, so that a test sees whether its sender sends one at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The clients that are sending.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Incoming {
    /// A client has connected.
    pub(crate) fn enter(incoming: &Arc<Self>) -> Sending {
        let now = incoming.now.fetch_add(1, Ordering::Relaxed) + 1;
        incoming.most.fetch_max(now, Ordering::Relaxed);
        Sending(incoming.clone())
    }

    pub(crate) fn most(&self) -> usize {
        self.most.load(Ordering::Relaxed)
    }
}

/// A client that counts until this is dropped.
#[derive(Debug)]
pub(crate) struct Sending(Arc<Incoming>);

impl Drop for Sending {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::Relaxed);
    }
}
