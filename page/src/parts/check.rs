//! The ring before a task: it completes and reopens it, and shows its priority.

use leptos::prelude::*;
use nudge_domain::task::Priority;

use crate::parts::dynamic::{Piece, does, follows};

/// The ring.
#[component]
pub(crate) fn Check(
    #[prop(into)] done: Signal<bool>,
    #[prop(into)] priority: Signal<Priority>,
    /// Of the task, for screen readers.
    #[prop(into)]
    title: Signal<String>,
    /// Whether the tabulator key reaches it.
    #[prop(into, default = Signal::stored(true))]
    reachable: Signal<bool>,
    toggle: Callback<()>,
) -> AnyView {
    let label = move || {
        let title = title.get();
        match priority.get() {
            Priority::Urgent | Priority::High => format!(
                "Complete “{title}”, {} priority",
                name(priority.get()).to_lowercase()
            ),
            _ => format!("Complete “{title}”"),
        }
    };
    view! {
        <button
            type="button"
            class="check"
            role="checkbox"
            aria-checked=move || if done.get() { "true" } else { "false" }
            aria-label=follows(label)
            data-priority=move || priority.get().as_str()
            tabindex=move || if reachable.get() { "0" } else { "-1" }
            on:click=does(move |event: web_sys::MouseEvent| {
                event.stop_propagation();
                toggle.run(());
            })
            inner_html=RING
        ></button>
    }
    .piece()
}

const RING: &str = r#"<svg viewBox="0 0 20 20" aria-hidden="true"><circle class="ring" cx="10" cy="10" r="8"/><path class="tick" d="m6.2 10.3 2.6 2.6 5-5.6"/></svg>"#;

/// The name of a priority.
pub(crate) fn name(priority: Priority) -> &'static str {
    match priority {
        Priority::Low => "Low",
        Priority::Medium => "Medium",
        Priority::High => "High",
        Priority::Urgent => "Urgent",
    }
}
