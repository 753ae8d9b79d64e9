//! Order and filters of a list. They are in the address.

use leptos::prelude::*;
use nudge_domain::task::Priority;

use super::lists;
use crate::parts::check;
use crate::parts::dynamic::{Piece, does, dynamic, follows, shown};
use crate::parts::icon::Icon;
use crate::parts::menu::{Menu, Place};
use crate::route::{self, Route, View};

const SORTS: [(&str, &str); 5] = [
    ("due", "Due date"),
    ("priority", "Priority"),
    ("title", "Title"),
    ("created", "Newest"),
    ("updated", "Last changed"),
];

/// The buttons at the head of a view.
#[component]
pub(crate) fn Tools() -> AnyView {
    let route = route::current();
    let (sorting, filtering) = (RwSignal::new(None), RwSignal::new(None));
    let sorted = move || route.with(|route| route.sort.is_some());
    let filtered = move || route.with(|route| route.priority.is_some());
    let open = |place: RwSignal<Option<Place>>| {
        move |event: web_sys::MouseEvent| {
            let button = event
                .current_target()
                .and_then(|target| wasm_bindgen::JsCast::dyn_into::<web_sys::Element>(target).ok());
            place.set(button.and_then(|button| Place::beside(&button)));
        }
    };
    let expanded = |place: RwSignal<Option<Place>>| move || place.with(Option::is_some).to_string();
    view! {
        <div class="view-tools">
            <button type="button" class="icon-btn" class:on=follows(filtered) aria-label="Filter" title="Filter" aria-haspopup="menu" aria-expanded=expanded(filtering) on:click=does(open(filtering))>
                <Icon name="filter"/>
            </button>
            <button type="button" class="icon-btn" class:on=follows(sorted) aria-label="Sort" title="Sort" aria-haspopup="menu" aria-expanded=expanded(sorting) on:click=does(open(sorting))>
                <Icon name="sort"/>
            </button>
        </div>
        <Menu place=filtering label="Filter"><Filters/></Menu>
        <Menu place=sorting label="Sort"><Sorts/></Menu>
    }
    .piece()
}

#[component]
fn Sorts() -> AnyView {
    let route = route::current();
    let now = route.with(|route| route.sort.clone());
    let default = if route.with(|route| route.view == View::Completed) {
        ("completed", "Last completed")
    } else {
        SORTS[0]
    };
    let sorts = std::iter::once(default).chain(SORTS.into_iter().skip(1));
    let items = sorts.map(|(name, label)| {
        let is_default = name == default.0;
        let chosen = now.as_deref().map_or(is_default, |now| now == name);
        let choose = move |_| {
            let sort = (!is_default).then(|| name.to_owned());
            route::go(route, Route { sort, ..route.get_untracked() });
        };
        view! {
            <button type="button" class="menu-item" role="menuitemradio" tabindex="-1" aria-checked=chosen.to_string() on:click=does(choose)>{label}</button>
        }
    });
    view! { <p class="menu-label">"Sort by"</p> {items.collect::<Vec<_>>()} }.piece()
}

#[component]
fn Filters() -> AnyView {
    let route = route::current();
    let chosen = route.with(lists::priorities);
    let items = [Priority::Urgent, Priority::High, Priority::Medium, Priority::Low].map(|priority| {
        let is_chosen = chosen.contains(&priority);
        let mut after = chosen.clone();
        if is_chosen {
            after.retain(|chosen| *chosen != priority);
        } else {
            after.push(priority);
        }
        let choose = move |_| route::go(route, Route { priority: named(&after), ..route.get_untracked() });
        view! {
            <button type="button" class="menu-item" role="menuitemcheckbox" tabindex="-1" aria-checked=is_chosen.to_string() on:click=does(choose)>
                <span class="menu-flag" data-priority=priority.as_str()><Icon name="flag"/></span>
                {check::name(priority)}
            </button>
        }
    });
    view! { <p class="menu-label">"Priority"</p> {items} }.piece()
}

fn named(priorities: &[Priority]) -> Option<String> {
    let names: Vec<&str> = priorities.iter().map(|priority| priority.as_str()).collect();
    (!names.is_empty()).then(|| names.join(","))
}

/// What is filtered and sorted, and a way out of it.
#[component]
pub(crate) fn Chosen() -> AnyView {
    let route = route::current();
    let clear_sort = move |_| {
        route::go(
            route,
            Route {
                sort: None,
                ..route.get_untracked()
            },
        )
    };
    let clear_priority = move |_| {
        route::go(
            route,
            Route {
                priority: None,
                ..route.get_untracked()
            },
        )
    };
    let sort = move || {
        let sort = route.with(|route| route.sort.clone())?;
        let label = SORTS
            .iter()
            .find(|(name, _)| *name == sort)
            .map(|(_, label)| *label)?;
        Some(view! {
            <button type="button" class="chip" aria-label=format!("Sorted by {label}. Remove") on:click=does(clear_sort)>
                <Icon name="sort" small=true/>{label}<Icon name="close" small=true/>
            </button>
        })
    };
    let priority = move || {
        let priorities = route.with(lists::priorities);
        let names: Vec<&str> = priorities.iter().map(|priority| check::name(*priority)).collect();
        let names = names.join(", ");
        (!names.is_empty()).then(|| {
            view! {
                <button type="button" class="chip" aria-label=format!("Only priority {names}. Remove") on:click=does(clear_priority)>
                    <Icon name="flag" small=true/>{names.clone()}<Icon name="close" small=true/>
                </button>
            }
        })
    };
    let any = move || route.with(|route| route.sort.is_some() || route.priority.is_some());
    view! { {shown(any, move || view! { <div class="filters">{dynamic(priority)}{dynamic(sort)}</div> })} }
        .piece()
}
