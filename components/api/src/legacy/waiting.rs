//! Changes whose task is not here yet: they came before it, since topics have no order among each other, or it was never imported.

use nudge_contract::legacy::LegacyChange;

use crate::db::{Database, DbError, Value};

/// In front of the event's id, as the id of a change from which something follows here as well: a completion that was taken over. The
/// same completion may wait under its own id, because the adapter reads both.
const TAKE_OVER: &str = "take-over:";

/// A change that waits.
pub(super) struct Waiting {
    id: String,
    pub(super) change: LegacyChange,
}

impl Waiting {
    pub(super) fn is_taken_over(&self) -> bool {
        self.id.starts_with(TAKE_OVER)
    }
}

/// Keeps a change until its task comes.
pub(super) async fn keep(database: &Database, task: i64, change: &LegacyChange) -> Result<(), DbError> {
    keep_as(database, task, &change.event_id, change).await
}

/// The same for one that was taken over.
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

/// What waits for a task.
pub(super) async fn of_task(database: &Database, task: i64) -> Result<Vec<Waiting>, DbError> {
    let rows = database
        .query(
            "SELECT event_id, change FROM legacy_waiting WHERE task = $1",
            [task.into()],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Waiting {
                id: row.text(0)?.to_owned(),
                change: serde_json::from_str(row.text(1)?)
                    .map_err(|error| DbError::Unreadable(error.to_string()))?,
            })
        })
        .collect()
}

/// Forgets a change that was applied, or refused.
pub(super) async fn done(database: &Database, task: i64, waiting: &Waiting) -> Result<(), DbError> {
    database
        .execute(
            "DELETE FROM legacy_waiting WHERE task = $1 AND event_id = $2",
            [task.into(), waiting.id.as_str().into()],
        )
        .await
}

/// How many wait.
pub(super) async fn count(database: &Database) -> Result<u32, DbError> {
    database.count("SELECT COUNT(*) FROM legacy_waiting").await
}
