//! The link of `nudge up`, and the token that it leaves on this device.
//!
//! The token is kept in the local storage: reloading the page, another tab and the next day do not sign out. It works on this machine alone.

use leptos::prelude::window;
use oidc_client::{Claims, Who, is_jwt};

use super::browser;

/// The name of the token in the storage of the device.
pub(super) const KEY: &str = "nudge.token";

/// A token that the api issued for the user of this machine.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct LocalToken {
    pub(super) token: String,
    pub(super) who: Who,
    expires: i64,
}

impl LocalToken {
    pub(super) fn read(token: String) -> Option<Self> {
        let claims = is_jwt(&token).then(|| Claims::read(&token)).flatten()?;
        Some(Self {
            expires: claims.expires()?,
            who: claims.who(),
            token,
        })
    }

    /// The token of before.
    pub(super) fn stored() -> Option<Self> {
        Self::read(browser::device()?.get_item(KEY).ok()??)
    }

    /// Keeps it, for this tab and the others.
    pub(super) fn store(&self) {
        if let Some(device) = browser::device() {
            let _ = device.set_item(KEY, &self.token);
        }
    }

    pub(super) fn is_expired(&self, now: i64) -> bool {
        now >= self.expires
    }

    /// Seconds until it expires.
    pub(super) fn expires_in(&self, now: i64) -> i64 {
        (self.expires - now).max(0)
    }

    /// Whether the api accepts it. None if the api cannot say.
    pub(super) async fn is_accepted(&self) -> Option<bool> {
        let answer = browser::get("/api/v1/me", Some(&self.token)).await?;
        match answer.status {
            401 | 403 => Some(false),
            200..=299 => Some(true),
            _ => None,
        }
    }
}

/// Signs this device out.
pub(super) fn forget() {
    if let Some(device) = browser::device() {
        let _ = device.remove_item(KEY);
    }
}

/// Takes the token out of the fragment of the address, and out of the address bar.
pub(super) fn take_link() -> Option<String> {
    let fragment = window().location().hash().unwrap_or_default();
    let token = fragment.strip_prefix("#token=")?.to_owned();
    browser::set_address(&browser::address());
    Some(token)
}
