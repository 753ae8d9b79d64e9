//! The outbox table: stored events that are not published yet.

use std::collections::BTreeMap;

use jiff::Timestamp;
use nudge_domain::id::TaskId;

use crate::db::{Database, DbError, Row, Value};

/// Maximum number of events that one statement reads: after an outage one task may have thousands.
const UNPUBLISHED: usize = 500;

/// A stored event that is not published yet.
#[derive(Debug, Clone)]
pub(crate) struct StoredEvent {
    pub(crate) task_id: TaskId,
    pub(crate) version: u32,
    /// JSON of a [`TaskEvent`](nudge_contract::event::TaskEvent).
    pub(crate) data: String,
}

impl StoredEvent {
    /// From the columns `task_id, version, data`.
    fn read(row: &Row) -> Result<Self, DbError> {
        let version = u32::try_from(row.int(1)?).map_err(|error| DbError::Unreadable(error.to_string()))?;
        Ok(Self {
            task_id: row.parsed(0)?,
            version,
            data: row.text(2)?.to_owned(),
        })
    }
}

/// Unpublished events that were stored before `before`, oldest first.
pub(crate) async fn pending(
    database: &Database,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<StoredEvent>, DbError> {
    let sql = "SELECT task_id, version, data FROM task_event WHERE published_at IS NULL AND created_at < $1 ORDER BY seq LIMIT $2";
    let rows = database.query(sql, [before.into(), limit.into()]).await?;
    rows.iter().map(StoredEvent::read).collect()
}

/// The unpublished ones among these events and their tasks' earlier ones, each task's in the order of its versions; at most
/// [`UNPUBLISHED`], the others stay pending.
pub(crate) async fn unpublished_until(
    database: &Database,
    events: &[StoredEvent],
) -> Result<Vec<StoredEvent>, DbError> {
    let mut newest: BTreeMap<TaskId, u32> = BTreeMap::new();
    for event in events {
        let version = newest.entry(event.task_id).or_default();
        *version = event.version.max(*version);
    }
    let wanted: Vec<String> = (0..newest.len())
        .map(|index| {
            let (task, version) = (2 * index + 1, 2 * index + 2);
            format!("(task_id = ${task} AND version <= CAST(${version} AS BIGINT))")
        })
        .collect();
    let sql = format!(
        "SELECT task_id, version, data FROM task_event WHERE published_at IS NULL AND ({}) \
         ORDER BY task_id, version LIMIT {UNPUBLISHED}",
        wanted.join(" OR ")
    );
    let parameters: Vec<Value> = newest
        .iter()
        .flat_map(|(task, version)| [Value::from(task), Value::from(*version)])
        .collect();
    let rows = database.query(&sql, parameters).await?;
    rows.iter().map(StoredEvent::read).collect()
}

/// The number of unpublished events.
pub(crate) async fn count_pending(database: &Database) -> Result<u32, DbError> {
    database
        .count("SELECT COUNT(*) FROM task_event WHERE published_at IS NULL")
        .await
}

/// Marks events as published.
pub(crate) async fn mark_published(
    database: &Database,
    events: &[StoredEvent],
    now: Timestamp,
) -> Result<(), DbError> {
    if events.is_empty() {
        return Ok(());
    }
    let pairs: Vec<String> = (0..events.len())
        .map(|index| {
            format!(
                "(CAST(${} AS TEXT), CAST(${} AS BIGINT))",
                2 * index + 2,
                2 * index + 3
            )
        })
        .collect();
    let mut parameters: Vec<Value> = vec![now.into()];
    parameters.extend(
        events
            .iter()
            .flat_map(|event| [Value::from(&event.task_id), Value::from(event.version)]),
    );
    let sql = format!(
        "UPDATE task_event SET published_at = $1 WHERE (task_id, version) IN (VALUES {})",
        pairs.join(", ")
    );
    database.execute(&sql, parameters).await
}

/// Deletes the published versions of a task up to one.
pub(crate) async fn delete_until(database: &Database, task_id: TaskId, version: u32) -> Result<(), DbError> {
    let sql = "DELETE FROM task_event WHERE task_id = $1 AND version <= $2 AND published_at IS NOT NULL";
    database.execute(sql, [(&task_id).into(), version.into()]).await
}
