//! One task.

use leptos::prelude::*;

use crate::store::Store;

/// The task with this id, beside the list.
#[component]
pub(crate) fn Detail(id: String) -> impl IntoView {
    let store: Store = expect_context();
    let title = move || {
        let tasks = store.tasks.get().unwrap_or_default();
        tasks
            .into_iter()
            .find(|task| task.id.to_string() == id)
            .map(|task| task.title)
    };
    view! {
        <aside aria-label="Task">
            <h2 dir="auto">{title}</h2>
        </aside>
    }
}
