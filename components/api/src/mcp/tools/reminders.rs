//! `set_reminder`.

use http::StatusCode;
use jiff::Timestamp;
use nudge_domain::Due;
use nudge_domain::reminder::{ReminderStatus, ReminderWhen};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Call, Done, tasks};
use crate::input::{etag, whole};
use crate::mcp::arguments::{Arguments, Empty};
use crate::mcp::error::{Failure, TASK_NOT_FOUND};
use crate::mcp::{schema, text, view};
use crate::record::TaskRecord;
use crate::service::{self, ATTEMPTS};

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
pub(super) async fn set(mut call: Call) -> Result<Done, Failure> {
    let mut arguments = Arguments::new(std::mem::take(&mut call.arguments));
    let id = arguments.id("task_id", TASK_NOT_FOUND)?;
    let mut new = Map::new();
    arguments.put(&mut new, "remind_before_minutes", "minutesBefore", Empty::Ignored);
    arguments.put(&mut new, "remind_at", "at", Empty::Ignored);
    let argument = match (new.contains_key("minutesBefore"), new.contains_key("at")) {
        (true, false) => "remind_before_minutes",
        (false, true) => "remind_at",
        (true, true) => {
            arguments.error(
                "remind_at",
                "invalid_reminder",
                "give remind_before_minutes or remind_at, not both",
            );
            "remind_at"
        }
        (false, false) => {
            arguments.error(
                "remind_before_minutes",
                "required",
                "give remind_before_minutes or remind_at",
            );
            "remind_before_minutes"
        }
    };
    arguments.finish()?;
    let task = change(&call, id, |task| {
        let wanted = wanted(task, &new, call.now);
        let armed = task
            .reminders
            .iter()
            .any(|reminder| reminder.status == ReminderStatus::Scheduled && Some(reminder.when) == wanted);
        (!armed).then(|| with(task, &new))
    })
    .await
    .map_err(|failure| named(failure, argument))?;
    let wanted = wanted(&task, &new, call.now);
    let place = task
        .reminders
        .iter()
        .position(|reminder| Some(reminder.when) == wanted);
    let task = task.view();
    let set = place
        .and_then(|place| task.reminders.get(place))
        .or(task.reminders.last());
    let when = set.map_or_else(String::new, |reminder| text::reminder(reminder, &task));
    Ok(Done {
        text: format!("Reminder of {}: {when}", text::task(&task)),
        structured: json!({ "task": view::task(&task) }),
    })
}

/// When the reminder is to fire, as REST will read it. None when REST will refuse it.
fn wanted(task: &TaskRecord, new: &Map<String, Value>, now: Timestamp) -> Option<ReminderWhen> {
    if let Some(minutes) = new.get("minutesBefore") {
        return whole(minutes).map(ReminderWhen::MinutesBefore);
    }
    let at = Due::parse_or_phrase(new.get("at")?.as_str()?, &task.zone, now).ok()?;
    Some(ReminderWhen::At(at.at()))
}

/// The list of reminders with one more.
fn with(task: &TaskRecord, new: &Map<String, Value>) -> Map<String, Value> {
    let mut reminders: Vec<Value> = task
        .view()
        .reminders
        .iter()
        .map(|reminder| serde_json::to_value(reminder).unwrap_or_default())
        .collect();
    reminders.push(Value::Object(new.clone()));
    [("reminders".to_owned(), Value::Array(reminders))]
        .into_iter()
        .collect()
}

/// What is wrong with the reminder as a whole is wrong with the argument that was given.
fn named(mut failure: Failure, argument: &str) -> Failure {
    for error in &mut failure.errors {
        if error.field == "reminder" {
            error.field = argument.to_owned();
        }
    }
    if let [only] = failure.errors.as_slice() {
        failure.message = format!("{}: {}", only.field, only.message);
    }
    failure
}

/// A change that is made of what the task has: read, and written if nobody has written meanwhile, else again. None
/// leaves the task as it is.
async fn change(
    call: &Call,
    id: Uuid,
    patch: impl Fn(&TaskRecord) -> Option<Map<String, Value>>,
) -> Result<TaskRecord, Failure> {
    let mut attempt = 1;
    loop {
        let task = service::read(&call.user, id).await?;
        let Some(body) = patch(&task) else {
            return Ok(task);
        };
        let expected = Some(vec![etag(task.version)]);
        match service::patch(&call.user, id, &expected, &body, &call.trace).await {
            Err(problem) if problem.status() == StatusCode::PRECONDITION_FAILED && attempt < ATTEMPTS => {
                attempt += 1;
            }
            other => return Ok(other?),
        }
    }
}
