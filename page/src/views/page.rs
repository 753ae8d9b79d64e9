//! A view: its heading, the line for new tasks, and its list.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::empty::Empty;
use super::lists;
use super::notices::Notices;
use super::rows::Rows;
use super::tools::{Chosen, Tools};
use crate::api::LabelKind;
use crate::live;
use crate::parts::clock::{self, Clock, Form};
use crate::parts::dynamic::{Piece, does, dynamic, effect, follows, memo};
use crate::parts::icon::Icon;
use crate::parts::list::List;
use crate::parts::ui::{Editing, Ui};
use crate::quick_add::QuickAdd;
use crate::route::{self, Route, View};
use crate::store::{Loading, use_store};

/// How near to its end a list loads more, in pixels.
const NEAR: i32 = 1_200;

/// Milliseconds after which a list that could not be read is read again.
const AGAIN: u32 = 5_000;

/// The view of a route that lists tasks.
#[component]
pub(crate) fn Tasks(view: View) -> AnyView {
    let store = use_store();
    let (clock, ui, route) = (Clock::get(), Ui::get(), route::current());
    // The open task changes nothing in the list.
    let place = memo(move |_| Route {
        task: None,
        ..route.get()
    });
    let list = ui.settled(move || {
        let (zone, today) = (clock.zone.get(), clock.today.get());
        clock.days.with(|days| {
            store
                .tasks()
                .with(|tasks| place.with(|route| lists::list(route, tasks, days, today, &zone)))
        })
    });
    let is_empty = memo(move |_| list.with(List::is_empty));
    let completed = view == View::Completed;
    let more = completed.then(|| more_completed(ui));
    let loading = memo(move |_| match more {
        Some(more) => more.get(),
        None => store.loading().get() != Loading::All,
    });
    let by_day = matches!(view, View::Today | View::Upcoming);
    let title = title(&view);
    let body = move || match (is_empty.get(), loading.get()) {
        (true, true) => view! { <Skeleton/> }.piece(),
        (true, false) => view! { <Empty/> }.piece(),
        (false, _) => view! { <Rows list by_day label=title/> }.piece(),
    };
    let end = move || {
        (completed && loading.get() && !is_empty.get())
            .then(|| view! { <div class="more"><span class="spin"></span></div> })
    };
    view! {
        <div class="column">
            <Notices/>
            <header class="view-head">
                <Heading view=view.clone() title/>
                <Tools/>
            </header>
            <Chosen/>
            {(!completed).then(|| view! { <QuickAdd/> })}
            {dynamic(body)}
            {dynamic(end)}
        </div>
    }
    .piece()
}

/// The name of a view.
pub(crate) fn title(view: &View) -> Signal<String> {
    let store = use_store();
    match view {
        View::Category(id) => {
            let id = id.parse().ok();
            let of = move |name: &uuid::Uuid| Some(*name) == id;
            Signal::derive(move || {
                store
                    .categories()
                    .with(|all| {
                        all.iter()
                            .find(|label| of(&label.id))
                            .map(|label| label.name.clone())
                    })
                    .unwrap_or_else(|| "Category".to_owned())
            })
        }
        View::Tag(id) => {
            let id = id.parse().ok();
            let of = move |name: &uuid::Uuid| Some(*name) == id;
            Signal::derive(move || {
                store
                    .tags()
                    .with(|all| {
                        all.iter()
                            .find(|label| of(&label.id))
                            .map(|label| label.name.clone())
                    })
                    .unwrap_or_else(|| "Tag".to_owned())
            })
        }
        View::Today => Signal::stored("Today".to_owned()),
        View::Upcoming => Signal::stored("Upcoming".to_owned()),
        View::All => Signal::stored("All tasks".to_owned()),
        View::Completed => Signal::stored("Completed".to_owned()),
        View::Search => Signal::stored("Search".to_owned()),
        View::Settings => Signal::stored("Settings".to_owned()),
        View::Agents => Signal::stored("Agents".to_owned()),
        View::Unknown => Signal::stored("Not found".to_owned()),
    }
}

#[component]
fn Heading(view: View, title: Signal<String>) -> AnyView {
    let clock = Clock::get();
    let label = match &view {
        View::Category(id) => Some((LabelKind::Category, id.parse().ok())),
        View::Tag(id) => Some((LabelKind::Tag, id.parse().ok())),
        _ => None,
    };
    let (dot, edit) = label.map(|(kind, id)| of_label(kind, id)).unzip();
    let date = (view == View::Today).then(|| {
        let date = move || clock::write(Form::Long, clock.now.get(), &clock.zone.get());
        view! { <span class="note">{dynamic(date)}</span> }
    });
    view! { <h1>{dot}<bdi class="clip">{title}</bdi></h1> {date} {edit} }.piece()
}

/// The colour of a category or a tag, and the button that opens its form.
fn of_label(kind: LabelKind, id: Option<uuid::Uuid>) -> (impl IntoView, impl IntoView) {
    let (store, ui) = (use_store(), Ui::get());
    let labels = if kind == LabelKind::Category {
        store.categories()
    } else {
        store.tags()
    };
    let label = memo(move |_| labels.with(|all| all.iter().find(|label| Some(label.id) == id).cloned()));
    let color = move || {
        label.with(|label| {
            label
                .as_ref()
                .map(|label| label.color.clone())
                .unwrap_or_default()
        })
    };
    let edit = move || {
        label.get().map(|label| {
            let open = move |_| ui.editing.set(Some(Editing { kind, label: Some(label.clone()) }));
            view! { <button type="button" class="icon-btn" aria-label="Rename, colour or delete" title="Edit" on:click=does(open)><Icon name="edit"/></button> }
        })
    };
    (
        view! { <span class="dot" class:round=kind == LabelKind::Tag style:--c=follows(color)></span> },
        edit,
    )
}

/// Loads completed tasks page by page. True while there may be more.
fn more_completed(ui: Ui) -> Signal<bool> {
    let store = use_store();
    let more = RwSignal::new(true);
    let (busy, failed) = (StoredValue::new(false), StoredValue::new(false));
    let load = move || {
        if busy.get_value() || !more.get_untracked() {
            return;
        }
        busy.set_value(true);
        spawn_local(async move {
            let found = store.load_completed().await;
            if let Err(error) = &found {
                if failed.try_get_value() == Some(false) {
                    store.fail(error);
                }
                live::pause(AGAIN).await;
            }
            // The view may be gone by now.
            busy.try_set_value(false);
            failed.try_set_value(found.is_err());
            more.try_set(found.unwrap_or(true));
        });
    };
    effect(move |_| {
        ui.scrolled.track();
        more.track();
        let main = document().query_selector(".main").ok().flatten();
        let left = main.map_or(0, |main| {
            main.scroll_height() - main.scroll_top() - main.client_height()
        });
        if left < NEAR {
            load();
        }
    });
    more.into()
}

#[component]
fn Skeleton() -> AnyView {
    view! {
        <div class="rows" aria-hidden="true">{(0..7).map(|_| view! { <div class="skel"></div> }).collect::<Vec<_>>()}</div>
        <p class="visually-hidden" role="status">"Loading"</p>
    }
    .piece()
}
