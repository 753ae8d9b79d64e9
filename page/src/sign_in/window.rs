//! Signing in again in a window of its own, so that this one loses nothing.
//!
//! The provider sends the other window back to this page, which passes the response on: through a channel that only pages of this origin
//! share. The code is of no use without the verifier, which stays here.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use js_sys::{Array, Promise};
use leptos::prelude::{set_timeout, window};
use leptos::task::spawn_local;
use oidc_client::{Callback, Error, Prompt, Session};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{BroadcastChannel, MessageEvent};

use super::provider::Provider;

/// The channel of this origin.
const CHANNEL: &str = "nudge.sign-in";

/// How long the other window waits for the one that it signs in for.
const PATIENCE: Duration = Duration::from_secs(2);

/// Size of the window, in pixels.
const FEATURES: &str = "popup,width=480,height=720";

thread_local! {
    /// The request of the window that is open, and the channel of its response.
    static OPEN: RefCell<Option<Waiting>> = const { RefCell::new(None) };
}

struct Waiting {
    channel: BroadcastChannel,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.channel.set_onmessage(None);
        self.channel.close();
    }
}

/// What became of the window.
pub(super) enum Opened {
    /// It is there.
    Shown,
    /// The browser did not open it. This is where it would have gone; a link may go there.
    Blocked(String),
}

/// Opens the window, and calls `done` with the session. In a handler of a click, or the browser blocks it.
pub(super) fn sign_in(
    provider: Provider,
    done: impl Fn(Result<Session, Error>) + Clone + 'static,
) -> Result<Opened, Error> {
    let (pending, url) = provider.request(Prompt::Login, "/")?;
    let channel = BroadcastChannel::new(CHANNEL).map_err(|_| Error::Unavailable {
        detail: "the browser has no BroadcastChannel".to_owned(),
    })?;
    let answering = channel.clone();
    let pending = Rc::new(pending);
    let on_message = Closure::new(move |event: MessageEvent| {
        let Some(query) = event.data().as_string() else {
            return;
        };
        let callback = query
            .split_once('?')
            .and_then(|(_, query)| Callback::parse(query));
        if let Some(callback) = callback.filter(|callback| callback.state() == pending.state()) {
            let _ = answering.post_message(&Array::of1(&JsValue::from_str(pending.state())));
            let (provider, pending, done) = (provider.clone(), Rc::clone(&pending), done.clone());
            spawn_local(async move {
                done(provider.finish(&pending, callback).await);
                // Not in the handler, which is dropped with it.
                OPEN.with(|open| open.borrow_mut().take());
            });
        }
    });
    channel.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    OPEN.with(|open| {
        *open.borrow_mut() = Some(Waiting {
            channel,
            _on_message: on_message,
        });
    });
    Ok(
        match window().open_with_url_and_target_and_features(&url, CHANNEL, FEATURES) {
            Ok(Some(_)) => Opened::Shown,
            _ => Opened::Blocked(url),
        },
    )
}

/// Passes a response on to the window that waits for it, and closes this one. Whether there is such a window.
pub(super) async fn forward(state: &str, query: &str) -> bool {
    let Ok(channel) = BroadcastChannel::new(CHANNEL) else {
        return false;
    };
    let state = state.to_owned();
    let taken = Promise::new(&mut |resolve, _| {
        let (listening, state, answered) = (channel.clone(), state.clone(), resolve.clone());
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            let answer = event
                .data()
                .dyn_into::<Array>()
                .ok()
                .and_then(|answer| answer.get(0).as_string());
            if answer.as_deref() == Some(&state) {
                let _ = answered.call1(&JsValue::NULL, &JsValue::TRUE);
            }
        });
        listening.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        // This window has nothing else to do.
        on_message.forget();
        set_timeout(
            move || {
                let _ = resolve.call1(&JsValue::NULL, &JsValue::FALSE);
            },
            PATIENCE,
        );
    });
    let _ = channel.post_message(&JsValue::from_str(query));
    let is_taken = JsFuture::from(taken).await.is_ok_and(|taken| taken.is_truthy());
    channel.close();
    if is_taken {
        // A browser may not allow it; then the page says to close it.
        let _ = window().close();
    }
    is_taken
}
