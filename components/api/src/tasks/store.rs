//! The statements on tasks, their events and their reminders. Each is whole in itself.

use jiff::Timestamp;
use nudge_contract::event::{Change, TaskEvent};
use nudge_domain::task::Status;
use uuid::Uuid;

use crate::db::{Database, DbError, Row, Value};
use crate::tasks::labels::store::Kind;
use crate::tasks::record::{COLUMNS, TaskRecord, columns_of_task};
use crate::terms::terms;

/// A user's task.
pub(crate) async fn find(
    database: &Database,
    user_id: &str,
    id: Uuid,
) -> Result<Option<TaskRecord>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM task WHERE id = $1 AND user_id = $2 AND deleted_at IS NULL");
    one(database.query(&sql, [id.into(), user_id.into()]).await?)
}

/// Anybody's task, for services; also one that was deleted.
pub(crate) async fn find_for_service(database: &Database, id: Uuid) -> Result<Option<TaskRecord>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM task WHERE id = $1");
    one(database.query(&sql, [id.into()]).await?)
}

/// The task that has a reminder, unless it was deleted.
pub(crate) async fn find_by_reminder(
    database: &Database,
    reminder: Uuid,
) -> Result<Option<TaskRecord>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM task WHERE id = (SELECT task_id FROM reminder WHERE id = $1) AND deleted_at IS NULL"
    );
    one(database.query(&sql, [reminder.into()]).await?)
}

/// Stores a new task and its event. Says no when there is one of that id.
pub(crate) async fn insert(
    database: &Database,
    task: &TaskRecord,
    event: &TaskEvent,
) -> Result<bool, DbError> {
    insert_where(database, task, event, "TRUE").await
}

/// The same for what comes after an occurrence of a series; also says no when a later one is still to do.
pub(crate) async fn insert_after(
    database: &Database,
    occurrence: u32,
    task: &TaskRecord,
    event: &TaskEvent,
) -> Result<bool, DbError> {
    let none_later = format!(
        "NOT EXISTS (SELECT 1 FROM task WHERE series_id = {} AND occurrence > {occurrence} AND status = 'pending' AND deleted_at IS NULL)",
        place_of("series_id"),
    );
    insert_where(database, task, event, &none_later).await
}

async fn insert_where(
    database: &Database,
    task: &TaskRecord,
    event: &TaskEvent,
    condition: &str,
) -> Result<bool, DbError> {
    let mut parameters = task.values();
    let mut places: Vec<String> = names().map(place_of).collect();
    let next = parameters.len() + 1;
    places.extend((next..next + 3).map(|place| format!("${place}")));
    parameters.extend(derived_values(task, event));
    let sql = format!(
        "INSERT INTO task ({COLUMNS}, event_type, event_data, terms) SELECT {} WHERE {condition} \
         ON CONFLICT (id) DO NOTHING RETURNING version",
        places.join(", ")
    );
    Ok(!database.query(&sql, parameters).await?.is_empty())
}

fn names() -> impl Iterator<Item = &'static str> {
    COLUMNS.split(',').map(str::trim)
}

/// The parameter of a column in the order of [`COLUMNS`]. A `SELECT` does not say of which type its parameters are.
fn place_of(column: &str) -> String {
    let place = names().position(|name| name == column).unwrap_or_default() + 1;
    let number = column.ends_with("_at") || ["series_start", "occurrence", "version"].contains(&column);
    format!("CAST(${place} AS {})", if number { "BIGINT" } else { "TEXT" })
}

/// Stores the next version of a task and its event, if the task is still at the version before. Says no when it is not.
/// `followed` says that the next occurrence of its series is still to be made.
pub(crate) async fn update(
    database: &Database,
    task: &TaskRecord,
    event: &TaskEvent,
    followed: bool,
) -> Result<bool, DbError> {
    let mut parameters = task.values();
    let sets: Vec<String> = names()
        .zip(1..)
        .skip(2)
        .map(|(name, place)| format!("{name} = ${place}"))
        .collect();
    let next = parameters.len() + 1;
    parameters.extend(derived_values(task, event));
    parameters.push(task.version.saturating_sub(1).into());
    let mut extra = String::new();
    if followed {
        extra.push_str(", successor = 'pending'");
    } else if event.change == Change::Reopened
        || (event.change == Change::Deleted && task.status == Status::Pending)
    {
        // Nothing follows what is to be done again, nor a series that was deleted; the relay goes by this column.
        extra.push_str(", successor = NULL");
    }
    if event.change == Change::Deleted {
        extra.push_str(&format!(", deleted_at = ${}", next + 4));
        parameters.push(task.updated_at.into());
    }
    let sql = format!(
        "UPDATE task SET {}, event_type = ${next}, event_data = ${}, terms = ${}{extra} \
         WHERE id = $1 AND user_id = $2 AND version = ${} AND deleted_at IS NULL RETURNING version",
        sets.join(", "),
        next + 1,
        next + 2,
        next + 3,
    );
    Ok(!database.query(&sql, parameters).await?.is_empty())
}

/// What the triggers need beside the task: its event, and what search finds it by.
fn derived_values(task: &TaskRecord, event: &TaskEvent) -> [Value; 3] {
    // An event is a struct of texts and numbers; nothing in it can fail to be JSON.
    [
        event.change.event_type().into(),
        serde_json::to_string(event).unwrap_or_default().into(),
        terms(&task.user_id, &task.title, task.description.as_deref()).into(),
    ]
}

