//! The account: `/settings` and `/settings/agents`.
//!
//! | file | holds |
//! | --- | --- |
//! | `form` | saving a field of the profile, and what the API refused |
//! | `you`, `email`, `reminders` | time zone; address; quiet hours and default reminder |
//! | `labels`, `theme` | categories and tags; appearance |
//! | `agents`, `agent_list`, `agent_form`, `clients` | tokens of programs, and what to copy into them |
//! | `account` | export, signing out everywhere, deleting the account |
//! | `clipboard` | copying |

mod account;
mod agent_form;
mod agent_list;
mod agents;
mod clients;
mod email;
mod form;
mod labels;
mod reminders;
mod you;

pub(crate) mod clipboard;
pub(crate) mod theme;

use leptos::prelude::*;

use crate::parts::dynamic::{Piece, does, dynamic, memo};
use crate::route::{self, Route, View};

/// Settings of the person.
#[component]
pub(crate) fn Settings() -> impl IntoView {
    let route = route::current();
    let agents = memo(move |_| route.with(|route| route.view == View::Agents));
    let link = move |view: View, label: &'static str, of_agents: bool| {
        let target = Route::of(view);
        let address = target.address();
        view! {
            <a
                class="btn small"
                class:plain=move || agents.get() != of_agents
                href=address
                aria-current=move || (agents.get() == of_agents).then_some("page")
                on:click=does(move |event: web_sys::MouseEvent| route::on_click(route, &event, target.clone()))
            >
                {label}
            </a>
        }
    };
    let shown = move || if agents.get() { agents::agents() } else { general() };
    view! {
        <div class="settings">
            <header class="view-head">
                <h1>"Settings"</h1>
                <nav class="view-tools btn-row" aria-label="Settings">
                    {link(View::Settings, "General", false)}
                    {link(View::Agents, "Agents", true)}
                </nav>
            </header>
            {dynamic(shown)}
        </div>
    }
    .piece()
}

fn general() -> AnyView {
    view! {
        {you::you()}
        {email::email()}
        {reminders::reminders()}
        {theme::appearance()}
        {labels::labels()}
        {account::data()}
    }
    .piece()
}

/// A part of the settings.
fn section(title: &'static str, about: &'static str, body: AnyView) -> AnyView {
    let id = ["about-", &title.to_lowercase().replace(' ', "-")].concat();
    let labelled_by = id.clone();
    view! {
        <section class="set" aria-labelledby=labelled_by>
            <div class="set-about"><h2 id=id>{title}</h2><p>{about}</p></div>
            <div class="set-body">{body}</div>
        </section>
    }
    .piece()
}
