//! Updates the terms of tasks that were stored before the search index existed, or with terms of an older version.

use crate::db::{Database, DbError, Value};
use crate::terms::terms;

/// Maximum number of tasks per statement when the index is filled, and the size of terms in bytes at which a statement is full.
const BATCH: u32 = 500;
const FULL: usize = 2 * 1024 * 1024;

/// Tasks whose terms were folded as before decision 0035, as their index is defined: terms of Latin letters have not changed,
/// other terms begin with two spaces if they are new.
pub(crate) const OLD_TERMS: &str = "deleted_at IS NULL AND (terms IS NULL OR (OCTET_LENGTH(terms) > LENGTH(terms) AND SUBSTR(terms, 1, 2) <> '  '))";

/// Maximum number of statements that update such tasks before the first request is answered, and per run of the relay.
pub(crate) const BATCHES_AT_FIRST: u32 = 20;
pub(crate) const BATCHES_OF_A_RUN: u32 = 10;

/// Fills the index with tasks that were stored before it existed. Tasks that change in the meantime are not touched.
pub(crate) async fn fill(database: &Database) -> Result<(), DbError> {
    let mut statements = u32::MAX;
    let mut last = Some(String::new());
    while let Some(after) = last {
        last = fill_batch(database, "terms IS NULL", &after, &mut statements).await?;
    }
    Ok(())
}

/// Updates tasks with terms of an older version, or of a replica of an older version, in at most that many statements. Until then
/// they are found by the words of the older version, if both versions fold them alike.
pub(crate) async fn refresh(database: &Database, mut statements: u32) -> Result<(), DbError> {
    let mut last = String::new();
    while statements > 0 {
        match fill_batch(database, OLD_TERMS, &last, &mut statements).await? {
            Some(id) => last = id,
            None => break,
        }
    }
    Ok(())
}

/// Updates the terms of some of the tasks after an id that meet a condition, in as many statements as remain, and returns the id of
/// the last one, or none if there are no such tasks. If a task changes in the meantime, the change updates its terms.
async fn fill_batch(
    database: &Database,
    condition: &str,
    after: &str,
    statements: &mut u32,
) -> Result<Option<String>, DbError> {
    let sql = format!(
        "SELECT id, user_id, title, description, version FROM task WHERE id > $1 AND {condition} ORDER BY id LIMIT $2"
    );
    let rows = database.query(&sql, [after.into(), BATCH.into()]).await?;
    let mut rows = rows.iter().peekable();
    let mut last = None;
    while *statements > 0 && rows.peek().is_some() {
        let mut update = Update::default();
        while let Some(row) = rows.next_if(|_| !update.is_full()) {
            let id = row.text(0)?;
            let terms = terms(row.text(1)?, row.text(2)?, row.maybe_text(3)?);
            update.add(id, terms, row.int(4)?);
            last = Some(id.to_owned());
        }
        let (sql, parameters) = update.statement();
        database.execute(&sql, parameters).await?;
        *statements -= 1;
    }
    Ok(last)
}

/// The terms of a batch of tasks to be stored.
#[derive(Default)]
struct Update {
    rows: Vec<String>,
    parameters: Vec<Value>,
    /// Size of the terms in bytes.
    size: usize,
}

impl Update {
    /// Whether the batch is full. Its size exceeds [`FULL`] by at most the terms of one task.
    fn is_full(&self) -> bool {
        self.size >= FULL
    }

    fn add(&mut self, id: &str, terms: String, version: i64) {
        let place = self.parameters.len() + 1;
        self.rows.push(format!(
            "(CAST(${place} AS TEXT), CAST(${} AS TEXT), CAST(${} AS BIGINT))",
            place + 1,
            place + 2
        ));
        self.size += terms.len();
        self.parameters.extend([id.into(), terms.into(), version.into()]);
    }

    fn statement(self) -> (String, Vec<Value>) {
        // Columns of VALUES are called so on both databases.
        let sql = format!(
            "UPDATE task SET terms = filled.column2 FROM (VALUES {}) AS filled WHERE task.id = filled.column1 AND task.version = filled.column3",
            self.rows.join(", ")
        );
        (sql, self.parameters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_that_fills_the_index_takes_no_more_than_2_mib_and_a_task() {
        let description: String = ('\u{20000}'..).take(10_000).collect();
        let terms = terms("alice", "x", Some(&description));
        let mut update = Update::default();
        let mut tasks = 0;
        while !update.is_full() {
            tasks += 1;
            update.add("id", terms.clone(), 1);
        }
        assert!((4..=BATCH).contains(&tasks), "{tasks}");
        let (sql, parameters) = update.statement();
        let size = |value: &Value| match value {
            Value::Text(text) => text.len(),
            _ => 0,
        };
        let bytes: usize = parameters.iter().map(size).sum();
        assert!(bytes <= FULL + terms.len() + 100, "{bytes}");
        assert_eq!(parameters.len(), 3 * tasks as usize);
        assert!(
            sql.contains("(CAST($4 AS TEXT), CAST($5 AS TEXT), CAST($6 AS BIGINT))"),
            "{sql}"
        );

        let mut update = Update::default();
        (0..BATCH).for_each(|_| update.add("id", "  2bd806tmilk ".to_owned(), 1));
        assert!(!update.is_full(), "short terms go by the number of tasks");
    }
}
