//! The account.

use leptos::prelude::*;

use crate::words;

/// Settings of the person.
#[component]
pub(crate) fn Settings() -> impl IntoView {
    view! {
        <h1>Settings</h1>
        <p>"Time zone of this browser: " {words::zone()}</p>
    }
}
