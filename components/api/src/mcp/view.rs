//! Tasks and labels as structured answers: named as the tools' arguments are.

use nudge_contract::task::{Reminder, Task};
use serde_json::{Value, json};

use crate::tasks::labels::Label;

/// A task.
pub(crate) fn task(task: &Task) -> Value {
    let reminders: Vec<Value> = task.reminders.iter().map(reminder).collect();
    json!({
        "id": task.id,
        "title": task.title,
        "description": task.description,
        "status": task.status,
        "priority": task.priority,
        "due_date": task.due,
        "time_zone": task.time_zone,
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

/// A category or a tag.
pub(crate) fn label(label: &Label) -> Value {
    json!({ "id": label.id, "name": label.name, "color": label.color })
}
