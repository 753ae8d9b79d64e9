//! One reminder of a task at a time. Each change is a change of the task.

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use nudge_component::Problem;
use nudge_component::trace::Traceparent;
use nudge_contract::task;
use nudge_domain::Due;
use nudge_domain::id::ReminderId;
use nudge_domain::reminder::{MAX_SNOOZE_MINUTES, ReminderError, ReminderStatus, ReminderWhen};
use nudge_domain::task::Status;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::auth::User;
use crate::db::Database;
use crate::input::conditions::Conditions;
use crate::input::fields::Fields;
use crate::tasks::edit::{self, Context};
use crate::tasks::record::TaskRecord;
use crate::tasks::service;

/// What is to become of a reminder; with the body of the request.
#[derive(Debug, Clone)]
pub(crate) enum Edit {
    /// It is new: `minutesBefore` or `at`.
    Add(Map<String, Value>),
    /// It gets another time: `minutesBefore` or `at`.
    Move(Map<String, Value>),
    /// It fires again, or later: `minutes` or `until`.
    Snooze(Map<String, Value>),
    /// It goes.
    Remove,
}

/// Changes one reminder of a task, and gives back the task.
pub(crate) async fn edit(
    user: &User,
    task: Uuid,
    reminder: Uuid,
    expected: &Conditions,
    edit: &Edit,
    trace: &Traceparent,
) -> Result<TaskRecord, Problem> {
    let edited = service::change_remembered(user, task, expected, trace, |task, context| {
        apply(task, reminder.into(), edit, context)
    })
    .await;
    match edited {
        // What is not there is not found, whatever is expected of it (RFC 9110, section 13.2.1).
        Err(problem)
            if problem.status() == StatusCode::PRECONDITION_FAILED && !matches!(edit, Edit::Add(_)) =>
        {
            view(&service::read(user, task).await?, reminder)?;
            Err(problem)
        }
        edited => edited,
    }
}

/// Has a reminder wait until quiet hours end, unless it was changed meanwhile.
pub(crate) async fn postpone(
    database: &Database,
    task: &TaskRecord,
    reminder: Uuid,
    until: Timestamp,
    trace: &Traceparent,
) -> Result<(), Problem> {
    let known = |task: &TaskRecord| {
        let mut reminders = task.reminders.iter();
        reminders.find(|known| Uuid::from(known.id) == reminder).cloned()
    };
    let armed = known(task);
    let moved = service::change(
        database,
        &task.user_id,
        task.id,
        &Conditions::NONE,
        trace,
        |task, _| {
            if known(task) != armed {
                return Ok(());
            }
            for reminder in task
                .reminders
                .iter_mut()
                .filter(|known| Uuid::from(known.id) == reminder)
            {
                reminder.postpone(until);
            }
            Ok(())
        },
    )
    .await;
    match moved {
        // Deleted meanwhile.
        Err(problem) if problem.status() != StatusCode::NOT_FOUND => Err(problem),
        _ => Ok(()),
    }
}

/// A reminder of a task as the API shows it.
pub(crate) fn view(task: &TaskRecord, id: Uuid) -> Result<task::Reminder, Problem> {
    let mut reminders = task.view().reminders.into_iter();
    reminders
        .find(|reminder| reminder.id == id)
        .ok_or_else(|| Problem::not_found("reminder"))
}

/// Sets a reminder: a new one, unless one is armed for that time already. Gives back the task and the id of the reminder.
pub(crate) async fn set(
    user: &User,
    task: Uuid,
    body: &Map<String, Value>,
    trace: &Traceparent,
) -> Result<(TaskRecord, Uuid), Problem> {
    let new = Uuid::now_v7();
    let mut set = new;
    let task = service::change_remembered(user, task, &Conditions::NONE, trace, |task, context| {
        let (when, field) = read_when(task, body, context)?;
        let armed = task
            .reminders
            .iter()
            .find(|known| known.status == ReminderStatus::Scheduled && known.when == when);
        set = armed.map_or(new, |known| known.id.into());
        match armed {
            Some(_) => Ok(()),
            None => add(task, new.into(), (when, field), context),
        }
    })
    .await?;
    Ok((task, set))
}

fn add(
    task: &mut TaskRecord,
    id: ReminderId,
    (when, field): (ReminderWhen, &str),
    context: &Context,
) -> Result<(), Problem> {
    let reminder =
        edit::arm(task, id, when, &task.reminders, context).map_err(|error| refuse(field, &error))?;
    task.reminders.push(reminder);
    Ok(())
}

