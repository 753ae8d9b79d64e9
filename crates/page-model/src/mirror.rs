//! The server's tasks, as far as the page has seen them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nudge_contract::event::Change;
use nudge_contract::task::Task;
use nudge_domain::id::TaskId;
use nudge_domain::task::Status;

use crate::feed::Item;

/// What the page knows about a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// Its newest version that was seen.
    Task(Arc<Task>),
    /// It was deleted. Ids are never used again, so nothing brings it back.
    Deleted,
}

/// Tasks by id. Lists, single reads, answers and the feed arrive in any order; only what is newer counts.
#[derive(Debug, Clone, Default)]
pub struct Mirror {
    known: BTreeMap<TaskId, Known>,
    /// While all pending tasks are read again: those that were seen since it began.
    seen: Option<BTreeSet<TaskId>>,
    complete: bool,
}

impl Mirror {
    /// What is known about a task.
    pub fn get(&self, id: TaskId) -> Option<&Known> {
        self.known.get(&id)
    }

    /// The newest version of a task that exists.
    pub fn task(&self, id: TaskId) -> Option<&Arc<Task>> {
        match self.known.get(&id) {
            Some(Known::Task(task)) => Some(task),
            _ => None,
        }
    }

    /// Whether all pending tasks were read.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// Takes a task as the server has it. Returns whether it is news.
    pub fn apply(&mut self, task: Task) -> bool {
        if let Some(seen) = &mut self.seen {
            seen.insert(task.id);
        }
        let news = match self.known.get(&task.id) {
            Some(Known::Task(known)) => known.version < task.version,
            Some(Known::Deleted) => false,
            None => true,
        };
        if news {
            self.known.insert(task.id, Known::Task(Arc::new(task)));
        }
        news
    }

    /// Takes an item of the feed. Returns whether it is news.
    pub fn apply_item(&mut self, item: Item) -> bool {
        match item.kind {
            Change::Deleted => self.delete(item.task_id),
            _ => self.apply(item.task),
        }
    }

    /// The server does not have the task any more. Returns whether it is news.
    pub fn delete(&mut self, id: TaskId) -> bool {
        self.known.insert(id, Known::Deleted) != Some(Known::Deleted)
    }

    /// All pending tasks are going to be read from the first page on, and changes since then arrive through the feed.
    pub fn begin_reading(&mut self) {
        self.seen = Some(BTreeSet::new());
    }

    /// The last page was taken. Pending tasks that were neither in a page nor in the feed are not pending any more: they were changed
    /// while the page was not listening. They are forgotten, not deleted, since they may be completed. Returns their ids.
    pub fn finish_reading(&mut self) -> Vec<TaskId> {
        let Some(seen) = self.seen.take() else {
            return Vec::new();
        };
        self.complete = true;
        let gone = |(id, known): (&TaskId, &Known)| match known {
            Known::Task(task) if task.status == Status::Pending && !seen.contains(id) => Some(*id),
            _ => None,
        };
        let gone: Vec<TaskId> = self.known.iter().filter_map(gone).collect();
        for id in &gone {
            self.known.remove(id);
        }
        gone
    }
}
