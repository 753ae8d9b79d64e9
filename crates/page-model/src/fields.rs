//! The fields of a task that a person edits, as JSON, and when two values of a field count as equal.

use jiff::Timestamp;
use nudge_contract::task::Task;
use nudge_domain::LocalInstant;
use serde_json::{Map, Value};

use crate::json;

/// Values by the name of their field.
pub type Values = Map<String, Value>;

/// The fields that a person edits, in the order in which a form shows them.
pub const EDITED: [&str; 11] = [
    "title",
    "description",
    "due",
    "timeZone",
    "recurrence",
    "recurrenceFrom",
    "reminders",
    "priority",
    "categoryId",
    "tagIds",
    "estimateMinutes",
];

/// The edited fields of a task.
pub fn of(task: &Task) -> Values {
    let Some(Value::Object(mut all)) = json::value(task) else {
        return Values::new();
    };
    all.retain(|field, _| EDITED.contains(&field.as_str()));
    all
}

/// Whether two values of a field mean the same: instants whatever their offset, lists of tags and reminders whatever their order,
/// reminders whatever became of them, texts as the API stores them.
pub fn same(field: &str, one: &Value, other: &Value) -> bool {
    one == other || comparable(field, one) == comparable(field, other)
}

fn comparable(field: &str, value: &Value) -> Value {
    match (field, value) {
        ("title", Value::String(text)) => text.trim().into(),
        ("description", Value::String(text)) if text.is_empty() => Value::Null,
        ("due", Value::String(text)) => instant(text),
        ("tagIds", Value::Array(items)) => sorted(items.iter().cloned()),
        ("reminders", Value::Array(items)) => sorted(items.iter().map(time_of_reminder)),
        // What the API reads as absent.
        ("tagIds" | "reminders", Value::Null) => Value::Array(Vec::new()),
        ("priority", Value::Null) => "medium".into(),
        ("recurrenceFrom", Value::Null) => "due".into(),
        _ => value.clone(),
    }
}

fn instant(text: &str) -> Value {
    text.parse::<LocalInstant>()
        .map_or_else(|_| text.into(), |instant| instant.at().to_string().into())
}

fn sorted(items: impl Iterator<Item = Value>) -> Value {
    let mut sorted: Vec<(String, Value)> = Vec::new();
    for item in items {
        let text = item.to_string();
        let place = sorted.partition_point(|(other, _)| *other < text);
        if sorted.get(place).is_none_or(|(other, _)| *other != text) {
            sorted.insert(place, (text, item));
        }
    }
    Value::Array(sorted.into_iter().map(|(_, item)| item).collect())
}

fn time_of_reminder(reminder: &Value) -> Value {
    match (
        reminder.get("minutesBefore"),
        reminder.get("at").and_then(Value::as_str),
    ) {
        (Some(minutes), _) if !minutes.is_null() => minutes.clone(),
        (_, Some(at)) => instant(at),
        _ => Value::Null,
    }
}

/// Both sides changed a list of tags: what each side added and removed is added and removed.
pub fn merge_tags(base: &Value, mine: &Value, theirs: &Value) -> Value {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let (base, mine, theirs) = (list(base), list(mine), list(theirs));
    let kept = theirs
        .iter()
        .filter(|tag| mine.contains(tag) || !base.contains(tag));
    let added = mine
        .iter()
        .filter(|tag| !base.contains(tag) && !theirs.contains(tag));
    Value::Array(kept.chain(added).cloned().collect())
}

/// The body that creates a task with these fields again. A reminder at an instant that has passed is left out, since the API refuses it.
pub fn creation(fields: &Values, now: Timestamp) -> Values {
    let mut body = fields.clone();
    body.retain(|field, value| EDITED.contains(&field.as_str()) && !value.is_null());
    if let Some(Value::Array(reminders)) = body.get_mut("reminders") {
        *reminders = reminders
            .iter()
            .filter_map(|reminder| new_reminder(reminder, now))
            .collect();
    }
    body
}

fn new_reminder(reminder: &Value, now: Timestamp) -> Option<Value> {
    let mut new = Values::new();
    match (
        reminder.get("minutesBefore"),
        reminder.get("at").and_then(Value::as_str),
    ) {
        (Some(minutes), _) if !minutes.is_null() => new.insert("minutesBefore".to_owned(), minutes.clone()),
        (_, Some(at)) if at.parse::<LocalInstant>().is_ok_and(|at| at.at() > now) => {
            new.insert("at".to_owned(), at.into())
        }
        _ => return None,
    };
    Some(Value::Object(new))
}
