//! From an event of the legacy system to a change in Nudge.

use nudge_domain::id::{IdError, UserId};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Action, LegacyChange, LegacyFields, instant};

/// Why something is not an event or a row of the legacy system.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LegacyError {
    /// Not JSON, or without the fields that every event has.
    #[error("it is not an event of the legacy system: {0}")]
    Malformed(#[from] serde_json::Error),
    /// An unknown `schema_version`.
    #[error("schema_version {0:?} is not \"1.0\"")]
    SchemaVersion(String),
    /// An unknown `event_type`.
    #[error("event_type {0:?} is not known")]
    Type(String),
    /// A field that is not valid.
    #[error("{field}: {reason}")]
    Field {
        /// Its name in the legacy system.
        field: String,
        /// What is wrong.
        reason: String,
    },
}

impl LegacyError {
    pub(super) fn field(field: &str, reason: impl Into<String>) -> Self {
        Self::Field {
            field: field.to_owned(),
            reason: reason.into(),
        }
    }
}

/// The fields that every event has.
#[derive(Deserialize)]
struct Base {
    event_id: uuid::Uuid,
    event_type: String,
    timestamp: String,
    /// A number in events, a string in the tables.
    user_id: Value,
    schema_version: String,
    task_id: i64,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// Reads the user of a field.
///
/// # Errors
///
/// It is not a user id.
pub fn user(field: &str, text: String) -> Result<UserId, LegacyError> {
    text.try_into()
        .map_err(|error: IdError| LegacyError::field(field, error.to_string()))
}

impl LegacyChange {
    /// Reads an event of `task-events`, `task-recurrence` or `task-reminders`.
    ///
    /// # Errors
    ///
    /// It is not one. The message is for readers of the dead-letter topic.
    pub fn of_event(body: &[u8]) -> Result<Self, LegacyError> {
        let Base {
            event_id,
            event_type,
            timestamp,
            user_id,
            schema_version,
            task_id: task,
            mut rest,
        } = serde_json::from_slice(body)?;
        if schema_version != "1.0" {
            return Err(LegacyError::SchemaVersion(schema_version));
        }
        let action = match event_type.as_str() {
            "task.created" => Action::Stored {
                task,
                created_at: None,
                fields: LegacyFields::read(&rest)?,
                reminded: false,
                remind_before: None,
            },
            "task.updated" => match rest.remove("updated_fields") {
                Some(Value::Object(fields)) => Action::Updated {
                    task,
                    fields: LegacyFields::read(&fields)?,
                    remind_before: None,
                },
                _ => return Err(LegacyError::field("updated_fields", "must be an object")),
            },
            "task.deleted" => Action::Deleted { task },
            "task.completed" => {
                let at = rest.get("completed_at").and_then(Value::as_str);
                let at = match at {
                    Some(at) => instant("completed_at", at)?,
                    None => instant("timestamp", &timestamp)?,
                };
                Action::Completed {
                    task,
                    completed_at: at,
                }
            }
            "reminder.sent" => Action::Reminded { task },
            _ => return Err(LegacyError::Type(event_type)),
        };
        Ok(Self {
            event_id: event_id.to_string(),
            at: instant("timestamp", &timestamp)?,
            user_id: match user_id {
                Value::String(id) => user("user_id", id)?,
                Value::Number(id) => user("user_id", id.to_string())?,
                _ => return Err(LegacyError::field("user_id", "must be a number or a string")),
            },
            action,
        })
    }

    /// The same change of a legacy system that reminds this many minutes before the due date: tasks get such a reminder.
    pub fn reminding(mut self, minutes: Option<u32>) -> Self {
        match &mut self.action {
            Action::Stored { remind_before, .. } | Action::Updated { remind_before, .. } => {
                *remind_before = minutes
            }
            _ => {}
        }
        self
    }
}
