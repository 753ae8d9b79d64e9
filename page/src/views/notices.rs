//! What needs attention: no connection, edits that were refused or that conflict.

use leptos::prelude::*;
use nudge_page_model::{Conflict, Refusal, RefusalKind};

use crate::parts::dynamic::{Piece, does, dynamic, each, shown};
use crate::parts::icon::Icon;
use crate::parts::ui::Ui;
use crate::route::{self, Route};
use crate::store::{Connection, use_store};

/// The notices above a list.
#[component]
pub(crate) fn Notices() -> AnyView {
    let store = use_store();
    let offline = move || store.connection().get() == Connection::Offline;
    let waiting = move || match store.waiting().get() {
        0 => "You are offline. What you change is kept on this device and sent when you are back.".to_owned(),
        1 => "You are offline. One change is kept on this device and sent when you are back.".to_owned(),
        count => {
            format!("You are offline. {count} changes are kept on this device and sent when you are back.")
        }
    };
    view! {
        <div role="status">
            {shown(offline, move || view! { <div class="banner"><Icon name="cloud"/><span>{dynamic(waiting)}</span></div> })}
        </div>
        {each(move || store.conflicts().get().to_vec(), |conflict| conflict.edit.as_u128(), |conflict| view! { <OfConflict conflict/> }.piece())}
        {each(move || store.refusals().get().to_vec(), |refusal| refusal.edit.as_u128(), |refusal| view! { <OfRefusal refusal/> }.piece())}
    }
    .piece()
}

#[component]
fn OfConflict(conflict: Conflict) -> AnyView {
    let route = route::current();
    let task = conflict.task;
    let open = move |_| {
        route::go(
            route,
            Route {
                task: Some(task.to_string()),
                ..route.get_untracked()
            },
        )
    };
    view! {
        <div class="banner" role="alert">
            <Icon name="warn"/>
            <span>"“"<bdi>{conflict.title}</bdi>"” was changed elsewhere as well. Choose what to keep."</span>
            <button type="button" class="link-btn" on:click=does(open)>"Choose"</button>
        </div>
    }
    .piece()
}

#[component]
fn OfRefusal(refusal: Refusal) -> AnyView {
    let store = use_store();
    let (ui, route) = (Ui::get(), route::current());
    let Refusal { edit, task, kind, .. } = refusal;
    // What was refused as a whole goes back into the line that it came from.
    let is_new =
        store.tasks().with_untracked(|tasks| tasks.get(task).is_none()) && kind == RefusalKind::Invalid;
    let title = refusal.title.clone();
    let action = match kind {
        _ if is_new => {
            let edit_again = move |_| {
                ui.text.set(Some(title.clone()));
                ui.focus_add();
                store.discard(edit);
            };
            view! { <button type="button" class="link-btn" on:click=does(edit_again)>"Edit"</button> }.piece()
        }
        RefusalKind::Invalid => {
            let open = move |_| route::go(route, Route { task: Some(task.to_string()), ..route.get_untracked() });
            view! { <button type="button" class="link-btn" on:click=does(open)>"Correct"</button> }.piece()
        }
        RefusalKind::Gone => {
            let again = move |_| {
                store.create_again(edit);
            };
            view! { <button type="button" class="link-btn" on:click=does(again)>"Create again"</button> }.piece()
        }
        RefusalKind::Failed => view! { <button type="button" class="link-btn" on:click=does(move |_: web_sys::MouseEvent| store.retry(edit))>"Try again"</button> }.piece(),
    };
    let why = match kind {
        RefusalKind::Gone => "It was deleted elsewhere.".to_owned(),
        _ => refusal.problem.sentence(),
    };
    view! {
        <div class="banner error" role="alert">
            <Icon name="warn"/>
            <span>"“"<bdi>{refusal.title}</bdi>"” is not saved. "{why}</span>
            {action}
            <button type="button" class="link-btn" on:click=does(move |_: web_sys::MouseEvent| store.discard(edit))>"Discard"</button>
        </div>
    }
    .piece()
}
