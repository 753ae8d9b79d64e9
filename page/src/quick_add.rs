//! A new task in one line.

use leptos::prelude::*;
use web_sys::SubmitEvent;

use crate::store::use_store;

/// The field for a new task.
#[component]
pub(crate) fn QuickAdd() -> impl IntoView {
    let store = use_store();
    let text = RwSignal::new(String::new());
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let title = text.get_untracked().trim().to_owned();
        if !title.is_empty() {
            store.create([("title".to_owned(), title.into())].into_iter().collect());
            text.set(String::new());
        }
    };
    view! {
        <form class="quick-add" on:submit=submit>
            <label class="visually-hidden" for="quick-add">Add a task</label>
            <input
                id="quick-add"
                autocomplete="off"
                placeholder="Add a task"
                prop:value=text
                on:input=move |event| text.set(event_target_value(&event))
            />
        </form>
    }
}
