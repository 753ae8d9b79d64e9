//! Requests that wait for an instance, in the order in which they came.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering, fence};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// The requests that no instance accepts at the moment. Only the first one tries again, and only when an instance may accept it, so
/// waiting costs nothing and no request is overtaken.
#[derive(Debug)]
pub(crate) struct Queue {
    /// One permit, which is the turn to try. tokio's semaphore is fair.
    turns: Arc<Semaphore>,
    waiting: AtomicUsize,
    changed: Notify,
}

/// A place in the queue. Dropping it leaves the queue.
#[derive(Debug)]
pub(crate) struct Place {
    queue: Arc<Queue>,
    turn: Option<OwnedSemaphorePermit>,
}

impl Queue {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            turns: Arc::new(Semaphore::new(1)),
            waiting: AtomicUsize::new(0),
            changed: Notify::new(),
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        // An instance first becomes available and then looks here; a request is first counted here and then looks for an instance.
        // The two fences ensure that one of them sees the other.
        fence(Ordering::SeqCst);
        self.waiting.load(Ordering::Relaxed) == 0
    }

    /// An instance may accept a request now.
    pub(crate) fn announce(&self) {
        self.changed.notify_one();
    }

    pub(crate) fn join(self: &Arc<Self>) -> Place {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        Place {
            queue: self.clone(),
            turn: None,
        }
    }
}

impl Place {
    /// Waits until all requests that came before have left the queue.
    pub(crate) async fn first(&mut self) {
        if self.turn.is_none() {
            // The semaphore is never closed.
            self.turn = self.queue.turns.clone().acquire_owned().await.ok();
        }
    }

    /// Waits until an instance may accept a request. Call this only for the first place.
    pub(crate) async fn changed(&self) {
        self.queue.changed.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.queue.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}
