//! Changes: the history of one task, and the feed of all of a user's tasks. Both read `task_event`, which is written by the
//! statement that changes a task.

use std::collections::BTreeMap;

use nudge_contract::api::{ChangeItem, Changes, Page};
use nudge_contract::event::TaskEvent;
use nudge_contract::task as contract;
use nudge_domain::id::{TaskId, UserId};

use crate::db::rows::{column, rows, rows_of};
use crate::db::{Database, DbError, Dialect, Row, Value};

/// A cursor into a user's feed: everything before it is stored and does not change.
///
/// SQLite has one writer, so `seq` is the order in which changes became visible. On PostgreSQL a change with a lower
/// `seq` may commit after one with a higher, so there the number of the transaction comes first, and changes that a
/// running transaction could still precede are held back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Cursor {
    commit_order: i64,
    seq: i64,
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.commit_order, self.seq)
    }
}

impl std::str::FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let number = |text: &str| match text.bytes().all(|byte| byte.is_ascii_digit()) {
            true => text.parse::<i64>().map_err(|_| ()),
            false => Err(()),
        };
        let (commit_order, seq) = text.split_once('-').ok_or(())?;
        let cursor = Self {
            commit_order: number(commit_order)?,
            seq: number(seq)?,
        };
        // `00-7` is not a cursor that this program writes.
        if cursor.to_string() == text {
            Ok(cursor)
        } else {
            Err(())
        }
    }
}

/// Transactions below this number have ended.
const SETTLED: &str = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint";

/// The current end of a user's feed.
pub(crate) async fn end(database: &Database, user_id: &UserId) -> Result<Cursor, DbError> {
    let rows = match database.dialect() {
        Dialect::Sqlite => {
            let sql = "SELECT 0, COALESCE(MAX(seq), 0) FROM task_event WHERE user_id = $1";
            database.query(sql, [user_id.into()]).await?
        }
        Dialect::Postgres => {
            let sql = format!("SELECT {SETTLED} - 1, {}::bigint", i64::MAX);
            database.query(&sql, []).await?
        }
    };
    rows.first().map_or(Ok(Cursor::default()), |row| {
        Ok(Cursor {
            commit_order: row.int(0)?,
            seq: row.int(1)?,
        })
    })
}

/// Whether a cursor can have been issued, that is, whether it is not beyond everything that was ever stored. Other cursors are
/// invented, or come from another database or from before a restore: their readers would miss changes, or wait forever.
pub(crate) async fn is_given_out(database: &Database, cursor: Cursor) -> Result<bool, DbError> {
    let sql = match database.dialect() {
        // Numbers of deleted rows are not reused.
        Dialect::Sqlite => "SELECT 1, seq FROM sqlite_sequence WHERE name = 'task_event'".to_owned(),
        Dialect::Postgres => format!(
            "SELECT {SETTLED}, COALESCE(pg_sequence_last_value(pg_get_serial_sequence('task_event', 'seq')::regclass), 0)"
        ),
    };
    let rows = database.query(&sql, []).await?;
    let (open, last) = match rows.first() {
        Some(row) => (row.int(0)?, row.int(1)?),
        None => (1, 0),
    };
    // `since=now` returns the end of a transaction, which has the highest number.
    let end = cursor.seq == i64::MAX && database.dialect() == Dialect::Postgres;
    Ok(cursor.commit_order < open && (cursor.seq <= last || end))
}

/// Number of changes that are read at once: at most about 2 MB, however long descriptions are.
const STEP: u32 = 50;

/// Size of changes, in bytes, at which a response ends.
const ENOUGH_BYTES: usize = 2 * 1024 * 1024;

/// Up to `limit` changes after a cursor, oldest first. Fewer if they are long; none only if there are none.
pub(crate) async fn changes(
    database: &Database,
    user_id: &UserId,
    since: Cursor,
    limit: u32,
) -> Result<Changes, DbError> {
    let mut next = since;
    let mut items = Vec::new();
    let (mut left, mut bytes) = (limit, 0);
    while left > 0 && bytes < ENOUGH_BYTES {
        let step = left.min(STEP);
        let rows = after(database, user_id, next, step).await?;
        for row in &rows {
            if bytes >= ENOUGH_BYTES {
                break;
            }
            next = Cursor {
                commit_order: row.int(0)?,
                seq: row.int(1)?,
            };
            items.push(item(next.to_string(), row, 2)?);
            bytes += row.text(2)?.len();
        }
        if rows.len() < step as usize {
            break;
        }
        left -= step;
    }
    Ok(Changes {
        items,
        next: next.to_string(),
    })
}

