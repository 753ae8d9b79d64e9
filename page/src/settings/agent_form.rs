//! Creating an agent.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::agent_list::Agents;
use super::form::Form;
use crate::parts::dynamic::{Piece, does};

const DAYS: [(&str, &str); 5] = [
    ("7", "a week"),
    ("30", "30 days"),
    ("90", "90 days"),
    ("180", "half a year"),
    ("366", "a year"),
];

pub(super) fn agent_form(agents: Agents) -> AnyView {
    let form = Form::new();
    let (name, writes, days) = (
        RwSignal::new(String::new()),
        RwSignal::new(true),
        RwSignal::new("90".to_owned()),
    );
    let create = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if form.busy.get_untracked() {
            return;
        }
        form.busy.set(true);
        let (text, days) = (name.get_untracked(), days.get_untracked().parse().ok());
        let scope = if writes.get_untracked() { "write" } else { "read" };
        spawn_local(async move {
            match form.store.api().create_agent(&text, scope, days).await {
                Ok(made) => {
                    name.try_set(String::new());
                    agents.made.try_set(Some(made));
                    form.done(None);
                    agents.load();
                }
                Err(error) => form.done(Some(error)),
            }
        });
    };
    let option = move |of_writes: bool, label: &'static str, about: &'static str| {
        view! {
            <label class="option">
                <input type="radio" name="scope" prop:checked=move || writes.get() == of_writes on:change=does(move |_: web_sys::Event| writes.set(of_writes))/>
                <span>{label}<small>{about}</small></span>
            </label>
        }
    };
    let expiries = DAYS.map(|(value, label)| view! { <option value=value prop:selected=move || days.get() == value>{label}</option> });
    view! {
        <form class="set-body" novalidate=true on:submit=does(create)>
            <div class="field">
                <label for="agent-name">"Name"</label>
                <input
                    class="input"
                    id="agent-name"
                    dir="auto"
                    autocomplete="off"
                    placeholder="Claude on my laptop"
                    aria-invalid=move || form.is_wrong("name").then_some("true")
                    aria-describedby="set-name-wrong"
                    prop:value=name
                    on:input=does(move |event: web_sys::Event| { name.set(event_target_value(&event)); form.error.set(None); })
                />
                {form.wrong("name")}
            </div>
            <div class="field">
                <span class="label" id="agent-scope">"It may"</span>
                <div class="options" role="radiogroup" aria-labelledby="agent-scope">
                    {option(true, "Read and write", "See, add, change, complete and delete tasks.")}
                    {option(false, "Read", "See tasks, and change nothing.")}
                </div>
                {form.wrong("scope")}
            </div>
            <div class="field">
                <label for="agent-days">"Its token is valid for"</label>
                <select class="select" id="agent-days" on:change=does(move |event: web_sys::Event| days.set(event_target_value(&event)))>{expiries}</select>
                {form.wrong("days")}
            </div>
            {form.state(&["name", "scope", "days"])}
            <div class="btn-row"><button type="submit" class="btn primary" disabled=form.busy>"Create agent"</button></div>
        </form>
    }
    .piece()
}
