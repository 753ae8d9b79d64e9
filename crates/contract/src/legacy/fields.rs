//! A task's fields, from their names there to a merge patch of a task here.

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde_json::{Map, Value, json};

use super::LegacyError;

/// Fields that a row has and a task does not take: ids, dates and marks of their own.
const OF_THE_ROW: [&str; 6] = [
    "id",
    "task_id",
    "user_id",
    "created_at",
    "updated_at",
    "reminder_sent",
];

/// Reads the timestamp of a field: RFC 3339, or the same without an offset, which is UTC.
///
/// # Errors
///
/// It is neither.
pub fn instant(field: &str, text: &str) -> Result<Timestamp, LegacyError> {
    text.parse::<Timestamp>()
        .or_else(|_| {
            let naive: DateTime = text.parse()?;
            Ok(naive.to_zoned(jiff::tz::TimeZone::UTC)?.timestamp())
        })
        .map_err(|error: jiff::Error| LegacyError::field(field, format!("{text:?} is no instant: {error}")))
}

/// Renames and converts fields: `due_date` to `due`, `recurrence_rule` to `recurrence`, `completed` to `status`, `category_id` and
/// `tag_ids` to `category` and `tags`, which stay numbers. Empty texts are none. What is not known is refused by name.
///
/// # Errors
///
/// The field that is not as it should be.
pub fn task_fields(old: &Map<String, Value>) -> Result<Map<String, Value>, LegacyError> {
    let mut fields = Map::new();
    for (name, value) in old {
        let (name, value) = match name.as_str() {
            "title" => ("title", value.clone()),
            "priority" => ("priority", none_if_empty(value)),
            "description" => ("description", none_if_empty(value)),
            "due_date" => ("due", due(value)?),
            "recurrence_rule" => ("recurrence", none_if_empty(value)),
            "completed" => ("status", status(value)?),
            "category_id" if value.is_null() || value.is_i64() => ("category", value.clone()),
            "category_id" => return Err(LegacyError::field(name, "must be a whole number or null")),
            "tag_ids" => ("tags", tags(value)?),
            row if OF_THE_ROW.contains(&row) => continue,
            _ => return Err(LegacyError::field(name, "is no field of a task that Nudge knows")),
        };
        fields.insert(name.to_owned(), value);
    }
    Ok(fields)
}

fn none_if_empty(value: &Value) -> Value {
    match value.as_str() {
        Some(text) if text.trim().is_empty() => Value::Null,
        _ => value.clone(),
    }
}

fn due(value: &Value) -> Result<Value, LegacyError> {
    match none_if_empty(value) {
        Value::Null => Ok(Value::Null),
        Value::String(text) => Ok(json!(instant("due_date", &text)?.to_string())),
        _ => Err(LegacyError::field("due_date", "must be a text")),
    }
}

fn status(value: &Value) -> Result<Value, LegacyError> {
    match value {
        Value::Bool(true) => Ok(json!("completed")),
        Value::Bool(false) => Ok(json!("pending")),
        _ => Err(LegacyError::field("completed", "must be true or false")),
    }
}

fn tags(value: &Value) -> Result<Value, LegacyError> {
    match value {
        Value::Null => Ok(json!([])),
        Value::Array(items) if items.iter().all(Value::is_i64) => Ok(value.clone()),
        _ => Err(LegacyError::field("tag_ids", "must be a list of whole numbers")),
    }
}
