//! The statements on tasks, their events and their reminders. Each is whole in itself.

use std::collections::BTreeSet;

use jiff::Timestamp;
use nudge_contract::event::{Change, TaskEvent};
use nudge_domain::id::{TagId, TaskId, UserId};
use nudge_domain::task::{Description, Status, Task};

use crate::db::{Database, DbError, Row, Value};
use crate::profile::{self, Revision};
use crate::tasks::labels::LabelId;
use crate::tasks::record;
use crate::tasks::room::Room;
use crate::terms::terms;

/// A user's task.
pub(crate) async fn find(database: &Database, user_id: &UserId, id: TaskId) -> Result<Option<Task>, DbError> {
    let columns = record::select();
    let sql = format!("SELECT {columns} FROM task WHERE id = $1 AND user_id = $2 AND deleted_at IS NULL");
    one(database.query(&sql, [(&id).into(), user_id.into()]).await?)
}

/// A task of any user, for services; also one that was deleted.
pub(crate) async fn find_for_service(database: &Database, id: TaskId) -> Result<Option<Task>, DbError> {
    let columns = record::select();
    let sql = format!("SELECT {columns} FROM task WHERE id = $1");
    one(database.query(&sql, [(&id).into()]).await?)
}

/// The same, and whether it was deleted.
pub(crate) async fn find_with_deletion(
    database: &Database,
    id: TaskId,
) -> Result<Option<(Task, bool)>, DbError> {
    let columns = record::select();
    let sql = format!("SELECT {columns}, deleted_at FROM task WHERE id = $1");
    let rows = database.query(&sql, [(&id).into()]).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let deleted = !row.is_null(record::columns().count())?;
    Ok(Some((record::read(row)?, deleted)))
}

/// Whether there is a task of this id, of any user; also one that was deleted.
pub(crate) async fn exists(database: &Database, id: TaskId) -> Result<bool, DbError> {
    let rows = database
        .query("SELECT 1 FROM task WHERE id = $1", [(&id).into()])
        .await?;
    Ok(!rows.is_empty())
}

/// Stores a new task and its event. Returns `false` if there is one of that id.
pub(crate) async fn insert(database: &Database, task: &Task, event: &TaskEvent) -> Result<bool, DbError> {
    insert_where(database, task, event, "TRUE", []).await
}

/// The same if the owner's profile is still at this revision, the owner has the task's labels, and there is room for it; also returns
/// `false` if not.
/// So a task is created with one statement, whatever was read before.
pub(crate) async fn insert_if_current(
    database: &Database,
    task: &Task,
    event: &TaskEvent,
    profile: Revision,
    room: &Room,
) -> Result<bool, DbError> {
    let mut parameters: Vec<Value> = Vec::new();
    let mut place = |value: Value| {
        parameters.push(value);
        // Three more are derived from the task.
        format!("${}", record::columns().count() + 3 + parameters.len())
    };
    let owner = place_of("user_id");
    let (version, updated_at) = (place(profile.version.into()), place(profile.updated_at.into()));
    let mut condition = format!(
        "EXISTS (SELECT 1 FROM person WHERE id = {owner} AND version = {version} AND updated_at = {updated_at})"
    );
    if let Some(category) = task.category {
        let id = place((&category).into());
        condition += &format!(" AND EXISTS (SELECT 1 FROM category WHERE id = {id} AND user_id = {owner})");
    }
    let tags: BTreeSet<TagId> = task.tags.iter().copied().collect();
    if !tags.is_empty() {
        let count = tags.len();
        let ids: Vec<String> = tags.into_iter().map(|tag| place((&tag).into())).collect();
        condition += &format!(
            " AND (SELECT COUNT(*) FROM tag WHERE id IN ({}) AND user_id = {owner}) = {count}",
            ids.join(", ")
        );
    }
    condition += &room.conditions(&owner, &place_of("id"), place);
    insert_where(database, task, event, &condition, parameters).await
}

async fn insert_where(
    database: &Database,
    task: &Task,
    event: &TaskEvent,
    condition: &str,
    of_condition: impl IntoIterator<Item = Value>,
) -> Result<bool, DbError> {
    let mut parameters = record::values(task);
    let mut places: Vec<String> = record::columns().map(|(name, _)| place_of(name)).collect();
    let next = parameters.len() + 1;
    places.extend((next..next + 3).map(|place| format!("${place}")));
    parameters.extend(derived_values(task, event));
    parameters.extend(of_condition);
    let sql = format!(
        "INSERT INTO task ({}, event_type, event_data, terms) SELECT {} WHERE {condition} ON CONFLICT (id) DO NOTHING",
        record::select(),
        places.join(", ")
    );
    database.store(&sql, parameters).await
}

/// The parameter of a column. A `SELECT` does not say of which type its parameters are.
fn place_of(column: &str) -> String {
    record::columns()
        .zip(1..)
        .find(|((name, _), _)| *name == column)
        .map_or_else(String::new, |((_, sql_type), place)| {
            format!("CAST(${place} AS {sql_type})")
        })
}

/// Stores the next version of a task and its event, if the task is still at the version before, and there is room for it. Returns
/// `false` if not. `followed` says that the next occurrence of its series is still to be made.
pub(crate) async fn update(
    database: &Database,
    task: &Task,
    event: &TaskEvent,
    followed: bool,
    room: &Room,
) -> Result<bool, DbError> {
    update_if(database, task, event, followed, "", room).await
}

/// The same, if the account of the task's owner is closing.
pub(crate) async fn update_of_closing_account(
    database: &Database,
    task: &Task,
    event: &TaskEvent,
) -> Result<bool, DbError> {
    let condition = format!("AND {}", profile::is_closing("$2"));
    update_if(database, task, event, false, &condition, &Room::default()).await
}

