//! Numbered migrations, run when an instance of the component first needs the database.
//!
//! Each is a list of statements that can be repeated (`IF NOT EXISTS`, `OR REPLACE`), because Spin's SQLite offers neither a
//! transaction around them nor a lock. Two instances that migrate at the same time repeat each other's statements, and one that
//! fails because of the other tries again.

use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use nudge_component::settings::variable;

use super::{name_keys, reindex};
use crate::db::{self, Database, DbError, Dialect, Value};

struct Migration {
    number: i64,
    sqlite: &'static [&'static str],
    postgres: &'static [&'static str],
}

/// Each file of tables is for both dialects; differences are in braces.
const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        // The triggers of 10, which replaced the first ones. An instance that repeats this one late must not bring those back.
        sqlite: &[include_str!("1-tables.sql"), include_str!("10-sqlite.sql")],
        postgres: &[include_str!("1-tables.sql"), include_str!("10-postgres.sql")],
    },
    Migration {
        number: 2,
        sqlite: &[include_str!("2-tables.sql"), include_str!("2-sqlite.sql")],
        postgres: &[include_str!("2-tables.sql"), include_str!("2-postgres.sql")],
    },
    Migration {
        number: 3,
        sqlite: &[include_str!("3-tables.sql"), include_str!("3-sqlite.sql")],
        postgres: &[include_str!("3-tables.sql"), include_str!("3-postgres.sql")],
    },
    Migration {
        number: 4,
        sqlite: &[include_str!("4-tables.sql"), include_str!("4-sqlite.sql")],
        postgres: &[include_str!("4-tables.sql"), include_str!("4-postgres.sql")],
    },
    Migration {
        number: 5,
        sqlite: &[include_str!("5-sqlite.sql")],
        postgres: &[],
    },
    Migration {
        number: 6,
        sqlite: &[include_str!("6-tables.sql")],
        postgres: &[include_str!("6-tables.sql")],
    },
    Migration {
        number: 7,
        sqlite: &[include_str!("7-tables.sql")],
        postgres: &[include_str!("7-tables.sql")],
    },
    Migration {
        number: 8,
        sqlite: &[include_str!("8-tables.sql")],
        postgres: &[include_str!("8-tables.sql")],
    },
    Migration {
        number: 9,
        sqlite: &[ESTIMATES],
        postgres: &[ESTIMATES],
    },
    Migration {
        number: 10,
        sqlite: &[
            include_str!("10-tables.sql"),
            include_str!("10-sqlite.sql"),
            include_str!("10-rows.sql"),
        ],
        postgres: &[
            include_str!("10-tables.sql"),
            include_str!("10-postgres.sql"),
            include_str!("10-rows.sql"),
        ],
    },
    Migration {
        number: 11,
        sqlite: &[include_str!("11-tables.sql")],
        postgres: &[include_str!("11-tables.sql")],
    },
    Migration {
        number: 12,
        sqlite: &[include_str!("12-tables.sql"), include_str!("12-sqlite.sql")],
        postgres: &[include_str!("12-tables.sql"), include_str!("12-postgres.sql")],
    },
    Migration {
        number: 13,
        sqlite: &[include_str!("13-tables.sql"), include_str!("13-sqlite.sql")],
        postgres: &[include_str!("13-tables.sql"), include_str!("13-postgres.sql")],
    },
    Migration {
        number: 14,
        sqlite: &[include_str!("14-tables.sql")],
        postgres: &[include_str!("14-tables.sql")],
    },
    Migration {
        number: 15,
        sqlite: &[include_str!("15-tables.sql")],
        postgres: &[include_str!("15-tables.sql")],
    },
    Migration {
        number: 16,
        sqlite: &[include_str!("16-tables.sql"), include_str!("16-sqlite.sql")],
        postgres: &[include_str!("16-tables.sql"), include_str!("16-postgres.sql")],
    },
];

const ESTIMATES: &str = "ALTER TABLE task ADD COLUMN IF NOT EXISTS estimate_minutes BIGINT";

/// Number of attempts. Another instance that migrates at the same time can make a statement fail; then that statement has taken
/// effect, and the next attempt gets further.
const ATTEMPTS: u32 = 10;

