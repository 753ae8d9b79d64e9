//! Creates keys for label names that were stored without one: before keys existed, or by replicas of an older version during an
//! upgrade.
//!
//! The column `keyed_name` is the name that `name_key` was derived from, even if the label got no key because another label has it.
//! An older replica does not update it when it renames a label, so a partial index finds the labels whose key is outdated.

use std::collections::BTreeSet;

use nudge_domain::characters::name_key;

use crate::db::{Database, DbError, Value};

/// Maximum number of labels per statement.
const BATCH: u32 = 500;

/// As many statements as necessary: for the migration.
pub(crate) const EVERY: u32 = u32::MAX;

/// Maximum number of statements of each sort and kind per run of the relay.
pub(crate) const STATEMENTS_OF_A_RUN: u32 = 10;

/// Updates the keys of labels whose key is not that of their name, with at most that many statements of each sort. Of labels that
/// look the same, the oldest gets the key; the others get none.
pub(crate) async fn fill_keys(database: &Database, statements: u32) -> Result<(), DbError> {
    for table in ["category", "tag"] {
        match fill(database, table, statements).await {
            // A label that was stored at the same time has one of the keys: the next run handles it.
            Err(DbError::Conflict(reason)) => {
                tracing::info!("keys of a {table} are filled in later: {reason}");
            }
            other => other?,
        }
    }
    Ok(())
}

async fn fill(database: &Database, table: &str, statements: u32) -> Result<(), DbError> {
    // All old keys go first: a new name may have the key that another label had under its old name.
    if !clear(database, table, statements).await? {
        return Ok(());
    }
    let mut last = String::new();
    for _ in 0..statements {
        let sql = format!(
            "SELECT id, user_id, name FROM {table} WHERE id > $1 AND keyed_name IS NULL ORDER BY id LIMIT {BATCH}"
        );
        let rows = database.query(&sql, [last.as_str().into()]).await?;
        let Some(row) = rows.last() else { break };
        row.text(0)?.clone_into(&mut last);
        let labels = rows
            .iter()
            .map(|row| Ok((row.text(0)?, row.text(1)?, row.text(2)?)));
        let (sql, parameters) = statement(table, labels.collect::<Result<Vec<_>, DbError>>()?);
        database.execute(&sql, parameters).await?;
    }
    Ok(())
}

/// Removes keys that belong to another name. Returns `false` if there may be more of them.
async fn clear(database: &Database, table: &str, statements: u32) -> Result<bool, DbError> {
    let sql = format!(
        "UPDATE {table} SET name_key = NULL, keyed_name = NULL WHERE keyed_name <> name \
         AND id IN (SELECT id FROM {table} WHERE keyed_name <> name ORDER BY id LIMIT {BATCH}) RETURNING id"
    );
    for _ in 0..statements {
        if database.query(&sql, []).await?.len() < BATCH as usize {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The statement that sets the keys of labels (id, owner and name, the oldest first), unless other labels have them. A label that
/// was renamed in the meantime is not changed.
fn statement(table: &str, labels: Vec<(&str, &str, &str)>) -> (String, Vec<Value>) {
    let mut taken = BTreeSet::new();
    let mut rows = Vec::new();
    let mut parameters: Vec<Value> = Vec::new();
    for (id, owner, name) in labels {
        let key = name_key(name);
        let is_first = taken.insert((owner, key.clone()));
        let place = parameters.len() + 1;
        rows.push(format!(
            "(CAST(${place} AS TEXT), CAST(${} AS TEXT), CAST(${} AS TEXT))",
            place + 1,
            place + 2
        ));
        parameters.extend([id.into(), name.into(), is_first.then_some(key).into()]);
    }
    // Both databases use these names for the columns of VALUES.
    let sql = format!(
        "UPDATE {table} SET keyed_name = name, name_key = CASE WHEN EXISTS (SELECT 1 FROM {table} AS alike \
         WHERE alike.user_id = {table}.user_id AND alike.name_key = filled.column3) THEN NULL ELSE filled.column3 END \
         FROM (VALUES {}) AS filled WHERE {table}.id = filled.column1 AND {table}.name = filled.column2 \
         AND {table}.keyed_name IS NULL",
        rows.join(", ")
    );
    (sql, parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_users_labels_that_look_the_same_the_oldest_gets_the_key() {
        let labels = vec![
            ("1", "alice", "Home"),
            ("2", "alice", "HOME"),
            ("3", "bob", "home"),
            ("4", "alice", "Caf\u{e9}"),
        ];
        let (sql, parameters) = statement("tag", labels);
        let rows: Vec<_> = parameters
            .chunks(3)
            .map(|row| (row[0].clone(), row[2].clone()))
            .collect();
        let key = |id: &str, key: Option<&str>| (Value::from(id), Value::from(key));
        assert_eq!(
            rows,
            [
                key("1", Some("home")),
                key("2", None),
                key("3", Some("home")),
                key("4", Some("caf\u{e9}")),
            ]
        );
        assert!(
            sql.contains("(CAST($10 AS TEXT), CAST($11 AS TEXT), CAST($12 AS TEXT))"),
            "{sql}"
        );
    }
}
