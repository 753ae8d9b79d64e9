//! When the task is due.

use leptos::html;
use leptos::prelude::*;
use nudge_page_model::Patch;

use super::editor::Editor;
use super::field::{self, Field, Look};
use super::words;
use crate::parts::actions::Actions;
use crate::parts::dynamic::{Piece, does, dynamic, effect, memo};
use crate::parts::icon::Icon;
use crate::parts::when;

/// The due date, its editor, and buttons that move it.
pub(super) fn due(editor: Editor) -> AnyView {
    let open = RwSignal::new(false);
    let button = NodeRef::<html::Button>::new();
    let current = memo(move |_| editor.get(|task| task.due));
    // Typed, and not answered yet.
    let sent = RwSignal::new(None::<String>);
    effect(move |_| {
        if !editor.waiting() {
            sent.set(None);
        }
    });
    let close = move || {
        open.set(false);
        if let Some(button) = button.get_untracked() {
            let _ = button.focus();
        }
    };
    let refused = memo(move |_| editor.refused("due").is_some());
    let shown = move || {
        match current.get() {
        None => view! { "Add a due date" }.piece(),
        Some(due) => view! { <span class="visually-hidden">"Due: "</span>{words::moment(editor.clock, &due)}<span class="sub">{words::distance(editor.clock, &due)}</span> }.piece(),
    }
    };
    let save = move |text: String| {
        let text = text.trim();
        if !text.is_empty() {
            sent.set(Some(text.to_owned()));
            editor.save(Patch::new().due_text(text));
        }
    };
    let form = move || (open.get() || refused.get()).then(|| form(editor, save, close));
    let waiting = move || {
        sent.get()
            .map(|text| view! { <span class="sub">{["→ ", &text].concat()}</span> })
    };
    view! {
        <div class="prop">
            <dt><Icon name="today"/>"Due"</dt>
            <dd class="prop-value">
                <button
                    type="button"
                    class="value"
                    class:none=move || current.get().is_none()
                    aria-expanded=move || open.get().to_string()
                    node_ref=button
                    on:click=does(move |_: web_sys::MouseEvent| open.update(|open| *open = !*open))
                >
                    {dynamic(shown)}{dynamic(waiting)}
                </button>
                {dynamic(form)}
            </dd>
        </div>
    }
    .piece()
}

fn form(
    editor: Editor,
    save: impl Fn(String) + Copy + Send + Sync + 'static,
    close: impl Fn() + Copy + Send + Sync + 'static,
) -> AnyView {
    let text = field::field(
        editor,
        Field {
            name: "due",
            label: "Due, in words",
            look: Look::Input,
            placeholder: "tomorrow 9am, dec 24 at 8pm",
            list: "",
            value: Signal::stored(String::new()),
            save: Callback::new(move |text: String| {
                save(text);
                close();
                None
            }),
            typed: None,
        },
    );
    let due = editor.now(|task| task.due);
    let written = due.map(|due| due.to_string()).unwrap_or_default();
    let time = due
        .filter(|due| !when::all_day(due))
        .and(written.get(11..16))
        .unwrap_or_default()
        .to_owned();
    let date = RwSignal::new(written.get(..10).unwrap_or_default().to_owned());
    let time = RwSignal::new(time);
    let set = move || {
        let (date, time) = (date.get_untracked(), time.get_untracked());
        if !date.is_empty() {
            save(if time.is_empty() {
                date
            } else {
                [date.as_str(), "T", &time].concat()
            });
            close();
        }
    };
    let on_enter = move |event: web_sys::KeyboardEvent| match event.key().as_str() {
        "Enter" => {
            event.prevent_default();
            set();
        }
        "Escape" => {
            event.prevent_default();
            event.stop_propagation();
            close();
        }
        _ => {}
    };
    let zone = editor.now(|task| task.time_zone.clone());
    let elsewhere = (zone != editor.clock.zone.get_untracked())
        .then(|| view! { <p class="hint">{["Date and time are those of ", &zone, "."].concat()}</p> });
    let recurs = editor.now(|task| task.recurrence.is_some());
    let this_one = recurs.then(|| view! { <p class="hint">"Only this occurrence moves. To move the series, change how it repeats."</p> });
    let remove = due.is_some().then(|| {
        let remove = move |_| {
            let patch = Patch::new().due(None);
            // A recurrence needs a due date.
            editor.save(if recurs { patch.recurrence(None) } else { patch });
            close();
        };
        let label = if recurs {
            "Remove, and stop repeating"
        } else {
            "Remove"
        };
        view! { <button type="button" class="btn small plain" on:click=does(remove)>{label}</button> }
    });
    view! {
        <div class="due-edit">
            {text}
            <div class="due-pair" on:keydown=does(on_enter)>
                <input class="input" type="date" aria-label="Date" prop:value=date on:input=does(move |event: web_sys::Event| date.set(event_target_value(&event)))/>
                <input class="input" type="time" aria-label="Time; empty for the whole day" prop:value=time on:input=does(move |event: web_sys::Event| time.set(event_target_value(&event)))/>
            </div>
            <div class="btn-row">
                <button type="button" class="btn small" on:click=does(move |_: web_sys::MouseEvent| set())>"Set"</button>
                {remove}
            </div>
            {elsewhere}{this_one}
        </div>
    }
    .piece()
}

/// Buttons that move the due date.
pub(super) fn moves(editor: Editor) -> AnyView {
    let actions = Actions::get();
    let has_due = memo(move |_| editor.get(|task| task.due.is_some()));
    let to = move |label: &'static str, run: fn(Actions, nudge_domain::id::TaskId)| {
        view! { <button type="button" class="btn small" on:click=does(move |_: web_sys::MouseEvent| run(actions, editor.id))>{label}</button> }
    };
    let buttons = move || {
        if has_due.get() {
            view! {
                {to("Tomorrow", |actions, id| actions.put_on(id, 1))}
                {to("+1 day", |actions, id| actions.move_by(id, 1))}
                {to("+1 week", |actions, id| actions.move_by(id, 7))}
            }
            .piece()
        } else {
            view! {
                {to("Today", |actions, id| actions.put_on(id, 0))}
                {to("Tomorrow", |actions, id| actions.put_on(id, 1))}
                {to("In a week", |actions, id| actions.put_on(id, 7))}
            }
            .piece()
        }
    };
    view! { <div class="quick-moves" role="group" aria-label="Move the due date">{dynamic(buttons)}</div> }
        .piece()
}
