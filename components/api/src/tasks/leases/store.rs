//! The statements that lease reminders.

use jiff::Timestamp;
use nudge_contract::api::HeldBack;
use nudge_domain::id::{LeaseId, ReminderId, UserId};
use nudge_domain::task::Task;

use crate::db::rows::{column, flag, rows, rows_of};
use crate::db::{Database, DbError, Dialect, Row, Value};
use crate::profile;
use crate::tasks::record;

/// A scheduled reminder that is due by an instant, and may be sent. Completing or deleting a task cancels its reminders, so the task
/// is asked about for certainty only. It is a scalar subquery, which is run for each row: a join could read all tasks first.
fn is_due(by: &str) -> String {
    format!(
        "reminder.status = 'scheduled' AND reminder.attempt_at <= {by} \
         AND COALESCE((SELECT task.status = 'pending' AND task.deleted_at IS NULL FROM task WHERE task.id = reminder.task_id), FALSE) \
         AND {}",
        profile::reminded_here("reminder.user_id")
    )
}

/// Which reminders to lease, and until when.
pub(super) struct Wanted {
    pub(super) now: Timestamp,
    /// Those that are due by then.
    pub(super) by: Timestamp,
    pub(super) until: Timestamp,
    /// The id of the lease. If it has reminders in flight already, no others are leased.
    pub(super) id: LeaseId,
    pub(super) limit: u32,
    /// Maximum number of reminders that are leased at a time, in all.
    pub(super) in_flight: u32,
}

/// A reminder that was leased.
#[derive(Debug, Clone)]
pub(super) struct Leased {
    pub(super) id: ReminderId,
    pub(super) user_id: UserId,
    pub(super) remind_at: Timestamp,
}

