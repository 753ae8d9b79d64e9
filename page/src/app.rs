//! The layout, and which view is shown.

use std::rc::Rc;

use leptos::prelude::*;

use crate::quick_add::QuickAdd;
use crate::route::{self, Route, View};
use crate::settings::Settings;
use crate::sign_in;
use crate::store::provide_store;
use crate::task::Detail;
use crate::views::Tasks;

/// The whole page. What any part of it may need is provided as context: the [`Route`] signal and the store.
#[component]
pub(crate) fn App() -> impl IntoView {
    let session = sign_in::session();
    let route = route::follow();
    let store = provide_store(Rc::new(sign_in::Held(session)));
    provide_context(route);
    if session.with_untracked(|session| session.token().is_some()) {
        store.signed_in();
    } else {
        store.signed_out();
    }
    view! {
        <div class="page">
            <header>
                <nav class="views" aria-label="Views">
                    <Link view=View::Today label="Today"/>
                    <Link view=View::Upcoming label="Upcoming"/>
                    <Link view=View::All label="All"/>
                    <Link view=View::Completed label="Completed"/>
                    <Link view=View::Settings label="Settings"/>
                </nav>
            </header>
            <main>
                {move || match route.get().view {
                    View::Settings | View::Agents => view! { <Settings/> }.into_any(),
                    _ => view! { <QuickAdd/> <Tasks/> }.into_any(),
                }}
                {move || route.get().task.map(|id| view! { <Detail id=id/> })}
            </main>
        </div>
    }
}

/// A link to a view that does not load the page again.
#[component]
fn Link(view: View, label: &'static str) -> impl IntoView {
    let route = route::current();
    let target = Route::of(view.clone());
    let address = target.address();
    let here = move || (route.get().view == view).then_some("page");
    view! {
        <a href=address aria-current=here on:click=move |event| route::on_click(route, &event, target.clone())>{label}</a>
    }
}
