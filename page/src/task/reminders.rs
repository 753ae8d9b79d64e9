//! Reminders of the task.

use leptos::prelude::*;
use nudge_contract::task::Reminder;
use nudge_domain::id::ReminderId;
use nudge_domain::reminder::ReminderStatus;
use nudge_page_model::{Patch, ReminderEdit};
use wasm_bindgen::JsCast;

use super::editor::Editor;
use super::field;
use super::trail::Trail;
use super::words;
use crate::parts::clock::{self, Form};
use crate::parts::dynamic::{Piece, does, dynamic, effect, memo};
use crate::parts::icon::Icon;
use crate::parts::menu::{Menu, Place};

/// The list, and a field that adds one.
pub(super) fn reminders(editor: Editor, trail: Trail) -> AnyView {
    let all = memo(move |_| editor.get(|task| task.reminders.clone()));
    let (adding, text) = (RwSignal::new(false), RwSignal::new(String::new()));
    let (snoozing, place) = (RwSignal::new(None::<ReminderId>), RwSignal::new(None::<Place>));
    let edits = move || all.with_untracked(|all| all.iter().map(ReminderEdit::from).collect::<Vec<_>>());
    let add = move || {
        let typed = text.get_untracked();
        if !typed.trim().is_empty() {
            let mut list = edits();
            list.push(ReminderEdit::read(&typed));
            editor.save(Patch::new().reminders(&list));
        }
        text.set(String::new());
        adding.set(false);
        focus_soon("#task-add-reminder");
    };
    let remove = move |id: ReminderId| {
        let list: Vec<ReminderEdit> = edits().into_iter().filter(|edit| edit.id != Some(id)).collect();
        editor.save(Patch::new().reminders(&list));
        focus_soon("#task-add-reminder");
    };
    // The button that the menu of snoozing belongs to.
    let opener = StoredValue::new_local(None::<web_sys::HtmlElement>);
    effect(move |was_open: Option<bool>| {
        let open = place.with(Option::is_some);
        if let (Some(true), false, Some(button)) = (was_open, open, opener.get_value()) {
            let _ = button.focus();
        }
        open
    });
    let line = move |reminder: Reminder| {
        let id = reminder.id;
        let says = words::reminder(editor.clock, &reminder);
        let (remove_says, snooze_says) = (
            ["Remove the reminder ", &says].concat(),
            ["Snooze the reminder ", &says].concat(),
        );
        let snooze = move |event: web_sys::MouseEvent| {
            let button = event
                .current_target()
                .and_then(|target| target.dyn_into::<web_sys::HtmlElement>().ok());
            snoozing.set(Some(id));
            place.set(button.as_deref().and_then(Place::beside));
            opener.set_value(button);
        };
        let why = move || {
            (reminder.status == ReminderStatus::Failed).then(|| {
                let why = trail
                    .why_failed(id)
                    .unwrap_or_else(|| "The email was not sent. The trail below says why.".to_owned());
                view! { <p class="line-why">{why}</p> }
            })
        };
        let can_snooze = reminder.status != ReminderStatus::Cancelled;
        view! {
            <li>
                <div class="line">
                    <Icon name="bell"/>
                    <span class="line-text">{says}</span>
                    <span class="end">
                        {status(editor, &reminder)}
                        {can_snooze.then(|| view! {
                            <button type="button" class="icon-btn" aria-haspopup="menu" aria-label=snooze_says title="Snooze" on:click=does(snooze)><Icon name="clock" small=true/></button>
                        })}
                        <button type="button" class="icon-btn" aria-label=remove_says title="Remove" on:click=does(move |_: web_sys::MouseEvent| remove(id))><Icon name="close" small=true/></button>
                    </span>
                </div>
                {dynamic(why)}
            </li>
        }
        .piece()
    };
    let lines = move || all.get().into_iter().map(line).collect::<Vec<_>>();
    let key = move |event: web_sys::KeyboardEvent| match event.key().as_str() {
        "Enter" if !event.is_composing() => {
            event.prevent_default();
            add();
        }
        "Escape" => {
            event.prevent_default();
            event.stop_propagation();
            text.set(String::new());
            adding.set(false);
        }
        _ => {}
    };
    let form = move || {
        adding.get().then(|| view! {
        <div class="add-line">
            <input
                class="input"
                type="text"
                autofocus=true
                autocomplete="off"
                aria-label="When to remind"
                placeholder="30 minutes before, or tomorrow 8am"
                list="task-reminders"
                prop:value=text
                on:input=does(move |event: web_sys::Event| text.set(event_target_value(&event)))
                on:keydown=does(key)
            />
            <datalist id="task-reminders">
                <option value="when it is due"></option>
                <option value="10 minutes before"></option>
                <option value="30 minutes before"></option>
                <option value="1 hour before"></option>
                <option value="1 day before"></option>
                <option value="1 week before"></option>
            </datalist>
            <button type="button" class="btn small primary" on:click=does(move |_: web_sys::MouseEvent| add())>"Add"</button>
            <button type="button" class="btn small plain" on:click=does(move |_: web_sys::MouseEvent| adding.set(false))>"Cancel"</button>
        </div>
    })
    };
    view! {
        <section class="section" aria-labelledby="task-reminders-head">
            <div class="section-head">
                <h3 id="task-reminders-head">"Reminders"</h3>
                <button type="button" class="link-btn end" id="task-add-reminder" aria-expanded=move || adding.get().to_string() on:click=does(move |_: web_sys::MouseEvent| { adding.set(true); focus_soon(".add-line input"); })>"Add"</button>
            </div>
            <ul class="lines">{dynamic(lines)}</ul>
            {dynamic(move || (all.with(Vec::is_empty) && !adding.get()).then(|| view! { <p class="hint">"None. You get an email for each one that you add."</p> }))}
            {dynamic(form)}
            {field::refused(editor, "reminders")}
            <Menu place label="Snooze">{dynamic(move || snooze_items(editor, snoozing))}</Menu>
        </section>
    }
    .piece()
}

