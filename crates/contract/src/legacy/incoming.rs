//! From an event there to a change here.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::fields::{instant, task_fields};
use super::{LegacyChange, What};

/// Why something is no event or no row of the other system.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LegacyError {
    /// Not JSON, or without what every event has.
    #[error("it is no such event: {0}")]
    Malformed(#[from] serde_json::Error),
    /// A `schema_version` that nobody described.
    #[error("schema_version {0:?} is not \"1.0\"")]
    SchemaVersion(String),
    /// An `event_type` that nobody described.
    #[error("event_type {0:?} is not known")]
    Type(String),
    /// A field that is not as it should be.
    #[error("{field}: {reason}")]
    Field {
        /// Which.
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

/// What every event has.
#[derive(Deserialize)]
struct Base {
    event_id: uuid::Uuid,
    event_type: String,
    timestamp: String,
    /// A number in events, a text in the tables.
    user_id: Value,
    schema_version: String,
    task_id: i64,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl LegacyChange {
    /// Reads an event of `task-events`, `task-recurrence` or `task-reminders`.
    ///
    /// # Errors
    ///
    /// It is none, in words for whoever looks through the dead-letter topic.
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
        let what = match event_type.as_str() {
            "task.created" => What::Stored {
                task,
                created_at: None,
                fields: task_fields(&rest)?,
                reminded: false,
                remind_before: None,
            },
            "task.updated" => match rest.remove("updated_fields") {
                Some(Value::Object(fields)) => What::Updated {
                    task,
                    fields: task_fields(&fields)?,
                    remind_before: None,
                },
                _ => return Err(LegacyError::field("updated_fields", "must be an object")),
            },
            "task.deleted" => What::Deleted { task },
            "task.completed" => {
                let at = rest.get("completed_at").and_then(Value::as_str);
                let at = match at {
                    Some(at) => instant("completed_at", at)?,
                    None => instant("timestamp", &timestamp)?,
                };
                What::Completed {
                    task,
                    completed_at: at.to_string(),
                }
            }
            "reminder.sent" => What::Reminded { task },
            _ => return Err(LegacyError::Type(event_type)),
        };
        Ok(Self {
            event_id: event_id.to_string(),
            at: instant("timestamp", &timestamp)?.to_string(),
            user_id: match user_id {
                Value::String(id) => id,
                Value::Number(id) => id.to_string(),
                _ => return Err(LegacyError::field("user_id", "must be a number or a text")),
            },
            what,
        })
    }

    /// The same, of a system that reminds so many minutes before the due date: tasks get a reminder like that.
    pub fn reminding(mut self, minutes: Option<u32>) -> Self {
        match &mut self.what {
            What::Stored { remind_before, .. } | What::Updated { remind_before, .. } => {
                *remind_before = minutes
            }
            _ => {}
        }
        self
    }
}
