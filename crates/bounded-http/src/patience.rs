//! Measures a transfer against its pace.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use crate::limits::Pace;

/// What is left of a transfer's patience.
#[derive(Debug)]
pub(crate) struct Patience {
    pace: Pace,
    left: Duration,
    waiting_since: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Patience {
    pub(crate) fn new(pace: Pace) -> Self {
        Self {
            pace,
            left: pace.patience,
            waiting_since: None,
            timer: None,
        }
    }

    /// Call this whenever the other side is waited for. Ready once the patience is used up.
    pub(crate) fn poll_exhausted(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let since = *self.waiting_since.get_or_insert_with(Instant::now);
        let deadline = since + self.left;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if timer.deadline() != deadline {
            timer.as_mut().reset(deadline);
        }
        timer.as_mut().poll(context)
    }

    /// Call this when `bytes` were transferred.
    pub(crate) fn progressed(&mut self, bytes: usize) {
        if let Some(since) = self.waiting_since.take() {
            self.left = self.left.saturating_sub(since.elapsed());
        }
        let seconds = bytes as f64 / f64::from(self.pace.bytes_per_second.max(1));
        let earned = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        self.left = self.left.saturating_add(earned).min(self.pace.patience);
    }
}
