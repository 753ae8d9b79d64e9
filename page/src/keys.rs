//! Keys of the keyboard, and what they do.

use std::time::Duration;

use leptos::prelude::*;
use nudge_page_model::shortcut::{Command, HELP, Place, command};
use wasm_bindgen::JsCast;

use crate::parts::actions::Actions;
use crate::parts::cursor::Cursor;
use crate::parts::dialog::Dialog;
use crate::parts::dynamic::Piece;
use crate::parts::menu::RowMenu;
use crate::parts::ui::Ui;
use crate::route::{self, Route, View};
use crate::store::{Store, use_store};

/// How long `g` waits for the key that says where to.
const WAITS: Duration = Duration::from_millis(1_500);

/// Listens to the keyboard.
pub(crate) fn follow() {
    let keys = Keys {
        ui: Ui::get(),
        cursor: Cursor::get(),
        actions: Actions::get(),
        menu: expect_context(),
        store: use_store(),
        route: route::current(),
    };
    let after_g = StoredValue::new(false);
    let listening = window_event_listener(leptos::ev::keydown, move |event| {
        let with_others = event.ctrl_key() || event.meta_key() || event.alt_key() || event.is_composing();
        if with_others || event.default_prevented() {
            return;
        }
        // They have keys of their own, Escape among them.
        let on_top = document().query_selector("dialog[open], .menu").ok().flatten();
        if on_top.is_some() {
            return;
        }
        let key = event.key();
        if key == "Escape" {
            keys.escape();
            return;
        }
        if typing(&event) {
            return;
        }
        if key == "g" && !after_g.get_value() {
            after_g.set_value(true);
            set_timeout(move || after_g.try_set_value(false).map_or((), |_| ()), WAITS);
            return;
        }
        let command = command(&key, after_g.get_value());
        after_g.set_value(false);
        if let Some(command) = command
            && !belongs_to_control(&event, &key)
            && keys.run(command)
        {
            event.prevent_default();
        }
    });
    on_cleanup(move || listening.remove());
}

/// Whether the key is text of a field.
fn typing(event: &web_sys::KeyboardEvent) -> bool {
    let target = event
        .target()
        .and_then(|target| target.dyn_into::<web_sys::HtmlElement>().ok());
    target.is_some_and(|element| {
        let box_or_button = element
            .get_attribute("type")
            .is_some_and(|kind| matches!(kind.as_str(), "checkbox" | "radio" | "button" | "submit"));
        let field = matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT") && !box_or_button;
        field || element.is_content_editable()
    })
}

/// Whether a button or a link that has the focus uses the key itself. Space on the link of a task is not one of its keys.
fn belongs_to_control(event: &web_sys::KeyboardEvent, key: &str) -> bool {
    let target = event
        .target()
        .and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    let Some(target) = target else { return false };
    match key {
        "Enter" => target.closest("a, button, summary").ok().flatten().is_some(),
        " " => target.closest("button, input, summary").ok().flatten().is_some(),
        "ArrowDown" | "ArrowUp" | "Home" | "End" | "PageUp" | "PageDown" | "Delete" => {
            // Elsewhere they scroll.
            let in_list = target.closest(".rows").ok().flatten().is_some();
            let nowhere = target.tag_name() == "BODY" || target.class_list().contains("main");
            !(in_list || nowhere && key.starts_with("Arrow"))
        }
        _ => false,
    }
}

#[derive(Clone, Copy)]
struct Keys {
    ui: Ui,
    cursor: Cursor,
    actions: Actions,
    menu: RowMenu,
    store: Store,
    route: RwSignal<Route>,
}

impl Keys {
    /// Returns whether there was something to do.
    fn run(self, command: Command) -> bool {
        let at = self.cursor.task();
        match (command, at) {
            (Command::Add, _) => {
                if matches!(
                    self.view(),
                    View::Settings | View::Agents | View::Search | View::Completed
                ) {
                    self.go(View::Today);
                }
                self.ui.focus_add();
            }
            (Command::Search, _) => self.go(View::Search),
            (Command::Help, _) => self.ui.help_open.set(true),
            (Command::Undo, _) => {
                let toasts = self.store.toasts().get_untracked();
                let Some(toast) = toasts.iter().rfind(|toast| toast.undo) else {
                    return false;
                };
                self.store.undo(toast.id);
            }
            (Command::Go(place), _) => self.go(match place {
                Place::Today => View::Today,
                Place::Upcoming => View::Upcoming,
                Place::All => View::All,
                Place::Completed => View::Completed,
                Place::Settings => View::Settings,
            }),
            (Command::Step(by), _) => {
                let Some(id) = self.cursor.step(by) else {
                    return false;
                };
                // The panel follows, so that one can read through a list.
                if self.route.with_untracked(|route| route.task.is_some()) {
                    route::replace(self.route, self.with_task(Some(id.to_string())));
                }
            }
            (_, None) => return false,
            (Command::Toggle, Some(id)) => self.actions.toggle(id),
            (Command::Open, Some(id)) => route::go(self.route, self.with_task(Some(id.to_string()))),
            (Command::Menu, Some(id)) => self.menu.open(id),
            (Command::Tomorrow, Some(id)) => self.actions.put_on(id, 1),
            (Command::Move(days), Some(id)) => self.actions.move_by(id, days),
            (Command::Delete, Some(id)) => self.actions.delete(id),
        }
        true
    }

    /// Leaves what is on top: the lists of a phone, a field, the open task.
    fn escape(self) {
        if self.ui.side_open.get_untracked() {
            return self.ui.side_open.set(false);
        }
        let active = document()
            .active_element()
            .and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok());
        if let Some(field) =
            active.filter(|element| matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT"))
        {
            let _ = field.blur();
            return;
        }
        if self.route.with_untracked(|route| route.task.is_some()) {
            route::go(self.route, self.with_task(None));
            self.cursor.focus();
        }
    }

    fn with_task(self, task: Option<String>) -> Route {
        Route {
            task,
            ..self.route.get_untracked()
        }
    }

    fn view(self) -> View {
        self.route.with_untracked(|route| route.view.clone())
    }

    fn go(self, view: View) {
        route::go(self.route, Route::of(view));
    }
}

/// The help that lists all shortcuts.
#[component]
pub(crate) fn Help() -> AnyView {
    let ui = Ui::get();
    let keys = |keys: &'static [&'static str]| {
        let keys = keys.iter().enumerate().map(|(place, key)| {
            let then = (place > 0).then_some("then");
            view! { {then} <kbd>{*key}</kbd> }
        });
        keys.collect::<Vec<_>>()
    };
    let groups = move || {
        let groups = HELP.iter().map(|(title, lines)| {
            let lines = lines.iter().map(|(what, alternatives)| {
                let alternatives = alternatives.iter().enumerate().map(|(place, one)| {
                    let or = (place > 0).then_some("or");
                    view! { {or} {keys(one)} }
                });
                view! { <div><dt>{*what}</dt><dd>{alternatives.collect::<Vec<_>>()}</dd></div> }
            });
            view! { <section><h3>{*title}</h3><dl>{lines.collect::<Vec<_>>()}</dl></section> }
        });
        groups.collect::<Vec<_>>()
    };
    view! {
        <Dialog open=ui.help_open title="Keyboard shortcuts" wide=true>
            <div class="dialog-body" tabindex="0"><div class="keys">{groups()}</div></div>
        </Dialog>
    }
    .piece()
}
