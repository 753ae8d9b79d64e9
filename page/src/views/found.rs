//! The search: what the page has is shown while the person types, then what the server finds in all tasks.

use std::sync::Arc;
use std::time::Duration;

use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use nudge_contract::task::Task;
use nudge_domain::id::TaskId;
use nudge_domain::task::Status;
use nudge_page_model::{Query, Snapshot};

use super::empty::Empty;
use super::lists;
use super::notices::Notices;
use super::rows::Rows;
use crate::parts::dynamic::{Piece, does, dynamic, effect, memo};
use crate::parts::icon::Icon;
use crate::parts::list::List;
use crate::parts::ui::Ui;
use crate::route::{self, Route};
use crate::store::use_store;

/// How long the words rest before the server is asked.
const RESTS: Duration = Duration::from_millis(200);

/// An answer of the server, and its question.
#[derive(Clone, Default, PartialEq)]
struct Found {
    text: String,
    ids: Vec<TaskId>,
    next: Option<String>,
}

/// The view of the search.
#[component]
pub(crate) fn Search() -> AnyView {
    let store = use_store();
    let (ui, route) = (Ui::get(), route::current());
    let text = memo(move |_| route.with(|route| route.query.clone().unwrap_or_default()));
    let (found, failure, busy) = (
        RwSignal::new(Found::default()),
        RwSignal::new(None::<String>),
        RwSignal::new(false),
    );
    let ask = move |asked: String, cursor: Option<String>| {
        busy.set(true);
        spawn_local(async move {
            let answer = store.search(&asked, cursor.as_deref()).await;
            if text.try_get_untracked().is_none_or(|now| now != asked) {
                return;
            }
            busy.set(false);
            match answer {
                Ok(page) => found.update(|found| {
                    let ids = page.items.iter().map(|task| task.id);
                    if cursor.is_none() {
                        found.ids.clear();
                    }
                    found.ids.extend(ids);
                    found.next = page.next_cursor;
                    found.text = asked;
                }),
                Err(error) => failure.set(Some(error.beside("query").unwrap_or_else(|| error.sentence()))),
            }
        });
    };
    effect(move |_| {
        let asked = text.get();
        failure.set(None);
        if asked.trim().is_empty() {
            busy.set(false);
            return;
        }
        set_timeout(
            move || {
                if text.try_get_untracked().is_some_and(|now| now == asked) {
                    ask(asked, None);
                }
            },
            RESTS,
        );
    });
    let list = ui.settled(move || {
        let answer = found.get();
        let is_new = text.with(|text| *text == answer.text);
        store.tasks().with(|tasks| {
            route.with(|route| results(tasks, lists::query(route), if is_new { &answer.ids } else { &[] }))
        })
    });
    let input = NodeRef::<html::Input>::new();
    effect(move |_| {
        if let Some(input) = input.get() {
            let _ = input.focus();
        }
    });
    let write = move |event: web_sys::Event| {
        let query = Some(event_target_value(&event)).filter(|text| !text.is_empty());
        route::replace(
            route,
            Route {
                query,
                task: None,
                ..route.get_untracked()
            },
        );
    };
    let is_empty = memo(move |_| list.with(List::is_empty));
    let nothing_asked = move || text.with(|text| text.trim().is_empty());
    let body = move || {
        if nothing_asked() {
            view! { <p class="empty">"Words, or beginnings of words, in titles and notes. Completed tasks are found, too."</p> }.piece()
        } else if is_empty.get() {
            (!busy.get() && found.with(|found| text.with(|text| found.text == *text)))
                .then(|| view! { <Empty/> })
                .piece()
        } else {
            view! { <Rows list by_day=false label=Signal::stored("Search results".to_owned())/> }.piece()
        }
    };
    let more = move || {
        let (asked, next) = found.with(|found| (found.text.clone(), found.next.clone()));
        let next = next.filter(|_| asked == text.get())?;
        Some(
            view! { <div class="more"><button type="button" class="btn" on:click=does(move |_: web_sys::MouseEvent| ask(asked.clone(), Some(next.clone())))>"More results"</button></div> },
        )
    };
    view! {
        <div class="column">
            <Notices/>
            <header class="view-head"><h1>"Search"</h1></header>
            <div class="search-box" role="search">
                <Icon name="search"/>
                <input
                    type="search"
                    node_ref=input
                    dir="auto"
                    autocomplete="off"
                    aria-label="Search tasks"
                    aria-describedby="search-failure"
                    placeholder="Search tasks"
                    prop:value=text
                    on:input=does(write)
                />
            </div>
            <p class="refusal" id="search-failure" role="alert" hidden=move || failure.with(Option::is_none)>{dynamic(move || failure.get())}</p>
            {dynamic(body)}
            {dynamic(more)}
        </div>
    }
    .piece()
}

/// The server's order comes first; what only the page knows, such as a task that was not sent yet, follows.
fn results(tasks: &Snapshot, query: Query, found: &[TaskId]) -> List {
    if query.text.trim().is_empty() {
        return List::default();
    }
    let mut all: Vec<Arc<Task>> = found.iter().filter_map(|id| tasks.get(*id).cloned()).collect();
    for status in [Status::Pending, Status::Completed] {
        let here = tasks.query(&Query {
            status,
            ..query.clone()
        });
        all.extend(here.into_iter().filter(|task| !found.contains(&task.id)));
    }
    let (pending, completed): (Vec<Arc<Task>>, Vec<Arc<Task>>) =
        all.into_iter().partition(|task| task.status == Status::Pending);
    lists::open_and_completed(&pending, &completed)
}
