//! The state of the sign-in, and the token of requests.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use js_sys::Promise;
use leptos::prelude::*;
use leptos::task::spawn_local;
use oidc_client::{Error, Fault, Session, Who};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::{JsFuture, future_to_promise};

use super::browser;
use crate::api;

use super::local::{self, LocalToken};
use super::notice::Notice;
use super::provider::{self, Provider};
use super::window::{self, Opened};

/// How long after a failure that passes a renewal is tried again.
const PAUSE: Duration = Duration::from_secs(10);

/// The longest timer of browsers is 24.8 days.
const LONGEST_TIMER: i64 = 86_400;

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nothing yet: the page is finding out.
    Starting,
    /// The sign-in screen.
    SignedOut(Notice),
    /// The tasks.
    SignedIn(Who),
    /// The tasks, and how to sign in again: nothing is lost.
    Ended(Who, Notice),
    /// This window signed in for another one, which goes on.
    Forwarded,
}

/// How users sign in here.
#[derive(Clone)]
pub(super) enum Way {
    Unknown,
    Local,
    Provider(Provider),
}

enum Tokens {
    None,
    Local(LocalToken),
    Provider(Session),
}

struct Keeper {
    way: Way,
    tokens: Tokens,
    /// The renewal under way: there is one at a time.
    renewing: Option<Promise>,
    /// The token that the api did not accept last.
    refused: Option<String>,
    /// The token that the renewal for a refused one brought.
    last_hope: Option<String>,
    timer: Option<TimeoutHandle>,
}

impl Keeper {
    fn is_refused(&self, session: &Session) -> bool {
        self.refused.as_deref() == Some(session.access_token())
    }
}

/// The user's account on this page. A copy is the same.
#[derive(Clone, Copy)]
pub(crate) struct Account {
    phase: RwSignal<Phase>,
    keeper: StoredValue<Keeper, LocalStorage>,
    /// Counts the times that someone has signed in.
    sign_ins: RwSignal<u32>,
    /// The address of the window that the browser did not open.
    blocked: RwSignal<Option<String>>,
}

/// The account, from the context.
pub(crate) fn use_account() -> Account {
    expect_context()
}

impl Account {
    pub(super) fn new() -> Self {
        Self {
            phase: RwSignal::new(Phase::Starting),
            keeper: StoredValue::new_local(Keeper {
                way: Way::Unknown,
                tokens: Tokens::None,
                renewing: None,
                refused: None,
                last_hope: None,
                timer: None,
            }),
            sign_ins: RwSignal::new(0),
            blocked: RwSignal::new(None),
        }
    }

    /// What the page shows.
    pub(crate) fn phase(self) -> Signal<Phase> {
        self.phase.into()
    }

    /// The user, also after the session has ended.
    pub(crate) fn who(self) -> Option<Who> {
        match self.phase.get() {
            Phase::SignedIn(who) | Phase::Ended(who, _) => Some(who),
            _ => None,
        }
    }

    /// Counts the times that someone has signed in: what waits for a token goes on when it changes.
    pub(crate) fn sign_ins(self) -> Signal<u32> {
        self.sign_ins.into()
    }

    fn is_signed_in(self) -> bool {
        self.phase
            .with_untracked(|phase| matches!(phase, Phase::SignedIn(_)))
    }

    /// A token for the next request, renewed if need be. None if the user has to sign in.
    async fn token(self) -> Option<String> {
        let now = browser::now();
        let (is_refused, is_old) = self.keeper.with_value(|keeper| match &keeper.tokens {
            Tokens::Provider(session) => (
                keeper.is_refused(session),
                session.is_to_renew(now) && session.refresh_token().is_some(),
            ),
            _ => (false, false),
        });
        if self.is_signed_in() && (is_refused || is_old) {
            self.renew().await;
            if is_refused {
                self.keeper.update_value(|keeper| {
                    if let Tokens::Provider(session) = &keeper.tokens {
                        keeper.last_hope = Some(session.access_token().to_owned());
                    }
                });
            }
        }
        if !self.is_signed_in() {
            return None;
        }
        self.keeper.with_value(|keeper| match &keeper.tokens {
            Tokens::None => None,
            Tokens::Local(local) => Some(local.token.clone()),
            Tokens::Provider(session) if session.is_expired(browser::now()) => None,
            Tokens::Provider(session) => Some(session.access_token().to_owned()),
        })
    }

