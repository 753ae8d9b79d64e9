//! Menus: a list of commands beside the button that opened it.

use leptos::html;
use leptos::prelude::*;
use nudge_domain::id::TaskId;
use nudge_domain::task::Priority;
use nudge_page_model::day;
use wasm_bindgen::JsCast;

use super::actions::Actions;
use super::check;
use super::clock::{self, Clock, Form};
use super::cursor::{Cursor, element_id};
use super::icon::Icon;
use crate::parts::dynamic::{Piece, does, dynamic, effect};
use crate::route::{self, Route};
use crate::store::use_store;

/// A menu that opens beside an element. Escape, a click elsewhere and the choice of a command close it.
#[component]
pub(crate) fn Menu(
    /// Where it opens: the place of the button. None while it is closed.
    place: RwSignal<Option<Place>>,
    #[prop(into)] label: String,
    children: ChildrenFn,
) -> impl IntoView {
    let children = StoredValue::new(children);
    let label = StoredValue::new(label);
    dynamic(move || {
        let Place { below, above, end } = place.get()?;
        let element = NodeRef::<html::Div>::new();
        effect(move |_| {
            if let Some(element) = element.get() {
                focus_item(&element, 0);
            }
        });
        let close = move || place.set(None);
        let key = move |event: web_sys::KeyboardEvent| {
            let Some(element) = element.get_untracked() else {
                return;
            };
            match event.key().as_str() {
                "Escape" | "Tab" => close(),
                "ArrowDown" => focus_item(&element, 1),
                "ArrowUp" => focus_item(&element, -1),
                "Home" => focus_item(&element, 0),
                "End" => focus_item(&element, -1_000),
                _ => return,
            }
            event.prevent_default();
            event.stop_propagation();
        };
        let vertical = match above {
            Some(above) => ("inset-block", format!("auto {above}px")),
            None => ("inset-block", format!("{below}px auto")),
        };
        Some(view! {
            <div class="menu-veil" on:click=does(move |_: web_sys::MouseEvent| close()) on:contextmenu=does(move |event: web_sys::MouseEvent| { event.prevent_default(); close(); })></div>
            <div
                class="menu"
                role="menu"
                aria-label=label.get_value()
                node_ref=element
                style=vertical
                style:inset-inline=format!("auto {end}px")
                on:keydown=does(key)
                on:click=does(move |_: web_sys::MouseEvent| close())
            >
                {children.with_value(|children| children())}
            </div>
        })
    })
}

/// Where a menu opens, in pixels from the edges of the window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Place {
    below: f64,
    /// Instead, if there is more space.
    above: Option<f64>,
    end: f64,
}

impl Place {
    /// Below an element, or above it near the bottom of the window.
    pub(crate) fn beside(element: &web_sys::Element) -> Option<Self> {
        let size = |size: Result<wasm_bindgen::JsValue, _>| size.ok()?.as_f64();
        let (width, height) = (size(window().inner_width())?, size(window().inner_height())?);
        let rect = element.get_bounding_client_rect();
        let right_to_left = document()
            .document_element()
            .is_some_and(|root| root.get_attribute("dir").as_deref() == Some("rtl"));
        let end = if right_to_left {
            rect.left()
        } else {
            width - rect.right()
        };
        Some(Self {
            below: rect.bottom() + 4.0,
            above: (rect.bottom() > height * 0.58).then_some(height - rect.top() + 4.0),
            end: end.clamp(8.0, (width - 232.0).max(8.0)),
        })
    }
}

/// Moves the focus by so many items; 0 is the first one.
fn focus_item(menu: &web_sys::HtmlDivElement, by: i32) {
    let Ok(items) = menu.query_selector_all("[role^=menuitem]") else {
        return;
    };
    let count = i32::try_from(items.length()).unwrap_or_default();
    let active = document().active_element();
    let at = (0..count)
        .find(|index| items.item(index.unsigned_abs()).as_ref() == active.as_ref().map(AsRef::as_ref));
    let next = match (by, at) {
        (0, _) | (_, None) => 0,
        (-1_000, _) => count - 1,
        (by, Some(at)) => (at + by).rem_euclid(count.max(1)),
    };
    let item = items
        .item(next.unsigned_abs())
        .and_then(|item| item.dyn_into::<web_sys::HtmlElement>().ok());
    if let Some(item) = item {
        let _ = item.focus();
    }
}

