//! Full text: tasks whose title and description have all words of a query, the last one as a prefix.
//!
//! Tasks with all words in the title come first, then those that need their description; each part newest first. That
//! order is exact. Common words cost no more than rare ones: the newest tasks are looked through before the index is asked
//! (decision 0015).

use nudge_domain::id::{TaskId, UserId};
use nudge_domain::task::{FieldName, Mistake, Task};

use crate::db::{Database, DbError, Dialect, Value};
use crate::error::ServiceError;
use crate::input::opaque;
use crate::tasks::record;

use crate::terms::{Within, Words};

/// What a search costs, where a plain request costs 1.
pub(crate) const COST: u32 = 3;

/// Maximum number of results to leave out at the beginning. A cursor has no such limit.
const MAX_OFFSET: u32 = 1_000;

/// So many matches are looked up one by one for a list; more are met soon enough in the list's own order.
const FEW: u32 = 2_000;

/// So many of a user's newest tasks are looked through before the index is asked: on PostgreSQL, and on SQLite, whose index
/// has less to do.
const NEWEST: u32 = 300;
const NEWEST_OF_SQLITE: u32 = 100;

/// A word that so many of them have is not in few tasks.
const COMMON: i64 = 10;

/// PostgreSQL's condition that a task matches the expression `$1`, in the words of its index.
const MATCHES: &str = "CAST(terms AS tsvector) @@ CAST(CAST($1 AS TEXT) AS tsquery)";

/// Where a page of results ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// Whether the last task has all words in its title.
    title: bool,
    /// Milliseconds since 1970.
    created_at: i64,
    id: TaskId,
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let part = if self.title { "title" } else { "rest" };
        f.write_str(&opaque::encode(&format!(
            "{part}.{}.{}",
            self.created_at, self.id
        )))
    }
}

impl std::str::FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let text = opaque::decode(text).ok_or(())?;
        let (part, place) = text.split_once('.').ok_or(())?;
        let (created_at, id) = place.split_once('.').ok_or(())?;
        Ok(Self {
            title: match part {
                "title" => true,
                "rest" => false,
                _ => return Err(()),
            },
            created_at: created_at.parse().map_err(|_| ())?,
            id: id.parse().map_err(|_| ())?,
        })
    }
}

/// What a user searches for; `field` is where they say it.
fn read(user_id: &UserId, field: FieldName, text: &str) -> Result<Words, Vec<Mistake>> {
    Words::read(user_id.as_str(), text).map_err(|error| vec![Mistake::new(field, error.code(), error)])
}

/// The tasks that a query finds, best first, after leaving out `offset`. Beyond 1,000 there is nothing: follow cursors.
///
/// # Errors
///
/// When `query` is longer than 200 characters, has more than 10 words, or none.
pub(crate) async fn ranked(
    database: &Database,
    user_id: &UserId,
    query: &str,
    limit: u32,
    offset: u32,
) -> Result<Vec<Task>, ServiceError> {
    let words = read(user_id, FieldName::Query, query)?;
    if offset > MAX_OFFSET {
        return Ok(Vec::new());
    }
    let found = from(database, user_id, &words, limit.saturating_add(offset), None).await?;
    Ok(found
        .into_iter()
        .skip(offset as usize)
        .map(|(_, task)| task)
        .collect())
}

/// A page of the tasks that a query finds, best first, and where the next one begins if there is one.
///
/// # Errors
///
/// As those of [`ranked`].
pub(crate) async fn page(
    database: &Database,
    user_id: &UserId,
    query: &str,
    limit: u32,
    after: Option<Cursor>,
) -> Result<(Vec<Task>, Option<Cursor>), ServiceError> {
    let words = read(user_id, FieldName::Query, query)?;
    // One task more than the limit shows whether there is a next page.
    let mut found = from(database, user_id, &words, limit.saturating_add(1), after).await?;
    let rest = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next = found.last().filter(|_| rest).map(|(within, task)| Cursor {
        title: *within == Within::Title,
        created_at: task.created_at.as_millisecond(),
        id: task.id,
    });
    Ok((found.into_iter().map(|(_, task)| task).collect(), next))
}

