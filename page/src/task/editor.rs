//! The task that is open.

use std::sync::Arc;

use leptos::prelude::*;
use nudge_contract::task::Task;
use nudge_domain::id::TaskId;
use nudge_page_model::{EditId, Patch, Refusal, RefusalKind};

use crate::parts::clock::Clock;
use crate::store::{Store, use_store};

/// The open task. A copy is the same.
#[derive(Clone, Copy)]
pub(super) struct Editor {
    pub(super) id: TaskId,
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) task: Memo<Option<Arc<Task>>>,
}

impl Editor {
    pub(super) fn new(id: TaskId) -> Self {
        let store = use_store();
        Self {
            id,
            store,
            clock: Clock::get(),
            task: store.task(id),
        }
    }

    /// Something of the task; the default while it is not known.
    pub(super) fn get<T: Default>(self, read: fn(&Task) -> T) -> T {
        self.task
            .with(|task| task.as_deref().map(read))
            .unwrap_or_default()
    }

    /// The same, without following it.
    pub(super) fn now<T: Default>(self, read: fn(&Task) -> T) -> T {
        self.task
            .with_untracked(|task| task.as_deref().map(read))
            .unwrap_or_default()
    }

    /// Saves fields. If the API has refused an edit of one of them, this corrects that edit.
    pub(super) fn save(self, patch: Patch) {
        if patch.is_empty() {
            return;
        }
        let refused = self.refusals().into_iter().find(|refusal| {
            refusal.kind == RefusalKind::Invalid
                && patch.sent().keys().any(|field| refusal.input.contains_key(field))
        });
        match refused {
            Some(refusal) => self.store.correct(refusal.edit, patch),
            None => {
                self.store.patch(self.id, patch);
            }
        }
    }

    /// The refused edits of this task.
    pub(super) fn refusals(self) -> Vec<Refusal> {
        let id = self.store.real_id(self.id);
        let of_task = |refusal: &&Refusal| refusal.task == self.id || self.store.real_id(refusal.task) == id;
        self.store
            .refusals()
            .with(|all| all.iter().filter(of_task).cloned().collect())
    }

    /// The edit of a field that was refused because of it, why, and what was sent.
    pub(super) fn refused(self, field: &str) -> Option<Refused> {
        self.refusals().into_iter().find_map(|refusal| {
            let why = refusal.beside(field)?;
            let why = nudge_page_model::problem::sentence(why);
            let input = match refusal.input.get(field) {
                Some(serde_json::Value::String(text)) => Some(text.clone()),
                Some(serde_json::Value::Number(number)) => Some(number.to_string()),
                _ => None,
            };
            Some(Refused {
                edit: refusal.edit,
                why,
                input,
            })
        })
    }

    /// Whether an edit of the task is not on the server yet.
    pub(super) fn waiting(self) -> bool {
        self.store
            .tasks()
            .with(|tasks| tasks.waiting(self.id) || tasks.waiting(self.store.real_id(self.id)))
    }

    /// Whether the server does not know the task yet.
    pub(super) fn is_temporary(self) -> bool {
        self.store
            .tasks()
            .with(|tasks| tasks.is_temporary(self.store.real_id(self.id)))
    }
}

/// A refused edit, as a field shows it.
#[derive(Clone, PartialEq)]
pub(super) struct Refused {
    pub(super) edit: EditId,
    pub(super) why: String,
    pub(super) input: Option<String>,
}
