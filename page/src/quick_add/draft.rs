//! The line survives a page that is loaded again, such as after signing in.

use leptos::prelude::*;

const KEY: &str = "nudge.draft";

/// What was written before.
pub(super) fn load() -> Option<String> {
    let text = window().session_storage().ok()??.get_item(KEY).ok()??;
    (!text.is_empty()).then_some(text)
}

/// Keeps a text. Without storage, the page works as well.
pub(super) fn keep(text: &str) {
    if let Ok(Some(storage)) = window().session_storage() {
        let _ = if text.is_empty() {
            storage.remove_item(KEY)
        } else {
            storage.set_item(KEY, text)
        };
    }
}
