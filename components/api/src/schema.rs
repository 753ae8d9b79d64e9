//! Migrations: numbered, run when an instance of the component first needs the database.
//!
//! Each is a list of statements that can be repeated (`IF NOT EXISTS`, `OR REPLACE`), because neither a transaction
//! around them nor a lock is to be had on Spin's SQLite. Two replicas that migrate at once do the same thing twice; where
//! PostgreSQL lets one of them fail on a catalogue row, the repetition of the request finds the work done.

use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;

use crate::db::{Database, DbError, Dialect, Value};

struct Migration {
    number: i64,
    sqlite: &'static [&'static str],
    postgres: &'static [&'static str],
}

const TABLES: &str = include_str!("schema/tables.sql");

const MIGRATIONS: &[Migration] = &[Migration {
    number: 1,
    sqlite: &[TABLES, include_str!("schema/sqlite.sql")],
    postgres: &[TABLES, include_str!("schema/postgres.sql")],
}];

/// Brings the schema to the newest version, once per instance.
pub(crate) async fn ensure(database: &Database) -> Result<(), DbError> {
    static READY: AtomicBool = AtomicBool::new(false);
    if READY.load(Ordering::Relaxed) {
        return Ok(());
    }
    if database.dialect() == Dialect::Sqlite {
        // The mode stays with the file, the level with Spin's one connection. WAL and NORMAL survive a killed process; a
        // power cut may take the last commits (https://sqlite.org/pragma.html#pragma_synchronous).
        database.query("PRAGMA journal_mode = WAL", []).await?;
        database.query("PRAGMA synchronous = NORMAL", []).await?;
    }
    database.execute("CREATE TABLE IF NOT EXISTS schema_migration (number BIGINT NOT NULL PRIMARY KEY, applied_at BIGINT NOT NULL)", []).await?;
    let rows = database
        .query("SELECT COALESCE(MAX(number), 0) FROM schema_migration", [])
        .await?;
    let applied = rows.first().map_or(Ok(0), |row| row.int(0))?;
    for migration in MIGRATIONS.iter().filter(|migration| migration.number > applied) {
        let texts = match database.dialect() {
            Dialect::Sqlite => migration.sqlite,
            Dialect::Postgres => migration.postgres,
        };
        for statement in texts.iter().flat_map(|text| statements(text)) {
            database
                .execute(&adapt(statement, database.dialect()), [])
                .await?;
        }
        database
            .execute(
                "INSERT INTO schema_migration (number, applied_at) VALUES ($1, $2) ON CONFLICT (number) DO NOTHING",
                [Value::Int(migration.number), Value::Int(Timestamp::now().as_millisecond())],
            )
            .await?;
        tracing::info!(number = migration.number, "the database schema was migrated");
    }
    READY.store(true, Ordering::Relaxed);
    Ok(())
}

/// The paragraphs of a file that are not comments only.
fn statements(text: &str) -> impl Iterator<Item = &str> {
    text.split("\n\n")
        .map(str::trim)
        .filter(|paragraph| !paragraph.lines().all(|line| line.starts_with("--")))
}

fn adapt(statement: &str, dialect: Dialect) -> String {
    statement.replace(
        "{serial}",
        match dialect {
            Dialect::Sqlite => "INTEGER PRIMARY KEY AUTOINCREMENT",
            Dialect::Postgres => "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_statement_can_be_repeated() {
        for migration in MIGRATIONS {
            for statement in migration
                .sqlite
                .iter()
                .chain(migration.postgres)
                .flat_map(|text| statements(text))
            {
                assert!(
                    ["IF NOT EXISTS", "OR REPLACE", "IF EXISTS"]
                        .iter()
                        .any(|words| statement.contains(words)),
                    "{statement}"
                );
            }
        }
    }

    #[test]
    fn migrations_are_numbered_from_one() {
        assert!(
            MIGRATIONS
                .iter()
                .zip(1..)
                .all(|(migration, number)| migration.number == number)
        );
    }
}