/// Leases due reminders.
///
/// | rows | are |
/// | --- | --- |
/// | `flying` | users with reminders in flight |
/// | `room` | how many may be leased now (`places`), and how many of these to users who have reminders in flight (`rest`) |
/// | `idle` | due reminders of the other users: those that became due first, and those that became due last |
/// | `hidden` | due reminders of users who are in neither, if those in `idle` are of few users |
/// | `anyone` | due reminders of anyone, in that order, if `idle` and `hidden` leave room |
/// | `placed` | all of them in the order in which users take turns |
/// | `chosen` | as many as there is room for |
///
/// They read an index and end at a limit, so a user's backlog costs what it takes to pass over it in the index. `idle` includes the
/// last ones, because all of the first ones may belong to the burst of one user who has nothing in flight just now, and `hidden` what
/// is between them, because that user may have reminders due at any time.
/// Concurrent statements on PostgreSQL choose different rows, because they pass over locked ones. A row that was leased after the
/// snapshot of the statement no longer meets the conditions, which PostgreSQL checks again for such rows.
pub(super) async fn lease(database: &Database, wanted: &Wanted) -> Result<Vec<Leased>, DbError> {
    let dialect = database.dialect();
    let skip_locked = match dialect {
        Dialect::Sqlite => "",
        Dialect::Postgres => "FOR UPDATE OF reminder SKIP LOCKED",
    };
    let is_due = is_due("$2");
    // What passes over a backlog is checked first: the rest is looked up for each row.
    let is_idle = format!("user_id NOT IN (SELECT user_id FROM flying) AND {is_due}");
    let first_end = end_of(dialect, "(SELECT places FROM room) > 0", "ASC");
    // Otherwise the first ones are all there are.
    let is_full = "(SELECT COUNT(*) FROM first_due) = CAST($6 AS BIGINT)";
    let last_end = end_of(dialect, is_full, "DESC");
    let are_few =
        format!("{is_full} AND (SELECT COUNT(DISTINCT user_id) FROM idle) < (SELECT places FROM room)");
    let hidden_end = end_of(dialect, &are_few, "ASC");
    let anyone_end = end_of(
        dialect,
        "(SELECT COUNT(*) FROM idle) + (SELECT COUNT(*) FROM hidden) < (SELECT rest FROM room)",
        "ASC",
    );
    let at_most = |places: &str| {
        format!(
            "CASE WHEN {places} < 0 OR repeated > 0 THEN 0 WHEN {places} < CAST($4 AS BIGINT) THEN {places} ELSE CAST($4 AS BIGINT) END"
        )
    };
    let (places, rest) = (at_most("places"), at_most("rest"));
    let sql = format!(
        "WITH flying AS MATERIALIZED (\
           SELECT COALESCE(user_id, '') AS user_id, COUNT(*) AS reminders, \
             MAX(CASE WHEN lease_id = $7 THEN 1 ELSE 0 END) AS repeated FROM reminder \
           WHERE status = 'scheduled' AND leased_until > $1 GROUP BY user_id), \
         room AS MATERIALIZED (\
           SELECT {places} AS places, {rest} AS rest \
           FROM (SELECT CAST($5 AS BIGINT) - CAST(COALESCE(SUM(reminders), 0) AS BIGINT) AS places, \
             CAST($8 AS BIGINT) - CAST(COALESCE(SUM(reminders), 0) AS BIGINT) AS rest, \
             COALESCE(MAX(repeated), 0) AS repeated FROM flying) AS free), \
         first_due AS MATERIALIZED (SELECT id, user_id, attempt_at FROM reminder WHERE {is_idle} {first_end}), \
         idle AS MATERIALIZED (\
           SELECT * FROM first_due UNION \
           SELECT * FROM (SELECT id, user_id, attempt_at FROM reminder WHERE {is_idle} {last_end}) AS last_due), \
         hidden AS MATERIALIZED (\
           SELECT id, user_id, attempt_at FROM reminder \
           WHERE user_id NOT IN (SELECT user_id FROM idle) AND {is_idle} {hidden_end}), \
         anyone AS MATERIALIZED (\
           SELECT id, user_id, attempt_at FROM reminder \
           WHERE {is_due} {anyone_end}), \
         candidate AS (\
           SELECT id, user_id, attempt_at, 0 AS class FROM idle UNION ALL \
           SELECT id, user_id, attempt_at, 0 AS class FROM hidden UNION ALL \
           SELECT id, user_id, attempt_at, 1 AS class FROM anyone \
           WHERE id NOT IN (SELECT id FROM idle) AND id NOT IN (SELECT id FROM hidden)), \
         placed AS (\
           SELECT id, class = 0 AND turn = 1 AS is_first, \
             ROW_NUMBER() OVER (ORDER BY class, turn, attempt_at, id) AS place FROM (\
             SELECT id, class, attempt_at, ROW_NUMBER() OVER (PARTITION BY class, user_id ORDER BY attempt_at, id) AS turn \
             FROM candidate) AS turns), \
         chosen AS MATERIALIZED (\
           SELECT reminder.id FROM placed JOIN reminder ON reminder.id = placed.id \
           WHERE reminder.status = 'scheduled' AND reminder.attempt_at <= $2 \
           AND (placed.is_first OR placed.place <= (SELECT rest FROM room)) \
           ORDER BY placed.place LIMIT (SELECT places FROM room) {skip_locked}) \
         UPDATE reminder SET leased_until = $3, attempt_at = $3, lease_id = $7 \
         WHERE id IN (SELECT id FROM chosen) AND status = 'scheduled' AND attempt_at <= $2 \
         RETURNING id, user_id, remind_at"
    );
    let parameters = [
        wanted.now.into(),
        wanted.by.into(),
        wanted.until.into(),
        wanted.limit.into(),
        wanted.in_flight.into(),
        wanted.limit.saturating_mul(CANDIDATES).into(),
        (&wanted.id).into(),
        (wanted.in_flight - wanted.in_flight / RESERVED).into(),
    ];
    read(&database.query(&sql, parameters).await?)
}

fn read(rows: &[Row]) -> Result<Vec<Leased>, DbError> {
    let rows = rows.iter().map(|row| {
        Ok(Leased {
            id: row.parsed(0)?,
            user_id: row.parsed(1)?,
            remind_at: row.instant(2)?,
        })
    });
    rows.collect()
}

