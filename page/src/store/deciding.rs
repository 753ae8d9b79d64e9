//! What the person decides: conflicts, refusals, undo. And toasts.

use std::sync::Arc;
use std::time::Duration;

use leptos::prelude::*;
use nudge_domain::id::TaskId;
use nudge_page_model::{Choice, EditId, Patch, Undo};

use super::editing::stamp;
use super::{Store, Toast};
use crate::api::ApiError;

/// How long a toast stays: not as long as an edit is held, so that what is offered can be undone exactly.
const SHOWN: Duration = Duration::from_secs(8);

impl Store {
    /// Decides a conflict; a field that is not named stays theirs.
    pub(crate) fn resolve(self, edit: EditId, choices: &[(String, Choice)]) {
        self.inner().borrow_mut().model.resolve(edit, choices);
        self.publish();
    }

    /// Sends a refused edit again, with other values of these fields.
    pub(crate) fn correct(self, edit: EditId, patch: Patch) {
        self.inner().borrow_mut().model.correct(edit, patch, stamp());
        self.publish();
    }

    /// Sends a refused edit again as it is.
    pub(crate) fn retry(self, edit: EditId) {
        self.inner().borrow_mut().model.retry(edit);
        self.publish();
    }

    /// Creates a task again that was deleted elsewhere, with the refused edit applied.
    pub(crate) fn create_again(self, edit: EditId) -> Option<TaskId> {
        let created = self.inner().borrow_mut().model.create_again(edit, stamp());
        self.publish();
        created
    }

    /// Gives up an edit that was refused or is in conflict.
    pub(crate) fn discard(self, edit: EditId) {
        self.inner().borrow_mut().model.give_up(edit);
        self.publish();
    }

    /// Shows a message.
    pub(crate) fn say(self, text: impl Into<String>) {
        self.toast(text.into(), false, None);
    }

    /// Shows an error.
    pub(crate) fn fail(self, error: &ApiError) {
        self.toast(error.sentence(), true, None);
    }

    pub(super) fn toast(self, text: String, error: bool, undo: Option<Undo>) {
        let inner = self.inner();
        let mut guard = inner.borrow_mut();
        guard.toasts += 1;
        let id = guard.toasts;
        let toast = Toast {
            id,
            text,
            error,
            undo: undo.is_some(),
        };
        guard.undos.extend(undo.map(|undo| (id, undo)));
        drop(guard);
        self.toasts.update(|toasts| Arc::make_mut(toasts).push(toast));
        set_timeout(move || self.dismiss(id), SHOWN);
    }

    /// Undoes what a toast tells.
    pub(crate) fn undo(self, toast: u64) {
        let inner = self.inner();
        let mut guard = inner.borrow_mut();
        let undo = guard
            .undos
            .iter()
            .position(|(id, _)| *id == toast)
            .map(|at| guard.undos.remove(at));
        if let Some((_, undo)) = undo {
            guard.model.undo(undo, stamp());
        }
        drop(guard);
        self.dismiss(toast);
        self.publish();
    }

    /// Removes a toast.
    pub(crate) fn dismiss(self, toast: u64) {
        self.inner().borrow_mut().undos.retain(|(id, _)| *id != toast);
        if self
            .toasts
            .with_untracked(|toasts| toasts.iter().any(|shown| shown.id == toast))
        {
            self.toasts
                .update(|toasts| Arc::make_mut(toasts).retain(|shown| shown.id != toast));
        }
    }
}
