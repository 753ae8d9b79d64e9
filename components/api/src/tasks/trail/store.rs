//! The statements that read the trail of a task.

use jiff::Timestamp;
use nudge_contract::api::HeldBack;
use nudge_contract::event::{self, Change, ChangedBy, Delivery};
use nudge_domain::id::{LeaseId, ReminderId, TaskId, UserId};
use serde::Deserialize;

use crate::db::{Database, DbError, Dialect, Row};

/// A version of a task.
pub(super) struct Version {
    pub(super) number: u32,
    /// When its change was stored.
    pub(super) stored_at: Timestamp,
    pub(super) published_at: Option<Timestamp>,
    pub(super) trace_id: Option<String>,
    pub(super) event: Event,
}

/// What the trail needs of a [`TaskEvent`](event::TaskEvent). The task itself, which may be long, stays in the database.
#[derive(Deserialize)]
pub(super) struct Event {
    pub(super) change: Change,
    #[serde(default)]
    pub(super) changed: Vec<String>,
    pub(super) by: Option<ChangedBy>,
    traceparent: Option<String>,
    #[serde(deserialize_with = "null_as_none")]
    pub(super) deliveries: Vec<Delivery>,
}

/// Versions of a user's task after one, oldest first.
pub(super) async fn versions(
    database: &Database,
    user_id: &UserId,
    task: TaskId,
    after: u32,
    limit: u32,
) -> Result<Vec<Version>, DbError> {
    let (object, data) = match database.dialect() {
        Dialect::Sqlite => ("json_object", "data"),
        Dialect::Postgres => ("jsonb_build_object", "CAST(data AS jsonb)"),
    };
    let parts = ["change", "changed", "by", "traceparent", "deliveries"]
        .map(|name| format!("'{name}', {data} -> '{name}'"))
        .join(", ");
    let sql = format!(
        "SELECT version, created_at, published_at, CAST({object}({parts}) AS TEXT) FROM task_event \
         WHERE task_id = $1 AND user_id = $2 AND version > $3 ORDER BY version LIMIT $4"
    );
    let parameters = [(&task).into(), user_id.into(), after.into(), limit.into()];
    database
        .query(&sql, parameters)
        .await?
        .iter()
        .map(version)
        .collect()
}

fn version(row: &Row) -> Result<Version, DbError> {
    let event: Event = serde_json::from_str(row.text(3)?)
        .map_err(|error| DbError::Unreadable(format!("a stored event: {error}")))?;
    Ok(Version {
        number: u32::try_from(row.int(0)?).map_err(|error| DbError::Unreadable(error.to_string()))?,
        stored_at: row.instant(1)?,
        published_at: row.maybe_int(2)?.map(|_| row.instant(2)).transpose()?,
        trace_id: event
            .traceparent
            .as_deref()
            .and_then(event::trace_id)
            .map(str::to_owned),
        event,
    })
}

fn null_as_none<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::<Vec<T>>::deserialize(deserializer)?.unwrap_or_default())
}

/// Whether the user has, or had, this task.
pub(super) async fn is_known(database: &Database, user_id: &UserId, task: TaskId) -> Result<bool, DbError> {
    let sql = "SELECT version FROM task_event WHERE task_id = $1 AND user_id = $2 LIMIT 1";
    let known = database.query(sql, [(&task).into(), user_id.into()]).await?;
    Ok(!known.is_empty())
}

/// A reminder that is due and neither sent nor given up.
pub(super) struct Going {
    pub(super) id: ReminderId,
    pub(super) remind_at: Timestamp,
    /// When it may be leased next.
    pub(super) attempt_at: Timestamp,
    /// The end of the lease that is in force.
    pub(super) leased_until: Option<Timestamp>,
    /// The lease that it is in, or was in last.
    pub(super) lease: Option<LeaseId>,
    /// When it was given back last, and why.
    pub(super) held: Option<(Timestamp, HeldBack)>,
}

/// The reminders of a task that are due by `now` and neither sent nor given up.
pub(super) async fn going_on(
    database: &Database,
    task: TaskId,
    now: Timestamp,
) -> Result<Vec<Going>, DbError> {
    let sql = "SELECT id, remind_at, attempt_at, leased_until, lease_id, held_at, held_because FROM reminder \
         WHERE task_id = $1 AND status = 'scheduled' AND remind_at <= $2";
    let rows = database.query(sql, [(&task).into(), now.into()]).await?;
    let maybe = |row: &Row, index: usize| row.maybe_int(index)?.map(|_| row.instant(index)).transpose();
    let going = rows.iter().map(|row| {
        let remind_at = row.instant(1)?;
        let why = row.maybe_text(6)?.map(HeldBack::of_word);
        Ok(Going {
            id: row.parsed(0)?,
            remind_at,
            attempt_at: maybe(row, 2)?.unwrap_or(remind_at),
            leased_until: maybe(row, 3)?,
            lease: row.maybe_text(4)?.map(|_| row.parsed(4)).transpose()?,
            held: maybe(row, 5)?.zip(why),
        })
    });
    going.collect()
}