/// The reminders of a lease that are still in flight.
pub(super) async fn leased(database: &Database, id: LeaseId, now: Timestamp) -> Result<Vec<Leased>, DbError> {
    let sql = "SELECT id, user_id, remind_at FROM reminder \
         WHERE status = 'scheduled' AND leased_until > $1 AND lease_id = $2";
    read(&database.query(sql, [now.into(), (&id).into()]).await?)
}

/// The end of a statement that reads due reminders in an order, if a condition holds that is the same for all of them.
///
/// SQLite would check it for each row, but evaluates a limit once. PostgreSQL checks it once, and cannot plan for a limit that it
/// does not know.
fn end_of(dialect: Dialect, condition: &str, order: &str) -> String {
    match dialect {
        Dialect::Sqlite => {
            format!(
                "ORDER BY attempt_at {order} LIMIT CASE WHEN {condition} THEN CAST($6 AS BIGINT) ELSE 0 END"
            )
        }
        Dialect::Postgres => format!("AND {condition} ORDER BY attempt_at {order} LIMIT CAST($6 AS BIGINT)"),
    }
}

/// One in so many places in flight is for users who have nothing in flight, so that others cannot take all of them.
const RESERVED: u32 = 8;

/// Candidates per reminder that may be leased: so many replicas find different ones at a time, and users among so many take turns.
const CANDIDATES: u32 = 4;

/// What there is when nothing could be leased.
pub(super) struct Left {
    /// Any reminder is due that is not leased.
    pub(super) due: bool,
    /// Any reminder is in flight, or was given back and may be leased again soon.
    pub(super) pending: bool,
    /// The lease has reminders in flight.
    pub(super) repeated: bool,
}

/// What there is when nothing could be leased. Reminders that rest beyond `soon` do not count.
pub(super) async fn left(database: &Database, wanted: &Wanted, soon: Timestamp) -> Result<Left, DbError> {
    let sql = format!(
        "SELECT {}, {}, {}",
        flag(&format!(
            "EXISTS (SELECT 1 FROM reminder WHERE {} LIMIT 1)",
            is_due("$2")
        )),
        flag(
            "EXISTS (SELECT 1 FROM reminder WHERE status = 'scheduled' AND leased_until > $1) \
             OR EXISTS (SELECT 1 FROM reminder WHERE status = 'scheduled' AND leased_until IS NULL AND lease_id IS NOT NULL \
             AND attempt_at > $1 AND attempt_at <= $3)"
        ),
        flag(
            "EXISTS (SELECT 1 FROM reminder WHERE status = 'scheduled' AND leased_until > $1 AND lease_id = $4)"
        ),
    );
    let parameters = [
        wanted.now.into(),
        wanted.by.into(),
        soon.into(),
        (&wanted.id).into(),
    ];
    let rows = database.query(&sql, parameters).await?;
    let row = rows
        .first()
        .ok_or_else(|| DbError::Unreadable("a statement without a table has no row".to_owned()))?;
    Ok(Left {
        due: row.flag(0)?,
        pending: row.flag(1)?,
        repeated: row.flag(2)?,
    })
}

/// The tasks of reminders, and whether any reminder is due that is not leased. A task that cannot be read fails alone.
pub(super) async fn tasks_of(
    database: &Database,
    leased: &[Leased],
    by: Timestamp,
) -> Result<(Vec<(ReminderId, Result<Task, DbError>)>, bool), DbError> {
    let sql = format!(
        "SELECT {}, reminder.id, {} FROM reminder JOIN task ON task.id = reminder.task_id \
         WHERE reminder.id IN (SELECT {} FROM {})",
        record::select_of_task(),
        flag(&format!(
            "EXISTS (SELECT 1 FROM reminder WHERE {} LIMIT 1)",
            is_due("$2")
        )),
        column(0, "TEXT"),
        rows_of(database.dialect(), "$1")
    );
    let wanted = rows(leased.iter().map(|leased| [Value::from(&leased.id)]));
    let found = database.query(&sql, [wanted, by.into()]).await?;
    let id = record::columns().count();
    let more = found.first().map_or(Ok(false), |row| row.flag(id + 1))?;
    let tasks = found
        .iter()
        .map(|row| Ok((row.parsed(id)?, record::read(row))))
        .collect::<Result<_, DbError>>()?;
    Ok((tasks, more))
}

