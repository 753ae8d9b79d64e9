//! `set_reminder`.

use nudge_domain::reminder::MAX_MINUTES_BEFORE;
use nudge_domain::task::ReminderTime;
use serde_json::{Value, json};

use super::tasks;
use crate::mcp::arguments::{Arguments, Empty};
use crate::mcp::call::{Call, Done};
use crate::mcp::error::Failure;
use crate::mcp::{schema, task, text};
use crate::tasks::{record, reminders};

pub(super) fn input() -> Value {
    schema::input(
        json!({
            "task_id": tasks::task_id(),
            "remind_before_minutes": schema::number(
                0,
                MAX_MINUTES_BEFORE,
                "Minutes before due_date: 1440 is a day, 10080 a week. The task needs a due_date.",
            ),
            "remind_at": schema::text("An instant, a local time such as 2026-12-01T09:00, or a phrase such as \"tomorrow 9am\"."),
        }),
        &["task_id"],
    )
}

/// Adds a reminder. One that is scheduled for that time already is left as it is.
pub(super) async fn set(call: &mut Call, mut arguments: Arguments) -> Result<Done, Failure> {
    let id = tasks::read_id(&mut arguments)?;
    let mut time = ReminderTime {
        minutes_before: arguments.number("remind_before_minutes"),
        at: arguments.text("remind_at", Empty::Ignored),
        unreadable: Vec::new(),
    };
    let given = (!time.minutes_before.is_absent(), !time.at.is_absent());
    if given == (true, true) {
        let message = "give remind_before_minutes or remind_at, not both";
        return Err(arguments.refused("remind_at", "invalid_reminder", message));
    }
    if given == (false, false) {
        let message = "give remind_before_minutes or remind_at";
        return Err(arguments.refused("remind_before_minutes", "required", message));
    }
    time.unreadable = arguments.unreadable()?;
    let (task, reminder) = reminders::set(call.open().await?, id, &time).await?;
    let task = record::view(&task);
    let set = task.reminders.iter().find(|known| known.id == reminder);
    let when = set.map_or_else(String::new, |reminder| text::reminder(reminder, &task));
    Ok(Done {
        text: format!("Reminder of {}: {when}", text::task(&task)),
        structured: json!({ "task": task::view(&task) }),
    })
}
