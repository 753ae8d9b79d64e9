//! Deleting everything about a person who asks for it.
//!
//! | step | where it is seen | if the next line never runs |
//! | --- | --- | --- |
//! | the person is marked | `person.leaving_since` | the relay goes on from here |
//! | their tasks are deleted, a page at a time | `task`, with its deleted event | the relay finds those that are left |
//! | the events are published, so that jobs are disarmed | `task_event.published_at` | the relay publishes them |
//! | tasks go, with events and reminders | the rows are gone | the relay finds those that are left |
//! | labels and kept answers go | the rows are gone | the relay deletes them |
//! | the person goes | the row is gone | nothing is missing |
//!
//! From the mark until the person is gone, triggers refuse what would be stored for them (`account_leaving`): a request
//! that began before cannot leave anything behind, and no other request pays for looking. Every step can be repeated.

use jiff::Timestamp;
use nudge_component::Problem;
use nudge_component::trace::Traceparent;

use crate::auth::User;
use crate::db::{Database, DbError};
use crate::events::outbox;
use crate::input::conditions::Conditions;
use crate::profile;
use crate::tasks::service::{self, ATTEMPTS, Scope, contended};
use crate::tasks::store;

/// Tasks that are deleted before their events are published, and rows that one statement purges: few enough that others
/// get their turn on SQLite's one connection.
const PAGE: u32 = 50;

/// Most pages of one run, so that it ends; the relay's next run goes on.
const PAGES: u32 = 20;

/// Most people of one run of the relay.
const PEOPLE: u32 = 10;

/// Tables that hold nothing but a person's own rows, beside tasks.
const OWN_TABLES: [&str; 7] = [
    "category",
    "tag",
    "idempotency",
    "request_rate",
    "legacy_waiting",
    "legacy_master",
    "dead_letter",
];

/// Marks the caller as leaving; the rest happens behind the answer. Asking twice is asking once.
pub(crate) async fn begin(user: &User, expected: &Conditions, trace: &Traceparent) -> Result<(), Problem> {
    let database = Database::open().await?;
    let person = mark(&database, user, expected).await?;
    let trace = trace.clone();
    spin_sdk::wasip3::spawn(async move {
        if let Err(problem) = go_on(&person, &trace).await {
            tracing::warn!("data of a person who leaves is deleted later, by the relay: {problem:?}");
        }
    });
    Ok(())
}

/// Marks a person, at the version that was expected, and gives back their id.
async fn mark(database: &Database, user: &User, expected: &Conditions) -> Result<String, Problem> {
    for _ in 0..ATTEMPTS {
        let now = Timestamp::now();
        let person = profile::remember(database, user, now).await?;
        expected.check("profile", person.version)?;
        let version = (!expected.is_none()).then_some(person.version);
        if person.leaving || profile::leave(database, &person.id, version, now).await? {
            return Ok(person.id);
        }
    }
    Err(contended("profile", &user.id))
}

/// Goes on with those whose deletion was cut off.
pub(crate) async fn resume(database: &Database, now: Timestamp) -> Result<(), Problem> {
    let people = profile::leaving(database, outbox::pending_before(now), PEOPLE).await?;
    for person in people {
        // Others do not wait for one whose data cannot be deleted.
        if let Err(problem) = go_on(&person, &Traceparent::start()).await {
            tracing::error!("data of a person who leaves is deleted later, by the next run: {problem:?}");
        }
    }
    Ok(())
}

async fn go_on(person: &str, trace: &Traceparent) -> Result<(), Problem> {
    for _ in 0..PAGES {
        let database = Database::open().await?;
        let tasks = store::some_of(&database, person, PAGE).await?;
        if tasks.is_empty() {
            return Ok(purge(&database, person).await?);
        }
        let mut events = Vec::with_capacity(tasks.len());
        for task in tasks {
            match service::delete_unannounced(
                &database,
                person,
                task,
                &Conditions::NONE,
                Scope::Series,
                trace,
            )
            .await
            {
                Ok(deleted) => events.push(deleted.event),
                // Somebody else, such as the relay, was faster.
                Err(problem) if problem.status() == http::StatusCode::NOT_FOUND => {}
                Err(problem) => return Err(problem),
            }
        }
        outbox::publish(&events).await?;
    }
    Ok(())
}

/// Removes the rows. Tasks with an event that is not published yet stay for the relay's next run, and so does the person.
async fn purge(database: &Database, person: &str) -> Result<(), DbError> {
    for _ in 0..PAGES {
        let purged = database
            .query(
                "DELETE FROM task WHERE id IN (SELECT id FROM task WHERE user_id = $1 AND deleted_at IS NOT NULL \
                 AND NOT EXISTS (SELECT 1 FROM task_event WHERE task_id = task.id AND published_at IS NULL) LIMIT $2) RETURNING id",
                [person.into(), PAGE.into()],
            )
            .await?;
        if purged.len() < PAGE as usize {
            break;
        }
    }
    for table in OWN_TABLES {
        let sql = format!("DELETE FROM {table} WHERE user_id = $1");
        database.execute(&sql, [person.into()]).await?;
    }
    database
        .execute(
            "DELETE FROM person WHERE id = $1 AND leaving_since IS NOT NULL \
             AND NOT EXISTS (SELECT 1 FROM task WHERE user_id = $1 AND deleted_at IS NULL) \
             AND NOT EXISTS (SELECT 1 FROM task WHERE user_id = $1 AND deleted_at IS NOT NULL)",
            [person.into()],
        )
        .await?;
    // Requests that came meanwhile were counted.
    let sql =
        "DELETE FROM request_rate WHERE user_id = $1 AND NOT EXISTS (SELECT 1 FROM person WHERE id = $1)";
    database.execute(sql, [person.into()]).await
}
