//! Scheduled jobs on SQLite.

use std::time::SystemTime;

use rusqlite::{Connection, OptionalExtension as _, params};
use uuid::Uuid;

use super::schedule::{JobSpec, Ticks};
use crate::store::{StoreError, from_millis, millis};

/// A job that waits for its next tick.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) name: String,
    pub(crate) incarnation: String,
    pub(crate) spec: JobSpec,
    pub(crate) due: SystemTime,
    pub(crate) expires: Option<SystemTime>,
    pub(crate) fired: u32,
}

/// Stores a job; `false` if there is one of its name and `overwrite` is not set.
pub(crate) fn put(
    db: &Connection,
    app_id: &str,
    name: &str,
    spec: &JobSpec,
    ticks: &Ticks,
) -> Result<bool, StoreError> {
    let sql = if spec.overwrite {
        "INSERT OR REPLACE"
    } else {
        "INSERT OR IGNORE"
    };
    let sql = format!(
        "{sql} INTO job (app_id, name, incarnation, spec, due, expires, fired) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0)"
    );
    let changed = db.prepare_cached(&sql)?.execute(params![
        app_id,
        name,
        Uuid::new_v4().to_string(),
        serde_json::to_string(spec)?,
        millis(ticks.due),
        ticks.expires.map(millis)
    ])?;
    Ok(changed > 0)
}

pub(crate) fn get(db: &Connection, app_id: &str, name: &str) -> Result<Option<JobSpec>, StoreError> {
    let spec: Option<String> = db
        .prepare_cached("SELECT spec FROM job WHERE app_id = ?1 AND name = ?2")?
        .query_row([app_id, name], |row| row.get(0))
        .optional()?;
    Ok(spec.map(|spec| serde_json::from_str(&spec)).transpose()?)
}

pub(crate) fn delete(db: &Connection, app_id: &str, name: &str) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM job WHERE app_id = ?1 AND name = ?2")?
        .execute([app_id, name])?;
    Ok(())
}

/// The jobs of an app that are due first.
pub(crate) fn first(db: &Connection, app_id: &str, limit: usize) -> Result<Vec<Job>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT name, incarnation, spec, due, expires, fired FROM job WHERE app_id = ?1 ORDER BY due LIMIT ?2",
    )?;
    let mut rows = statement.query(params![app_id, i64::try_from(limit).unwrap_or(i64::MAX)])?;
    let mut jobs = Vec::new();
    while let Some(row) = rows.next()? {
        jobs.push(Job {
            name: row.get(0)?,
            incarnation: row.get(1)?,
            spec: serde_json::from_str(&row.get::<_, String>(2)?)?,
            due: from_millis(row.get(3)?),
            expires: row.get::<_, Option<i64>>(4)?.map(from_millis),
            fired: row.get(5)?,
        });
    }
    Ok(jobs)
}

/// Records that a tick is over: the job waits for `next`, or is deleted. A job that was overwritten meanwhile is unchanged.
pub(crate) fn settle(
    db: &Connection,
    app_id: &str,
    name: &str,
    incarnation: &str,
    next: Option<SystemTime>,
) -> Result<(), StoreError> {
    match next {
        Some(next) => db
            .prepare_cached(
                "UPDATE job SET due = ?4, fired = fired + 1 WHERE app_id = ?1 AND name = ?2 AND incarnation = ?3",
            )?
            .execute(params![app_id, name, incarnation, millis(next)])?,
        None => db
            .prepare_cached("DELETE FROM job WHERE app_id = ?1 AND name = ?2 AND incarnation = ?3")?
            .execute([app_id, name, incarnation])?,
    };
    Ok(())
}
