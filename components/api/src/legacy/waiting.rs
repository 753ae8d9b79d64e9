//! Changes whose task Nudge does not have yet: they arrived before it, since there is no order between topics, or the task was never
//! imported.

use nudge_contract::legacy::LegacyChange;
use nudge_domain::id::TaskId;

use super::LegacyError;
use super::batch::Batch;
use super::found::{Found, find};
use super::merge::{follow, merge};
use crate::db::{Database, DbError, Value};
use crate::error::ServiceError;
use crate::version::{ATTEMPTS, Thing};

/// Prefix of the event id of a completion that was taken over. The same completion may wait under its own id, because the adapter
/// reads it from two topics.
const TAKE_OVER: &str = "take-over:";

/// A change that waits.
struct Waiting {
    id: String,
    change: LegacyChange,
}

impl Waiting {
    fn is_taken_over(&self) -> bool {
        self.id.starts_with(TAKE_OVER)
    }
}

/// Keeps a change until its task arrives.
pub(super) async fn keep(database: &Database, task: i64, change: &LegacyChange) -> Result<(), DbError> {
    keep_as(database, task, &change.event_id, change).await
}

/// The same for a completion that was taken over.
pub(super) async fn keep_taken_over(
    database: &Database,
    task: i64,
    change: &LegacyChange,
) -> Result<(), DbError> {
    keep_as(database, task, &format!("{TAKE_OVER}{}", change.event_id), change).await
}

async fn keep_as(database: &Database, task: i64, id: &str, change: &LegacyChange) -> Result<(), DbError> {
    // A struct of texts and numbers; nothing in it can fail to be JSON.
    let text = serde_json::to_string(change).unwrap_or_default();
    let parameters: [Value; 4] = [
        task.into(),
        id.into(),
        change.user_id.as_str().into(),
        text.into(),
    ];
    database
        .execute(
            "INSERT INTO legacy_waiting (task, event_id, user_id, change) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (task, event_id) DO NOTHING",
            parameters,
        )
        .await
}

/// Applies the changes that wait for a task, in the order in which they were made: a rule may need the date that was set before it.
pub(super) async fn apply_all(batch: &mut Batch<'_>, number: i64, id: TaskId) -> Result<(), LegacyError> {
    let mut all = of_task(batch.database, number).await?;
    all.sort_by_key(|waiting| waiting.change.at);
    for waiting in &all {
        if apply(batch, &waiting.change, number, id).await? && waiting.is_taken_over() {
            follow(batch, id).await?;
        }
        remove(batch.database, number, &waiting.id).await?;
    }
    Ok(())
}

/// Applies a change. Returns `false` if it is refused, or its task is deleted.
async fn apply(
    batch: &mut Batch<'_>,
    change: &LegacyChange,
    number: i64,
    id: TaskId,
) -> Result<bool, LegacyError> {
    for _ in 0..ATTEMPTS {
        let merged = match find(batch.database, change, number, id).await {
            Ok(Found::Task(before)) => merge(batch, &before, change).await,
            Ok(Found::Deleted | Found::Nothing) => return Ok(false),
            Err(error) => Err(error),
        };
        match merged {
            Ok(Some(_)) => return Ok(true),
            Ok(None) => {}
            Err(error) => {
                let reason = error.into_reason()?;
                tracing::error!(
                    event = change.event_id,
                    "a change that waited is refused: {reason}"
                );
                return Ok(false);
            }
        }
    }
    Err(ServiceError::contended(Thing::Task, id).into())
}

/// The changes that wait for a task. One that cannot be read, because another version stored it, is refused and removed.
async fn of_task(database: &Database, task: i64) -> Result<Vec<Waiting>, DbError> {
    let sql = "SELECT event_id, change FROM legacy_waiting WHERE task = $1";
    let mut waiting = Vec::new();
    for row in database.query(sql, [task.into()]).await? {
        let id = row.text(0)?.to_owned();
        match serde_json::from_str(row.text(1)?) {
            Ok(change) => waiting.push(Waiting { id, change }),
            Err(error) => {
                tracing::error!(event = id, "a change that waited is refused: {error}");
                remove(database, task, &id).await?;
            }
        }
    }
    Ok(waiting)
}

async fn remove(database: &Database, task: i64, id: &str) -> Result<(), DbError> {
    database
        .execute(
            "DELETE FROM legacy_waiting WHERE task = $1 AND event_id = $2",
            [task.into(), id.into()],
        )
        .await
}

/// How many changes wait.
pub(super) async fn count(database: &Database) -> Result<u32, DbError> {
    database.count("SELECT COUNT(*) FROM legacy_waiting").await
}
