//! The schema of the database: opening a database migrates it to the newest version.

mod migrations;
mod name_keys;
mod reindex;

use nudge_component::settings::variable;
use spin_sdk::{pg, sqlite};

use crate::db::{Database, DbError};

impl Database {
    /// Opens it and migrates its schema.
    pub(crate) async fn open() -> Result<Self, DbError> {
        if cfg!(fuzzing) {
            // Fuzzing ends here: outside of a component there is no database.
            return Err(DbError::Unavailable("there is none".to_owned()));
        }
        let database = match variable("database_url").await.map_err(DbError::Unavailable)? {
            None => Self::Sqlite(sqlite::Connection::open_default().await?),
            Some(url) => Self::Postgres(pg::Connection::open(url).await?),
        };
        migrations::ensure(&database).await?;
        Ok(database)
    }
}

/// Updates rows that older replicas write during an upgrade: keys of label names, and terms of tasks.
pub(crate) async fn refresh(database: &Database) -> Result<(), DbError> {
    name_keys::fill_keys(database, name_keys::STATEMENTS_OF_A_RUN).await?;
    reindex::refresh(database, reindex::BATCHES_OF_A_RUN).await
}
