//! What is known about the tasks.

use leptos::prelude::*;
use leptos::task::spawn_local;
use nudge_contract::task::Task;

use crate::api::{self, Failure};
use crate::sign_in::Account;

/// The tasks of the person, as signals. A copy is the same store.
#[derive(Clone, Copy)]
pub(crate) struct Store {
    session: Account,
    /// None until they have arrived.
    pub(crate) tasks: RwSignal<Option<Vec<Task>>>,
    pub(crate) failure: RwSignal<Option<Failure>>,
}

impl Store {
    pub(crate) fn new(session: Account) -> Self {
        Self {
            session,
            tasks: RwSignal::new(None),
            failure: RwSignal::new(None),
        }
    }

    /// Asks for the tasks.
    pub(crate) fn load(self) {
        let session = self.session;
        spawn_local(async move {
            match api::pending(session).await {
                Ok(tasks) => self.tasks.set(Some(tasks)),
                Err(failure) => self.failure.set(Some(failure)),
            }
        });
    }

    /// Creates a task with this title.
    pub(crate) fn add(self, title: String) {
        let session = self.session;
        spawn_local(async move {
            match api::create(session, &api::NewTask { title: &title }).await {
                Ok(task) => self
                    .tasks
                    .update(|tasks| tasks.get_or_insert_default().push(task)),
                Err(failure) => self.failure.set(Some(failure)),
            }
        });
    }
}
