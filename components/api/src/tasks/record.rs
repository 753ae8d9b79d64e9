//! Conversions of a task between the domain, its row and the contract.

use jiff::Timestamp;
use nudge_component::trace::Traceparent;
use nudge_contract::event::{Change, SCHEMA_VERSION, TaskEvent};
use nudge_contract::task as contract;
use nudge_domain::id::{CategoryId, ReminderId, SeriesId, TagId, TaskId, UserId};
use nudge_domain::recurrence::Rule;
use nudge_domain::reminder::{Reminder, ReminderStatus, ReminderWhen};
use nudge_domain::series::RecurrenceFrom;
use nudge_domain::task::{Description, Priority, Series, Status, Task, Title};
use nudge_domain::{Due, LocalInstant, Zone};
use serde::{Deserialize, Serialize};

use crate::caller::Cause;
use crate::db::{Column, DbError, Json, Row, Value, instant};

/// Declares the columns of a table once: their order, names and types are those of the fields.
macro_rules! columns {
    ($(#[$doc:meta])* struct $row:ident { $($name:ident: $type:ty,)+ }) => {
        $(#[$doc])*
        struct $row { $($name: $type,)+ }

        /// Names of the columns.
        const NAMES: &[&str] = &[$(stringify!($name)),+];

        /// SQL types of the columns.
        const TYPES: &[&str] = &[$(<$type as Column>::SQL),+];

        impl $row {
            fn read(row: &Row) -> Result<Self, DbError> {
                let mut indexes = 0..;
                let mut next = || indexes.next().unwrap_or_default();
                Ok(Self { $($name: Column::read(row, next())?,)+ })
            }

            fn values(&self) -> Vec<Value> {
                vec![$(Column::write(&self.$name)),+]
            }
        }
    };
}

columns! {
    /// A row of `task`, as far as it is the task itself. Due dates are in the time zone of the task.
    struct TaskRow {
        id: TaskId,
        user_id: UserId,
        title: Title,
        description: Option<Description>,
        status: Status,
        priority: Priority,
        due_at: Option<Timestamp>,
        time_zone: Zone,
        estimate_minutes: Option<u32>,
        category_id: Option<CategoryId>,
        tag_ids: Json<Vec<TagId>>,
        recurrence: Option<Rule>,
        recurrence_from: RecurrenceFrom,
        reminders: Json<Vec<StoredReminder>>,
        series_id: Option<SeriesId>,
        series_start: Option<Timestamp>,
        occurrence: u32,
        version: u32,
        created_at: Timestamp,
        updated_at: Timestamp,
        completed_at: Option<Timestamp>,
    }
}

/// A reminder in the column `reminders`. The triggers read `id`, `remindAt` and `status`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredReminder {
    id: ReminderId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    minutes_before: Option<u32>,
    /// What was asked for, milliseconds since 1970, where it differs from `remind_at`: the reminder was snoozed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<i64>,
    /// Milliseconds since 1970.
    remind_at: i64,
    status: ReminderStatus,
}

/// Names of the columns, in order, with their SQL types.
pub(crate) fn columns() -> impl Iterator<Item = (&'static str, &'static str)> {
    NAMES.iter().copied().zip(TYPES.iter().copied())
}

/// The columns of a statement that reads tasks.
pub(crate) fn select() -> String {
    NAMES.join(", ")
}

/// [`select`] for a statement that reads other tables as well.
pub(crate) fn select_of_task() -> String {
    let columns: Vec<String> = NAMES.iter().map(|name| format!("task.{name}")).collect();
    columns.join(", ")
}

/// Reads the columns of [`select`].
pub(crate) fn read(row: &Row) -> Result<Task, DbError> {
    let row = TaskRow::read(row)?;
    let zone = row.time_zone;
    let due = |at: Option<Timestamp>| at.map(|at| due(at, &zone)).transpose();
    let Json(reminders) = row.reminders;
    Ok(Task {
        id: row.id,
        user_id: row.user_id,
        title: row.title,
        description: row.description,
        status: row.status,
        priority: row.priority,
        due: due(row.due_at)?,
        estimate_minutes: row.estimate_minutes,
        category: row.category_id,
        tags: row.tag_ids.0,
        recurrence: row.recurrence,
        recurrence_from: row.recurrence_from,
        reminders: reminders
            .into_iter()
            .map(StoredReminder::read)
            .collect::<Result<_, _>>()?,
        series: match (row.series_id, due(row.series_start)?) {
            (Some(id), Some(start)) => Some(Series { id, start }),
            _ => None,
        },
        occurrence: row.occurrence,
        version: row.version,
        created_at: row.created_at,
        updated_at: row.updated_at,
        completed_at: row.completed_at,
        zone,
    })
}

/// Reads the columns of [`select`] of each row.
pub(crate) fn read_all(rows: &[Row]) -> Result<Vec<Task>, DbError> {
    rows.iter().map(read).collect()
}

/// The values of the columns.
pub(crate) fn values(task: &Task) -> Vec<Value> {
    let row = TaskRow {
        id: task.id,
        user_id: task.user_id.clone(),
        title: task.title.clone(),
        description: task.description.clone(),
        status: task.status,
        priority: task.priority,
        due_at: task.due.as_ref().map(Due::at),
        time_zone: task.zone.clone(),
        estimate_minutes: task.estimate_minutes,
        category_id: task.category,
        tag_ids: Json(task.tags.clone()),
        recurrence: task.recurrence.clone(),
        recurrence_from: task.recurrence_from,
        reminders: stored_reminders(task),
        series_id: task.series.as_ref().map(|series| series.id),
        series_start: task.series.as_ref().map(|series| series.start.at()),
        occurrence: task.occurrence,
        version: task.version,
        created_at: task.created_at,
        updated_at: task.updated_at,
        completed_at: task.completed_at,
    };
    row.values()
}

/// The value of the column `reminders` alone.
pub(crate) fn reminders(task: &Task) -> Value {
    stored_reminders(task).write()
}

fn stored_reminders(task: &Task) -> Json<Vec<StoredReminder>> {
    Json(task.reminders.iter().map(StoredReminder::of).collect())
}

impl StoredReminder {
    fn of(reminder: &Reminder) -> Self {
        let (minutes_before, at) = match reminder.when {
            ReminderWhen::MinutesBefore(minutes) => (Some(minutes), None),
            ReminderWhen::At(at) => (None, Some(at).filter(|at| *at != reminder.remind_at)),
        };
        Self {
            id: reminder.id,
            minutes_before,
            at: at.map(Timestamp::as_millisecond),
            remind_at: reminder.remind_at.as_millisecond(),
            status: reminder.status,
        }
    }

    fn read(self) -> Result<Reminder, DbError> {
        let remind_at = instant(self.remind_at)?;
        let when = match (self.minutes_before, self.at) {
            (Some(minutes), _) => ReminderWhen::MinutesBefore(minutes),
            (None, Some(at)) => ReminderWhen::At(instant(at)?),
            (None, None) => ReminderWhen::At(remind_at),
        };
        Ok(Reminder {
            id: self.id,
            when,
            remind_at,
            status: self.status,
        })
    }
}

fn due(at: Timestamp, zone: &Zone) -> Result<Due, DbError> {
    Due::new(at, zone.clone()).map_err(|error| DbError::Unreadable(error.to_string()))
}

/// The task as the API shows it.
pub(crate) fn view(task: &Task) -> contract::Task {
    contract::Task {
        id: task.id,
        title: task.title.to_string(),
        description: task.description.as_ref().map(Description::to_string),
        status: task.status,
        priority: task.priority,
        due: task.due.as_ref().map(LocalInstant::from),
        time_zone: task.zone.name().to_owned(),
        estimate_minutes: task.estimate_minutes,
        category_id: task.category,
        tag_ids: task.tags.clone(),
        recurrence: task.recurrence.as_ref().map(Rule::to_string),
        recurrence_from: task.recurrence_from,
        reminders: task
            .reminders
            .iter()
            .map(|reminder| view_reminder(task, reminder))
            .collect(),
        series_id: task.series.as_ref().map(|series| series.id),
        occurrence: task.occurrence,
        version: task.version,
        created_at: task.created_at,
        updated_at: task.updated_at,
        completed_at: task.completed_at,
    }
}

/// A reminder of a task as the API shows it.
pub(crate) fn view_reminder(task: &Task, reminder: &Reminder) -> contract::Reminder {
    let (minutes_before, at) = match reminder.when {
        ReminderWhen::MinutesBefore(minutes) => (Some(minutes), None),
        ReminderWhen::At(at) => (None, Some(local(task, at))),
    };
    contract::Reminder {
        id: reminder.id,
        minutes_before,
        at,
        remind_at: local(task, reminder.remind_at),
        status: reminder.status,
    }
}

/// An instant with the offset of the task's zone.
pub(crate) fn local(task: &Task, at: Timestamp) -> LocalInstant {
    Due::new(at, task.zone.clone()).map_or_else(|_| at.into(), |due| LocalInstant::from(&due))
}

/// The task as events carry it.
pub(crate) fn snapshot(task: &Task) -> contract::Snapshot {
    contract::Snapshot {
        user_id: task.user_id.clone(),
        series_start: task
            .series
            .as_ref()
            .map(|series| LocalInstant::from(&series.start)),
        task: view(task),
    }
}

/// The event that announces this version of a task.
pub(crate) fn event(task: &Task, change: Change, before: Option<&Task>, cause: &Cause) -> TaskEvent {
    TaskEvent {
        schema_version: SCHEMA_VERSION,
        change,
        changed: before
            .map(|before| changed(&view(before), &view(task)))
            .unwrap_or_default(),
        task: snapshot(task),
        by: Some(cause.by.clone()),
        deliveries: Vec::new(),
        traceparent: cause.trace.as_ref().map(Traceparent::to_string),
        origin: None,
    }
}

/// Names of the fields that differ, as the API names them. Those that change with every version are left out.
fn changed(before: &contract::Task, after: &contract::Task) -> Vec<String> {
    let (Ok(serde_json::Value::Object(before)), Ok(serde_json::Value::Object(after))) =
        (serde_json::to_value(before), serde_json::to_value(after))
    else {
        return Vec::new();
    };
    after
        .into_iter()
        .filter(|(name, value)| before.get(name) != Some(value) && name != "version" && name != "updatedAt")
        .map(|(name, _)| name)
        .collect()
}
