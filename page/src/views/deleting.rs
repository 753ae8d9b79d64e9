//! The question before a recurring task is deleted.

use leptos::prelude::*;
use nudge_page_model::Scope;

use crate::parts::actions::Actions;
use crate::parts::cursor::Cursor;
use crate::parts::dialog::Dialog;
use crate::parts::dynamic::{Piece, does, effect};
use crate::route::{self, Route};
use crate::store::use_store;

/// Asks whether the occurrence or its series is to be deleted.
#[component]
pub(crate) fn Deleting() -> AnyView {
    let store = use_store();
    let (actions, cursor, route) = (Actions::get(), Cursor::get(), route::current());
    let open = RwSignal::new(false);
    effect(move |_| open.set(actions.deleting.get().is_some()));
    effect(move |was_open: Option<bool>| {
        let is_open = open.get();
        if was_open == Some(true) && !is_open {
            actions.deleting.set(None);
            cursor.focus();
        }
        is_open
    });
    let title = Signal::derive(move || {
        let title = actions.deleting.get().and_then(|id| {
            store
                .tasks()
                .with(|tasks| tasks.get(id).map(|task| task.title.clone()))
        });
        format!("Delete “{}”?", title.unwrap_or_default())
    });
    let series = RwSignal::new(false);
    let delete = move |_| {
        if let Some(id) = actions.deleting.get_untracked() {
            actions.delete_scope(
                id,
                if series.get_untracked() {
                    Scope::Series
                } else {
                    Scope::Occurrence
                },
            );
            let text = id.to_string();
            if route.with_untracked(|route| route.task.as_deref() == Some(text.as_str())) {
                route::go(
                    route,
                    Route {
                        task: None,
                        ..route.get_untracked()
                    },
                );
            }
        }
        open.set(false);
    };
    let option = move |of_series: bool, name: &'static str, about: &'static str| {
        view! {
            <label class="option">
                <input type="radio" name="scope" prop:checked=move || series.get() == of_series on:change=does(move |_: web_sys::Event| series.set(of_series))/>
                <span>{name}<small>{about}</small></span>
            </label>
        }
    };
    view! {
        <Dialog open title>
            <div class="dialog-body">
                <p>"It repeats. What should be deleted?"</p>
                <div class="options" role="radiogroup" aria-label="What should be deleted">
                    {option(false, "This occurrence", "The next one is created.")}
                    {option(true, "The whole series", "No further occurrence is created.")}
                </div>
            </div>
            <div class="dialog-foot">
                <button type="button" class="btn" on:click=does(move |_: web_sys::MouseEvent| open.set(false))>"Cancel"</button>
                <button type="button" class="btn danger primary" on:click=does(delete)>"Delete"</button>
            </div>
        </Dialog>
    }
    .piece()
}
