//! The change feed, as the page reads it: which task, which version, and where to continue.

use nudge_contract::event::Change;
use nudge_contract::task::Task;
use nudge_domain::id::TaskId;
use serde::{Deserialize, Serialize};

/// An item of the feed. Only the fields that the page needs, so that it reads items of newer servers, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// Its cursor: the feed continues after it.
    pub id: String,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: Change,
    /// Which task.
    pub task_id: TaskId,
    /// The version that it created.
    pub version: u32,
    /// The task at that version; if it was deleted, its last state.
    pub task: Task,
}

/// A page of the feed as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Items {
    /// Oldest first.
    pub items: Vec<Item>,
    /// The cursor after them.
    pub next: String,
}

/// How long to wait before a connection is tried again.
#[derive(Debug, Clone, Copy, Default)]
pub struct Backoff {
    failures: u32,
}

/// First and longest pause, in milliseconds.
const FIRST: u32 = 1_000;
const LONGEST: u32 = 30_000;

impl Backoff {
    /// It worked: the next failure begins with the shortest pause again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// It failed again: milliseconds to wait, from 1 second, doubled each time, up to 30 seconds. A part that `random` chooses is taken
    /// off, so that many pages do not come back at once.
    pub fn next(&mut self, random: u8) -> u32 {
        let pause = FIRST.saturating_mul(1 << self.failures.min(10)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        pause - pause / 4 * u32::from(random) / 255
    }
}
