//! How the task repeats, and its next dates.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use nudge_domain::series::RecurrenceFrom;
use nudge_page_model::Patch;

use super::editor::Editor;
use super::field::{self, Field, Look};
use super::words;
use crate::api::{ApiError, Occurrences, Preview};
use crate::parts::clock::{self, Form};
use crate::parts::dynamic::{Piece, does, dynamic, effect, memo};
use crate::parts::icon::Icon;

/// How long typing pauses before the dates are asked for.
const PAUSE: Duration = Duration::from_millis(300);
/// Number of dates.
const DATES: u32 = 5;

/// What a rule means: its words and dates, or why it is refused.
#[derive(Clone, Copy)]
pub(super) struct Dates {
    answer: RwSignal<Option<Result<Occurrences, ApiError>>>,
    /// The rule that is typed.
    typed: RwSignal<Option<String>>,
}

/// Asks for the dates of the task whenever its rule or its due date changes, and for those of a rule that is typed.
pub(super) fn dates(editor: Editor) -> Dates {
    let dates = Dates {
        answer: RwSignal::new(None),
        typed: RwSignal::new(None),
    };
    let asked = StoredValue::new(0_u32);
    let rule = memo(move |_| editor.get(|task| (task.recurrence.clone(), task.due)));
    effect(move |_| {
        let typed = dates.typed.get().filter(|text| !text.trim().is_empty());
        let has_rule = rule.with(|(rule, _)| rule.is_some());
        if editor.is_temporary() || !(has_rule || typed.is_some()) {
            return dates.answer.set(None);
        }
        asked.update_value(|asked| *asked += 1);
        let mine = asked.get_value();
        let ask = move || {
            spawn_local(async move {
                if asked.try_get_value() != Some(mine) {
                    return;
                }
                let preview = Preview {
                    recurrence: typed.as_deref(),
                    due: None,
                };
                let id = editor.store.real_id(editor.id);
                let answer = editor.store.api().occurrences(id, DATES, Some(preview)).await;
                // Another one was asked for meanwhile, or the panel is closed.
                if asked.try_get_value() == Some(mine) {
                    dates.answer.try_set(Some(answer));
                }
            });
        };
        set_timeout(ask, PAUSE);
    });
    dates
}

/// The rule, in words.
pub(super) fn repeat(editor: Editor, dates: Dates) -> AnyView {
    let rule = memo(move |_| editor.get(|task| task.recurrence.clone()));
    let value = Signal::derive(move || {
        let rule = rule.get()?;
        let words = dates.answer.with(|answer| match answer {
            Some(Ok(found))
                if dates.typed.with(Option::is_none) && found.recurrence.as_ref() == Some(&rule) =>
            {
                found.words.clone()
            }
            _ => None,
        });
        Some(words.unwrap_or(rule))
    });
    let value = Signal::derive(move || value.get().unwrap_or_default());
    let save = Callback::new(move |text: String| {
        let text = text.trim();
        editor.save(Patch::new().recurrence((!text.is_empty()).then_some(text)));
        None
    });
    let input = Field {
        name: "recurrence",
        label: "Repeats",
        look: Look::Value,
        placeholder: "Does not repeat",
        list: "task-rules",
        value,
        save,
        typed: Some(Callback::new(move |text| dates.typed.set(text))),
    };
    let preview = move || {
        dates.typed.get().filter(|text| !text.trim().is_empty())?;
        dates.answer.with(|answer| match answer.as_ref()? {
            Ok(found) => found
                .words
                .clone()
                .map(|words| view! { <p class="hint" role="status">{words}</p> }.piece()),
            Err(error) => {
                let why = error
                    .beside("recurrence")
                    .or_else(|| error.beside("due"))
                    .unwrap_or_else(|| error.sentence());
                Some(view! { <p class="refusal" role="status">{why}</p> }.piece())
            }
        })
    };
    let from = move || rule.get().map(|_| counts_from(editor));
    view! {
        <div class="prop">
            <dt><Icon name="repeat"/>"Repeats"</dt>
            <dd class="prop-value">
                {field::field(editor, input)}
                {dynamic(preview)}
                <datalist id="task-rules">
                    <option value="daily"></option>
                    <option value="weekdays"></option>
                    <option value="weekly"></option>
                    <option value="every 2 weeks"></option>
                    <option value="monthly"></option>
                    <option value="first monday of the month"></option>
                    <option value="yearly"></option>
                </datalist>
                {dynamic(from)}
            </dd>
        </div>
    }
    .piece()
}

fn counts_from(editor: Editor) -> AnyView {
    let completion = memo(move |_| {
        editor.task.with(|task| {
            task.as_ref()
                .is_some_and(|task| task.recurrence_from == RecurrenceFrom::Completion)
        })
    });
    let choose = move |event: web_sys::Event| {
        let from = if event_target_value(&event) == "completion" {
            RecurrenceFrom::Completion
        } else {
            RecurrenceFrom::Due
        };
        editor.save(Patch::new().recurrence_from(from));
    };
    view! {
        <div class="repeat-more">
            <select class="value" aria-label="The next date counts from" on:change=does(choose)>
                <option value="due" prop:selected=move || !completion.get()>"counted from the due date"</option>
                <option value="completion" prop:selected=move || completion.get()>"counted from the completion"</option>
            </select>
            <button type="button" class="link-btn" on:click=does(move |_: web_sys::MouseEvent| editor.save(Patch::new().recurrence(None)))>"Stop repeating"</button>
        </div>
        {field::refused(editor, "recurrenceFrom")}
    }
    .piece()
}

/// The next dates.
pub(super) fn next_dates(editor: Editor, dates: Dates) -> AnyView {
    let section = move || {
        let answer = dates.answer.get()?;
        let body = match answer {
            Ok(found) => {
                let zone = editor.clock.zone.get();
                let date = |at: &crate::api::Occurrence| {
                    let short = clock::write(Form::Short, at.due.at(), &zone);
                    let says = words::moment(editor.clock, &at.due);
                    let (day, month) = parts(&short);
                    let title = says.clone();
                    view! { <li class="date" title=title><span aria-hidden="true">{month}<b>{day}</b></span><span class="visually-hidden">{says}</span></li> }
                };
                let items: Vec<_> = found.items.iter().map(date).collect();
                let end = match (found.ends, items.is_empty()) {
                    (_, true) => Some("This is the last one."),
                    (true, _) => Some("Then it ends."),
                    _ => None,
                };
                view! { <ul class="dates">{items}</ul>{end.map(|end| view! { <p class="hint">{end}</p> })} }
                    .piece()
            }
            // Beside the rule it says why.
            Err(_) if dates.typed.with(Option::is_some) => return None,
            Err(error) => view! { <p class="hint">{error.sentence()}</p> }.piece(),
        };
        Some(
            view! { <section class="section"><div class="section-head"><h3>"Next dates"</h3></div>{body}</section> },
        )
    };
    view! { {dynamic(section)} }.piece()
}

/// Day and month of `3 Dec` or `Dec 3`.
fn parts(short: &str) -> (String, String) {
    let (mut day, mut month) = (String::new(), String::new());
    for part in short.split([' ', ',']) {
        let into = if part.starts_with(|c: char| c.is_ascii_digit()) {
            &mut day
        } else {
            &mut month
        };
        into.push_str(part);
    }
    (day, month)
}