    /// The api did not accept this token. The next one is a new one; if that is not accepted either, the session has ended.
    fn refuse(self, token: &str) {
        let ended = self.keeper.with_value(|keeper| match &keeper.tokens {
            Tokens::Local(local) if local.token == token => Some(Notice::LinkExpired),
            Tokens::Provider(session) if session.access_token() == token => {
                let is_hopeless =
                    keeper.last_hope.as_deref() == Some(token) || session.refresh_token().is_none();
                is_hopeless.then_some(Notice::Refused)
            }
            // It is another one by now.
            _ => None,
        });
        match ended {
            Some(notice) => self.end(notice),
            None => self
                .keeper
                .update_value(|keeper| keeper.refused = Some(token.to_owned())),
        }
    }

    pub(super) fn way(self) -> Way {
        self.keeper.with_value(|keeper| keeper.way.clone())
    }

    pub(super) fn set_way(self, way: Way) {
        self.keeper.update_value(|keeper| keeper.way = way);
    }

    pub(super) fn set_phase(self, phase: Phase) {
        self.phase.set(phase);
    }

    pub(super) fn sign_in_locally(self, local: LocalToken) {
        let seconds = local.expires_in(browser::now());
        let who = local.who.clone();
        self.keeper
            .update_value(|keeper| keeper.tokens = Tokens::Local(local));
        self.wake_in(seconds);
        self.signed_in(who);
    }

    pub(super) fn sign_in_at_provider(self, session: Session) {
        let (seconds, who) = (session.renew_in(browser::now()), session.who().clone());
        self.keeper
            .update_value(|keeper| keeper.tokens = Tokens::Provider(session));
        self.wake_in(seconds);
        self.signed_in(who);
    }

    fn signed_in(self, who: Who) {
        // Another user must not see what is on the screen, or in memory.
        if self
            .phase
            .with_untracked(|phase| matches!(phase, Phase::Ended(before, _) if before.key() != who.key()))
        {
            browser::start_over();
            return;
        }
        browser::keep_tab_for(&who.key());
        self.blocked.set(None);
        self.phase.set(Phase::SignedIn(who));
        self.sign_ins.update(|count| *count += 1);
    }

    /// The session has ended by itself: what is shown and typed remains.
    fn end(self, notice: Notice) {
        if let Phase::SignedIn(who) = self.phase.get_untracked() {
            self.phase.set(Phase::Ended(who, notice));
        }
    }

    /// Signing in again has failed.
    fn ended(self, notice: Notice) {
        if let Some(who) = self.phase.with_untracked(|phase| match phase {
            Phase::Ended(who, _) => Some(who.clone()),
            _ => None,
        }) {
            self.phase.set(Phase::Ended(who, notice));
        }
    }

    pub(super) fn blocked_url(self) -> Signal<Option<String>> {
        self.blocked.into()
    }

    /// Renews the session; callers at the same time share one renewal.
    async fn renew(self) {
        let promise = self
            .keeper
            .with_value(|keeper| keeper.renewing.clone())
            .unwrap_or_else(|| {
                let promise = future_to_promise(async move {
                    self.renew_once().await;
                    self.keeper.update_value(|keeper| keeper.renewing = None);
                    Ok(JsValue::UNDEFINED)
                });
                self.keeper
                    .update_value(|keeper| keeper.renewing = Some(promise.clone()));
                promise
            });
        let _ = JsFuture::from(promise).await;
    }

    async fn renew_once(self) {
        let both = self
            .keeper
            .with_value(|keeper| match (&keeper.way, &keeper.tokens) {
                (Way::Provider(provider), Tokens::Provider(session)) => {
                    Some((provider.clone(), session.clone()))
                }
                _ => None,
            });
        let Some((provider, session)) = both else {
            return;
        };
        match provider.renew(&session).await {
            Ok(session) => {
                let seconds = session.renew_in(browser::now());
                let was_useless = self.is_expired() || self.is_refused();
                self.keeper
                    .update_value(|keeper| keeper.tokens = Tokens::Provider(session));
                self.wake_in(seconds);
                // What waited for a token goes on, also if a request has asked for this one.
                if was_useless {
                    self.sign_ins.update(|count| *count += 1);
                }
            }
            Err(error) if error.fault() == Fault::Passing => {
                self.wake_after(PAUSE);
            }
            Err(error) => self.end(Notice::Provider(error)),
        }
    }

