//! How the line was understood.

use leptos::prelude::*;
use nudge_domain::LocalInstant;
use nudge_domain::task::Priority;
use serde_json::Value;

use crate::api::{Parsed, Question};
use crate::parts::check;
use crate::parts::clock::{self, Clock, Form};
use crate::parts::dynamic::{Piece, does, dynamic};
use crate::parts::icon::Icon;
use crate::parts::when;
use crate::store::use_store;

/// The reading in words, or what has to be asked.
#[component]
pub(super) fn Preview(read: Signal<Option<Parsed>>, choose: Callback<String>) -> impl IntoView {
    dynamic(move || {
        let parsed = read.get()?;
        if !parsed.questions.is_empty() {
            let questions = parsed
                .questions
                .into_iter()
                .map(|question| ask(question, choose))
                .collect::<Vec<_>>();
            return Some(view! { <div class="quick-preview">{questions}</div> }.piece());
        }
        let chips = chips(&parsed);
        let next = next_dates(&parsed);
        if chips.is_empty() {
            return None;
        }
        let title = parsed
            .task
            .as_ref()
            .and_then(|task| task.get("title"))
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        Some(
            view! {
                <div class="quick-preview">
                    <div class="quick-title" dir="auto">{title}</div>
                    <div class="quick-chips">{chips}</div>
                    {next}
                </div>
            }
            .piece(),
        )
    })
}

fn ask(question: Question, choose: Callback<String>) -> AnyView {
    let choices = question.choices.into_iter().map(|choice| {
        let text = choice.text;
        view! { <button type="button" class="btn small" on:click=does(move |_: web_sys::MouseEvent| choose.run(text.clone()))>{choice.label}</button> }
    });
    view! {
        <div class="quick-ask" role="alert">
            <p><Icon name="help"/><span>{question.message}</span></p>
            <div class="btn-row">{choices.collect::<Vec<_>>()}</div>
        </div>
    }
    .piece()
}

fn chips(parsed: &Parsed) -> Vec<AnyView> {
    let store = use_store();
    let chip = |kind: &'static str, icon: &'static str, text: String, is_new: bool| {
        view! {
            <span class="chip" data-kind=kind>
                <Icon name=icon small=true/>
                <bdi class="clip">{text}</bdi>
                {is_new.then(|| view! { <b class="is-new">"new"</b> })}
            </span>
        }
        .piece()
    };
    let mut chips = Vec::new();
    // As everywhere on the page; the words of the server are for those that have no calendar.
    let due = parsed
        .task
        .as_ref()
        .and_then(|task| task.get("due")?.as_str()?.parse::<LocalInstant>().ok());
    let due = due.map(|due| when::moment(Clock::get(), &due));
    chips.extend(
        due.or_else(|| parsed.words.due.clone())
            .map(|due| chip("due", "today", due, false)),
    );
    chips.extend(
        parsed
            .words
            .recurrence
            .clone()
            .map(|words| chip("recurrence", "repeat", words, false)),
    );
    let task = parsed.task.clone().unwrap_or_default();
    let priority: Option<Priority> = task
        .get("priority")
        .and_then(Value::as_str)
        .and_then(|name| name.parse().ok());
    chips.extend(priority.map(|priority| chip("priority", "flag", check::name(priority).to_owned(), false)));
    let category = task
        .get("categoryId")
        .and_then(Value::as_str)
        .and_then(|id| id.parse::<uuid::Uuid>().ok());
    let category = category.and_then(|id| {
        store.categories().with(|all| {
            all.iter()
                .find(|label| label.id == id)
                .map(|label| label.name.clone())
        })
    });
    chips.extend(category.map(|name| chip("category", "folder", name, false)));
    chips.extend(
        parsed
            .new_category
            .clone()
            .map(|name| chip("category", "folder", name, true)),
    );
    let tags = task
        .get("tagIds")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    for id in tags
        .iter()
        .filter_map(Value::as_str)
        .filter_map(|id| id.parse::<uuid::Uuid>().ok())
    {
        let name = store.tags().with(|all| {
            all.iter()
                .find(|label| label.id == id)
                .map(|label| label.name.clone())
        });
        chips.extend(name.map(|name| chip("tag", "tag", name, false)));
    }
    chips.extend(
        parsed
            .new_tags
            .iter()
            .map(|name| chip("tag", "tag", name.clone(), true)),
    );
    chips.extend(
        parsed
            .words
            .reminders
            .iter()
            .map(|words| chip("reminder", "bell", words.clone(), false)),
    );
    chips
}

/// The next dates of a recurring task.
fn next_dates(parsed: &Parsed) -> Option<impl IntoView + use<>> {
    parsed.words.recurrence.as_ref()?;
    let zone = parsed
        .task
        .as_ref()
        .and_then(|task| task.get("timeZone"))
        .and_then(Value::as_str)
        .unwrap_or("UTC")
        .to_owned();
    let dates = parsed
        .occurrences
        .iter()
        .filter_map(|due| due.to_string().parse::<LocalInstant>().ok());
    let dates = dates
        .map(|due| view! { <span>{clock::write(Form::WeekdayDay, due.at(), &zone)}</span> })
        .collect::<Vec<_>>();
    (!dates.is_empty()).then(|| view! { <p class="quick-next"><span>"Next dates"</span>{dates}</p> })
}
