//! Light, dark, or as the system is.

use leptos::prelude::*;

use super::section;
use crate::parts::dynamic::{Piece, does};

const KEY: &str = "nudge.theme";
const THEMES: [(&str, &str); 3] = [("", "System"), ("light", "Light"), ("dark", "Dark")];

fn stored() -> String {
    let storage = window().local_storage().ok().flatten();
    storage
        .and_then(|storage| storage.get_item(KEY).ok().flatten())
        .unwrap_or_default()
}

/// Applies what was chosen on this device.
pub(crate) fn apply() {
    let Some(root) = document().document_element() else {
        return;
    };
    // Setting or removing this attribute does not fail.
    let _ = match stored().as_str() {
        theme @ ("light" | "dark") => root.set_attribute("data-theme", theme),
        _ => root.remove_attribute("data-theme"),
    };
}

pub(super) fn appearance() -> AnyView {
    let chosen = RwSignal::new(stored());
    let choose = move |theme: &'static str| {
        chosen.set(theme.to_owned());
        if let Some(storage) = window().local_storage().ok().flatten() {
            let _ = storage.set_item(KEY, theme);
        }
        apply();
    };
    let buttons = THEMES.map(|(theme, label)| {
        view! { <button type="button" aria-pressed=move || (chosen.get() == theme).to_string() on:click=does(move |_: web_sys::MouseEvent| choose(theme))>{label}</button> }
    });
    let body = view! { <div class="segments" role="group" aria-label="Appearance">{buttons}</div> };
    section("Appearance", "On this device.", body.piece())
}