    /// Looks after the tokens: when they are old, when the device wakes up, and when the network is back.
    pub(super) fn look_after(self) {
        let now = browser::now();
        enum Next {
            Nothing,
            Renew,
            End(Notice),
        }
        let next = self.keeper.with_value(|keeper| match &keeper.tokens {
            Tokens::None => Next::Nothing,
            Tokens::Local(local) if local.is_expired(now) => Next::End(Notice::LinkExpired),
            Tokens::Local(_) => Next::Nothing,
            Tokens::Provider(session) if session.refresh_token().is_none() => match session.is_expired(now) {
                true => Next::End(Notice::Provider(Error::SessionEnded)),
                false => Next::Nothing,
            },
            Tokens::Provider(session) if session.is_to_renew(now) || keeper.is_refused(session) => {
                Next::Renew
            }
            Tokens::Provider(_) => Next::Nothing,
        });
        match next {
            Next::Renew => spawn_local(self.renew()),
            Next::End(notice) => self.end(notice),
            Next::Nothing => {
                let seconds = self.keeper.with_value(|keeper| match &keeper.tokens {
                    Tokens::None => None,
                    Tokens::Local(local) => Some(local.expires_in(now)),
                    Tokens::Provider(session) if session.refresh_token().is_some() => {
                        Some(session.renew_in(now))
                    }
                    Tokens::Provider(session) => Some(session.expires_in(now)),
                });
                if let Some(seconds) = seconds {
                    self.wake_in(seconds);
                }
            }
        }
    }

    fn is_expired(self) -> bool {
        self.keeper.with_value(|keeper| match &keeper.tokens {
            Tokens::Provider(session) => session.is_expired(browser::now()),
            _ => false,
        })
    }

    fn is_refused(self) -> bool {
        self.keeper.with_value(|keeper| match &keeper.tokens {
            Tokens::Provider(session) => keeper.is_refused(session),
            _ => false,
        })
    }

    fn wake_in(self, seconds: i64) {
        let seconds = seconds.clamp(1, LONGEST_TIMER).unsigned_abs();
        self.wake_after(Duration::from_secs(seconds));
    }

    fn wake_after(self, pause: Duration) {
        let timer = set_timeout_with_handle(move || self.look_after(), pause).ok();
        self.keeper.update_value(|keeper| {
            if let Some(before) = std::mem::replace(&mut keeper.timer, timer) {
                before.clear();
            }
        });
    }

    /// Goes to the provider, which may ask the user. What is typed is lost; for a session that has ended there is
    /// [`sign_in_again`](Self::sign_in_again).
    pub(crate) fn sign_in(self) {
        if let Way::Provider(provider) = self.way()
            && let Err(error) = provider.go(oidc_client::Prompt::Login, &browser::address())
        {
            self.phase.set(Phase::SignedOut(Notice::Provider(error)));
        }
    }

    /// Signs in at the provider in another window, while this one keeps what is shown and typed.
    pub(crate) fn sign_in_again(self) {
        let Way::Provider(provider) = self.way() else {
            return;
        };
        let opened = window::sign_in(provider, move |session| match session {
            Ok(session) => self.sign_in_at_provider(session),
            Err(error) => self.ended(Notice::Provider(error)),
        });
        match opened {
            Ok(Opened::Shown) => {}
            Ok(Opened::Blocked(url)) => self.blocked.set(Some(url)),
            Err(error) => self.ended(Notice::Provider(error)),
        }
    }

    /// Signs out here, in the other tabs and at the provider, and leaves the page.
    pub(crate) fn sign_out(self) {
        let (way, session) = self.keeper.with_value(|keeper| {
            let session = match &keeper.tokens {
                Tokens::Provider(session) => Some(session.clone()),
                _ => None,
            };
            (keeper.way.clone(), session)
        });
        self.keeper.update_value(|keeper| keeper.tokens = Tokens::None);
        local::forget();
        browser::clear_tab();
        match way {
            Way::Provider(provider) => spawn_local(async move { provider.sign_out(session.as_ref()).await }),
            _ => browser::leave("/"),
        }
    }

    /// Another tab has signed out, or in.
    pub(super) fn on_storage(self, name: &str, value: Option<String>) {
        match (self.way(), name, value) {
            (Way::Local, local::KEY, Some(token)) => {
                let Some(local) = LocalToken::read(token) else {
                    return;
                };
                match self.phase.get_untracked() {
                    Phase::SignedIn(who) if who.key() != local.who.key() => {
                        browser::start_over();
                    }
                    _ => self.sign_in_locally(local),
                }
            }
            // Loading the page again forgets everything in memory.
            (Way::Local, local::KEY, None) | (Way::Provider(_), provider::HINT, None) => {
                browser::clear_tab();
                browser::leave("/");
            }
            _ => {}
        }
    }
}

impl api::Session for Account {
    fn token(&self) -> Pin<Box<dyn Future<Output = Option<String>>>> {
        Box::pin(Self::token(*self))
    }

    fn refused(&self, token: &str) {
        self.refuse(token);
    }
}
