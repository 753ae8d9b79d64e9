//! From a change here to events there.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{NAMESPACE, Numbered};
use crate::event::{Change, DeliveryOutcome, TaskEvent};
use crate::names::topic;
use crate::task::Snapshot;

/// A message for a topic there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The topic, which has the same name in both systems.
    pub topic: &'static str,
    /// The task's number, as text: what orders its messages there.
    pub key: String,
    /// JSON text.
    pub body: String,
}

/// What there is called so, by its name here.
const FIELDS: [(&str, &str); 8] = [
    ("title", "title"),
    ("description", "description"),
    ("priority", "priority"),
    ("due", "due_date"),
    ("recurrence", "recurrence_rule"),
    ("categoryId", "category_id"),
    ("tagIds", "tag_ids"),
    ("status", "completed"),
];

/// The event of `task-events` for a change; none when nothing changed that a task has there. Of a task that was purged, only its
/// deletion is left to say.
pub fn task_event(event: &TaskEvent, numbered: &Numbered) -> Option<Outgoing> {
    let snapshot = &event.task;
    let of = |name: &str| field(name, snapshot, numbered);
    let (kind, more) = match event.change {
        Change::Deleted => ("task.deleted", Map::new()),
        _ if numbered.task.is_none() => return None,
        Change::Created => {
            let fields = FIELDS.iter().filter(|(name, _)| *name != "status");
            (
                "task.created",
                fields
                    .map(|(name, there)| ((*there).to_owned(), of(name)))
                    .collect(),
            )
        }
        Change::Updated | Change::Completed | Change::Reopened => {
            let changed = FIELDS
                .iter()
                .filter(|(name, _)| event.changed.iter().any(|changed| changed == name));
            let fields: Map<_, _> = changed
                .map(|(name, there)| ((*there).to_owned(), of(name)))
                .collect();
            if fields.is_empty() {
                return None;
            }
            (
                "task.updated",
                Map::from_iter([("updated_fields".to_owned(), Value::Object(fields))]),
            )
        }
    };
    Some(outgoing(
        topic::TASK_EVENTS,
        kind,
        &event.id(),
        &snapshot.task.updated_at,
        (&snapshot.user_id, numbered.number),
        more,
    ))
}

/// The event of `task-recurrence` for a change: that a recurring task was completed.
pub fn completed(event: &TaskEvent, numbered: &Numbered) -> Option<Outgoing> {
    let task = &event.task.task;
    let (Change::Completed, Some(rule), Some(_)) = (event.change, &task.recurrence, &numbered.task) else {
        return None;
    };
    let more = Map::from_iter([
        ("recurrence_rule".to_owned(), json!(rule)),
        (
            "completed_at".to_owned(),
            task.completed_at.as_deref().map_or(Value::Null, naive),
        ),
    ]);
    Some(outgoing(
        topic::TASK_RECURRENCE,
        "task.completed",
        &event.id(),
        &task.updated_at,
        (&event.task.user_id, numbered.number),
        more,
    ))
}

/// The event of `task-reminders` for a mail that went out; none for one that did not, or whose task was purged.
pub fn reminder_sent(outcome: &DeliveryOutcome, numbered: &Numbered) -> Option<Outgoing> {
    let snapshot = numbered.task.as_ref().filter(|_| outcome.failure.is_none())?;
    let of = |name: &str| field(name, snapshot, numbered);
    let more = Map::from_iter([
        ("task_title".to_owned(), of("title")),
        ("task_description".to_owned(), of("description")),
        ("task_due_date".to_owned(), of("due")),
        ("task_priority".to_owned(), of("priority")),
        ("reminder_time".to_owned(), naive(&outcome.remind_at)),
    ]);
    let id = format!("{}:{}", outcome.reminder_id, outcome.remind_at);
    Some(outgoing(
        topic::TASK_REMINDERS,
        "reminder.sent",
        &id,
        &outcome.at,
        (&snapshot.user_id, numbered.number),
        more,
    ))
}

/// Of a user's task with this number. Its id follows from the change's: what is published again is the same event.
fn outgoing(
    topic: &'static str,
    kind: &str,
    id: &str,
    at: &str,
    (user_id, number): (&str, i64),
    mut body: Map<String, Value>,
) -> Outgoing {
    let id = Uuid::new_v5(&NAMESPACE, format!("{kind}:{id}").as_bytes());
    for (name, value) in [
        ("event_id", json!(id.to_string())),
        ("event_type", json!(kind)),
        ("timestamp", json!(at)),
        ("user_id", user(user_id)),
        ("schema_version", json!("1.0")),
        ("task_id", json!(number)),
    ] {
        body.insert(name.to_owned(), value);
    }
    Outgoing {
        topic,
        key: number.to_string(),
        body: Value::Object(body).to_string(),
    }
}

/// A number there in events, if it is one.
fn user(id: &str) -> Value {
    match id.parse::<i64>() {
        Ok(number) if number.to_string() == id => json!(number),
        _ => json!(id),
    }
}

fn field(name: &str, snapshot: &Snapshot, numbered: &Numbered) -> Value {
    let task = &snapshot.task;
    match name {
        "title" => json!(task.title),
        "description" => json!(task.description),
        "priority" => json!(task.priority),
        "due" => task.due.as_deref().map_or(Value::Null, naive),
        "recurrence" => json!(task.recurrence),
        "categoryId" => json!(numbered.category),
        "tagIds" => json!(numbered.tags),
        "status" => json!(task.status == nudge_domain::task::Status::Completed),
        _ => Value::Null,
    }
}

/// UTC without an offset, as dates are written there.
fn naive(instant: &str) -> Value {
    match instant.parse::<jiff::Timestamp>() {
        Ok(at) => json!(at.to_zoned(jiff::tz::TimeZone::UTC).datetime().to_string()),
        Err(_) => Value::Null,
    }
}
