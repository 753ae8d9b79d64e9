//! Counts the clients that are sending at the same time, so that a test can check that a sender sends one email at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The clients that are sending.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    current: AtomicUsize,
    max: AtomicUsize,
}

impl Connections {
    /// Counts a client that has connected.
    pub(crate) fn enter(connections: &Arc<Self>) -> Connection {
        let current = connections.current.fetch_add(1, Ordering::Relaxed) + 1;
        connections.max.fetch_max(current, Ordering::Relaxed);
        Connection(connections.clone())
    }

    pub(crate) fn max(&self) -> usize {
        self.max.load(Ordering::Relaxed)
    }
}

/// One client; it counts until this is dropped.
#[derive(Debug)]
pub(crate) struct Connection(Arc<Connections>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.current.fetch_sub(1, Ordering::Relaxed);
    }
}
