//! The statements: numbers there and ids here, the times of fields, and who reminds whom.

use std::collections::HashSet;

use jiff::Timestamp;
use nudge_contract::event::{Change, TaskEvent};
use nudge_contract::legacy::{self, FIRST_NUMBER, MOST_USERS, Master, Masters};
use uuid::Uuid;

use crate::db::{Database, DbError, Value};
use crate::tasks::labels::store::Kind;
use crate::tasks::service::ATTEMPTS;

use super::waiting;

/// Kind of the numbers of tasks.
pub(super) const TASK: &str = "task";

/// The id of a task's number: the one that was noted, for a task that Nudge made, else the one that follows from it.
pub(super) async fn task(database: &Database, number: i64) -> Result<Uuid, DbError> {
    let noted = match number {
        FIRST_NUMBER.. => noted(database, TASK, number).await?,
        _ => None,
    };
    Ok(noted.unwrap_or_else(|| legacy::task_id(number)))
}

/// The id of a label's number, which is noted for the way back.
pub(super) async fn label(database: &Database, kind: Kind, number: i64) -> Result<Uuid, DbError> {
    if let Some(id) = noted(database, kind.name(), number).await? {
        return Ok(id);
    }
    let id = match kind {
        Kind::Category => legacy::category_id(number),
        Kind::Tag => legacy::tag_id(number),
    };
    register(database, kind.name(), number, id).await?;
    Ok(id)
}

async fn noted(database: &Database, kind: &str, number: i64) -> Result<Option<Uuid>, DbError> {
    let sql = "SELECT id FROM legacy_number WHERE kind = $1 AND number = $2";
    let rows = database.query(sql, [kind.into(), number.into()]).await?;
    rows.first().map(|row| row.parsed(0)).transpose()
}

/// Notes a number and its id.
pub(super) async fn register(database: &Database, kind: &str, number: i64, id: Uuid) -> Result<(), DbError> {
    let sql = "INSERT INTO legacy_number (kind, number, id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    database
        .execute(sql, [kind.into(), number.into(), id.into()])
        .await
}

/// The number of an id, if it has one.
pub(super) async fn of(database: &Database, id: Uuid) -> Result<Option<i64>, DbError> {
    let sql = "SELECT number FROM legacy_number WHERE id = $1";
    let rows = database.query(sql, [id.into()]).await?;
    rows.first().map(|row| row.int(0)).transpose()
}

/// The number of a task; the next free one if it had none. Numbers are handed out from [`FIRST_NUMBER`] on.
pub(super) async fn hand_out(database: &Database, id: Uuid) -> Result<i64, DbError> {
    for _ in 0..ATTEMPTS {
        if let Some(number) = of(database, id).await? {
            return Ok(number);
        }
        // Of two that take the same number at the same time, one looks again.
        let sql = "INSERT INTO legacy_number (kind, id, number) \
             SELECT 'task', CAST($1 AS TEXT), COALESCE(MAX(number), CAST($2 AS BIGINT) - 1) + 1 \
             FROM legacy_number WHERE kind = 'task' AND number >= CAST($2 AS BIGINT) ON CONFLICT DO NOTHING";
        database.execute(sql, [id.into(), FIRST_NUMBER.into()]).await?;
    }
    Err(DbError::Unavailable(format!(
        "others took the number of task {id} {ATTEMPTS} times in a row"
    )))
}

/// What a task's history says of a change that comes late.
#[derive(Default)]
pub(super) struct Since {
    /// It is in the history already.
    pub(super) noted: bool,
    /// All fields changed after it.
    all: bool,
    /// Names of those that did.
    names: HashSet<String>,
}

impl Since {
    /// Whether a field changed after it.
    pub(super) fn changed(&self, name: &str) -> bool {
        self.all || self.names.contains(name)
    }
}

/// Reads it from the time of the change on: no event is stored with an earlier time than that of its change.
pub(super) async fn since(
    database: &Database,
    id: Uuid,
    at: Timestamp,
    event_id: &str,
) -> Result<Since, DbError> {
    let sql = "SELECT data FROM task_event WHERE task_id = $1 AND created_at >= $2";
    let mut since = Since::default();
    for row in database.query(sql, [id.into(), at.into()]).await? {
        let event: TaskEvent =
            serde_json::from_str(row.text(0)?).map_err(|error| DbError::Unreadable(error.to_string()))?;
        let origin = event.origin.as_ref();
        since.noted |= origin.is_some_and(|origin| origin.event_id == event_id);
        let time = origin.map_or(&event.task.task.updated_at, |origin| &origin.at);
        let time: Timestamp = time
            .parse()
            .map_err(|error: jiff::Error| DbError::Unreadable(error.to_string()))?;
        if time <= at {
            continue;
        }
        since.all |= event.change == Change::Created;
        since.names.extend(event.changed);
    }
    Ok(since)
}

/// Which of the two systems reminds a user: the latest word counts.
pub(crate) async fn master_of(database: &Database, user_id: &str) -> Result<Master, DbError> {
    let sql = "SELECT master FROM legacy_master WHERE user_id IN ($1, '*') ORDER BY changed_at DESC, user_id DESC LIMIT 1";
    let rows = database.query(sql, [user_id.into()]).await?;
    rows.first().map_or(Ok(Master::Nudge), |row| read(row.text(0)?))
}

fn read(text: &str) -> Result<Master, DbError> {
    [Master::Nudge, Master::Legacy]
        .into_iter()
        .find(|master| master.as_str() == text)
        .ok_or_else(|| DbError::Unreadable(format!("{text} is no master")))
}

/// All of them, and what waits.
pub(super) async fn masters(database: &Database) -> Result<Masters, DbError> {
    let everybody = "SELECT master, changed_at FROM legacy_master WHERE user_id = '*'";
    let (everybody, since) = match database.query(everybody, []).await?.first() {
        Some(row) => (read(row.text(0)?)?, row.int(1)?),
        None => (Master::Nudge, 0),
    };
    let sql = format!(
        "SELECT user_id FROM legacy_master WHERE user_id <> '*' AND master <> $1 AND changed_at >= $2 ORDER BY user_id LIMIT {MOST_USERS}"
    );
    let others = database
        .query(&sql, [everybody.as_str().into(), since.into()])
        .await?;
    Ok(Masters {
        everybody,
        others: others
            .iter()
            .map(|row| Ok(row.text(0)?.to_owned()))
            .collect::<Result<_, DbError>>()?,
        waiting: waiting::count(database).await?,
    })
}

/// Says who reminds whom from now on, in one statement.
pub(super) async fn set_master(
    database: &Database,
    master: Master,
    users: &[String],
    now: Timestamp,
) -> Result<(), DbError> {
    if users.is_empty() {
        return Ok(());
    }
    let mut parameters: Vec<Value> = vec![master.as_str().into(), now.into()];
    parameters.extend(users.iter().map(|user| user.as_str().into()));
    let rows: Vec<String> = (3..parameters.len() + 1)
        .map(|place| format!("(${place}, $1, $2)"))
        .collect();
    let sql = format!(
        "INSERT INTO legacy_master (user_id, master, changed_at) VALUES {} \
         ON CONFLICT (user_id) DO UPDATE SET master = excluded.master, changed_at = excluded.changed_at",
        rows.join(", ")
    );
    database.execute(&sql, parameters).await
}