/// The migrations that fill columns with code, not SQL.
const SEARCH: i64 = 4;
const SCRIPTS: i64 = 8;

/// Migrates the schema to the newest version, once per instance.
pub(crate) async fn ensure(database: &Database) -> Result<(), DbError> {
    static READY: AtomicBool = AtomicBool::new(false);
    if READY.load(Ordering::Relaxed) {
        return Ok(());
    }
    let mut applied = None;
    let mut migrated = migrate(database, &mut applied).await;
    for _ in 1..ATTEMPTS {
        match &migrated {
            Err(DbError::Conflict(reason) | DbError::Refused(reason)) => {
                tracing::info!("the schema is migrated by another as well: {reason}");
                migrated = migrate(database, &mut applied).await;
            }
            Ok(()) | Err(DbError::Unavailable(_) | DbError::Unreadable(_) | DbError::AccountClosing) => break,
        }
    }
    migrated?;
    READY.store(true, Ordering::Relaxed);
    Ok(())
}

/// Sets when SQLite waits for the disk. Unless the variable says otherwise it is FULL, at each commit, so a power cut loses nothing
/// that was acknowledged (https://sqlite.org/pragma.html#pragma_synchronous).
async fn synchronous() -> Result<(&'static str, &'static str), DbError> {
    let level = variable("sqlite_synchronous")
        .await
        .map_err(DbError::Unavailable)?;
    match level.as_deref() {
        None | Some("full") => Ok(("PRAGMA synchronous = FULL", "PRAGMA fullfsync = ON")),
        Some("normal") => Ok(("PRAGMA synchronous = NORMAL", "PRAGMA fullfsync = OFF")),
        Some(other) => Err(DbError::Unavailable(format!(
            "the variable sqlite_synchronous is {other:?}: write full or normal"
        ))),
    }
}

/// `applied` are the migrations that were complete when this instance first looked. It repeats all others to the end, also those that
/// another has completed since: an earlier one may have brought back a trigger that a later one replaces.
async fn migrate(database: &Database, applied: &mut Option<Vec<i64>>) -> Result<(), DbError> {
    if database.dialect() == Dialect::Sqlite {
        // Settings of Spin's one connection, so each instance applies them before it writes anything. The second is for macOS,
        // where fsync leaves bytes in the drive's cache (https://sqlite.org/pragma.html#pragma_fullfsync).
        let (level, to_the_drive) = synchronous().await?;
        database.query(level, []).await?;
        database.query(to_the_drive, []).await?;
        database.query("PRAGMA journal_mode = WAL", []).await?;
        // 16 MiB of pages instead of 2: a search of 100,000 tasks reads as many.
        database.query("PRAGMA cache_size = -16384", []).await?;
    }
    database.execute("CREATE TABLE IF NOT EXISTS schema_migration (number BIGINT NOT NULL PRIMARY KEY, applied_at BIGINT NOT NULL)", []).await?;
    let applied: &Vec<i64> = match applied {
        Some(applied) => applied,
        None => {
            let rows = database.query("SELECT number FROM schema_migration", []).await?;
            applied.insert(rows.iter().map(|row| row.int(0)).collect::<Result<_, _>>()?)
        }
    };
    for migration in MIGRATIONS
        .iter()
        .filter(|migration| !applied.contains(&migration.number))
    {
        let (texts, if_missing) = match database.dialect() {
            Dialect::Sqlite => (migration.sqlite, "ADD COLUMN"),
            Dialect::Postgres => (migration.postgres, IF_COLUMN_MISSING),
        };
        for statement in texts.iter().flat_map(|text| statements(text)) {
            let statement = adapt(statement, database.dialect());
            if column_exists(database, &statement).await? {
                continue;
            }
            let text = statement.replace(IF_COLUMN_MISSING, if_missing);
            match database.execute(&text, []).await {
                // Another instance added the column after the check.
                Err(DbError::Refused(_)) if column_exists(database, &statement).await? => {}
                result => {
                    result?;
                }
            }
        }
        match migration.number {
            SEARCH => reindex::fill(database).await?,
            SCRIPTS => {
                name_keys::fill_keys(database, name_keys::EVERY).await?;
                reindex::refresh(database, reindex::BATCHES_AT_FIRST).await?;
            }
            _ => {}
        }
        database
            .execute(
                "INSERT INTO schema_migration (number, applied_at) VALUES ($1, $2) ON CONFLICT (number) DO NOTHING",
                [Value::Int(migration.number), Value::Int(Timestamp::now().as_millisecond())],
            )
            .await?;
        tracing::info!(number = migration.number, "the database schema was migrated");
    }
    Ok(())
}

