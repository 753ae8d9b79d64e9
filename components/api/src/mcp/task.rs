//! A task in MCP: the arguments that set its fields, and its structured form. Both use the same names.

use nudge_contract::task::{Reminder, Task};
use nudge_domain::task::{
    Description, MAX_ESTIMATE_MINUTES, MAX_TAGS, Patch, Priority, TaskFields, refused_estimate,
};
use serde_json::{Map, Value, json};

use super::arguments::{Arguments, Empty};
use super::schema::{choice, closed, number, or_null, text, uuid, uuids};

const DUE_DATE: &str = "When it is due, in the user's time zone: 2026-12-01T09:00, 2026-12-01 (the end of that day), an \
                        instant with offset, or a phrase such as \"tomorrow 9am\", \"friday 14:00\", \"in 3 days\".";
const RECURRENCE_RULE: &str = "How it repeats, from due_date on: a phrase such as \"daily\", \"every weekday\", \"every 2 weeks\", \
                               \"monthly\", or an RFC 5545 RRULE such as FREQ=MONTHLY;BYDAY=2TU. Needs a due_date.";

/// The arguments that adding and changing a task share.
pub(super) fn arguments() -> Map<String, Value> {
    let fields = json!({
        "title": { "type": "string", "minLength": 1, "maxLength": 200, "description": "What is to be done, on one line." },
        "description": { "type": "string", "maxLength": 10_000, "description": "More about it." },
        "priority": { "type": "string", "description": "low, medium, high or urgent; medium by default." },
        "estimate_minutes": number(0, MAX_ESTIMATE_MINUTES, "How many minutes it takes."),
        "category_id": text("UUID of one of the user's categories (list_categories)."),
        "tag_ids": uuids(10, "UUIDs of the user's tags (list_tags): the complete list."),
        "due_date": text(DUE_DATE),
        "recurrence_rule": text(RECURRENCE_RULE),
    });
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// Reads these arguments. What cannot be read is not noted here.
pub(super) fn read(arguments: &mut Arguments, empty: Empty) -> TaskFields {
    TaskFields {
        title: arguments.text("title", Empty::Kept),
        description: arguments.parsed::<Description>("description", empty, |error| error.code()),
        priority: arguments.parsed::<Priority>("priority", empty, |error| error.code()),
        estimate_minutes: estimate(arguments),
        category: arguments.optional_id("category_id", empty),
        tags: arguments.ids("tag_ids", empty, MAX_TAGS),
        due: arguments.text("due_date", empty),
        recurrence: arguments.text("recurrence_rule", empty),
        ..TaskFields::default()
    }
}

fn estimate(arguments: &mut Arguments) -> Patch<u32> {
    let minutes = arguments.number("estimate_minutes");
    if let Some((code, message)) = refused_estimate(&minutes) {
        arguments.error("estimate_minutes", code, &message);
    }
    minutes
}

/// A task as structured content.
pub(super) fn view(task: &Task) -> Value {
    let reminders: Vec<Value> = task.reminders.iter().map(reminder).collect();
    json!({
        "id": task.id,
        "title": task.title,
        "description": task.description,
        "status": task.status,
        "priority": task.priority,
        "due_date": task.due,
        "time_zone": task.time_zone,
        "estimate_minutes": task.estimate_minutes,
        "category_id": task.category_id,
        "tag_ids": task.tag_ids,
        "recurrence_rule": task.recurrence,
        "reminders": reminders,
        "created_at": task.created_at,
        "updated_at": task.updated_at,
        "completed_at": task.completed_at,
    })
}

fn reminder(reminder: &Reminder) -> Value {
    json!({
        "id": reminder.id,
        "remind_before_minutes": reminder.minutes_before,
        "remind_at": reminder.remind_at,
        "status": reminder.status,
    })
}

/// The schema of [`view`].
pub(super) fn shape() -> Value {
    let instant =
        |description: &str| json!({ "type": "string", "format": "date-time", "description": description });
    let reminder = closed(json!({
        "id": uuid("Its id."),
        "remind_before_minutes": or_null(json!({
            "type": "integer",
            "description": "Minutes before due_date; null for a fixed time.",
        })),
        "remind_at": instant("When the email is sent."),
        "status": choice(&["scheduled", "sent", "failed", "cancelled"], "Whether it has been sent."),
    }));
    closed(json!({
        "id": uuid("Its id, the task_id of other tools."),
        "title": text("What is to be done."),
        "description": or_null(text("More about it.")),
        "status": choice(&["pending", "completed"], "Whether it is done."),
        "priority": choice(&["low", "medium", "high", "urgent"], "How important it is."),
        "due_date": or_null(instant("When it is due, with the offset of the time zone.")),
        "time_zone": text("IANA name of the time zone it is due in."),
        "estimate_minutes": or_null(json!({ "type": "integer", "description": "How many minutes it takes." })),
        "category_id": or_null(uuid("Its category.")),
        "tag_ids": uuids(10, "Its tags."),
        "recurrence_rule": or_null(text("RFC 5545 RRULE.")),
        "reminders": { "type": "array", "items": reminder, "description": "Email reminders." },
        "created_at": instant("When it was created, UTC."),
        "updated_at": instant("When it was last changed, UTC."),
        "completed_at": or_null(instant("When it was completed, UTC.")),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nudge_domain::{Due, parse_recurrence};

    /// What a description has in quotation marks.
    fn quoted(description: &str) -> Vec<&str> {
        description.split('"').skip(1).step_by(2).collect()
    }

    #[test]
    fn the_phrases_that_models_are_told_are_understood() {
        let zone = "Europe/Berlin".parse().unwrap();
        let now = "2026-11-21T12:00:00Z".parse().unwrap();
        for phrase in quoted(DUE_DATE) {
            assert!(Due::parse_or_phrase(phrase, &zone, now).is_ok(), "{phrase}");
        }
        for phrase in quoted(RECURRENCE_RULE) {
            assert!(parse_recurrence(phrase).is_ok(), "{phrase}");
        }
        assert_eq!((quoted(DUE_DATE).len(), quoted(RECURRENCE_RULE).len()), (3, 4));
    }
}
