//! The rows of a state store, with the rules of Dapr's `state.in-memory` about ETags and first-write.

use std::time::{Duration, SystemTime};

use rusqlite::{Connection, OptionalExtension as _, params};
use uuid::Uuid;

use crate::store::{StoreError, from_millis, millis};

/// A stored value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Item {
    /// JSON.
    pub(crate) value: String,
    pub(crate) etag: String,
    pub(crate) expires: Option<SystemTime>,
}

/// What a change requires of the stored row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guard {
    /// The row must have this ETag, with either concurrency.
    pub(crate) etag: Option<String>,
    /// Without an ETag, there must be no row.
    pub(crate) first_write: bool,
}

/// One change.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Set {
        key: String,
        value: String,
        ttl: Option<Duration>,
        guard: Guard,
    },
    Delete {
        key: String,
        guard: Guard,
    },
}

/// Why a change did not happen.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangeError {
    /// In Dapr's words.
    #[error("possible etag mismatch. error from state store: {0}")]
    Lost(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for ChangeError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// The value of a key, unless it has expired.
pub(crate) fn get(
    db: &Connection,
    store: &str,
    key: &str,
    now: SystemTime,
) -> Result<Option<Item>, StoreError> {
    let item = db
        .prepare_cached(
            "SELECT value, etag, expires FROM state
             WHERE store = ?1 AND key = ?2 AND (expires IS NULL OR expires > ?3)",
        )?
        .query_row(params![store, key, millis(now)], |row| {
            let expires: Option<i64> = row.get(2)?;
            Ok(Item {
                value: row.get(0)?,
                etag: row.get(1)?,
                expires: expires.map(from_millis),
            })
        })
        .optional()?;
    Ok(item)
}

/// Makes one change if its guard holds.
pub(crate) fn apply(
    db: &Connection,
    store: &str,
    change: &Change,
    now: SystemTime,
) -> Result<(), ChangeError> {
    match change {
        Change::Set {
            key,
            value,
            ttl,
            guard,
        } => {
            check(db, store, key, guard, now)?;
            let expires = ttl.map(|ttl| millis(now + ttl));
            db.prepare_cached(
                "INSERT OR REPLACE INTO state (store, key, value, etag, expires) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![store, key, value, Uuid::new_v4().to_string(), expires])?;
        }
        Change::Delete { key, guard } => {
            check(db, store, key, guard, now)?;
            db.prepare_cached("DELETE FROM state WHERE store = ?1 AND key = ?2")?
                .execute([store, key])?;
        }
    }
    Ok(())
}

/// Removes expired rows, which readers no longer see.
pub(crate) fn sweep(db: &Connection, now: SystemTime) -> Result<usize, StoreError> {
    Ok(db.execute("DELETE FROM state WHERE expires <= ?1", [millis(now)])?)
}

fn check(db: &Connection, store: &str, key: &str, guard: &Guard, now: SystemTime) -> Result<(), ChangeError> {
    let current = get(db, store, key, now)?;
    match (&guard.etag, current) {
        (Some(expect), Some(item)) if item.etag != *expect => {
            let current = item.etag;
            Err(ChangeError::Lost(format!(
                "state etag not match for key={key}: current={current}, expect={expect}"
            )))
        }
        (Some(_), None) => Err(ChangeError::Lost(format!(
            "state not exist or expired for key={key}"
        ))),
        (None, Some(_)) if guard.first_write => Err(ChangeError::Lost(
            "item already exists and no etag was passed".to_owned(),
        )),
        _ => Ok(()),
    }
}
