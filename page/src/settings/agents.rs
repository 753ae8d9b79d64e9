//! Agents: programs with a token of their own.

use leptos::prelude::*;
use leptos::task::spawn_local;
use nudge_domain::LocalInstant;
use uuid::Uuid;

use super::agent_form::agent_form;
use super::agent_list::Agents;
use super::clients::secret;
use super::form::Form;
use super::section;
use crate::api::{self, Agent};
use crate::parts::clock::{self, Clock, Form as Write};
use crate::parts::dialog::Dialog;
use crate::parts::dynamic::{Piece, does, dynamic, effect};

pub(super) fn agents() -> AnyView {
    let agents = Agents {
        form: Form::new(),
        all: RwSignal::new(None),
        made: RwSignal::new(None),
    };
    // Also after signing in again, and when the network is back.
    let me = agents.form.store.me();
    effect(move |_| {
        if me.with(Option::is_some) {
            agents.load();
        }
    });
    let clock = Clock::get();
    let revoking = RwSignal::new(None::<(Uuid, String)>);
    let asks = RwSignal::new(false);
    let row = move |agent: Agent| {
        let id = agent.id;
        let name = agent.name.clone();
        let ask = move |_| {
            revoking.set(Some((id, name.clone())));
            asks.set(true);
        };
        let writes = agent.scope == "write";
        let used = agent
            .last_used_at
            .as_deref()
            .map_or_else(|| "never".to_owned(), |at| day(clock, at));
        let (expired, expires) = expiry(clock, agent.expires_at.as_deref());
        let says = ["Revoke ", &agent.name].concat();
        view! {
            <tr>
                <td><bdi>{agent.name}</bdi><span class="sub">"Created "{day(clock, &agent.created_at)}</span></td>
                <td><span class="badge" class:write=writes>{if writes { "Read and write" } else { "Read" }}</span></td>
                <td data-name="Last used">{used}</td>
                <td data-name="Expires"><span class:badge=expired class:late=expired>{expires}</span></td>
                <td><button type="button" class="link-btn danger" aria-label=says on:click=does(ask)>"Revoke"</button></td>
            </tr>
        }
    };
    let table = move || {
        let all = agents.all.get()?;
        if all.is_empty() {
            return Some(view! { <p class="hint">"None yet."</p> }.piece());
        }
        let rows = all.into_iter().map(row).collect::<Vec<_>>();
        Some(view! {
            <div class="card">
                <table class="table">
                    <thead><tr><th scope="col">"Name"</th><th scope="col">"May"</th><th scope="col">"Last used"</th><th scope="col">"Expires"</th><th scope="col"><span class="visually-hidden">"Revoke"</span></th></tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        }
        .piece())
    };
    let failure = move || {
        agents.form.error.get().map(|error| view! {
        <p class="refusal" role="alert">{error.sentence()}</p>
        <div><button type="button" class="btn small" on:click=does(move |_: web_sys::MouseEvent| agents.load())>"Try again"</button></div>
    })
    };
    let revoke = move |_| {
        asks.set(false);
        let Some((id, name)) = revoking.get_untracked() else {
            return;
        };
        spawn_local(async move {
            match agents.form.store.api().revoke_agent(id).await {
                Ok(()) => {
                    agents.form.store.say(
                        [
                            "“",
                            &name,
                            "” is revoked: its token is refused within 10 seconds.",
                        ]
                        .concat(),
                    );
                    // The view may be gone by now.
                    let is_shown = agents
                        .made
                        .try_with_untracked(|made| made.as_ref().is_some_and(|made| made.agent.id == id));
                    if is_shown == Some(true) {
                        agents.made.try_set(None);
                    }
                }
                Err(error) => agents.form.store.fail(&error),
            }
            agents.load();
        });
    };
    let title = Signal::derive(move || {
        [
            "Revoke “",
            &revoking.get().map(|(_, name)| name).unwrap_or_default(),
            "”?",
        ]
        .concat()
    });
    let question = move || {
        view! {
        <div class="dialog-body"><p>"Its token is refused from now on. What it has changed stays, and the trail still names it."</p></div>
        <div class="dialog-foot">
            <button type="button" class="btn" on:click=does(move |_: web_sys::MouseEvent| asks.set(false))>"Cancel"</button>
            <button type="button" class="btn primary danger" on:click=does(revoke)>"Revoke"</button>
        </div>
    }
    .piece()
    };
    let made = move || {
        agents
            .made
            .get()
            .map(|made| secret(made, move || agents.made.set(None)))
    };
    let list = view! {
        {dynamic(made)}
        {dynamic(table)}
        {dynamic(failure)}
        <Dialog open=asks title>{dynamic(question)}</Dialog>
    };
    let (list, form) = (list.piece(), agent_form(agents));
    view! {
        {section("Agents", "Programs that work with your tasks, such as an assistant that speaks MCP. The trail of a task says which agent made a change. At most 20.", list)}
        {section("New agent", "It gets a token of its own, so that you can revoke it alone. No agent may change this account.", form)}
    }
    .piece()
}

/// `Today, 09:00`, otherwise the day.
fn day(clock: Clock, at: &str) -> String {
    let Ok(at) = at.parse::<LocalInstant>().map(|at| at.at()) else {
        return at.to_owned();
    };
    let zone = clock.zone.get();
    if clock::date_of(at, &zone) == clock.today.get() {
        ["today, ", &clock::write(Write::Time, at, &zone)].concat()
    } else {
        clock::write(Write::ShortYear, at, &zone)
    }
}

fn expiry(clock: Clock, at: Option<&str>) -> (bool, String) {
    let Some(text) = at else {
        return (false, "never".to_owned());
    };
    match text.parse::<LocalInstant>() {
        Ok(at) if at.at() <= api::now() => (true, "expired".to_owned()),
        _ => (false, day(clock, text)),
    }
}
