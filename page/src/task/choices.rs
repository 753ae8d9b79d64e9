//! Properties that are chosen: priority and estimate.

use leptos::prelude::*;
use nudge_domain::task::Priority;
use nudge_page_model::{Patch, duration};

use super::editor::Editor;
use super::field::{self, Field, Look};
use crate::parts::check;
use crate::parts::dynamic::{Piece, does, memo};
use crate::parts::icon::Icon;

const PRIORITIES: [Priority; 4] = [Priority::Urgent, Priority::High, Priority::Medium, Priority::Low];

/// The priority.
pub(super) fn priority(editor: Editor) -> AnyView {
    let current = memo(move |_| editor.task.with(|task| task.as_ref().map(|task| task.priority)));
    let options = PRIORITIES.map(|of| view! { <option value=of.as_str() prop:selected=move || current.get() == Some(of)>{check::name(of)}</option> });
    let choose = move |event: web_sys::Event| {
        let name = event_target_value(&event);
        if let Some(of) = PRIORITIES.into_iter().find(|of| of.as_str() == name) {
            editor.save(Patch::new().priority(of));
        }
    };
    view! {
        <div class="prop">
            <dt><Icon name="flag"/>"Priority"</dt>
            <dd class="prop-value">
                <select class="value" aria-label="Priority" on:change=does(choose)>{options}</select>
                {field::refused(editor, "priority")}
            </dd>
        </div>
    }
    .piece()
}

/// How long it takes.
pub(super) fn estimate(editor: Editor) -> AnyView {
    let value = Signal::derive(move || {
        editor
            .get(|task| task.estimate_minutes)
            .map(duration::words)
            .unwrap_or_default()
    });
    let save = Callback::new(move |text: String| {
        let text = text.trim();
        let minutes = if text.is_empty() {
            None
        } else {
            duration::minutes(text)
        };
        if minutes.is_none() && !text.is_empty() {
            return Some("Write minutes or hours, such as 30, 45 minutes or 1h 30m.".to_owned());
        }
        editor.save(Patch::new().estimate(minutes));
        None
    });
    let input = Field {
        name: "estimateMinutes",
        label: "Estimate: how long it takes",
        look: Look::Value,
        placeholder: "Add an estimate",
        list: "",
        value,
        save,
        typed: None,
    };
    view! {
        <div class="prop">
            <dt><Icon name="clock"/>"Estimate"</dt>
            <dd class="prop-value">{field::field(editor, input)}</dd>
        </div>
    }
    .piece()
}
