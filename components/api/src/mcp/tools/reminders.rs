//! `set_reminder`.

use serde_json::{Map, Value, json};

use super::{Call, Done, tasks};
use crate::mcp::arguments::{Arguments, Empty};
use crate::mcp::error::{Failure, TASK_NOT_FOUND};
use crate::mcp::{schema, text, view};
use crate::tasks::reminders;

pub(super) fn input() -> Value {
    schema::input(
        json!({
            "task_id": tasks::task_id(),
            "remind_before_minutes": schema::number(
                0,
                40_320,
                "Minutes before due_date: 1440 is a day, 10080 a week. The task needs a due_date.",
            ),
            "remind_at": schema::text("An instant, a local time such as 2026-12-01T09:00, or a phrase such as \"tomorrow 9am\"."),
        }),
        &["task_id"],
    )
}

/// Adds a reminder. One that is armed already is left as it is.
pub(super) async fn set(call: Call) -> Result<Done, Failure> {
    let mut arguments = Arguments::new(call.arguments);
    let id = arguments.id("task_id", TASK_NOT_FOUND)?;
    let mut new = Map::new();
    arguments.put(&mut new, "remind_before_minutes", "minutesBefore", Empty::Ignored);
    arguments.put(&mut new, "remind_at", "at", Empty::Ignored);
    match (new.contains_key("minutesBefore"), new.contains_key("at")) {
        (true, true) => arguments.error(
            "remind_at",
            "invalid_reminder",
            "give remind_before_minutes or remind_at, not both",
        ),
        (false, false) => arguments.error(
            "remind_before_minutes",
            "required",
            "give remind_before_minutes or remind_at",
        ),
        _ => {}
    }
    arguments.finish()?;
    let (task, id) = reminders::set(&call.user, id, &new, &call.trace).await?;
    let task = task.view();
    let set = task.reminders.iter().find(|reminder| reminder.id == id);
    let when = set.map_or_else(String::new, |reminder| text::reminder(reminder, &task));
    Ok(Done {
        text: format!("Reminder of {}: {when}", text::task(&task)),
        structured: json!({ "task": view::task(&task) }),
    })
}