/// The menu of a task in a list. A context; there is one for all rows.
#[derive(Clone, Copy)]
pub(crate) struct RowMenu {
    task: RwSignal<Option<TaskId>>,
    place: RwSignal<Option<Place>>,
}

impl RowMenu {
    /// Provides the context.
    pub(crate) fn provide() -> Self {
        let menu = Self {
            task: RwSignal::new(None),
            place: RwSignal::new(None),
        };
        provide_context(menu);
        menu
    }

    /// Opens it for a task that is in the document.
    pub(crate) fn open(self, id: TaskId) {
        let row = document()
            .get_element_by_id(&element_id(id))
            .and_then(|element| element.parent_element());
        let button = row.and_then(|row| row.query_selector(".row-menu").ok().flatten());
        if let Some(place) = button.and_then(|button| Place::beside(&button)) {
            self.task.set(Some(id));
            self.place.set(Some(place));
        }
    }

    /// Whether it is open for a task.
    pub(crate) fn is_open(self, id: TaskId) -> bool {
        self.place.with(Option::is_some) && self.task.get() == Some(id)
    }
}

/// Shows the menu of a task when it is opened.
#[component]
pub(crate) fn RowMenuView() -> AnyView {
    let menu: RowMenu = expect_context();
    let cursor = Cursor::get();
    effect(move |was_open: Option<bool>| {
        let open = menu.place.with(Option::is_some);
        if was_open == Some(true) && !open {
            cursor.focus();
        }
        open
    });
    view! {
        <Menu place=menu.place label="Task">
            {dynamic(move || menu.task.get().map(|id| view! { <Items id/> }))}
        </Menu>
    }
    .piece()
}

#[component]
fn Items(id: TaskId) -> AnyView {
    let store = use_store();
    let (actions, clock, route) = (Actions::get(), Clock::get(), route::current());
    let task = store.tasks().with(|tasks| tasks.get(id).cloned());
    let due = task.as_ref().and_then(|task| task.due);
    let priority = task.as_ref().map(|task| task.priority);
    let today = clock.today.get_untracked();
    let zone = clock.zone.get_untracked();
    let date = due.map_or(today, |due| clock::date_of(due.at(), &zone));
    let days_to_today = day::between(date, today);
    let on = |days: i32| {
        day::plus(date, days)
            .and_then(day::midnight)
            .map(|at| clock::write(Form::Short, at, "UTC"))
            .unwrap_or_default()
    };
    let item = move |icon: &'static str,
                     label: &'static str,
                     end: String,
                     run: Box<dyn Fn() + Send + Sync>| {
        view! {
            <button type="button" class="menu-item" role="menuitem" tabindex="-1" on:click=does(move |_: web_sys::MouseEvent| run())>
                <Icon name=icon/>{label}<span class="end">{end}</span>
            </button>
        }
    };
    let open = move || {
        route::go(
            route,
            Route {
                task: Some(id.to_string()),
                ..route.get_untracked()
            },
        )
    };
    let is_today = due.is_some() && days_to_today == 0;
    let priorities = [Priority::Urgent, Priority::High, Priority::Medium, Priority::Low].map(|of| {
        view! {
            <button
                type="button"
                class="menu-flag"
                role="menuitemradio"
                tabindex="-1"
                aria-checked=if priority == Some(of) { "true" } else { "false" }
                aria-label=check::name(of)
                title=check::name(of)
                data-priority=of.as_str()
                on:click=does(move |_: web_sys::MouseEvent| actions.prioritize(id, of))
            >
                <Icon name="flag"/>
            </button>
        }
    });
    view! {
        {item("right", "Open", String::new(), Box::new(open))}
        <hr/>
        {(!is_today).then(|| item("today", "Today", on(days_to_today), Box::new(move || actions.put_on(id, 0))))}
        {item("sun", "Tomorrow", on(days_to_today + 1), Box::new(move || actions.put_on(id, 1)))}
        {due.map(|_| view! {
            {item("upcoming", "A day later", on(1), Box::new(move || actions.move_by(id, 1)))}
            {item("upcoming", "A week later", on(7), Box::new(move || actions.move_by(id, 7)))}
        })}
        <hr/>
        <div class="menu-flags" role="group" aria-label="Priority">{priorities}</div>
        <hr/>
        <button type="button" class="menu-item danger" role="menuitem" tabindex="-1" on:click=does(move |_: web_sys::MouseEvent| actions.delete(id))>
            <Icon name="trash"/>"Delete"
        </button>
    }
    .piece()
}