/// Up to `limit` results after a cursor, each with the part it is in.
async fn from(
    database: &Database,
    user_id: &UserId,
    words: &Words,
    limit: u32,
    after: Option<Cursor>,
) -> Result<Vec<(Within, Task)>, DbError> {
    let mut found: Vec<(Within, Task)> = Vec::new();
    for (within, title) in [(Within::Title, true), (Within::Rest, false)] {
        let missing = limit.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
        if missing == 0 || after.is_some_and(|place| title && !place.title) {
            continue;
        }
        let place = after.filter(|place| place.title == title);
        let tasks = part(database, user_id, words, within, missing, place).await?;
        found.extend(tasks.into_iter().map(|task| (within, task)));
    }
    Ok(found)
}

/// The newest tasks that match, after a cursor.
async fn part(
    database: &Database,
    user_id: &UserId,
    words: &Words,
    within: Within,
    limit: u32,
    after: Option<Cursor>,
) -> Result<Vec<Task>, DbError> {
    // A word that is common is in the newest tasks; one that is not is quickly read from the index. PostgreSQL's planner cannot
    // tell them apart, because it has no statistics of prefixes.
    if words.are_few() && (database.dialect() == Dialect::Postgres || words.are_merged()) {
        let found = newest(database, user_id, words, within, limit, after).await?;
        if found.len() == limit as usize {
            return Ok(found);
        }
    }
    let expression = words.expression(database.dialect(), within);
    let mut parameters: Vec<Value> = vec![expression.into(), user_id.into(), limit.into()];
    let mut beyond = "";
    let columns = record::select();
    let sql = match database.dialect() {
        Dialect::Sqlite => {
            if let Some(place) = after {
                // A deleted task keeps its number; only one whose user is gone has none, and then there is nothing.
                beyond = " AND task_text.rowid < (SELECT number FROM task_number WHERE task_id = $4)";
                parameters.push((&place.id).into());
            }
            // CROSS JOIN keeps the order of the tables (https://sqlite.org/optoverview.html#crossjoin): matches come newest
            // first, and reading ends with the page.
            format!(
                "SELECT {} FROM task_text CROSS JOIN task_number ON task_number.number = task_text.rowid \
                 CROSS JOIN task ON task.id = task_number.task_id \
                 WHERE task_text MATCH $1 AND task.user_id = $2 AND task.deleted_at IS NULL{beyond} \
                 ORDER BY task_text.rowid DESC LIMIT $3",
                record::select_of_task()
            )
        }
        Dialect::Postgres => {
            if let Some(place) = after {
                beyond = " AND (created_at, id) < ($4, $5)";
                parameters.extend([place.created_at.into(), (&place.id).into()]);
            }
            // The sum keeps the order by date from being read off another index.
            format!(
                "SELECT {columns} FROM task WHERE {MATCHES} AND user_id = $2 AND deleted_at IS NULL{beyond} \
                 ORDER BY created_at + 0 DESC, id DESC LIMIT $3"
            )
        }
    };
    record::read_all(&database.query(&sql, parameters).await?)
}

/// Matches among a user's newest tasks after a cursor. Their terms are looked through as texts: PostgreSQL takes thirty times as long
/// to make a `tsvector` of them.
async fn newest(
    database: &Database,
    user_id: &UserId,
    words: &Words,
    within: Within,
    limit: u32,
    after: Option<Cursor>,
) -> Result<Vec<Task>, DbError> {
    let dialect = database.dialect();
    let mut parameters: Vec<Value> = vec![user_id.into(), limit.into()];
    let mut beyond = "";
    if let Some(place) = after {
        match dialect {
            Dialect::Sqlite => {
                beyond = "AND number < (SELECT number FROM task_number WHERE task_id = $3)";
                parameters.push((&place.id).into());
            }
            Dialect::Postgres => {
                beyond = "AND (created_at, id) < ($3, $4)";
                parameters.extend([place.created_at.into(), (&place.id).into()]);
            }
        }
    }
    let (condition, texts) = words.condition(dialect, within, parameters.len() + 1);
    parameters.extend(texts.into_iter().map(Value::from));
    let columns = record::select();
    let sql = match dialect {
        Dialect::Sqlite => format!(
            "SELECT {} FROM {} AND {condition} ORDER BY number DESC LIMIT $2",
            record::select_of_task(),
            newest_tasks(beyond)
        ),
        Dialect::Postgres => format!(
            "SELECT {columns} FROM (SELECT {columns}, terms FROM task WHERE user_id = $1 AND deleted_at IS NULL {beyond} \
             ORDER BY created_at DESC, id DESC LIMIT {NEWEST}) AS newest WHERE {condition} \
             ORDER BY created_at DESC, id DESC LIMIT $2"
        ),
    };
    record::read_all(&database.query(&sql, parameters).await?)
}

