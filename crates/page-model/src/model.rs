//! The tasks that the page shows: those of the server with the edits that are on their way.
//!
//! | file | holds |
//! | --- | --- |
//! | `editing` | making edits, and undoing them |
//! | `sending` | which request comes next, and what its answer changes |
//! | `deciding` | conflicts and refusals, and what the person decides about them |

mod deciding;
mod editing;
mod sending;

use std::sync::Arc;

use jiff::Timestamp;
use nudge_contract::task::Task;
use nudge_domain::id::TaskId;

use crate::feed::Item;
use crate::mirror::{Known, Mirror};
use crate::outbox::Outbox;
use crate::outbox::edit::{Edit, EditId, What};
use crate::overlay;
use crate::snapshot::{Row, Snapshot};

pub use editing::{HELD, Undo};

/// When an edit is made, and the random part of its id.
#[derive(Debug, Clone, Copy)]
pub struct Stamp {
    /// Now.
    pub now: Timestamp,
    /// From a cryptographic source.
    pub random: [u8; 10],
}

/// What the caller stores for the user, so that edits outlive the page. Each edit has an entry of its own: pages that are open side by
/// side do not overwrite what another one has stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// An edit, as JSON.
    Put(EditId, String),
    /// An edit that is done or given up.
    Remove(EditId),
    /// A task that was created here, and its id on the server.
    Alias(TaskId, TaskId),
}

/// See the module.
#[derive(Debug, Clone, Default)]
pub struct Model {
    mirror: Mirror,
    outbox: Outbox,
    shown: Snapshot,
    last_id: u64,
}

impl Model {
    /// The tasks with the edits applied.
    pub fn snapshot(&self) -> &Snapshot {
        &self.shown
    }

    /// The server's tasks.
    pub fn mirror(&self) -> &Mirror {
        &self.mirror
    }

    /// Number of edits that are on their way, without those that wait for a decision.
    pub fn pending(&self) -> usize {
        self.outbox.pending()
    }

    /// The id on the server of a task that was created here, otherwise the id itself.
    pub fn real_id(&self, id: TaskId) -> TaskId {
        self.outbox.real(id)
    }

    /// What has to be stored since the last call.
    pub fn take_writes(&mut self) -> Vec<Write> {
        std::mem::take(&mut self.outbox.writes)
    }

    /// An edit that is stored, or that another page of the user has changed or removed (`None`). Returns whether it could be read.
    pub fn stored(&mut self, id: EditId, json: Option<&str>) -> bool {
        let known = self.outbox.find(id);
        if self.outbox.sending.contains(&id) {
            // A request for it is under way here; its answer decides.
            if json.is_none() {
                self.outbox.removed.insert(id);
            } else {
                self.outbox.removed.remove(&id);
            }
            return true;
        }
        let before = known.map(|edit| edit.task);
        let after = match json.map(serde_json::from_str::<Edit>) {
            None => {
                self.outbox.edits.retain(|edit| edit.id != id);
                None
            }
            Some(Ok(edit)) if edit.id == id && self.outbox.is_replaced(&edit) => {
                self.outbox.edits.retain(|edit| edit.id != id);
                self.outbox.writes.push(Write::Remove(id));
                None
            }
            Some(Ok(mut edit)) if edit.id == id => {
                edit.task = self.outbox.real(edit.task);
                let task = edit.task;
                // What is edited next comes after it, even if the clock was set back.
                self.last_id = self.last_id.max(milliseconds_of(id));
                self.outbox.place(edit);
                Some(task)
            }
            Some(_) => return false,
        };
        for task in before.into_iter().chain(after) {
            self.refresh(task);
        }
        true
    }

    /// A stored [`Write::Alias`], or that of another page.
    pub fn stored_alias(&mut self, temporary: TaskId, real: TaskId) {
        self.outbox.aliases.insert(temporary, real);
        let replaced = self
            .outbox
            .of(temporary)
            .find(|edit| self.outbox.is_replaced(edit));
        if let Some(id) = replaced.map(|edit| edit.id) {
            self.outbox.remove(id);
        }
        for edit in self.outbox.edits.iter_mut().filter(|edit| edit.task == temporary) {
            edit.task = real;
        }
        self.refresh(temporary);
        self.refresh(real);
    }

    /// All pending tasks are going to be read: take the cursor into the feed before the first page.
    pub fn begin_reading(&mut self) {
        self.mirror.begin_reading();
    }

    /// A page of tasks, or a single one that was read.
    pub fn read(&mut self, tasks: impl IntoIterator<Item = Task>) {
        for task in tasks {
            let id = task.id;
            if self.mirror.apply(task) {
                self.changed(id);
            }
        }
    }

    /// The last page of all pending tasks was taken.
    pub fn finish_reading(&mut self) {
        for id in self.mirror.finish_reading() {
            self.refresh(id);
        }
    }

    /// An item of the change feed. Returns whether it is news.
    pub fn item(&mut self, item: Item) -> bool {
        let id = item.task_id;
        let news = self.mirror.apply_item(item);
        if news {
            self.changed(id);
        }
        news
    }

    /// A read of the task answered that there is none.
    pub fn missing(&mut self, id: TaskId) {
        if self.mirror.delete(id) {
            self.changed(id);
        }
    }

    /// The server's state of a task is news: conflicts may have changed or ended.
    fn changed(&mut self, id: TaskId) {
        self.review(id);
        self.refresh(id);
    }

    fn edited(&mut self, edit: Edit) {
        let task = edit.task;
        self.outbox.put(edit);
        self.refresh(task);
    }

    /// Computes what is shown of a task.
    fn refresh(&mut self, id: TaskId) {
        let known = match self.mirror.get(id) {
            Some(Known::Task(task)) => Some(task),
            _ => None,
        };
        let mut edits: Vec<&Edit> = self.outbox.of(id).filter(|edit| edit.is_pending()).collect();
        // A creation that was corrected is younger than edits of its task.
        edits.sort_by_key(|edit| !matches!(edit.what, What::Create(_)));
        let waiting = !edits.is_empty();
        let task = if waiting {
            let start = known.map(|task| Task::clone(task));
            edits
                .into_iter()
                .fold(start, |task, edit| overlay::apply(edit, task))
                .map(Arc::new)
        } else {
            known.cloned()
        };
        let temporary = self.outbox.is_temporary(id);
        let rows = Arc::make_mut(&mut self.shown.0);
        if rows.aliases != self.outbox.aliases {
            rows.aliases.clone_from(&self.outbox.aliases);
        }
        match task {
            Some(task) => {
                rows.rows.insert(id, Arc::new(Row::new(task, waiting, temporary)));
            }
            None => {
                rows.rows.remove(&id);
            }
        }
    }

    /// A new id, greater than those before it even if the clock stands still.
    fn new_id(&mut self, stamp: Stamp) -> EditId {
        let now = u64::try_from(stamp.now.as_millisecond()).unwrap_or_default();
        self.last_id = now.max(self.last_id + 1);
        EditId(uuid::Builder::from_unix_timestamp_millis(self.last_id, &stamp.random).into_uuid())
    }
}

/// The time in a UUIDv7.
fn milliseconds_of(id: EditId) -> u64 {
    u64::try_from(id.0.as_u128() >> 80).unwrap_or_default()
}
