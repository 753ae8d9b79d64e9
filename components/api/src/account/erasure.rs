//! Account deletion: everything about a user who asks for it.
//!
//! | step | where it is seen | if the next line never runs |
//! | --- | --- | --- |
//! | the account is marked as closing | `person.leaving_since` | the recurring job continues from here |
//! | their tasks are deleted, a page at a time | `task`, with its deleted event | the recurring job finds those that are left |
//! | the events are published, so that jobs are disarmed | `task_event.published_at` | the recurring job publishes them |
//! | tasks go, with events and reminders | the rows are gone | the recurring job finds those that are left |
//! | labels and kept answers go | the rows are gone | the recurring job deletes them |
//! | the profile is deleted | the row is gone | nothing is missing |
//!
//! From the mark until the profile is gone, triggers reject further writes of the user (`account_leaving`): a request
//! that began before cannot leave anything, and no other request pays for looking. Every step can be repeated.

use jiff::Timestamp;
use nudge_component::trace::Traceparent;
use nudge_domain::id::UserId;

use crate::auth::User;
use crate::caller::{Caller, Cause};
use crate::db::{Database, DbError};
use crate::error::ServiceError;
use crate::events::outbox;
use crate::profile;
use crate::tasks::service;
use crate::tasks::store;
use crate::version::{ATTEMPTS, Conditions, Thing};

/// Tasks that are deleted before their events are published, and rows that one statement purges: few enough that others
/// get their turn on SQLite's one connection.
const PAGE: u32 = 50;

/// Maximum number of pages per run, so that it ends; the next run of the recurring job continues.
const PAGES: u32 = 20;

/// Maximum number of accounts per run of the recurring job.
const ACCOUNTS: u32 = 10;

/// Tables that hold nothing but a user's own rows, beside tasks. A table with a column `user_id` that is neither here nor in a list of
/// the tests below fails them.
const OWN_TABLES: [&str; 10] = [
    "agent",
    "category",
    "tag",
    "idempotency",
    "legacy_waiting",
    "legacy_master",
    "dead_letter",
    "notice",
    "recipient",
    "usage",
];

/// Marks the caller's account as closing; the rest happens after responding. Asking twice is asking once.
pub(crate) async fn begin(caller: &Caller, expected: &Conditions) -> Result<(), ServiceError> {
    let user = mark(&caller.database, &caller.user, expected).await?;
    let cause = caller.cause.followed();
    spin_sdk::wasip3::spawn(async move {
        if let Err(error) = erase(&user, &cause).await {
            tracing::warn!("data of a closing account is deleted later, by the recurring job: {error}");
        }
    });
    Ok(())
}

/// Marks an account, at the version that was expected, and returns the user's id.
async fn mark(database: &Database, user: &User, expected: &Conditions) -> Result<UserId, ServiceError> {
    for _ in 0..ATTEMPTS {
        let now = Timestamp::now();
        let profile = profile::remember(database, user, now).await?;
        expected.check(Thing::Profile, profile.revision.version)?;
        let version = (!expected.is_none()).then_some(profile.revision.version);
        if profile.closing || profile::close(database, &profile.id, version, now).await? {
            return Ok(profile.id);
        }
    }
    Err(ServiceError::contended(Thing::Profile, &user.id))
}

/// Continues deletions that were cut off.
pub(crate) async fn resume(now: Timestamp) -> Result<(), ServiceError> {
    let closing = profile::closing(&Database::open().await?, outbox::pending_before(now), ACCOUNTS).await?;
    for user in closing {
        // Others do not wait for one whose data cannot be deleted.
        if let Err(error) = erase(&user, &Cause::nudge(Some(Traceparent::start()))).await {
            tracing::error!("data of a closing account is deleted later, by the next run: {error}");
        }
    }
    Ok(())
}

async fn erase(user: &UserId, cause: &Cause) -> Result<(), ServiceError> {
    for _ in 0..PAGES {
        let database = Database::open().await?;
        let tasks = store::some_of(&database, user, PAGE).await?;
        if tasks.is_empty() {
            return Ok(purge(&database, user).await?);
        }
        let mut events = Vec::with_capacity(tasks.len());
        for task in tasks {
            events.extend(service::delete_of_closing_account(&database, user, task, cause).await?);
        }
        // The connection is released: publishing may take long, and opens another one to mark the events.
        drop(database);
        outbox::publish(&events).await?;
    }
    Ok(())
}

/// Removes the rows, each statement only while the account is closing: see [`profile::is_closing`]. Tasks with an event that is not published yet stay for the next run, and so does the profile.
async fn purge(database: &Database, user: &UserId) -> Result<(), DbError> {
    let closing = profile::is_closing("$1");
    for _ in 0..PAGES {
        let sql = format!(
            "DELETE FROM task WHERE id IN (SELECT id FROM task WHERE user_id = $1 AND deleted_at IS NOT NULL AND {closing} \
             AND NOT EXISTS (SELECT 1 FROM task_event WHERE task_id = task.id AND published_at IS NULL) LIMIT $2) RETURNING id"
        );
        let purged = database.query(&sql, [user.into(), PAGE.into()]).await?;
        if purged.len() < PAGE as usize {
            break;
        }
    }
    for table in OWN_TABLES {
        let sql = format!("DELETE FROM {table} WHERE user_id = $1 AND {closing}");
        database.execute(&sql, [user.into()]).await?;
    }
    database
        .execute(
            "DELETE FROM person WHERE id = $1 AND leaving_since IS NOT NULL \
             AND NOT EXISTS (SELECT 1 FROM task WHERE user_id = $1 AND deleted_at IS NULL) \
             AND NOT EXISTS (SELECT 1 FROM task WHERE user_id = $1 AND deleted_at IS NOT NULL)",
            [user.into()],
        )
        .await
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// Tables whose rows are deleted with their task.
    const OF_TASKS: [&str; 4] = ["task", "task_event", "task_number", "reminder"];

    /// Tables whose rows stay. A revocation must outlive the account, or deleting it would make a revoked token valid again;
    /// `auth/revocation.rs` deletes it when the tokens have expired. Counts must outlive it too, or deleting it would be a way around every
    /// limit; the recurring job deletes them when their time is over.
    const KEPT: [&str; 4] = ["email_count", "open_feed", "request_rate", "token_revocation"];

    /// Tables that the migrations give a column `user_id`.
    fn tables_of_users() -> BTreeSet<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/schema");
        let files = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().path());
        let mut tables = BTreeSet::new();
        for file in files.filter(|file| file.extension().is_some_and(|kind| kind == "sql")) {
            let text = std::fs::read_to_string(file).unwrap();
            for statement in text.split("\n\n") {
                let defines = ["CREATE TABLE IF NOT EXISTS ", "ALTER TABLE "]
                    .iter()
                    .find_map(|words| statement.split_once(words));
                let has_user = statement.contains("  user_id TEXT") || statement.contains("EXISTS user_id ");
                if let (Some((_, rest)), true) = (defines, has_user) {
                    tables.insert(rest.split_whitespace().next().unwrap().to_owned());
                }
            }
        }
        tables
    }

    #[test]
    fn every_table_with_rows_of_a_user_is_erased() {
        let erased: BTreeSet<String> = OWN_TABLES
            .iter()
            .chain(&OF_TASKS)
            .chain(&KEPT)
            .map(|table| (*table).to_owned())
            .collect();
        assert_eq!(tables_of_users(), erased);
    }
}
