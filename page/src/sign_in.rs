//! Who uses the page.

use std::future::{Future, ready};
use std::pin::Pin;

use leptos::prelude::*;
use wasm_bindgen::JsValue;

use crate::api;

/// A signed-in person, or none. The token is only in memory.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Session {
    token: Option<String>,
}

impl Session {
    /// The token of requests.
    pub(crate) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }
}

/// The session of the page: the token of the fragment (`#token=…`), which leaves the address bar at once.
pub(crate) fn session() -> RwSignal<Session> {
    let location = window().location();
    let fragment = location.hash().unwrap_or_default();
    let token = fragment.strip_prefix("#token=").map(str::to_owned);
    if token.is_some()
        && let (Ok(history), Ok(path), Ok(query)) =
            (window().history(), location.pathname(), location.search())
    {
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&format!("{path}{query}")));
    }
    RwSignal::new(Session { token })
}

/// The session as requests use it.
pub(crate) struct Held(pub(crate) RwSignal<Session>);

impl api::Session for Held {
    fn token(&self) -> Pin<Box<dyn Future<Output = Option<String>>>> {
        Box::pin(ready(
            self.0
                .with_untracked(|session| session.token().map(str::to_owned)),
        ))
    }

    fn refused(&self, token: &str) {
        if self.0.with_untracked(|session| session.token() == Some(token)) {
            self.0.set(Session::default());
        }
    }
}
