//! One task.

use leptos::prelude::*;

use crate::store::use_store;

/// The task with this id, beside the list.
#[component]
pub(crate) fn Detail(id: String) -> impl IntoView {
    let store = use_store();
    let title = move || {
        let id = id.parse().ok()?;
        Some(store.tasks().read().get(id)?.title.clone())
    };
    view! {
        <aside aria-label="Task">
            <h2 dir="auto">{title}</h2>
        </aside>
    }
}
