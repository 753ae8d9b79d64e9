//! The address bar: which view is shown, and how.

use leptos::prelude::*;
use wasm_bindgen::JsValue;
use web_sys::{MouseEvent, UrlSearchParams};

/// What is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum View {
    Today,
    Upcoming,
    All,
    Completed,
    Category(String),
    Tag(String),
    Search,
    Settings,
    Agents,
    /// No view has this address.
    Unknown,
}

/// An address of the page: a view, the task that is open beside it, and how the list is sorted and filtered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) view: View,
    /// The id of the open task.
    pub(crate) task: Option<String>,
    /// What is searched for.
    pub(crate) query: Option<String>,
    /// `due`, `priority`, `title`, `created` or `updated`.
    pub(crate) sort: Option<String>,
    /// `low`, `medium`, `high` or `urgent`.
    pub(crate) priority: Option<String>,
}

impl Route {
    /// A view as it is when it is opened.
    pub(crate) fn of(view: View) -> Self {
        Self {
            view,
            task: None,
            query: None,
            sort: None,
            priority: None,
        }
    }

    /// Reads a path and a query string.
    fn read(path: &str, query: &str) -> Self {
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let view = match segments.as_slice() {
            [] => View::Today,
            ["upcoming"] => View::Upcoming,
            ["all"] => View::All,
            ["completed"] => View::Completed,
            ["category", id] => View::Category((*id).to_owned()),
            ["tag", id] => View::Tag((*id).to_owned()),
            ["search"] => View::Search,
            ["settings"] => View::Settings,
            ["settings", "agents"] => View::Agents,
            _ => View::Unknown,
        };
        let parameters = UrlSearchParams::new_with_str(query).ok();
        let parameter = |name| {
            let value = parameters.as_ref().and_then(|parameters| parameters.get(name));
            value.filter(|value| !value.is_empty())
        };
        Self {
            view,
            task: parameter("task"),
            query: parameter("q"),
            sort: parameter("sort"),
            priority: parameter("priority"),
        }
    }

    /// The path and query string that lead here.
    pub(crate) fn address(&self) -> String {
        let path = match &self.view {
            View::Today | View::Unknown => "/".to_owned(),
            View::Upcoming => "/upcoming".to_owned(),
            View::All => "/all".to_owned(),
            View::Completed => "/completed".to_owned(),
            View::Category(id) => format!("/category/{id}"),
            View::Tag(id) => format!("/tag/{id}"),
            View::Search => "/search".to_owned(),
            View::Settings => "/settings".to_owned(),
            View::Agents => "/settings/agents".to_owned(),
        };
        let Ok(parameters) = UrlSearchParams::new() else {
            return path;
        };
        for (name, value) in [
            ("q", &self.query),
            ("sort", &self.sort),
            ("priority", &self.priority),
            ("task", &self.task),
        ] {
            if let Some(value) = value {
                parameters.append(name, value);
            }
        }
        match String::from(parameters.to_string()) {
            query if query.is_empty() => path,
            query => format!("{path}?{query}"),
        }
    }

    fn here() -> Self {
        let location = window().location();
        Self::read(
            &location.pathname().unwrap_or_default(),
            &location.search().unwrap_or_default(),
        )
    }
}

/// The signal that holds the route; it follows the buttons of the browser.
pub(crate) fn follow() -> RwSignal<Route> {
    let route = RwSignal::new(Route::here());
    let listening = window_event_listener(leptos::ev::popstate, move |_| route.set(Route::here()));
    on_cleanup(move || listening.remove());
    route
}

/// The signal of the page.
pub(crate) fn current() -> RwSignal<Route> {
    expect_context()
}

/// Shows a route, which the back button leaves again. In an event handler there is no context, so `route` is taken before:
/// [`current`].
pub(crate) fn go(route: RwSignal<Route>, target: Route) {
    // The back button leaves what is shown, however often it was chosen.
    if route.with_untracked(|shown| *shown == target) {
        return;
    }
    // A browser refuses hundreds of addresses in a few seconds; the view changes all the same.
    if let Ok(history) = window().history() {
        let _ = history.push_state_with_url(&JsValue::NULL, "", Some(&target.address()));
    }
    route.set(target);
}

/// Shows a route in place of the current one: for what is typed.
pub(crate) fn replace(route: RwSignal<Route>, target: Route) {
    if let Ok(history) = window().history() {
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&target.address()));
    }
    route.set(target);
}

/// Follows a link within the page. One that is to open elsewhere is the browser's.
pub(crate) fn on_click(route: RwSignal<Route>, event: &MouseEvent, target: Route) {
    let elsewhere =
        event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key() || event.button() != 0;
    if !elsewhere {
        event.prevent_default();
        go(route, target);
    }
}