/// Gives the focus to an element that appears with the next change of the page.
pub(super) fn focus_soon(selector: &'static str) {
    request_animation_frame(move || {
        let element = document()
            .query_selector(selector)
            .ok()
            .flatten()
            .and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok());
        if let Some(element) = element {
            let _ = element.focus();
        }
    });
}

fn snooze_items(editor: Editor, snoozing: RwSignal<Option<ReminderId>>) -> AnyView {
    let items = [(10, "10 minutes"), (60, "1 hour"), (180, "3 hours"), (1_440, "1 day"), (10_080, "1 week")].map(|(minutes, label)| {
        let snooze = move |_| {
            if let Some(id) = snoozing.get_untracked() {
                editor.store.snooze(editor.id, id, minutes);
                editor.store.say(["Snoozed for ", label].concat());
            }
        };
        view! { <button type="button" class="menu-item" role="menuitem" tabindex="-1" on:click=does(snooze)><Icon name="clock"/>{label}</button> }
    });
    view! { <p class="menu-label">"Remind me again in"</p>{items} }.piece()
}

fn status(editor: Editor, reminder: &Reminder) -> AnyView {
    let (of, says) = match reminder.status {
        ReminderStatus::Scheduled => {
            let (at, zone) = (reminder.remind_at.at(), editor.clock.zone.get());
            let date = clock::date_of(at, &zone);
            let time = clock::write(Form::Time, at, &zone);
            let day = if date == editor.clock.today.get() {
                String::new()
            } else {
                [&clock::write(Form::Short, at, &zone), ", "].concat()
            };
            ("scheduled", [day, time].concat())
        }
        ReminderStatus::Sent => ("sent", "Sent".to_owned()),
        ReminderStatus::Failed => ("failed", "Not sent".to_owned()),
        ReminderStatus::Cancelled => ("cancelled", "Not needed".to_owned()),
    };
    view! { <span class="status" data-status=of>{says}</span> }.piece()
}