/// Tables and conditions that name the newest tasks of the user `$1`, on SQLite.
fn newest_tasks(beyond: &str) -> String {
    format!(
        "task_number CROSS JOIN task ON task.id = task_number.task_id \
         WHERE task_number.user_id = $1 {beyond} AND number > COALESCE((SELECT number FROM task_number \
         WHERE user_id = $1 {beyond} ORDER BY number DESC LIMIT 1 OFFSET {NEWEST_OF_SQLITE}), 0) AND task.deleted_at IS NULL"
    )
}

/// The condition of a list that its tasks have all words of a text, with parameters from `$next` on.
pub(crate) struct TextCondition {
    pub(crate) sql: String,
    pub(crate) parameters: Vec<Value>,
    /// Whether it names few tasks, so that it and not the order should say where SQLite begins.
    pub(crate) few: bool,
}

/// The condition for `text`. How to find out depends on how many tasks have the words, so the database is asked.
///
/// # Errors
///
/// As those of [`ranked`], for the field `text`.
pub(crate) async fn text_condition(
    database: &Database,
    user_id: &UserId,
    text: &str,
    next: usize,
) -> Result<TextCondition, ServiceError> {
    let words = read(user_id, FieldName::Text, text)?;
    let dialect = database.dialect();
    let is_scanned = dialect == Dialect::Sqlite && words.are_few();
    if is_scanned && words.are_merged() && is_common(database, user_id, &words).await? {
        return Ok(met(&words, next));
    }
    let expression = words.expression(dialect, Within::Anywhere);
    let matches = MATCHES.replace("$1", &format!("${next}"));
    let (count, few) = match dialect {
        Dialect::Sqlite => (
            "SELECT COUNT(*) FROM (SELECT rowid FROM task_text WHERE task_text MATCH $1 LIMIT $2) AS few"
                .to_owned(),
            format!(
                "id IN (SELECT task_id FROM task_number WHERE number IN (SELECT rowid FROM task_text WHERE task_text MATCH ${next}))"
            ),
        ),
        Dialect::Postgres => (
            format!(
                "SELECT COUNT(*) FROM (SELECT 1 FROM task WHERE {MATCHES} AND deleted_at IS NULL LIMIT $2) AS few"
            ),
            format!("id = ANY (ARRAY(SELECT id FROM task WHERE {matches} AND deleted_at IS NULL))"),
        ),
    };
    let rows = database
        .query(&count, [expression.as_str().into(), (FEW + 1).into()])
        .await?;
    let is_few = rows.first().map_or(Ok(0), |row| row.int(0))? <= FEW.into();
    Ok(match (is_few, dialect) {
        (true, _) => TextCondition {
            sql: few,
            parameters: vec![expression.into()],
            few: true,
        },
        (false, Dialect::Postgres) => TextCondition {
            sql: matches,
            parameters: vec![expression.into()],
            few: false,
        },
        (false, Dialect::Sqlite) if is_scanned => met(&words, next),
        (false, Dialect::Sqlite) => TextCondition {
            sql: few,
            parameters: vec![expression.into()],
            few: false,
        },
    })
}

/// The condition that is asked of one task after the other, on SQLite.
fn met(words: &Words, next: usize) -> TextCondition {
    let (sql, parameters) = words.condition(Dialect::Sqlite, Within::Anywhere, next);
    TextCondition {
        sql,
        parameters: parameters.into_iter().map(Value::from).collect(),
        few: false,
    }
}

/// Whether many of a user's newest tasks have the words, on SQLite.
async fn is_common(database: &Database, user_id: &UserId, words: &Words) -> Result<bool, DbError> {
    let (condition, texts) = words.condition(Dialect::Sqlite, Within::Anywhere, 2);
    let mut parameters: Vec<Value> = vec![user_id.into()];
    parameters.extend(texts.into_iter().map(Value::from));
    let sql = format!("SELECT COUNT(*) FROM {} AND {condition}", newest_tasks(""));
    let rows = database.query(&sql, parameters).await?;
    Ok(rows.first().map_or(Ok(0), |row| row.int(0))? >= COMMON)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_went_out_and_others_do_not_pass() {
        for title in [true, false] {
            let place = Cursor {
                title,
                created_at: 1_795_262_400_123,
                id: uuid::Uuid::from_u128(7).into(),
            };
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        for wrong in ["", "x", "MTIz", "....", "é", "dGl0bGUuMS4y"] {
            assert_eq!(wrong.parse::<Cursor>(), Err(()), "{wrong}");
        }
    }
}
