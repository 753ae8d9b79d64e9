//! Saving a field of the profile.

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::{Map, Value};

use crate::api::{ApiError, Me};
use crate::parts::dynamic::{Piece, dynamic};
use crate::store::{Store, use_store};

/// What one part of the settings saves. A copy is the same.
#[derive(Clone, Copy)]
pub(super) struct Form {
    pub(super) store: Store,
    pub(super) error: RwSignal<Option<ApiError>>,
    pub(super) busy: RwSignal<bool>,
    saved: RwSignal<bool>,
}

impl Form {
    pub(super) fn new() -> Self {
        Self {
            store: use_store(),
            error: RwSignal::new(None),
            busy: RwSignal::new(false),
            saved: RwSignal::new(false),
        }
    }

    /// Something of the profile; the default until it has arrived.
    pub(super) fn me<T: Default>(self, read: fn(&Me) -> T) -> T {
        self.store
            .me()
            .with(|me| me.as_deref().map(read))
            .unwrap_or_default()
    }

    /// Saves a field of the profile.
    pub(super) fn save(self, field: &str, value: Value) {
        let mut patch = Map::new();
        patch.insert(field.to_owned(), value);
        self.busy.set(true);
        self.saved.set(false);
        spawn_local(async move {
            let mut saved = self.store.patch_me(patch.clone()).await;
            // Changed elsewhere meanwhile: another field, or this one, which the person has just decided.
            if matches!(&saved, Err(ApiError::Refused(problem)) if problem.status == 412) {
                saved = self.store.patch_me(patch).await;
            }
            self.done(saved.err());
        });
    }

    /// The end of a request.
    pub(super) fn done(self, error: Option<ApiError>) {
        self.busy.try_set(false);
        self.saved.try_set(error.is_none());
        self.error.try_set(error);
    }

    pub(super) fn is_wrong(self, field: &'static str) -> bool {
        self.error
            .with(|error| error.as_ref().is_some_and(|error| error.beside(field).is_some()))
    }

    /// What is wrong with a field, for below it.
    pub(super) fn wrong(self, field: &'static str) -> AnyView {
        let id = ["set", field, "wrong"].join("-");
        let why = move || {
            self.error
                .with(|error| error.as_ref().and_then(|error| error.beside(field)))
        };
        view! { {dynamic(move || why().map(|why| view! { <p class="refusal" id=id.clone() role="alert">{why}</p> }))} }
            .piece()
    }

    /// Whether it is saved, and what is wrong that stands beside no field.
    pub(super) fn state(self, fields: &'static [&'static str]) -> AnyView {
        let rest = move || {
            self.error
                .with(|error| error.as_ref().map(|error| error.other_than(fields).join(" ")))
                .filter(|rest| !rest.is_empty())
        };
        let saved = move || match (self.busy.get(), self.saved.get()) {
            (true, _) => "Saving…",
            (false, true) => "Saved",
            _ => "",
        };
        view! {
            {dynamic(move || rest().map(|rest| view! { <p class="refusal" role="alert">{rest}</p> }))}
            <p class="hint set-state" role="status">{dynamic(saved)}</p>
        }
        .piece()
    }
}
