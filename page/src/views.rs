//! Lists of tasks.

use leptos::prelude::*;
use nudge_contract::task::Task;

use crate::route::{self, Route};
use crate::store::Store;
use crate::words;

/// The tasks of the current view.
#[component]
pub(crate) fn Tasks() -> impl IntoView {
    let store: Store = expect_context();
    let tasks = move || store.tasks.get().unwrap_or_default();
    view! {
        {move || store.failure.get().map(|failure| view! { <p class="error" role="alert">{failure.0}</p> })}
        <ul class="tasks">
            <For each=tasks key=|task| (task.id, task.version) let:task>
                <Row task=task/>
            </For>
        </ul>
    }
}

#[component]
fn Row(task: Task) -> impl IntoView {
    let route = route::current();
    let id = task.id.to_string();
    let due = task.due.as_ref().map(|due| {
        let text = words::moment(due, &task.time_zone);
        view! { <time datetime=due.to_string()>{text}</time> }
    });
    let open = move || Route {
        task: Some(id.clone()),
        ..route.get_untracked()
    };
    let address = open().address();
    view! {
        <li>
            <a href=address dir="auto" on:click=move |event| route::on_click(route, &event, open())>{task.title}</a>
            {due}
        </li>
    }
}
