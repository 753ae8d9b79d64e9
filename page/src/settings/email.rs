//! The address that reminders go to, and its confirmation.

use leptos::prelude::*;
use leptos::task::spawn_local;
use nudge_domain::LocalInstant;
use serde_json::Value;

use super::form::Form;
use super::section;
use crate::parts::clock::{self, Clock, Form as Write};
use crate::parts::dynamic::{Piece, does, dynamic, effect, follows, memo};

pub(super) fn email() -> AnyView {
    let form = Form::new();
    let clock = Clock::get();
    let current = memo(move |_| form.me(|me| me.email.clone()).unwrap_or_default());
    let unconfirmed = memo(move |_| form.me(|me| me.unconfirmed_email.clone()));
    let stopped = memo(move |_| form.me(|me| me.email_stopped.clone()));
    let typed = RwSignal::new(None::<String>);
    let shown = move || {
        typed.get().unwrap_or_else(|| {
            unconfirmed
                .get()
                .map_or_else(|| current.get(), |unconfirmed| unconfirmed.email)
        })
    };
    let is_new = memo(move |_| typed.get().is_some_and(|typed| typed.trim() != current.get()));
    // A confirmed or accepted address is not being typed any more.
    effect(move |_| {
        unconfirmed.track();
        current.track();
        typed.set(None);
    });
    let save = move |address: &str| {
        let address = address.trim();
        form.save(
            "email",
            if address.is_empty() {
                Value::Null
            } else {
                address.into()
            },
        );
    };
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        save(&shown());
    };
    let when = move |until: &str| {
        until
            .parse()
            .map(|at: LocalInstant| clock::write(Write::Time, at.at(), &clock.zone.get()))
            .unwrap_or_default()
    };
    let in_use = move || {
        let address = current.get();
        let (state, says) = match (address.is_empty(), stopped.with(Option::is_some)) {
            (true, _) => ("failed", "No address: reminders cannot be sent.".to_owned()),
            (_, true) => ("failed", ["No email goes to ", &address].concat()),
            _ => ("confirmed", ["Reminders go to ", &address].concat()),
        };
        view! { <p><span class="status" data-status=state>{says}</span></p> }
    };
    let resume = move |_| {
        form.busy.set(true);
        spawn_local(async move {
            let resumed = form.store.api().resume_email().await;
            let error = match resumed {
                Ok(_) => form.store.reload_me().await.err(),
                Err(error) => Some(error),
            };
            form.done(error);
        });
    };
    let stopped_view = move || {
        stopped.get().map(|stopped| {
            let can_resume = matches!(stopped.reason.as_str(), "asked" | "refused");
            let detail = nudge_page_model::problem::sentence(&stopped.detail);
            view! {
                <div class="banner error">
                    <span>{detail}</span>
                    {can_resume.then(|| view! { <button type="button" class="link-btn" on:click=does(resume)>"Send emails again"</button> })}
                </div>
            }
        })
    };
    let waiting = move || {
        unconfirmed.get().map(|unconfirmed| {
            let again = unconfirmed.email.clone();
            let says = match &unconfirmed.stopped {
                Some(stopped) => nudge_page_model::problem::sentence(&stopped.detail),
                None => ["Use it until ", &when(&unconfirmed.until), "; until then, nothing changes."].concat(),
            };
            view! {
                <div class="banner">
                    <span>
                        <b><span class="status" data-status="pending">"Waiting for confirmation"</span></b>
                        <br/>
                        "A link is on its way to "<bdi>{unconfirmed.email}</bdi>". "{says}
                    </span>
                    <button type="button" class="link-btn" disabled=form.busy on:click=does(move |_: web_sys::MouseEvent| form.save("email", again.as_str().into()))>"Send it again"</button>
                    <button type="button" class="link-btn" disabled=form.busy on:click=does(move |_: web_sys::MouseEvent| save(&current.get_untracked()))>"Cancel"</button>
                </div>
            }
        })
    };
    let body = view! {
        {dynamic(in_use)}
        {dynamic(stopped_view)}
        {dynamic(waiting)}
        <form class="field" novalidate=true on:submit=does(submit)>
            <label for="set-email">"Address for reminders"</label>
            <div class="with-btn">
                <input
                    class="input"
                    id="set-email"
                    type="email"
                    autocomplete="email"
                    spellcheck="false"
                    aria-invalid=move || form.is_wrong("email").then_some("true")
                    aria-describedby="set-email-wrong set-email-hint"
                    prop:value=follows(shown)
                    on:input=does(move |event: web_sys::Event| { typed.set(Some(event_target_value(&event))); form.error.set(None); })
                />
                <button type="submit" class="btn" disabled=move || form.busy.get() || !is_new.get()>"Save"</button>
            </div>
            {form.wrong("email")}
            <p class="hint" id="set-email-hint">"A new address gets a link that confirms it. Leave the field empty to use the address that you sign in with."</p>
        </form>
        {form.state(&["email"])}
    };
    section("Email", "Reminders are emails.", body.piece())
}