/// Takes reminders out of a lease, as if they had not been in it.
pub(super) async fn give_back(
    database: &Database,
    reminders: &[ReminderId],
    lease: LeaseId,
) -> Result<(), DbError> {
    let sql = format!(
        "UPDATE reminder SET leased_until = NULL, attempt_at = remind_at \
         WHERE id IN (SELECT {} FROM {}) AND status = 'scheduled' AND leased_until IS NOT NULL AND lease_id = $2",
        column(0, "TEXT"),
        rows_of(database.dialect(), "$1")
    );
    let reminders = rows(reminders.iter().map(|reminder| [Value::from(reminder)]));
    database.execute(&sql, [reminders, (&lease).into()]).await
}

/// A reminder whose lease ends.
pub(super) struct Deferred {
    pub(super) id: ReminderId,
    /// The instant that it was leased for.
    pub(super) remind_at: Timestamp,
    /// The lease; none if only the instant is known.
    pub(super) lease: Option<LeaseId>,
    /// When it may be leased again.
    pub(super) attempt_at: Timestamp,
    /// When it was given back, and why, if its owner is to know.
    pub(super) held: Option<(Timestamp, HeldBack)>,
}

/// Ends leases, of reminders that are still scheduled for the same second and in the same lease. Of several deferrals of a lease the
/// earliest counts; they are of different reminders here.
pub(super) async fn defer(database: &Database, deferred: &[Deferred]) -> Result<(), DbError> {
    // The row in which a deferral has ended the lease still has its id.
    let sql = format!(
        "UPDATE reminder SET leased_until = NULL, attempt_at = {attempt_at}, \
         held_at = COALESCE({}, held_at), held_because = COALESCE({}, held_because) FROM {} \
         WHERE reminder.id = {} AND reminder.remind_at / 1000 = {} AND reminder.status = 'scheduled' \
         AND CASE WHEN {lease} IS NULL THEN reminder.leased_until IS NOT NULL \
         ELSE reminder.lease_id = {lease} AND (reminder.leased_until IS NOT NULL OR reminder.attempt_at > {attempt_at}) END",
        column(4, "BIGINT"),
        column(5, "TEXT"),
        rows_of(database.dialect(), "$1"),
        column(0, "TEXT"),
        column(1, "BIGINT"),
        attempt_at = column(2, "BIGINT"),
        lease = column(3, "TEXT"),
    );
    let deferred = rows(deferred.iter().map(|deferred| {
        [
            Value::from(&deferred.id),
            deferred.remind_at.as_second().into(),
            deferred.attempt_at.into(),
            deferred.lease.as_ref().into(),
            deferred.held.map_or(Value::Null, |(at, _)| at.into()),
            deferred.held.map_or(Value::Null, |(_, why)| why.word().into()),
        ]
    }));
    database.execute(&sql, [deferred]).await
}

/// The seconds, in Unix time, in which reminders without a lease become due after `now` and by `until`: each the end of a probe of
/// the index behind the one before, so that a second costs the same however many reminders are due in it.
pub(super) async fn due_seconds(
    database: &Database,
    now: Timestamp,
    until: Timestamp,
) -> Result<Vec<i64>, DbError> {
    let first_after = |instant: &str| {
        format!(
            "(SELECT attempt_at FROM reminder WHERE status = 'scheduled' AND attempt_at > {instant} AND attempt_at <= $2 \
             AND (leased_until IS NULL OR leased_until <= $1) ORDER BY attempt_at LIMIT 1)"
        )
    };
    let sql = format!(
        "WITH RECURSIVE due (instant) AS (SELECT {} UNION ALL SELECT {} FROM due WHERE due.instant IS NOT NULL) \
         SELECT (instant + 999) / 1000 FROM due WHERE instant IS NOT NULL",
        first_after("$1"),
        first_after("(due.instant + 999) / 1000 * 1000")
    );
    let rows: Vec<Row> = database.query(&sql, [now.into(), until.into()]).await?;
    rows.iter().map(|row| row.int(0)).collect()
}
