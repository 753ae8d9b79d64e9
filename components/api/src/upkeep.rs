//! The work of the recurring job `relay`: publishes events that a crash left unpublished, creates missing occurrences, deletes
//! old data, and continues account deletions.

use jiff::{SignedDuration, Timestamp};
use nudge_contract::api::RelayReport;
use nudge_contract::event::{Change, TaskEvent};
use nudge_domain::task::Status;

use crate::account::erasure;
use crate::agents::service as agents;
use crate::auth::revocation;
use crate::caller::Cause;
use crate::db::Database;
use crate::error::ServiceError;
use crate::events::outbox::{self, BATCH, PublishError};
use crate::events::store as events;
use crate::guard::{idempotency, open_feeds, rate_limit};
use crate::profile;
use crate::recipients::me::VALID;
use crate::recipients::{limits, notices};
use crate::tasks::{record, store, successors};
use crate::{dead_letters, schema};

/// Time after which a completed recurring task without its next occurrence is announced again.
const NO_SUCCESSOR: SignedDuration = SignedDuration::from_secs(60);

/// Time after which it is not announced any more: the event was refused often enough by then, and is on the dead-letter topic.
/// The occurrence after a skipped one is created here, without an event, so that is attempted without end.
const GIVEN_UP: SignedDuration = SignedDuration::from_hours(24);

/// Maximum number of batches per run, so that it ends; the next run continues.
const BATCHES: u32 = 20;

/// Runs everything once, and reports what was published and what is still pending. No connection is held while events are published:
/// connections are counted.
pub(crate) async fn run() -> Result<RelayReport, ServiceError> {
    let now = Timestamp::now();
    let published = publish_pending(now).await?;
    create_missing_occurrences(now).await?;
    // They are published again by a later run, and hold up nothing else.
    let due = notices::due(&Database::open().await?, now).await?;
    if let Err(error) = notices::publish_all(&due).await {
        tracing::warn!("emails about accounts wait: {error}");
    }
    let left = {
        let database = &Database::open().await?;
        idempotency::forget_old(database, now).await?;
        open_feeds::forget_old(database, now).await?;
        rate_limit::forget_old(database, now).await?;
        dead_letters::forget_old(database, now).await?;
        revocation::forget_old(database, now).await?;
        agents::forget_old(database, now).await?;
        profile::forget_pending(database, ago(now, VALID)).await?;
        limits::forget_old(database, now).await?;
        schema::refresh(database).await?;
        events::count_pending(database).await?
    };
    erasure::resume(now).await?;
    Ok(RelayReport { published, left })
}

/// Publishes pending events, oldest first.
async fn publish_pending(now: Timestamp) -> Result<u32, PublishError> {
    let mut published = 0;
    for _ in 0..BATCHES {
        let batch = events::pending(
            &Database::open().await?,
            outbox::pending_before(now),
            BATCH as u32,
        )
        .await?;
        if batch.is_empty() {
            break;
        }
        outbox::publish_and_mark(&batch).await?;
        published += batch.len() as u32;
    }
    Ok(published)
}

/// Creates the next occurrence of series where it is missing, or announces the completed one again so that recurring-task does.
async fn create_missing_occurrences(now: Timestamp) -> Result<(), PublishError> {
    let database = Database::open().await?;
    let waiting = store::without_successor(
        &database,
        ago(now, GIVEN_UP),
        ago(now, NO_SUCCESSOR),
        BATCH as u32,
    )
    .await?;
    let (completed, skipped): (Vec<_>, Vec<_>) = waiting
        .into_iter()
        .partition(|task| task.status == Status::Completed);
    for task in &skipped {
        // A failure does not hold up the others.
        if let Err(error) = successors::follow(&database, task, &Cause::nudge(None)).await {
            tracing::error!(task = %task.id, "the next occurrence is created later: {error}");
        }
    }
    drop(database);
    let events: Vec<_> = completed
        .iter()
        .map(|task| TaskEvent {
            // The completion was announced before, with who made it.
            by: None,
            ..record::event(task, Change::Completed, None, &Cause::nudge(None))
        })
        .collect();
    outbox::announce_completed(&events).await
}

fn ago(now: Timestamp, age: SignedDuration) -> Timestamp {
    now.saturating_sub(age).unwrap_or(Timestamp::MIN)
}
