//! From a change in Nudge to events of the legacy system.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use nudge_domain::id::UserId;
use nudge_domain::task::Status;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{LegacyField, NAMESPACE, Numbered};
use crate::event::{Change, DeliveryOutcome, TaskEvent};
use crate::names::topic;
use crate::task::Snapshot;

/// A message for a topic of the legacy system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The topic, which has the same name in both systems.
    pub topic: &'static str,
    /// The task's number as text: Kafka keeps messages of the same key in order.
    pub key: String,
    /// JSON text.
    pub body: String,
}

/// The fields that are part of events of the legacy system.
fn event_fields() -> impl Iterator<Item = LegacyField> {
    let fields = LegacyField::ALL.into_iter();
    fields.filter(|field| *field != LegacyField::Reminders)
}

/// The event of `task-events` for a change; `None` if no field changed that the legacy system has. A task that was purged has only
/// the event of its deletion.
pub fn task_event(event: &TaskEvent, numbered: &Numbered) -> Option<Outgoing> {
    let snapshot = &event.task;
    let with = |field: LegacyField| (field.legacy_name().to_owned(), value(field, snapshot, numbered));
    let (kind, more): (_, Map<_, _>) = match event.change {
        Change::Deleted => ("task.deleted", Map::new()),
        _ if numbered.task.is_none() => return None,
        Change::Created => {
            let fields = event_fields().filter(|field| *field != LegacyField::Status);
            ("task.created", fields.map(with).collect())
        }
        Change::Updated | Change::Completed | Change::Reopened => {
            let changed =
                event_fields().filter(|field| event.changed.iter().any(|name| name == field.name()));
            let fields: Map<_, _> = changed.map(with).collect();
            if fields.is_empty() {
                return None;
            }
            let fields = ("updated_fields".to_owned(), Value::Object(fields));
            ("task.updated", Map::from_iter([fields]))
        }
    };
    Some(outgoing(
        topic::TASK_EVENTS,
        kind,
        &event.id(),
        snapshot.task.updated_at,
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
            task.completed_at.map_or(Value::Null, naive),
        ),
    ]);
    Some(outgoing(
        topic::TASK_RECURRENCE,
        "task.completed",
        &event.id(),
        task.updated_at,
        (&event.task.user_id, numbered.number),
        more,
    ))
}

/// The event of `task-reminders` for an email that was sent; `None` if sending it failed, or its task was purged.
pub fn reminder_sent(outcome: &DeliveryOutcome, numbered: &Numbered) -> Option<Outgoing> {
    let snapshot = numbered.task.as_ref().filter(|_| outcome.failure.is_none())?;
    let of = |field| value(field, snapshot, numbered);
    let more = Map::from_iter([
        ("task_title".to_owned(), of(LegacyField::Title)),
        ("task_description".to_owned(), of(LegacyField::Description)),
        ("task_due_date".to_owned(), of(LegacyField::Due)),
        ("task_priority".to_owned(), of(LegacyField::Priority)),
        ("reminder_time".to_owned(), naive(outcome.remind_at.at())),
    ]);
    let id = format!("{}:{}", outcome.reminder_id, outcome.remind_at);
    Some(outgoing(
        topic::TASK_REMINDERS,
        "reminder.sent",
        &id,
        outcome.at,
        (&snapshot.user_id, numbered.number),
        more,
    ))
}

/// An event about a user's task with this number. Its id is derived from the id of the change, so that a repeated event has the same.
fn outgoing(
    topic: &'static str,
    kind: &str,
    id: &str,
    at: Timestamp,
    (user_id, number): (&UserId, i64),
    mut body: Map<String, Value>,
) -> Outgoing {
    let id = Uuid::new_v5(&NAMESPACE, format!("{kind}:{id}").as_bytes());
    for (name, value) in [
        ("event_id", json!(id.to_string())),
        ("event_type", json!(kind)),
        ("timestamp", json!(at)),
        ("user_id", user(user_id.as_str())),
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

/// User ids that are numbers are numbers in events of the legacy system.
fn user(id: &str) -> Value {
    match id.parse::<i64>() {
        Ok(number) if number.to_string() == id => json!(number),
        _ => json!(id),
    }
}

fn value(field: LegacyField, snapshot: &Snapshot, numbered: &Numbered) -> Value {
    let task = &snapshot.task;
    match field {
        LegacyField::Title => json!(task.title),
        LegacyField::Description => json!(task.description),
        LegacyField::Status => json!(task.status == Status::Completed),
        LegacyField::Priority => json!(task.priority),
        LegacyField::Due => task.due.map_or(Value::Null, |due| naive(due.at())),
        LegacyField::Recurrence => json!(task.recurrence),
        LegacyField::Category => json!(numbered.category),
        LegacyField::Tags => json!(numbered.tags),
        LegacyField::Reminders => Value::Null,
    }
}

/// UTC without an offset, as the legacy system writes dates.
fn naive(at: Timestamp) -> Value {
    json!(at.to_zoned(TimeZone::UTC).datetime().to_string())
}