/// The first rows after a cursor: the cursor of each in two columns, and its event.
async fn after(
    database: &Database,
    user_id: &UserId,
    since: Cursor,
    limit: u32,
) -> Result<Vec<Row>, DbError> {
    let mut parameters: Vec<Value> = vec![user_id.into(), limit.into(), since.seq.into()];
    let sql = match database.dialect() {
        Dialect::Sqlite => {
            "SELECT 0, seq, data FROM task_event WHERE user_id = $1 AND seq > $3 ORDER BY seq LIMIT $2"
                .to_owned()
        }
        Dialect::Postgres => {
            parameters.push(since.commit_order.into());
            format!(
                "SELECT commit_order, seq, data FROM task_event \
                 WHERE user_id = $1 AND (commit_order, seq) > ($4, $3) AND commit_order < {SETTLED} \
                 ORDER BY commit_order, seq LIMIT $2"
            )
        }
    };
    database.query(&sql, parameters).await
}

/// Tasks at these versions, by id and version. One that is not stored, or not the user's, is not among them.
pub(crate) async fn versions(
    database: &Database,
    user_id: &UserId,
    wanted: impl IntoIterator<Item = (TaskId, u32)>,
) -> Result<BTreeMap<(TaskId, u32), contract::Task>, DbError> {
    let sql = format!(
        "SELECT task_event.data FROM {} JOIN task_event ON task_event.task_id = {} AND task_event.version = {} \
         WHERE task_event.user_id = $2",
        rows_of(database.dialect(), "$1"),
        column(0, "TEXT"),
        column(1, "BIGINT"),
    );
    let wanted = rows(
        wanted
            .into_iter()
            .map(|(id, version)| [(&id).into(), version.into()]),
    );
    let found = database.query(&sql, [wanted, user_id.into()]).await?;
    found
        .iter()
        .map(|row| {
            let task = event(row.text(0)?)?.task.task;
            Ok(((task.id, task.version), task))
        })
        .collect()
}

/// The versions of a task after one, oldest first; also of a task that was deleted. `None` if the user has no such task.
pub(crate) async fn history(
    database: &Database,
    user_id: &UserId,
    task: TaskId,
    after: u32,
    limit: u32,
) -> Result<Option<Page<ChangeItem>>, DbError> {
    let sql = "SELECT version, data FROM task_event WHERE task_id = $1 AND user_id = $2 AND version > $3 ORDER BY version LIMIT $4";
    let parameters = [(&task).into(), user_id.into(), after.into(), (limit + 1).into()];
    let rows = database.query(sql, parameters).await?;
    if rows.is_empty() {
        let sql = "SELECT version FROM task_event WHERE task_id = $1 AND user_id = $2 LIMIT 1";
        let known = database.query(sql, [(&task).into(), user_id.into()]).await?;
        if known.is_empty() {
            return Ok(None);
        }
    }
    let more = rows.len() > limit as usize;
    let mut items = Vec::with_capacity(rows.len());
    for row in rows.iter().take(limit as usize) {
        items.push(item(row.int(0)?.to_string(), row, 1)?);
    }
    Ok(Some(Page {
        next_cursor: items.last().filter(|_| more).map(|item| item.id.clone()),
        items,
    }))
}

fn item(id: String, row: &Row, data: usize) -> Result<ChangeItem, DbError> {
    let event = event(row.text(data)?)?;
    Ok(ChangeItem {
        id,
        kind: event.change,
        task_id: event.task.task.id,
        version: event.task.task.version,
        time: event.task.task.updated_at,
        trace_id: event.trace_id().map(str::to_owned),
        by: event.by,
        changed: event.changed,
        task: event.task.task,
    })
}

fn event(data: &str) -> Result<TaskEvent, DbError> {
    serde_json::from_str(data).map_err(|error| DbError::Unreadable(format!("a stored event: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_went_out_and_others_do_not_pass() {
        let cursor = Cursor {
            commit_order: 7,
            seq: i64::MAX,
        };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for wrong in [
            "00-7",
            "0-07",
            " 0-7",
            "",
            "-",
            "1",
            "1-",
            "-1-1",
            "1-+1",
            "1-99999999999999999999",
            "a-b",
        ] {
            assert_eq!(wrong.parse::<Cursor>(), Err(()), "{wrong}");
        }
    }
}
