//! What a view says that has nothing to show.

use std::sync::Arc;

use leptos::prelude::*;

use crate::api::Label;
use crate::parts::dynamic::{Piece, does, dynamic};
use crate::route::{self, Route, View};
use crate::store::use_store;

const SUN: &str = r#"<path d="M8 74h116" opacity=".35"/><path d="M24 84h84M44 91h44" opacity=".18"/><g class="sun"><path d="M38 74a28 28 0 0 1 56 0z" class="tint"/><path d="M66 32v-9M37 44l-7-7M95 44l7-7M24 66h-6M114 66h-6" opacity=".55"/></g><circle class="nudge" cx="100" cy="18" r="4.5" stroke="none"/>"#;
const STACK: &str = r#"<rect x="34" y="22" width="64" height="16" rx="8" opacity=".3"/><rect x="26" y="44" width="80" height="18" rx="9" class="tint"/><path d="m37 53 3.5 3.5 6-7" /><path d="M56 53h36" opacity=".55"/><rect x="34" y="68" width="64" height="16" rx="8" opacity=".3"/><circle class="nudge" cx="110" cy="36" r="4.5" stroke="none"/>"#;
const LENS: &str = r#"<circle cx="60" cy="42" r="24" class="tint"/><path d="m78 60 18 18"/><path d="M50 42h20" opacity=".55"/><circle class="nudge" cx="100" cy="20" r="4.5" stroke="none"/>"#;

/// The empty view of a route.
#[component]
pub(crate) fn Empty() -> impl IntoView {
    let route = route::current();
    let store = use_store();
    // Until labels have arrived, none is unknown.
    let is_unknown = |labels: RwSignal<Arc<Vec<Label>>>, id: &str| {
        labels.with(|labels| !labels.is_empty() && labels.iter().all(|label| label.id.to_string() != id))
    };
    let no_list = || {
        message(
            LENS,
            "No such list",
            "It was deleted, or the address is not complete.",
            Some(("See all tasks", View::All)),
        )
    };
    let filtered = move || route.with(|route| route.priority.is_some());
    dynamic(move || {
        let view = route.with(|route| route.view.clone());
        if filtered() {
            return message(
                LENS,
                "Nothing matches",
                "No task here has this priority. Remove the filter to see all of them.",
                None,
            );
        }
        match view {
            View::Today => message(
                SUN,
                "A clear day",
                "Nothing is due today. Add something above, or look at what is coming up.",
                Some(("See upcoming", View::Upcoming)),
            ),
            View::Upcoming => message(
                SUN,
                "Nothing ahead",
                "Tasks with a due date appear here, day by day.",
                None,
            ),
            View::All => message(
                STACK,
                "No tasks yet",
                "Write the first one above. “Call Anna friday 5pm” is enough.",
                None,
            ),
            View::Completed => message(
                STACK,
                "Nothing completed yet",
                "What you complete is kept here.",
                None,
            ),
            View::Search => message(
                LENS,
                "No task found",
                "Try fewer words, or the beginning of one.",
                None,
            ),
            View::Category(id) if is_unknown(store.categories(), &id) => no_list(),
            View::Tag(id) if is_unknown(store.tags(), &id) => no_list(),
            _ => message(
                STACK,
                "Nothing here",
                "Tasks that you add here appear in this list.",
                None,
            ),
        }
    })
}

fn message(
    picture: &'static str,
    title: &'static str,
    text: &'static str,
    link: Option<(&'static str, View)>,
) -> AnyView {
    let route = route::current();
    let link = link.map(|(label, view)| {
        let target = Route::of(view);
        view! { <a class="btn" href=target.address() on:click=does(move |event: web_sys::MouseEvent| route::on_click(route, &event, target.clone()))>{label}</a> }
    });
    view! {
        <div class="empty">
            <svg viewBox="0 0 132 92" fill="none" stroke="currentColor" stroke-width="2.4" stroke-linecap="round" aria-hidden="true" inner_html=picture></svg>
            <h2>{title}</h2>
            <p>{text}</p>
            {link}
        </div>
    }    .piece()
}
