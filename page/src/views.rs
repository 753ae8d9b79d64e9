//! Lists of tasks.

use std::sync::Arc;

use leptos::prelude::*;
use nudge_contract::task::Task;
use nudge_page_model::Query;

use crate::route::{self, Route};
use crate::store::use_store;
use crate::words;

/// The tasks of the current view.
#[component]
pub(crate) fn Tasks() -> impl IntoView {
    let store = use_store();
    let tasks = move || store.tasks().read().query(&Query::default());
    view! {
        <ul class="tasks">
            <For each=tasks key=|task| (task.id, task.version) let:task>
                <Row task=task/>
            </For>
        </ul>
    }
}

#[component]
fn Row(task: Arc<Task>) -> impl IntoView {
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
            <a href=address dir="auto" on:click=move |event| route::on_click(route, &event, open())>{task.title.clone()}</a>
            {due}
        </li>
    }
}
