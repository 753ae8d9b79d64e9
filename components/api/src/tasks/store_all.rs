//! The statements on many tasks at once: what they are about is one parameter, see `db/rows.rs`.

use std::collections::{BTreeMap, BTreeSet};

use nudge_contract::event::TaskEvent;
use nudge_domain::id::{LeaseId, ReminderId, TaskId};
use nudge_domain::task::Task;

use super::record;
use super::store::{derived_values, event_values};
use crate::db::rows::{column, flag, rows, rows_of, wide_rows};
use crate::db::{Database, DbError, Row, Value};
use crate::profile;

/// A task as it is stored, and something else about it. A row that cannot be read fails alone.
pub(super) type Found = Result<(Task, bool), DbError>;

/// Tasks of any users, and whether each was deleted.
pub(super) async fn find(
    database: &Database,
    tasks: impl IntoIterator<Item = TaskId>,
) -> Result<BTreeMap<TaskId, Found>, DbError> {
    let sql = format!(
        "SELECT {}, {} FROM task WHERE id IN (SELECT {} FROM {})",
        record::select(),
        flag("deleted_at IS NOT NULL"),
        column(0, "TEXT"),
        rows_of(database.dialect(), "$1")
    );
    let wanted = rows(tasks.into_iter().map(|task| [Value::from(&task)]));
    let found = database.query(&sql, [wanted]).await?;
    found
        .iter()
        .map(|row| Ok((row.parsed(0)?, read_with_flag(row))))
        .collect()
}

/// A task that has a reminder.
pub(super) struct Reminding {
    pub(super) task: Task,
    /// Whether Nudge reminds its owner.
    pub(super) reminded_here: bool,
    /// The lease that the reminder is in, whether or not it has expired.
    pub(super) lease: Option<LeaseId>,
}

/// The tasks that have reminders, except those that were deleted. A row that cannot be read fails alone.
pub(super) async fn find_by_reminders(
    database: &Database,
    reminders: impl IntoIterator<Item = ReminderId>,
) -> Result<BTreeMap<ReminderId, Result<Reminding, DbError>>, DbError> {
    let sql = format!(
        "SELECT {}, {}, reminder.id, CASE WHEN reminder.leased_until IS NOT NULL THEN reminder.lease_id END FROM reminder JOIN task ON task.id = reminder.task_id \
         WHERE reminder.id IN (SELECT {} FROM {}) AND task.deleted_at IS NULL",
        record::select_of_task(),
        flag(&profile::reminded_here("task.user_id")),
        column(0, "TEXT"),
        rows_of(database.dialect(), "$1")
    );
    let wanted = rows(reminders.into_iter().map(|reminder| [Value::from(&reminder)]));
    let found = database.query(&sql, [wanted]).await?;
    let id = record::columns().count() + 1;
    let reminding = |row: &Row| {
        let (task, reminded_here) = read_with_flag(row)?;
        let lease = row.maybe_text(id + 1)?.map(|_| row.parsed(id + 1)).transpose()?;
        Ok(Reminding {
            task,
            reminded_here,
            lease,
        })
    };
    found
        .iter()
        .map(|row| Ok((row.parsed(id)?, reminding(row))))
        .collect()
}

fn read_with_flag(row: &Row) -> Found {
    Ok((record::read(row)?, row.flag(record::columns().count())?))
}

/// Stores the next versions of tasks of which nothing but reminders has changed, and their events, where the task is still at the
/// version before. Returns the ids of those.
pub(super) async fn update_reminders(
    database: &Database,
    changed: &[(Task, TaskEvent)],
) -> Result<BTreeSet<TaskId>, DbError> {
    let sql = format!(
        "UPDATE task SET version = {version}, updated_at = {}, reminders = {}, event_type = {}, event_data = {} FROM {} \
         WHERE task.id = {} AND task.version + 1 = {version} AND task.deleted_at IS NULL RETURNING id",
        column(2, "BIGINT"),
        column(3, "TEXT"),
        column(4, "TEXT"),
        column(5, "TEXT"),
        rows_of(database.dialect(), "$1"),
        column(0, "TEXT"),
        version = column(1, "BIGINT"),
    );
    let changed = rows(changed.iter().map(|(task, event)| {
        let [event_type, event_data] = event_values(event);
        [
            (&task.id).into(),
            task.version.into(),
            task.updated_at.into(),
            record::reminders(task),
            event_type,
            event_data,
        ]
    }));
    ids(&database.query(&sql, [changed]).await?)
}

/// An occurrence of a series that is to be stored.
pub(super) struct Next {
    /// The number of the occurrence that it follows.
    pub(super) after: u32,
    pub(super) task: Task,
    pub(super) event: TaskEvent,
}

/// Stores occurrences and their events, unless a later one than the one they follow is still pending, or they exist. Returns the ids
/// of those that were stored.
pub(super) async fn insert_next(database: &Database, next: &[Next]) -> Result<BTreeSet<TaskId>, DbError> {
    let columns: Vec<(&str, &str)> = record::columns()
        .chain([("event_type", "TEXT"), ("event_data", "TEXT"), ("terms", "TEXT")])
        .collect();
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let values: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(place, (_, sql_type))| column(place, sql_type))
        .collect();
    let series = names.iter().position(|name| *name == "series_id");
    let sql = format!(
        "INSERT INTO task ({}) SELECT {} FROM {} WHERE NOT EXISTS (SELECT 1 FROM task AS later WHERE later.series_id = {} \
         AND later.occurrence > {} AND later.status = 'pending' AND later.deleted_at IS NULL) \
         ON CONFLICT (id) DO NOTHING RETURNING id",
        names.join(", "),
        values.join(", "),
        rows_of(database.dialect(), "$1"),
        column(series.unwrap_or_default(), "TEXT"),
        column(columns.len(), "BIGINT"),
    );
    let next = wide_rows(next.iter().map(|next| {
        let mut values = record::values(&next.task);
        values.extend(derived_values(&next.task, &next.event));
        values.push(next.after.into());
        values
    }));
    ids(&database.query(&sql, [next]).await?)
}

/// What became of the occurrence after a task. While it is still to be made the column says `pending`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Successor {
    /// It is there.
    Created,
    /// The series is over.
    Ended,
}

/// Notes that completed tasks have their next occurrence, or that their series are over.
pub(super) async fn set_successors(
    database: &Database,
    tasks: &[(TaskId, Successor)],
) -> Result<(), DbError> {
    let sql = format!(
        "UPDATE task SET successor = {} FROM {} WHERE task.id = {}",
        column(1, "TEXT"),
        rows_of(database.dialect(), "$1"),
        column(0, "TEXT")
    );
    let tasks = rows(tasks.iter().map(|(task, successor)| {
        let state = match successor {
            Successor::Created => "created",
            Successor::Ended => "ended",
        };
        [task.into(), state.into()]
    }));
    database.execute(&sql, [tasks]).await
}

fn ids(rows: &[Row]) -> Result<BTreeSet<TaskId>, DbError> {
    rows.iter().map(|row| row.parsed(0)).collect()
}
