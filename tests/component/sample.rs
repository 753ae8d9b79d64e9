//! A sample task, and the events that carry it.

use nudge_contract::task::Snapshot;
use nudge_test_kit::bindings::api::nudge::events::types as wit;
use serde_json::{Map, Value, json};

use crate::support::TRACE;

pub(crate) const TASK: &str = "018f0000-0000-7000-8000-000000000001";
pub(crate) const REMINDER: &str = "018f0000-0000-7000-8000-0000000000a1";
pub(crate) const OTHER_REMINDER: &str = "018f0000-0000-7000-8000-0000000000a2";
pub(crate) const SERIES: &str = "018f0000-0000-7000-8000-0000000000f1";

/// Due an hour and a half after the start of every test, with two earlier reminders.
pub(crate) fn task() -> Value {
    let task: Snapshot = serde_json::from_value(json!({
        "id": TASK,
        "userId": "alice",
        "title": "Pay the rent",
        "description": "to Mrs Smith",
        "status": "pending",
        "priority": "high",
        "due": "2026-11-21T14:30:00+01:00",
        "timeZone": "Europe/Berlin",
        "categoryId": null,
        "tagIds": [],
        "recurrence": null,
        "recurrenceFrom": "due",
        "reminders": [
            { "id": REMINDER, "minutesBefore": 60, "remindAt": "2026-11-21T13:30:00+01:00", "status": "scheduled" },
            { "id": OTHER_REMINDER, "at": "2026-11-21T13:10:00+01:00", "remindAt": "2026-11-21T13:10:00+01:00", "status": "scheduled" },
        ],
        "seriesId": null,
        "seriesStart": null,
        "occurrence": 1,
        "version": 1,
        "createdAt": "2026-11-21T11:00:00Z",
        "updatedAt": "2026-11-21T11:00:00Z",
        "completedAt": null,
    }))
    .expect("a task");
    // Fields that it does not name are there as well.
    serde_json::to_value(task).expect("JSON")
}

/// A CloudEvent as Dapr delivers it.
pub(crate) fn cloud_event(id: &str, source: &str, kind: &str, data: &Value) -> Value {
    json!({
        "specversion": "1.0",
        "id": id,
        "source": source,
        "type": kind,
        "subject": TASK,
        "time": "2026-11-21T12:00:00Z",
        "datacontenttype": "application/json",
        "data": data,
        "pubsubname": "pubsub",
        "topic": "some-topic",
        "traceid": TRACE,
    })
}

/// A change of a task, as the api publishes it.
pub(crate) fn task_event(change: &str, task: &Value) -> Value {
    let data =
        json!({ "schemaVersion": 1, "change": change, "changed": [], "task": task, "traceparent": TRACE });
    let id = format!("{TASK}:{}", task["version"]);
    cloud_event(&id, "api", &format!("nudge.task.{change}.v1"), &data)
}

/// A due reminder, as notification publishes it.
pub(crate) fn reminder_due(task: &Value, reminder: usize) -> Value {
    let reminder = &task["reminders"][reminder];
    let data = json!({
        "schemaVersion": 1,
        "reminderId": reminder["id"],
        "remindAt": reminder["remindAt"],
        "minutesLeft": 60,
        "task": task,
        "traceparent": TRACE,
    });
    cloud_event(
        "a reminder and its instant",
        "notification",
        "nudge.reminder.due.v1",
        &data,
    )
}

/// A delivery of a bulk subscription, as daprd sends it: entry ids count from `0`.
pub(crate) fn batch(events: &[Value]) -> Value {
    let entries: Vec<Value> = (0..)
        .zip(events)
        .map(|(number, event): (u32, _)| {
            json!({
                "entryId": number.to_string(),
                "event": event,
                "contentType": "application/cloudevents+json",
                "metadata": {},
            })
        })
        .collect();
    json!({
        "id": "0192f0c1-7a00-7000-8000-0000000000ff",
        "type": "com.dapr.event.sent.bulk",
        "pubsubname": "pubsub",
        "metadata": { "pubsubName": "pubsub" },
        "entries": entries,
    })
}

/// The same task for a call through WIT, whose fields and words have other names in Rust.
pub(crate) fn wit_task() -> wit::Task {
    let Value::Object(fields) = task() else {
        panic!("a task is an object")
    };
    let mut task: Map<String, Value> = fields
        .into_iter()
        .map(|(name, value)| (snake_case(&name), value))
        .collect();
    task.insert("status".to_owned(), json!("Pending"));
    task.insert("priority".to_owned(), json!("High"));
    let reminders = json!([
        { "id": REMINDER, "time": { "MinutesBefore": 60 }, "remind_at": "2026-11-21T13:30:00+01:00", "status": "Scheduled" },
        { "id": OTHER_REMINDER, "time": { "At": "2026-11-21T13:10:00+01:00" }, "remind_at": "2026-11-21T13:10:00+01:00", "status": "Scheduled" },
    ]);
    task.insert("reminders".to_owned(), reminders);
    serde_json::from_value(task.into()).expect("a task of the WIT package")
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}
