//! The statements on agents. That of their tokens is in `auth/agent.rs`.

use jiff::Timestamp;
use nudge_contract::agent::Agent;
use nudge_domain::characters::name_key;
use nudge_domain::id::UserId;
use uuid::Uuid;

use crate::db::{Database, DbError, Row, Value};

/// The columns of [`of_row`].
const COLUMNS: &str = "id, name, scope, created_at, expires_at, last_used_at";

fn of_row(row: &Row) -> Result<Agent, DbError> {
    Ok(Agent {
        id: row.parsed(0)?,
        name: row.text(1)?.to_owned(),
        scope: row.parsed(2)?,
        created_at: row.instant(3)?,
        expires_at: row.instant(4)?,
        last_used_at: row.maybe_int(5)?.map(|_| row.instant(5)).transpose()?,
    })
}

/// A user's agents, the oldest first.
pub(super) async fn list(database: &Database, user_id: &UserId) -> Result<Vec<Agent>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM agent WHERE user_id = $1 ORDER BY created_at, id");
    let rows = database.query(&sql, [user_id.into()]).await?;
    rows.iter().map(of_row).collect()
}

/// One of a user's agents.
pub(super) async fn find(database: &Database, user_id: &UserId, id: Uuid) -> Result<Option<Agent>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM agent WHERE id = $1 AND user_id = $2");
    let rows = database.query(&sql, [id.into(), user_id.into()]).await?;
    rows.first().map(of_row).transpose()
}

/// Stores a new agent with the hash of its token. An earlier attempt of the same request may have stored it: then it has this token from
/// now on, since the other one was not shown. Returns `false` if the user has another agent whose name looks the same, see [`name_key`],
/// or as many as they may.
pub(super) async fn insert(
    database: &Database,
    user_id: &UserId,
    agent: &Agent,
    token_hash: &str,
    most: Option<u32>,
) -> Result<bool, DbError> {
    let room = match most {
        Some(_) => {
            " AND NOT EXISTS (SELECT 1 FROM agent AS other WHERE other.user_id = $2 AND other.id <> $1 LIMIT 1 OFFSET $9)"
        }
        None => "",
    };
    let sql = format!(
        "INSERT INTO agent (id, user_id, name, name_key, scope, token_hash, created_at, expires_at) \
         SELECT $1, $2, $3, CAST($4 AS TEXT), $5, $6, CAST($7 AS BIGINT), CAST($8 AS BIGINT) \
         WHERE NOT EXISTS (SELECT 1 FROM agent AS alike WHERE alike.user_id = $2 AND alike.name_key = $4 AND alike.id <> $1){room} \
         ON CONFLICT (id) DO UPDATE SET token_hash = excluded.token_hash, created_at = excluded.created_at, \
         expires_at = excluded.expires_at WHERE agent.user_id = excluded.user_id"
    );
    let mut parameters: Vec<Value> = vec![
        agent.id.into(),
        user_id.into(),
        agent.name.as_str().into(),
        name_key(&agent.name).into(),
        agent.scope.as_str().into(),
        token_hash.into(),
        agent.created_at.into(),
        agent.expires_at.into(),
    ];
    // The last that there may be is not there yet.
    parameters.extend(most.map(|most| Value::from(most.saturating_sub(1))));
    match database.store(&sql, parameters).await {
        // On PostgreSQL two requests at the same time do not see each other's row.
        Err(DbError::Conflict(_)) => Ok(false),
        stored => stored,
    }
}

/// Whether another agent of a user has a name that looks like this one.
pub(super) async fn is_name_taken(
    database: &Database,
    user_id: &UserId,
    name: &str,
) -> Result<bool, DbError> {
    let sql = "SELECT 1 FROM agent WHERE user_id = $1 AND name_key = $2";
    let rows = database
        .query(sql, [user_id.into(), name_key(name).into()])
        .await?;
    Ok(!rows.is_empty())
}

/// Removes an agent. Returns `false` if there is none.
pub(super) async fn delete(database: &Database, user_id: &UserId, id: Uuid) -> Result<bool, DbError> {
    let sql = "DELETE FROM agent WHERE id = $1 AND user_id = $2 RETURNING id";
    let rows = database.query(sql, [id.into(), user_id.into()]).await?;
    Ok(!rows.is_empty())
}

/// Removes agents of a user: all, or the one with this id.
pub(super) async fn delete_revoked(
    database: &Database,
    user_id: &UserId,
    token_id: Option<&str>,
) -> Result<(), DbError> {
    let (sql, parameters): (&str, Vec<Value>) = match token_id {
        None => ("DELETE FROM agent WHERE user_id = $1", vec![user_id.into()]),
        Some(id) => (
            "DELETE FROM agent WHERE user_id = $1 AND id = $2",
            vec![user_id.into(), id.into()],
        ),
    };
    database.execute(sql, parameters).await
}

/// Removes agents whose tokens expired before a time.
pub(super) async fn delete_expired(database: &Database, before: Timestamp) -> Result<(), DbError> {
    let sql = "DELETE FROM agent WHERE expires_at < $1";
    database.execute(sql, [before.into()]).await
}
