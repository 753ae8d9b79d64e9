//! From the address and the configuration to the first state.

use leptos::prelude::*;
use leptos::task::spawn_local;
use nudge_contract::page::{OidcConfig, PageConfig};
use oidc_client::{Callback, Error, Prompt};
use serde::Deserialize;

use super::account::{Account, Phase, Way};
use super::browser;
use super::local::{self, LocalToken};
use super::notice::Notice;
use super::provider::{self, Provider, take_pending};
use super::window;

/// Signs in, if that is possible without the user, and follows what changes that.
pub(super) fn begin(account: Account) {
    spawn_local(first(account));
    let stored = window_event_listener(leptos::ev::storage, move |event| {
        if let Some(name) = event.key() {
            account.on_storage(&name, event.new_value());
        }
    });
    // Timers stand still while a device sleeps.
    let shown = window_event_listener(leptos::ev::visibilitychange, move |_| account.look_after());
    let online = window_event_listener(leptos::ev::online, move |_| account.look_after());
    // A link that is opened in this tab does not load the page again.
    let linked = window_event_listener(leptos::ev::hashchange, move |_| {
        if let (Way::Local, Some(link)) = (account.way(), local::take_link()) {
            spawn_local(locally(account, Some(link)));
        }
    });
    on_cleanup(move || {
        for listening in [stored, shown, online, linked] {
            listening.remove();
        }
    });
}

/// What a problem says (RFC 9457).
#[derive(Deserialize)]
struct Problem {
    detail: String,
}

async fn config() -> Result<PageConfig, Notice> {
    let answer = browser::get("/config.json", None)
        .await
        .ok_or(Notice::Unreachable)?;
    match answer.status {
        200 => serde_json::from_str(&answer.body).map_err(|_| Notice::Unreachable),
        _ => Err(match serde_json::from_str::<Problem>(&answer.body) {
            Ok(problem) => Notice::NotSetUp(problem.detail),
            Err(_) => Notice::Unreachable,
        }),
    }
}

async fn first(account: Account) {
    let link = local::take_link();
    let config = match config().await {
        Ok(config) => config,
        Err(notice) => return account.set_phase(Phase::SignedOut(notice)),
    };
    match config.oidc {
        Some(oidc) => at_provider(account, oidc).await,
        None if config.local => locally(account, link).await,
        None => account.set_phase(Phase::SignedOut(Notice::NotSetUp(
            "oidc_issuer and oidc_client_id are empty; set them to those of the identity provider".to_owned(),
        ))),
    }
}

/// With the link, or with the token of before. A link that is not accepted does not end a session: any page may contain one.
async fn locally(account: Account, link: Option<String>) {
    account.set_way(Way::Local);
    let mut notice = Notice::Nothing;
    if let Some(link) = link {
        match LocalToken::read(link) {
            Some(token) if token.is_accepted().await != Some(false) => {
                token.store();
                return account.sign_in_locally(token);
            }
            _ => notice = Notice::LinkExpired,
        }
    }
    match LocalToken::stored() {
        Some(token) if !token.is_expired(browser::now()) => account.sign_in_locally(token),
        Some(_) => account.set_phase(Phase::SignedOut(Notice::LinkExpired)),
        None => account.set_phase(Phase::SignedOut(notice)),
    }
}

/// With the response of the provider in the address, or with a session that the user has there.
async fn at_provider(account: Account, oidc: OidcConfig) {
    let callback = Callback::parse(browser::address().split_once('?').map_or("", |(_, query)| query));
    let pending = callback
        .as_ref()
        .and_then(|callback| take_pending(callback.state()));
    if let (Some(callback), None) = (&callback, &pending) {
        let query = browser::address();
        browser::set_address("/");
        if window::forward(callback.state(), &query).await {
            return account.set_phase(Phase::Forwarded);
        }
    }
    let found = match Provider::discover(oidc).await {
        Ok(found) => found,
        Err(error) => return account.set_phase(Phase::SignedOut(Notice::Provider(error))),
    };
    account.set_way(Way::Provider(found.clone()));
    let (Some(callback), Some(pending)) = (callback, pending) else {
        return silently(account, &found);
    };
    let finished = found.finish(&pending, callback).await;
    browser::set_address(pending.address());
    match finished {
        Ok(session) => account.sign_in_at_provider(session),
        Err(Error::LoginRequired) => {
            provider::forget();
            account.set_phase(Phase::SignedOut(Notice::Nothing));
        }
        Err(error) => account.set_phase(Phase::SignedOut(Notice::Provider(error))),
    }
}

/// Asks the provider once for the session of before, without showing anything. In the window itself and not in a hidden frame: browsers
/// keep the cookies of the provider from frames of other sites.
fn silently(account: Account, provider: &Provider) {
    if !provider.remembers() {
        return account.set_phase(Phase::SignedOut(Notice::Nothing));
    }
    if let Err(error) = provider.go(Prompt::None, &browser::address()) {
        account.set_phase(Phase::SignedOut(Notice::Provider(error)));
    }
}
