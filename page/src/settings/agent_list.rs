//! The agents of the person, as they are loaded.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::form::Form;
use crate::api::{Agent, NewAgent};

/// The list, and what is shown of a new one.
#[derive(Clone, Copy)]
pub(super) struct Agents {
    pub(super) form: Form,
    pub(super) all: RwSignal<Option<Vec<Agent>>>,
    pub(super) made: RwSignal<Option<NewAgent>>,
}

impl Agents {
    pub(super) fn load(self) {
        spawn_local(async move {
            match self.form.store.api().agents().await {
                Ok(all) => {
                    self.all.try_set(Some(all));
                    self.form.error.try_set(None);
                }
                Err(error) => {
                    self.form.error.try_set(Some(error));
                }
            }
        });
    }
}