async fn update_if(
    database: &Database,
    task: &Task,
    event: &TaskEvent,
    followed: bool,
    condition: &str,
    room: &Room,
) -> Result<bool, DbError> {
    let mut parameters = record::values(task);
    // The id and the owner stay.
    let sets: Vec<String> = record::columns()
        .zip(1..)
        .skip(2)
        .map(|((name, _), place)| format!("{name} = ${place}"))
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
        // A reopened task and a deleted series have no next occurrence to create; the relay selects tasks by this column.
        extra.push_str(", successor = NULL");
    }
    if event.change == Change::Deleted {
        extra.push_str(&format!(", deleted_at = ${}", next + 4));
        parameters.push(task.updated_at.into());
    }
    let conditions = room.conditions("task.user_id", "task.id", |value| {
        parameters.push(value);
        format!("${}", parameters.len())
    });
    let sql = format!(
        "UPDATE task SET {}, event_type = ${next}, event_data = ${}, terms = ${}{extra} \
         WHERE id = $1 AND user_id = $2 AND version = ${} AND deleted_at IS NULL {condition}{conditions}",
        sets.join(", "),
        next + 1,
        next + 2,
        next + 3,
    );
    database.store(&sql, parameters).await
}

/// What the triggers need beside the task: its event, and what search finds it by.
pub(super) fn derived_values(task: &Task, event: &TaskEvent) -> [Value; 3] {
    let [event_type, event_data] = event_values(event);
    [
        event_type,
        event_data,
        terms(
            task.user_id.as_str(),
            task.title.as_str(),
            task.description.as_ref().map(Description::as_str),
        )
        .into(),
    ]
}

/// The event of a change, for the triggers.
pub(super) fn event_values(event: &TaskEvent) -> [Value; 2] {
    // An event is a struct of texts and numbers; nothing in it can fail to be JSON.
    [
        event.change.event_type().into(),
        serde_json::to_string(event).unwrap_or_default().into(),
    ]
}

/// Recurring tasks that have waited for their next occurrence since before `before`: skipped ones, and those that were completed
/// after `after`.
pub(crate) async fn without_successor(
    database: &Database,
    after: Timestamp,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<Task>, DbError> {
    let columns = record::select();
    let sql = format!(
        "SELECT {columns} FROM task WHERE successor = 'pending' AND (status = 'completed' OR deleted_at IS NOT NULL) AND recurrence IS NOT NULL \
         AND (status <> 'completed' OR updated_at > $1) AND updated_at < $2 ORDER BY updated_at LIMIT $3"
    );
    database
        .query(&sql, [after.into(), before.into(), limit.into()])
        .await?
        .iter()
        .map(record::read)
        .collect()
}

/// A page of a user's tasks with a label, after the last one of the page before: when each was created, and its id.
pub(crate) async fn tasks_with_label(
    database: &Database,
    user_id: &UserId,
    label: LabelId,
    after: Option<(i64, TaskId)>,
    limit: u32,
) -> Result<Vec<(i64, TaskId)>, DbError> {
    let (created_at, id) = after.map_or((-1, String::new()), |(created_at, id)| {
        (created_at, id.to_string())
    });
    let mut parameters: Vec<Value> = vec![user_id.into(), label.uuid().into(), limit.into(), id.into()];
    // Each in the order of the index that finds them.
    let sql = match label {
        LabelId::Tag(_) => {
            "SELECT task.created_at, task.id FROM task_tag JOIN task ON task.id = task_tag.task_id \
             WHERE task_tag.tag_id = $2 AND task_tag.task_id > $4 AND task.user_id = $1 AND task.deleted_at IS NULL \
             ORDER BY task_tag.task_id LIMIT $3"
        }
        LabelId::Category(_) => {
            parameters.push(created_at.into());
            "SELECT created_at, id FROM task WHERE category_id = $2 AND user_id = $1 AND deleted_at IS NULL \
             AND (created_at, id) > ($5, $4) ORDER BY created_at, id LIMIT $3"
        }
    };
    let rows = database.query(sql, parameters).await?;
    rows.iter().map(|row| Ok((row.int(0)?, row.parsed(1)?))).collect()
}

/// Ids of some of a user's tasks, to delete them all; none unless the account is closing.
pub(crate) async fn some_of(
    database: &Database,
    user_id: &UserId,
    limit: u32,
) -> Result<Vec<TaskId>, DbError> {
    let closing = profile::is_closing("$1");
    let sql = format!("SELECT id FROM task WHERE user_id = $1 AND deleted_at IS NULL AND {closing} LIMIT $2");
    let rows = database.query(&sql, [user_id.into(), limit.into()]).await?;
    rows.iter().map(|row| row.parsed(0)).collect()
}

/// A page of a user's tasks that were created by `until`, oldest first, after the last one of the page before.
pub(crate) async fn oldest_of(
    database: &Database,
    user_id: &UserId,
    after: Option<&Task>,
    until: Timestamp,
    limit: u32,
) -> Result<Vec<Task>, DbError> {
    let columns = record::select();
    let sql = format!(
        "SELECT {columns} FROM task WHERE user_id = $1 AND deleted_at IS NULL AND (created_at, id) > ($2, $3) \
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
    record::read_all(&database.query(&sql, parameters).await?)
}

/// Asks whether the database answers.
pub(crate) async fn ping(database: &Database) -> Result<(), DbError> {
    database.query("SELECT 1", []).await.map(|_| ())
}

fn one(rows: Vec<Row>) -> Result<Option<Task>, DbError> {
    rows.first().map(record::read).transpose()
}