/// Notes that a completed task has its next occurrence, or that the series is over.
pub(crate) async fn set_successor(database: &Database, id: Uuid, state: &str) -> Result<(), DbError> {
    database
        .execute(
            "UPDATE task SET successor = $2 WHERE id = $1",
            [id.into(), state.into()],
        )
        .await
}

/// Recurring tasks that wait for their next occurrence since `before` or longer: those that were skipped, and those that were
/// completed after `after`.
pub(crate) async fn without_successor(
    database: &Database,
    after: Timestamp,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<TaskRecord>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM task WHERE successor = 'pending' AND (status = 'completed' OR deleted_at IS NOT NULL) AND recurrence IS NOT NULL \
         AND (status <> 'completed' OR updated_at > $1) AND updated_at < $2 ORDER BY updated_at LIMIT $3"
    );
    database
        .query(&sql, [after.into(), before.into(), limit.into()])
        .await?
        .iter()
        .map(TaskRecord::read)
        .collect()
}

/// Tasks with reminders that should have been sent before `before`, those that wait longest first, and the reminder.
pub(crate) async fn overdue(
    database: &Database,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<(Uuid, TaskRecord)>, DbError> {
    let sql = format!(
        "SELECT {}, reminder.id FROM reminder JOIN task ON task.id = reminder.task_id \
         WHERE reminder.status = 'scheduled' AND reminder.remind_at < $1 AND task.deleted_at IS NULL AND task.status = 'pending' \
         AND COALESCE((SELECT master FROM legacy_master WHERE user_id IN (task.user_id, '*') ORDER BY changed_at DESC, user_id DESC LIMIT 1), 'nudge') = 'nudge' \
         ORDER BY reminder.remind_at LIMIT $2",
        columns_of_task()
    );
    let rows = database.query(&sql, [before.into(), limit.into()]).await?;
    rows.iter()
        .map(|row| Ok((row.parsed(COLUMNS.split(',').count())?, TaskRecord::read(row)?)))
        .collect()
}

/// A page of a user's tasks that wear a label, behind the last one of the page before: when each was created, and its id.
pub(crate) async fn wearing(
    database: &Database,
    user_id: &str,
    kind: Kind,
    label: Uuid,
    after: Option<(i64, Uuid)>,
    limit: u32,
) -> Result<Vec<(i64, Uuid)>, DbError> {
    let (created_at, id) = after.map_or((-1, String::new()), |(created_at, id)| {
        (created_at, id.to_string())
    });
    let mut parameters: Vec<Value> = vec![user_id.into(), label.into(), limit.into(), id.into()];
    // Each in the order of the index that finds them.
    let sql = match kind {
        Kind::Tag => {
            "SELECT task.created_at, task.id FROM task_tag JOIN task ON task.id = task_tag.task_id \
             WHERE task_tag.tag_id = $2 AND task_tag.task_id > $4 AND task.user_id = $1 AND task.deleted_at IS NULL \
             ORDER BY task_tag.task_id LIMIT $3"
        }
        Kind::Category => {
            parameters.push(created_at.into());
            "SELECT created_at, id FROM task WHERE category_id = $2 AND user_id = $1 AND deleted_at IS NULL \
             AND (created_at, id) > ($5, $4) ORDER BY created_at, id LIMIT $3"
        }
    };
    let rows = database.query(sql, parameters).await?;
    rows.iter().map(|row| Ok((row.int(0)?, row.parsed(1)?))).collect()
}

/// Ids of some of a user's tasks, for somebody who deletes them all.
pub(crate) async fn some_of(database: &Database, user_id: &str, limit: u32) -> Result<Vec<Uuid>, DbError> {
    let sql = "SELECT id FROM task WHERE user_id = $1 AND deleted_at IS NULL LIMIT $2";
    let rows = database.query(sql, [user_id.into(), limit.into()]).await?;
    rows.iter().map(|row| row.parsed(0)).collect()
}

/// A page of a user's tasks that were created by `until`, oldest first, behind the last one of the page before.
pub(crate) async fn oldest_of(
    database: &Database,
    user_id: &str,
    after: Option<&TaskRecord>,
    until: Timestamp,
    limit: u32,
) -> Result<Vec<TaskRecord>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM task WHERE user_id = $1 AND deleted_at IS NULL AND (created_at, id) > ($2, $3) \
         AND created_at <= $4 ORDER BY created_at, id LIMIT $5"
    );
    let (created_at, id) = after.map_or((-1, String::new()), |task| {
        (task.created_at.as_millisecond(), task.id.to_string())
    });
    let parameters = [
        user_id.into(),
        created_at.into(),
        id.into(),
        until.into(),
        limit.into(),
    ];
    TaskRecord::all(&database.query(&sql, parameters).await?)
}

/// Says that the database answers.
pub(crate) async fn ping(database: &Database) -> Result<(), DbError> {
    database.query("SELECT 1", []).await.map(|_| ())
}

fn one(rows: Vec<Row>) -> Result<Option<TaskRecord>, DbError> {
    rows.first().map(TaskRecord::read).transpose()
}