/// Changes one reminder of a task in memory.
pub(crate) fn apply(
    task: &mut TaskRecord,
    id: ReminderId,
    edit: &Edit,
    context: &Context,
) -> Result<(), Problem> {
    if let Edit::Add(body) = edit {
        if task.reminders.iter().any(|reminder| reminder.id == id) {
            // An earlier attempt of the same request added it.
            return Ok(());
        }
        return add(task, id, read_when(task, body, context)?, context);
    }
    let place = task
        .reminders
        .iter()
        .position(|reminder| reminder.id == id)
        .ok_or_else(|| Problem::not_found("reminder"))?;
    // It leaves the list and comes back to its place: the others are what a new time is compared with.
    let mut reminder = task.reminders.remove(place);
    match edit {
        Edit::Add(_) | Edit::Remove => return Ok(()),
        Edit::Move(body) => {
            let (when, field) = read_when(task, body, context)?;
            // The time that it has already takes a snooze back, and is no change otherwise.
            let asked = match (when, &task.due) {
                (ReminderWhen::At(at), _) => Some(at),
                (ReminderWhen::MinutesBefore(_), due) => due.as_ref().map(|due| when.remind_at(due)),
            };
            if when != reminder.when || asked != Some(reminder.remind_at) {
                reminder = edit::arm(task, id, when, &task.reminders, context)
                    .map_err(|error| refuse(field, &error))?;
            }
        }
        Edit::Snooze(body) => {
            if task.status == Status::Completed {
                return Err(Problem::new(
                    StatusCode::CONFLICT,
                    "task_completed",
                    "the task is completed, so there is nothing to remind of: reopen it first",
                ));
            }
            let (until, field) = read_until(task, body, context)?;
            reminder
                .snooze(until, context.now)
                .map_err(|error| refuse(field, &error))?;
        }
    }
    task.reminders.insert(place, reminder);
    Ok(())
}

fn refuse(field: &str, error: &ReminderError) -> Problem {
    let field = match error {
        ReminderError::TooMany => "reminders",
        _ => field,
    };
    Problem::field(field, error.code(), error.to_string())
}

/// `minutesBefore` or `at`, and which of them it was.
fn read_when(
    task: &TaskRecord,
    body: &Map<String, Value>,
    context: &Context,
) -> Result<(ReminderWhen, &'static str), Problem> {
    let mut fields = Fields::new(body.clone());
    let when = edit::when(task, &mut fields, context);
    fields.finish()?;
    match when {
        Some(when @ ReminderWhen::MinutesBefore(_)) => Ok((when, "minutesBefore")),
        Some(when @ ReminderWhen::At(_)) => Ok((when, "at")),
        // Not reached: what is missing or wrong was named.
        None => Err(Problem::field(
            "minutesBefore",
            "required",
            "give minutesBefore or at",
        )),
    }
}

/// `minutes` from now or `until`, and which of them it was.
fn read_until(
    task: &TaskRecord,
    body: &Map<String, Value>,
    context: &Context,
) -> Result<(Timestamp, &'static str), Problem> {
    let mut fields = Fields::new(body.clone());
    let (minutes, until) = (fields.number("minutes").value(), fields.text("until").value());
    let read = match (minutes, until) {
        (Some(minutes), None) => match in_minutes(minutes, context.now) {
            Some(until) => Some((until, "minutes")),
            None => {
                let message = format!("give 1 to {MAX_SNOOZE_MINUTES} minutes (4 weeks)");
                fields.error("minutes", "invalid_reminder", message);
                None
            }
        },
        (None, Some(text)) => match Due::parse_or_phrase(&text, &task.zone, context.now) {
            Ok(until) => Some((until.at(), "until")),
            Err(error) => {
                fields.error("until", "invalid_reminder", &error);
                None
            }
        },
        (Some(_), Some(_)) => {
            fields.error("until", "invalid_reminder", "give minutes or until, not both");
            None
        }
        (None, None) => None,
    };
    if read.is_none() && fields.errors.is_empty() {
        fields.error("minutes", "required", "give minutes, from now, or until");
    }
    fields.finish()?;
    read.ok_or_else(|| Problem::field("minutes", "required", "give minutes, from now, or until"))
}

/// A whole second, as the jobs and mails of reminders know no less.
fn in_minutes(minutes: u32, now: Timestamp) -> Option<Timestamp> {
    let allowed = (1..=MAX_SNOOZE_MINUTES).contains(&minutes);
    let until = now.checked_add(SignedDuration::from_mins(minutes.into())).ok()?;
    Timestamp::from_second(until.as_second()).ok().filter(|_| allowed)
}
