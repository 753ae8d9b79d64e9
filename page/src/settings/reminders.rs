//! Quiet hours and the default reminder.

use leptos::prelude::*;
use nudge_page_model::duration;
use serde_json::{Value, json};

use super::form::Form;
use super::section;
use crate::parts::dynamic::{Piece, does, dynamic, effect, memo};

/// Minutes before the due date.
const OFFERED: [u32; 8] = [0, 5, 10, 30, 60, 120, 1_440, 10_080];

pub(super) fn reminders() -> AnyView {
    let quiet = Form::new();
    let hours = memo(move |_| quiet.me(|me| me.quiet_hours.clone()));
    let part = move |of: fn(&crate::api::QuietHours) -> &String, instead: &str| {
        hours.with(|hours| {
            hours
                .as_ref()
                .map_or_else(|| instead.to_owned(), |hours| of(hours).clone())
        })
    };
    let (from, until) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    effect(move |_| {
        from.set(part(|hours| &hours.from, "22:00"));
        until.set(part(|hours| &hours.until, "07:00"));
    });
    let save = move || {
        // A field that is removed changes, too, when its signals are gone.
        if let Some((from, until)) = from.try_get_untracked().zip(until.try_get_untracked()) {
            quiet.save("quietHours", json!({ "from": from, "until": until }));
        }
    };
    let toggle = move |event: web_sys::Event| {
        if event_target_checked(&event) {
            save();
        } else {
            quiet.save("quietHours", Value::Null);
        }
    };
    let time = move |id: &'static str, label: &'static str, field: &'static str, value: RwSignal<String>| {
        view! {
            <div class="field">
                <label for=id>{label}</label>
                <input
                    class="input"
                    id=id
                    type="time"
                    aria-invalid=move || quiet.is_wrong(field).then_some("true")
                    prop:value=value
                    on:input=does(move |event: web_sys::Event| value.set(event_target_value(&event)))
                    on:change=does(move |_: web_sys::Event| save())
                />
                {quiet.wrong(field)}
            </div>
        }
        .piece()
    };
    let pair = move || {
        hours.with(Option::is_some).then(|| {
            view! {
                <div class="set-pair">
                    {time("set-from", "From", "quietHours.from", from)}
                    {time("set-until", "Until", "quietHours.until", until)}
                </div>
            }
        })
    };
    let default = Form::new();
    let minutes = memo(move |_| default.me(|me| me.default_reminder));
    let options = move || {
        let current = minutes.get();
        let others = current.filter(|current| !OFFERED.contains(current));
        let option = move |minutes: u32| {
            let words = if minutes == 0 {
                "When it is due".to_owned()
            } else {
                [&duration::words(minutes), " before"].concat()
            };
            view! { <option value=minutes.to_string() prop:selected=current == Some(minutes)>{words}</option> }
        };
        OFFERED.into_iter().chain(others).map(option).collect::<Vec<_>>()
    };
    let choose = move |event: web_sys::Event| {
        let minutes: Option<u32> = event_target_value(&event).parse().ok();
        default.save("defaultReminder", minutes.map_or(Value::Null, Value::from));
    };
    let body = view! {
        <div class="set-line">
            <label for="set-quiet">"Quiet hours"</label>
            <input class="switch end" id="set-quiet" type="checkbox" role="switch" prop:checked=move || hours.with(Option::is_some) on:change=does(toggle)/>
        </div>
        {dynamic(pair)}
        <p class="hint">"An email that would be sent in quiet hours is sent when they end, even if the task is due before."</p>
        {quiet.state(&["quietHours.from", "quietHours.until"])}
        <div class="field">
            <label for="set-default">"Default reminder"</label>
            <select class="select" id="set-default" aria-describedby="set-defaultReminder-wrong" on:change=does(choose)>
                <option value="" prop:selected=move || minutes.get().is_none()>"None"</option>
                {dynamic(options)}
            </select>
            {default.wrong("defaultReminder")}
            <p class="hint">"A new task with a due date gets it, unless you give it others."</p>
        </div>
        {default.state(&["defaultReminder"])}
    };
    section("Reminders", "When emails may come.", body.piece())
}