/// The paragraphs of a file, without those that are only comments.
fn statements(text: &str) -> impl Iterator<Item = &str> {
    text.split("\n\n")
        .map(str::trim)
        .filter(|paragraph| !paragraph.lines().all(|line| line.starts_with("--")))
}

fn adapt(statement: &str, dialect: Dialect) -> String {
    let serial = match dialect {
        Dialect::Sqlite => "INTEGER PRIMARY KEY AUTOINCREMENT",
        Dialect::Postgres => "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    };
    statement
        .replace("{serial}", serial)
        .replace("{priority}", db::PRIORITY)
        .replace("{old_terms}", reindex::OLD_TERMS)
        .replace("{title}", db::title(dialect))
}

/// PostgreSQL's syntax; SQLite has none for it, so there the table is checked first.
const IF_COLUMN_MISSING: &str = "ADD COLUMN IF NOT EXISTS";

/// Whether a statement adds a column that SQLite has already.
async fn column_exists(database: &Database, statement: &str) -> Result<bool, DbError> {
    let mut words = statement.split_whitespace();
    let (Some("ALTER"), Some("TABLE"), Some(table), Dialect::Sqlite) =
        (words.next(), words.next(), words.next(), database.dialect())
    else {
        return Ok(false);
    };
    let column = statement
        .split_once(IF_COLUMN_MISSING)
        .and_then(|(_, rest)| rest.split_whitespace().next())
        .unwrap_or_default();
    let columns = database
        .query(
            "SELECT name FROM pragma_table_info($1) WHERE name = $2",
            [table.into(), column.into()],
        )
        .await?;
    Ok(!columns.is_empty())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

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
                let repeats = [
                    "IF NOT EXISTS",
                    "OR REPLACE",
                    "IF EXISTS",
                    "DO NOTHING",
                    "DO UPDATE",
                ];
                // Rows that have a value already stay as they are.
                let fills = statement.starts_with("UPDATE") && statement.ends_with("IS NULL");
                assert!(
                    fills || repeats.iter().any(|words| statement.contains(words)),
                    "{statement}"
                );
            }
        }
    }

    /// What a statement creates or drops, if it is code that runs in the database: its kind and its name.
    fn code_of(statement: &str) -> Option<(&str, &str)> {
        let mut words = statement.split_whitespace();
        let kind = words
            .by_ref()
            .take(4)
            .find(|word| ["TRIGGER", "FUNCTION"].contains(word))?;
        let name = words.find(|word| !["IF", "NOT", "EXISTS"].contains(word))?;
        Some((kind, name))
    }

    /// An instance may repeat any of them late, and stop right after it.
    #[test]
    fn no_migration_creates_a_trigger_that_a_later_one_drops_or_replaces() {
        for of_dialect in [|one: &Migration| one.sqlite, |one: &Migration| one.postgres] {
            let mut created = BTreeMap::new();
            let texts = MIGRATIONS.iter().flat_map(of_dialect);
            for statement in texts.flat_map(|text| statements(text)) {
                let Some(code) = code_of(statement) else { continue };
                if statement.starts_with("DROP") {
                    assert!(!created.contains_key(&code), "{statement}");
                } else if let Some(before) = created.insert(code, statement) {
                    assert_eq!(before, statement);
                }
            }
            assert!(created.len() > 10, "{created:?}");
        }
    }

    #[test]
    fn migrations_are_in_the_order_of_their_numbers() {
        assert!(MIGRATIONS.is_sorted_by(|one, next| one.number < next.number));
    }
}
