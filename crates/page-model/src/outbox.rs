//! Edits that the server does not have yet, in the order in which they were made.
//!
//! | file | holds |
//! | --- | --- |
//! | `edit` | an edit and how far it is |
//! | `rebase` | what is left of it on a newer version of its task |
//! | `answer` | requests, and what their answers mean |
//! | `report` | conflicts and refusals, as a person sees them |

pub(crate) mod answer;
pub(crate) mod edit;
pub(crate) mod rebase;
pub(crate) mod report;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use nudge_contract::task::Task;
use nudge_domain::id::TaskId;
use uuid::Uuid;

use crate::fields::{self, EDITED};
use crate::model::Write;
use edit::{Edit, EditId, State, What};

/// Whether anything can be sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Gate {
    #[default]
    Open,
    Until(Timestamp),
    SignedOut,
}

/// The edits, sorted by id. What has to be stored is collected in `writes`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outbox {
    pub(crate) edits: Vec<Edit>,
    pub(crate) aliases: BTreeMap<TaskId, TaskId>,
    pub(crate) gate: Gate,
    pub(crate) failures: u32,
    /// Edits whose request was begun here and has no answer yet.
    pub(crate) sending: BTreeSet<EditId>,
    /// Those of `sending` that another page has removed meanwhile: it has made them, or the person has given them up there.
    pub(crate) removed: BTreeSet<EditId>,
    pub(crate) writes: Vec<Write>,
}

impl Outbox {
    /// The id on the server of a task that was created here, otherwise the id itself.
    pub(crate) fn real(&self, id: TaskId) -> TaskId {
        self.aliases.get(&id).copied().unwrap_or(id)
    }

    pub(crate) fn find(&self, id: EditId) -> Option<&Edit> {
        self.edits.iter().find(|edit| edit.id == id)
    }

    /// Edits of a task, oldest first.
    pub(crate) fn of(&self, task: TaskId) -> impl Iterator<Item = &Edit> {
        self.edits.iter().filter(move |edit| edit.task == task)
    }

    /// An id right after that of an edit, which no other edit has. No request depends on it: a PATCH has no `Idempotency-Key`.
    pub(crate) fn free_after(&self, id: EditId) -> EditId {
        let next = |id: EditId| EditId(Uuid::from_u128(id.0.as_u128().wrapping_add(1)));
        let mut free = next(id);
        while self.find(free).is_some() {
            free = next(free);
        }
        free
    }

    /// Adds or replaces an edit, and stores it.
    pub(crate) fn put(&mut self, edit: Edit) {
        if let Ok(json) = serde_json::to_string(&edit) {
            self.writes.push(Write::Put(edit.id, json));
        }
        self.place(edit);
    }

    /// Adds or replaces an edit that is stored.
    pub(crate) fn place(&mut self, edit: Edit) {
        match self.edits.binary_search_by_key(&edit.id, |other| other.id) {
            Ok(at) => {
                if let Some(slot) = self.edits.get_mut(at) {
                    *slot = edit;
                }
            }
            Err(at) => self.edits.insert(at, edit),
        }
    }

    pub(crate) fn remove(&mut self, id: EditId) -> Option<Edit> {
        let at = self.edits.iter().position(|edit| edit.id == id)?;
        self.writes.push(Write::Remove(id));
        Some(self.edits.remove(at))
    }

    /// Changes an edit and stores it; a patch of nothing is removed.
    pub(crate) fn change(&mut self, id: EditId, change: impl FnOnce(&mut Edit)) {
        if let Some(mut edit) = self.find(id).cloned() {
            change(&mut edit);
            if edit.patch().is_some_and(|patch| patch.is_empty()) {
                self.remove(id);
            } else {
                self.put(edit);
            }
        }
    }

    /// Takes a field out of an edit that will not be made. A later edit of the field is compared with what was there before both.
    /// Returns whether there is one.
    pub(crate) fn hand_down(&mut self, from: EditId, field: &str) -> bool {
        let Some(edit) = self.find(from) else {
            return false;
        };
        let (base, task) = (edit.base_value(field), edit.task);
        // A deletion does not take the place of an edit: it may be undone.
        let later = |edit: &&Edit| {
            edit.id > from && edit.is_pending() && edit.patch().is_some() && edit.depends_on(field)
        };
        let Some(later) = self.of(task).find(later).map(|edit| edit.id) else {
            return false;
        };
        self.change(later, |edit| {
            edit.base.insert(field.to_owned(), base);
        });
        self.change(from, |edit| {
            if let Some(patch) = edit.patch_mut() {
                patch.remove(field);
            }
        });
        true
    }

    /// An edit was made: later edits of the task are compared with what it has led to.
    pub(crate) fn settle(&mut self, done: &Edit, result: &Task) {
        let values = fields::of(result);
        let written = |field: &str| match &done.what {
            What::Create(_) => true,
            What::Patch(patch) => patch.sent.contains_key(field),
            _ => false,
        };
        for field in EDITED.iter().filter(|field| written(field)) {
            let value = values.get(*field).cloned().unwrap_or_default();
            let later: Vec<EditId> = self
                .of(done.task)
                .filter(|edit| edit.id > done.id || matches!(done.what, What::Create(_)))
                .map(|edit| edit.id)
                .collect();
            for id in later {
                let value = value.clone();
                self.change(id, |edit| {
                    edit.base.insert((*field).to_owned(), value);
                });
                if self
                    .find(id)
                    .is_some_and(|edit| edit.is_pending() && edit.depends_on(field))
                {
                    break;
                }
            }
        }
    }

    /// A task has its id on the server: edits of it follow.
    pub(crate) fn alias(&mut self, temporary: TaskId, real: TaskId) {
        if temporary == real {
            return;
        }
        // A creation that was corrected has had another temporary id before.
        let former: Vec<TaskId> = self
            .aliases
            .iter()
            .filter(|(_, to)| **to == temporary)
            .map(|(from, _)| *from)
            .collect();
        for from in former.into_iter().chain([temporary]) {
            self.aliases.insert(from, real);
            self.writes.push(Write::Alias(from, real));
        }
        let of_it: Vec<EditId> = self.of(temporary).map(|edit| edit.id).collect();
        for id in of_it {
            self.change(id, |edit| edit.task = real);
        }
    }

    /// Whether an edit is the creation of a task that has another id by now: it was made, or another one has taken its place.
    pub(crate) fn is_replaced(&self, edit: &Edit) -> bool {
        matches!(edit.what, What::Create(_)) && self.aliases.contains_key(&edit.id.into())
    }

    /// Whether a task exists only here.
    pub(crate) fn is_temporary(&self, task: TaskId) -> bool {
        self.of(task).any(|edit| matches!(edit.what, What::Create(_)))
    }

    /// Edits that are still on their way.
    pub(crate) fn pending(&self) -> usize {
        self.edits.iter().filter(|edit| edit.is_pending()).count()
    }

    /// What a former sender had begun may or may not have arrived: it is sent again.
    pub(crate) fn recover(&mut self) {
        let begun: Vec<EditId> = self
            .edits
            .iter()
            .filter(|edit| edit.state == State::Sending)
            .map(|edit| edit.id)
            .collect();
        for id in begun {
            self.change(id, |edit| edit.state = State::Waiting);
        }
    }
}
