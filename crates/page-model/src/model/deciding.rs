//! Conflicts and refusals, and what the person decides about them.

use nudge_domain::id::TaskId;

use super::{Model, Stamp};
use crate::fields;
use crate::outbox::edit::{EditId, State, What};
use crate::outbox::report::{Choice, Conflict, Refusal};
use crate::patch::Patch;

impl Model {
    /// Edits of fields that were changed elsewhere, too.
    pub fn conflicts(&self) -> Vec<Conflict> {
        self.outbox
            .edits
            .iter()
            .filter_map(|edit| edit.conflict())
            .collect()
    }

    /// Edits that were refused.
    pub fn refusals(&self) -> Vec<Refusal> {
        self.outbox
            .edits
            .iter()
            .filter_map(|edit| edit.refusal())
            .collect()
    }

    /// Decides a conflict, field by field; a field that is not named stays theirs. A deletion is sent if any field is decided as mine.
    pub fn resolve(&mut self, id: EditId, choices: &[(String, Choice)]) {
        let Some(edit) = self.outbox.find(id).cloned() else {
            return;
        };
        let State::Conflict { theirs } = &edit.state else {
            return;
        };
        let mine = |field: &str| {
            choices
                .iter()
                .any(|(name, choice)| name == field && *choice == Choice::Mine)
        };
        if edit.patch().is_none() && !theirs.keys().any(|field| mine(field)) {
            self.give_up(id);
            return;
        }
        self.outbox.change(id, |edit| {
            edit.base.extend(theirs.clone());
            Self::restart(edit);
            if let Some(patch) = edit.patch_mut() {
                theirs
                    .keys()
                    .filter(|field| !mine(field))
                    .for_each(|field| patch.remove(field));
            }
        });
        self.refresh(edit.task);
    }

    /// Sends a refused edit again, with other values of these fields. What could not be made of a task that is gone cannot be corrected.
    pub fn correct(&mut self, id: EditId, patch: Patch, stamp: Stamp) {
        let Some(mut edit) = self.outbox.find(id).cloned() else {
            return;
        };
        if !matches!(edit.state, State::Refused { .. }) {
            return;
        }
        match &mut edit.what {
            What::Create(body) => {
                body.extend(patch.sent);
                body.retain(|_, value| !value.is_null());
                self.recreate(id, edit.task, edit.what, stamp);
            }
            What::Patch(before) => {
                before.merge(patch);
                Self::restart(&mut edit);
                self.edited(edit);
            }
            _ => self.retry(id),
        }
    }

    /// Sends a refused edit again as it is.
    pub fn retry(&mut self, id: EditId) {
        let Some(mut edit) = self.outbox.find(id).cloned() else {
            return;
        };
        if matches!(edit.state, State::Refused { .. }) {
            Self::restart(&mut edit);
            self.edited(edit);
        }
    }

    /// A body that differs needs another `Idempotency-Key`, so this is another edit. Later edits of the task follow it.
    fn recreate(&mut self, id: EditId, temporary: TaskId, what: What, stamp: Stamp) {
        let What::Create(body) = what else {
            return;
        };
        self.outbox.remove(id);
        let new = self.create(body, stamp);
        // Their ids stay, though smaller than that of the creation: so does their order, also with those that another page makes.
        self.outbox.alias(temporary, new);
        self.refresh(temporary);
        self.refresh(new);
    }

    /// Creates a task again that was deleted elsewhere, with the refused edits applied. Returns its temporary id.
    pub fn create_again(&mut self, id: EditId, stamp: Stamp) -> Option<TaskId> {
        let edit = self.outbox.find(id)?;
        let task = edit.task;
        let mut values = edit.base.clone();
        let of_it: Vec<EditId> = self.outbox.of(task).map(|edit| edit.id).collect();
        for edit in self.outbox.of(task) {
            if let Some(patch) = edit.patch() {
                values.extend(patch.sent.clone());
            }
        }
        for id in of_it {
            self.outbox.remove(id);
        }
        let new = self.create(fields::creation(&values, stamp.now), stamp);
        self.refresh(task);
        Some(new)
    }

    /// Gives up an edit that was refused or is in conflict. Edits of a task that will not be created go with it.
    pub fn give_up(&mut self, id: EditId) {
        let Some(edit) = self.outbox.find(id).cloned() else {
            return;
        };
        if edit.is_pending() {
            return;
        }
        if matches!(edit.what, What::Create(_)) {
            let of_it: Vec<EditId> = self.outbox.of(edit.task).map(|edit| edit.id).collect();
            for id in of_it {
                self.outbox.remove(id);
            }
        } else {
            self.outbox.remove(id);
        }
        self.refresh(edit.task);
    }
}
