//! Values of a task in words, and words as values.

use leptos::prelude::*;
use nudge_contract::task::Reminder;
use nudge_domain::LocalInstant;
use nudge_domain::task::Priority;
use nudge_page_model::{day, duration};
use serde_json::Value;

use super::editor::Editor;
use crate::api::Label;
use crate::parts::check;
use crate::parts::clock::{self, Clock};
pub(super) use crate::parts::when::moment;

/// `today`, `in 3 days`, `2 days ago`
pub(super) fn distance(clock: Clock, instant: &LocalInstant) -> String {
    let date = clock::date_of(instant.at(), &clock.zone.get());
    match day::between(clock.today.get(), date) {
        0 => "today".to_owned(),
        1 => "tomorrow".to_owned(),
        -1 => "yesterday".to_owned(),
        days if days > 0 => ["in ", &days.to_string(), " days"].concat(),
        days => [&days.unsigned_abs().to_string(), " days ago"].concat(),
    }
}

/// When a reminder is sent: `30 minutes before`, or its time.
pub(super) fn reminder(clock: Clock, reminder: &Reminder) -> String {
    match (reminder.minutes_before, &reminder.at) {
        (Some(0), _) => "When it is due".to_owned(),
        (Some(minutes), _) => [&duration::words(minutes), " before"].concat(),
        (None, Some(at)) => moment(clock, at),
        (None, None) => moment(clock, &reminder.remind_at),
    }
}

/// The name of a field.
pub(super) fn field_name(field: &str) -> &str {
    match field {
        "title" => "Title",
        "description" => "Notes",
        "status" => "Status",
        "priority" => "Priority",
        "due" => "Due",
        "timeZone" => "Time zone",
        "estimateMinutes" => "Estimate",
        "categoryId" => "Category",
        "tagIds" => "Tags",
        "recurrence" => "Repeats",
        "recurrenceFrom" => "Counts from",
        "reminders" => "Reminders",
        other => other,
    }
}

/// The value of a field, as the API has it, in words.
pub(super) fn value(editor: Editor, field: &str, value: &Value) -> String {
    let text = value.as_str();
    let words = match (field, value) {
        (_, Value::Null) => None,
        ("due", _) => match text.map(str::parse::<LocalInstant>) {
            Some(Ok(due)) => Some(moment(editor.clock, &due)),
            _ => text.map(str::to_owned),
        },
        ("priority", _) => serde_json::from_str(&value.to_string())
            .ok()
            .map(|of: Priority| check::name(of).to_owned()),
        ("categoryId", _) => text.and_then(|id| name_of(&editor.store.categories().get(), id)),
        ("tagIds", Value::Array(ids)) => {
            let tags = editor.store.tags().get();
            let names: Vec<String> = ids.iter().filter_map(|id| name_of(&tags, id.as_str()?)).collect();
            Some(names.join(", "))
        }
        ("reminders", Value::Array(items)) => {
            let words: Vec<String> = items.iter().map(|item| one_reminder(editor, item)).collect();
            Some(words.join("; "))
        }
        ("estimateMinutes", _) => value
            .as_u64()
            .and_then(|minutes| u32::try_from(minutes).ok())
            .map(duration::words),
        ("recurrenceFrom", _) if text == Some("completion") => Some("The completion".to_owned()),
        ("recurrenceFrom", _) => Some("The due date".to_owned()),
        _ => Some(text.map_or_else(|| value.to_string(), str::to_owned)),
    };
    words
        .filter(|words| !words.is_empty())
        .unwrap_or_else(|| "None".to_owned())
}

fn name_of(labels: &[Label], id: &str) -> Option<String> {
    labels
        .iter()
        .find(|label| label.id.to_string() == id)
        .map(|label| label.name.clone())
}

fn one_reminder(editor: Editor, item: &Value) -> String {
    match (
        item.get("minutesBefore").and_then(Value::as_u64),
        item.get("at").and_then(Value::as_str),
    ) {
        (Some(0), _) => "when it is due".to_owned(),
        (Some(minutes), _) => [
            &duration::words(u32::try_from(minutes).unwrap_or_default()),
            " before",
        ]
        .concat(),
        (None, Some(at)) => match at.parse() {
            Ok(at) => moment(editor.clock, &at),
            Err(_) => at.to_owned(),
        },
        (None, None) => String::new(),
    }
}
