//! The lists on the side, and on a phone the bar at the bottom.

use leptos::prelude::*;
use nudge_page_model::Counts;

use crate::api::{Label, LabelKind};
use crate::parts::clock::Clock;
use crate::parts::dynamic::{Piece, does, dynamic, follows, memo, shown};
use crate::parts::icon::{Icon, Mark};
use crate::parts::ui::{Editing, Ui};
use crate::route::{self, Route, View};
use crate::sign_in::Whoami;
use crate::store::{Connection, use_store};

/// The side.
#[component]
pub(crate) fn Side() -> AnyView {
    let store = use_store();
    let (ui, clock, route) = (Ui::get(), Clock::get(), route::current());
    let counts = memo(move |_| {
        store
            .tasks()
            .with(|tasks| clock.days.with(|days| tasks.counts(days)))
    });
    let number = move |read: fn(&Counts) -> usize| Signal::derive(move || counts.with(read));
    let categories = move || {
        let one = |label: &Label| {
            let id = label.id;
            let count = number_of(counts, move |counts| counts.category.get(&id.into()).copied());
            view! { <Item view=View::Category(id.to_string()) label=label.name.clone() count color=label.color.clone()/> }
        };
        store
            .categories()
            .with(|labels| labels.iter().map(one).collect::<Vec<_>>())
    };
    let tags = move || {
        let one = |label: &Label| {
            let id = label.id;
            let count = number_of(counts, move |counts| counts.tag.get(&id.into()).copied());
            view! { <Item view=View::Tag(id.to_string()) label=label.name.clone() count color=label.color.clone() round=true/> }
        };
        store
            .tags()
            .with(|labels| labels.iter().map(one).collect::<Vec<_>>())
    };
    let head = move |title: &'static str, action: &'static str, kind: LabelKind| {
        let create = move |_| ui.editing.set(Some(Editing { kind, label: None }));
        view! {
            <div class="side-head">
                <h2>{title}</h2>
                <button type="button" class="icon-btn" aria-label=action title=action on:click=does(create)><Icon name="plus" small=true/></button>
            </div>
        }
    };
    let search = move |_| route::go(route, Route::of(View::Search));
    let today = Route::of(View::Today);
    let to_settings = Route::of(View::Settings);
    view! {
        <nav class="side" id="side" aria-label="Lists" data-open=move || ui.side_open.get().then_some("")>
            <a class="brand" href="/" on:click=does(move |event: web_sys::MouseEvent| route::on_click(route, &event, today.clone()))><Mark/>"Nudge"</a>
            <button type="button" class="side-search" on:click=does(search)><Icon name="search"/>"Search"<kbd aria-hidden="true">"/"</kbd></button>
            <div class="side-scroll">
                <Item view=View::Today label="Today".to_owned() icon="today" count=number(|counts| counts.today) late=number(|counts| counts.overdue)/>
                <Item view=View::Upcoming label="Upcoming".to_owned() icon="upcoming" count=number(|counts| counts.upcoming)/>
                <Item view=View::All label="All tasks".to_owned() icon="all" count=number(|counts| counts.all)/>
                <Item view=View::Completed label="Completed".to_owned() icon="done"/>
                {head("Categories", "New category", LabelKind::Category)}
                {dynamic(categories)}
                {head("Tags", "New tag", LabelKind::Tag)}
                {dynamic(tags)}
            </div>
            <Whoami waiting=store.waiting()/>
            <div class="side-foot">
                <Live/>
                <button type="button" class="icon-btn" aria-label="Keyboard shortcuts" title="Keyboard shortcuts (?)" on:click=does(move |_: web_sys::MouseEvent| ui.help_open.set(true))>
                    <Icon name="help"/>
                </button>
                <a
                    class="icon-btn"
                    href=to_settings.address()
                    aria-label="Settings"
                    title="Settings"
                    aria-current=move || matches!(route.get().view, View::Settings | View::Agents).then_some("page")
                    on:click=does(move |event: web_sys::MouseEvent| route::on_click(route, &event, to_settings.clone()))
                >
                    <Icon name="gear"/>
                </a>
            </div>
        </nav>
        {shown(
            move || ui.side_open.get(),
            move || view! { <div class="scrim" on:click=does(move |_: web_sys::MouseEvent| ui.side_open.set(false))></div> },
        )}
    }
    .piece()
}

