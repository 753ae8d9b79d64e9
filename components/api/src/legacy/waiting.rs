//! Changes whose task is not here yet: they came before it, since topics have no order among each other, or it was never imported.

use nudge_contract::legacy::LegacyChange;

use crate::db::{Database, DbError, Value};

/// Keeps a change until its task comes.
pub(super) async fn keep(database: &Database, task: i64, change: &LegacyChange) -> Result<(), DbError> {
    // A struct of texts and numbers; nothing in it can fail to be JSON.
    let text = serde_json::to_string(change).unwrap_or_default();
    let parameters: [Value; 4] = [
        task.into(),
        change.event_id.as_str().into(),
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
pub(super) async fn of_task(database: &Database, task: i64) -> Result<Vec<LegacyChange>, DbError> {
    let rows = database
        .query("SELECT change FROM legacy_waiting WHERE task = $1", [task.into()])
        .await?;
    rows.iter()
        .map(|row| serde_json::from_str(row.text(0)?).map_err(|error| DbError::Unreadable(error.to_string())))
        .collect()
}

/// Forgets a change that was applied, or refused.
pub(super) async fn done(database: &Database, task: i64, event_id: &str) -> Result<(), DbError> {
    database
        .execute(
            "DELETE FROM legacy_waiting WHERE task = $1 AND event_id = $2",
            [task.into(), event_id.into()],
        )
        .await
}

/// How many wait.
pub(super) async fn count(database: &Database) -> Result<u32, DbError> {
    let rows = database.query("SELECT COUNT(*) FROM legacy_waiting", []).await?;
    let count = rows.first().map_or(Ok(0), |row| row.int(0))?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}
