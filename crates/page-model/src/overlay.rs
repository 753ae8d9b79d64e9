//! A task as it will be when an edit is made.

use jiff::{SignedDuration, Timestamp};
use nudge_contract::task::{Reminder, Task};
use nudge_domain::LocalInstant;
use nudge_domain::id::ReminderId;
use nudge_domain::reminder::ReminderStatus;
use nudge_domain::series::RecurrenceFrom;
use nudge_domain::task::{Priority, Status};
use serde_json::Value;
use uuid::Uuid;

use crate::fields::Values;
use crate::json;
use crate::outbox::edit::{Edit, What};

/// The task with the edit applied; none if it is deleted. An edit that waits for a decision changes nothing.
pub(crate) fn apply(edit: &Edit, task: Option<Task>) -> Option<Task> {
    if !edit.is_pending() {
        return task;
    }
    let made_at = time_of(&edit.id.0);
    match (&edit.what, task) {
        (What::Create(body), None) => Some(created(edit, body, made_at)),
        (What::Delete(_), _) | (_, None) => None,
        (What::Create(_), task) => task,
        (What::Patch(patch), Some(task)) => Some(changed(&edit.id.0, task, patch.shown())),
        (What::Complete, Some(task)) => Some(Task {
            status: Status::Completed,
            completed_at: task.completed_at.or(Some(made_at)),
            ..task
        }),
        (What::Reopen, Some(task)) => Some(Task {
            status: Status::Pending,
            completed_at: None,
            ..task
        }),
        (What::Snooze { reminder, until }, Some(mut task)) => {
            for of_task in task
                .reminders
                .iter_mut()
                .filter(|of_task| of_task.id == *reminder)
            {
                of_task.remind_at = (*until).into();
                of_task.status = ReminderStatus::Scheduled;
            }
            Some(task)
        }
    }
}

/// The time in a UUIDv7.
fn time_of(id: &Uuid) -> Timestamp {
    let milliseconds = i64::try_from(id.as_u128() >> 80).unwrap_or_default();
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn created(edit: &Edit, body: &Values, now: Timestamp) -> Task {
    let empty = Task {
        id: edit.task,
        title: String::new(),
        description: None,
        status: Status::Pending,
        priority: Priority::Medium,
        due: None,
        time_zone: "UTC".to_owned(),
        estimate_minutes: None,
        category_id: None,
        tag_ids: Vec::new(),
        recurrence: None,
        recurrence_from: RecurrenceFrom::Due,
        reminders: Vec::new(),
        series_id: None,
        occurrence: 1,
        version: 0,
        created_at: now,
        updated_at: now,
        completed_at: None,
    };
    changed(&edit.id.0, empty, body)
}

/// The task with other values of its fields. A value that only the API understands, such as a phrase, changes nothing.
fn changed(edit: &Uuid, mut task: Task, values: &Values) -> Task {
    for (field, value) in values {
        if field == "reminders" {
            continue;
        }
        let Some(mut all) = json::value(&task) else {
            continue;
        };
        let Some(slot) = all.get_mut(field) else {
            continue;
        };
        *slot = read_as(field, value);
        if let Ok(with) = serde_json::from_str::<Task>(&all.to_string()) {
            task = with;
        }
    }
    if let Some(list) = values.get("reminders") {
        let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
        let reminders = list
            .iter()
            .zip(1..)
            .filter_map(|(item, n)| reminder(edit, n, item, &task));
        task.reminders = reminders.collect();
    }
    if values.contains_key("due") {
        let due = task.due;
        for reminder in &mut task.reminders {
            if let (Some(minutes), Some(due)) = (reminder.minutes_before, due) {
                reminder.remind_at = before(due, minutes);
            }
        }
    }
    task
}

/// What the API reads `null` as.
fn read_as(field: &str, value: &Value) -> Value {
    match (field, value) {
        ("priority", Value::Null) => "medium".into(),
        ("recurrenceFrom", Value::Null) => "due".into(),
        ("tagIds", Value::Null) => Value::Array(Vec::new()),
        _ => value.clone(),
    }
}

/// An item of a list of reminders: an existing one by its id or its time, otherwise a new one.
fn reminder(edit: &Uuid, n: u128, item: &Value, task: &Task) -> Option<Reminder> {
    let text = |name: &str| item.get(name).and_then(Value::as_str);
    let id: Option<ReminderId> = text("id").and_then(|id| id.parse().ok());
    let minutes_before = item.get("minutesBefore").and_then(Value::as_u64);
    let minutes_before = minutes_before.and_then(|minutes| u32::try_from(minutes).ok());
    let at: Option<LocalInstant> = text("at").and_then(|at| at.parse().ok());
    let same_time = |existing: &&Reminder| {
        existing.minutes_before == minutes_before && existing.at.map(|at| at.at()) == at.map(|at| at.at())
    };
    if let Some(existing) = task.reminders.iter().find(same_time) {
        return Some(existing.clone());
    }
    let remind_at = match (minutes_before, at, task.due) {
        (Some(minutes), None, Some(due)) => before(due, minutes),
        (None, Some(at), _) => at,
        _ => return None,
    };
    Some(Reminder {
        id: id.unwrap_or_else(|| Uuid::from_u128(edit.as_u128() ^ (n << 64)).into()),
        minutes_before,
        at,
        remind_at,
        status: ReminderStatus::Scheduled,
    })
}

fn before(due: LocalInstant, minutes: u32) -> LocalInstant {
    let at = due
        .at()
        .checked_sub(SignedDuration::from_mins(i64::from(minutes)));
    LocalInstant::from(at.unwrap_or(due.at()))
}