fn number_of(
    counts: Memo<Counts>,
    read: impl Fn(&Counts) -> Option<usize> + Send + Sync + 'static,
) -> Signal<usize> {
    Signal::derive(move || counts.with(|counts| read(counts)).unwrap_or_default())
}

#[component]
fn Item(
    view: View,
    label: String,
    #[prop(optional)] icon: &'static str,
    #[prop(optional)] color: String,
    #[prop(optional)] round: bool,
    #[prop(into, default = Signal::stored(0))] count: Signal<usize>,
    #[prop(into, default = Signal::stored(0))] late: Signal<usize>,
) -> AnyView {
    let route = route::current();
    let target = Route::of(view.clone());
    let mark = if icon.is_empty() {
        view! { <span class="dot" class:round=round style:--c=color></span> }.piece()
    } else {
        view! { <Icon name=icon/> }.piece()
    };
    let number = move || {
        let (count, late) = (count.get(), late.get());
        (count > 0).then(|| {
            let says = if late > 0 { format!(", {late} overdue") } else { String::new() };
            view! { <span class="count" class:late=late.gt(&0)>{count}<span class="visually-hidden">{says}</span></span> }
        })
    };
    view! {
        <a
            class="side-item"
            href=target.address()
            aria-current=move || (route.get().view == view).then_some("page")
            on:click=does(move |event: web_sys::MouseEvent| route::on_click(route, &event, target.clone()))
        >
            {mark}
            <bdi class="clip">{label}</bdi>
            {dynamic(number)}
        </a>
    }
    .piece()
}

/// Whether changes arrive, and what is not sent yet.
#[component]
fn Live() -> AnyView {
    let store = use_store();
    let state = move || match store.connection().get() {
        Connection::Live => "live",
        Connection::Loading | Connection::Reconnecting => "connecting",
        Connection::Offline | Connection::SignedOut => "offline",
    };
    let text = move || match (store.connection().get(), store.waiting().get()) {
        (Connection::Offline, 0) => "Offline".to_owned(),
        (Connection::Offline, count) => format!("Offline · {count} to send"),
        (Connection::SignedOut, _) => "Signed out".to_owned(),
        (_, 1..) => "Saving…".to_owned(),
        (Connection::Loading | Connection::Reconnecting, 0) => "Connecting…".to_owned(),
        (Connection::Live, 0) => "Up to date".to_owned(),
    };
    view! { <span class="live" role="status" data-state=follows(state)><span class="clip">{dynamic(text)}</span></span> }.piece()
}

/// The bar at the bottom of a phone.
#[component]
pub(crate) fn Tabs() -> AnyView {
    let (ui, route) = (Ui::get(), route::current());
    let tab = move |view: View, icon: &'static str, label: &'static str| {
        let target = Route::of(view.clone());
        view! {
            <a
                class="tab"
                href=target.address()
                aria-current=move || (route.get().view == view).then_some("page")
                on:click=does(move |event: web_sys::MouseEvent| route::on_click(route, &event, target.clone()))
            >
                <Icon name=icon/>{label}
            </a>
        }
    };
    let add = move |_| {
        if matches!(
            route.get_untracked().view,
            View::Settings | View::Agents | View::Search | View::Completed
        ) {
            route::go(route, Route::of(View::Today));
        }
        ui.focus_add();
    };
    view! {
        <nav class="tabs" aria-label="Views">
            {tab(View::Today, "today", "Today")}
            {tab(View::Upcoming, "upcoming", "Upcoming")}
            <button type="button" class="tab-add" aria-label="Add a task" on:click=does(add)><Icon name="plus"/></button>
            {tab(View::Search, "search", "Search")}
            <button type="button" class="tab" aria-controls="side" aria-expanded=move || ui.side_open.get().to_string() on:click=does(move |_: web_sys::MouseEvent| ui.side_open.set(true))>
                <Icon name="menu"/>"Lists"
            </button>
        </nav>
    }
    .piece()
}
