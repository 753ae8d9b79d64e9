//! The layout, and which view is shown.

use std::rc::Rc;

use leptos::html;
use leptos::prelude::*;

use crate::parts::actions::Actions;
use crate::parts::clock::Clock;
use crate::parts::cursor::Cursor;
use crate::parts::dynamic::{Piece, does, dynamic, effect, memo};
use crate::parts::menu::{RowMenu, RowMenuView};
use crate::parts::toast::Toasts;
use crate::parts::ui::Ui;
use crate::route::{self, View};
use crate::settings::Settings;
use crate::store::provide_store;
use crate::task::Detail;
use crate::views::deleting::Deleting;
use crate::views::found::Search;
use crate::views::label_form::LabelForm;
use crate::views::page::{self, Tasks};
use crate::views::side::{Side, Tabs};
use crate::{keys, sign_in, words};

/// The whole page. What any part of it may need is provided as context.
#[component]
pub(crate) fn App() -> AnyView {
    let account = sign_in::use_account();
    let route = route::follow();
    let store = provide_store(Rc::new(account));
    provide_context(route);
    // Each time: what waits for a token goes on.
    let sign_ins = account.sign_ins();
    effect(move |_| {
        sign_ins.get();
        store.signed_in();
    });
    Clock::provide(Signal::derive(move || {
        store
            .me()
            .with(|me| me.as_ref().map(|me| me.time_zone.clone()))
            .unwrap_or_else(words::zone)
    }));
    let ui = Ui::provide();
    Cursor::provide();
    Actions::provide();
    RowMenu::provide();
    keys::follow();
    let view = memo(move |_| route.with(|route| route.view.clone()));
    let task = memo(move |_| route.with(|route| route.task.clone()));
    let main = NodeRef::<html::Main>::new();
    effect(move |before: Option<()>| {
        document().set_title(&format!("{} · Nudge", page::title(&view.get()).get()));
        ui.side_open.set(false);
        // Screen readers and the keyboard go on where the new view begins.
        if before.is_some()
            && view.get_untracked() != View::Search
            && let Some(main) = main.get_untracked()
        {
            main.set_scroll_top(0);
            let _ = main.focus();
        }
    });
    let shown = move || match view.get() {
        View::Settings | View::Agents => view! { <Settings/> }.piece(),
        View::Search => view! { <Search/> }.piece(),
        view => view! { <Tasks view/> }.piece(),
    };
    view! {
        <a class="skip" href="#main" on:click=does(move |event: web_sys::MouseEvent| { event.prevent_default(); main.get_untracked().map(|main| main.focus()); })>"Skip to the tasks"</a>
        <div class="app">
            <Side/>
            <main class="main" id="main" tabindex="-1" node_ref=main on:scroll=does(move |_: web_sys::Event| ui.scrolled.notify())>{dynamic(shown)}</main>
            {dynamic(move || task.get().map(|id| view! { <Detail id=id/> }))}
            <Tabs/>
        </div>
        <RowMenuView/>
        <Deleting/>
        <LabelForm/>
        <keys::Help/>
        <Toasts/>
    }
    .piece()
}
