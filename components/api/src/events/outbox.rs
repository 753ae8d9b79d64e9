//! Publishing stored events: after responding, and by the recurring job (`upkeep.rs`).
//!
//! `task_event` is the outbox. A request that stored a change queues its event and responds; one task of the instance
//! publishes the queue, together with events that other requests have queued in the meantime, in one bulk call, and marks the rows.
//! Outbound calls are expensive on Spin. The queue is lost with the instance; the rows are not, and the recurring job
//! publishes those that are older than [`PENDING_AFTER`]. So an event may be published twice, with the same id.
//!
//! The versions of a task reach the broker in order: earlier versions are published before a later one. An event that is
//! published again comes after its first time.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use nudge_component::dapr::pubsub::{self, CloudEvent};
use nudge_component::publish::{self, describe, event as cloud_event};
use nudge_contract::event::{Change, SCHEMA_VERSION, TaskEvent, TaskUpdate};
use nudge_contract::names::{app, component, topic};
use spin_sdk::wasip3::clocks::monotonic_clock::wait_for;

use crate::db::{Database, DbError};
use crate::events::store::{self, StoredEvent};
use crate::limit::Limit;

/// Age from which an unpublished event is pending: longer than publishing after the response takes.
const PENDING_AFTER: SignedDuration = SignedDuration::from_secs(5);

/// Maximum number of events per bulk call: a few hundred kilobytes, far below Dapr's 4 MiB.
pub(crate) const BATCH: usize = 50;

/// A task's old versions are deleted once in so many versions.
const PRUNED_AT_ONCE: u32 = 50;

/// How long events wait for those of other requests, while there are others: longer than a call of the sidecar, and shorter than
/// a user notices. The first event after a pause does not wait. Decision 0028 has the figures of other times.
const GATHERING: Duration = Duration::from_millis(10);

/// Events of all requests of this instance that are stored and not yet published. Of all users.
static QUEUE: Mutex<Vec<StoredEvent>> = Mutex::new(Vec::new());
static PUBLISHING: AtomicBool = AtomicBool::new(false);

/// Publishes an event after responding.
pub(crate) fn publish_after_response(event: &TaskEvent) {
    if let Ok(mut queue) = QUEUE.lock() {
        queue.push(stored(event));
    }
    if !PUBLISHING.swap(true, Ordering::AcqRel) {
        spin_sdk::wasip3::spawn(drain());
    }
}

fn stored(event: &TaskEvent) -> StoredEvent {
    StoredEvent {
        task_id: event.task.task.id,
        version: event.task.task.version,
        data: serde_json::to_string(event).unwrap_or_default(),
    }
}

async fn drain() {
    let mut batch = next_batch();
    while !batch.is_empty() {
        if let Err(error) = publish_and_mark(&batch).await {
            tracing::warn!(
                events = batch.len(),
                "published later, by the recurring job: {error}"
            );
        }
        // Another request stored an event in the meantime, and is likely not the last one.
        if (1..BATCH).contains(&queued()) {
            wait_for(GATHERING.as_nanos() as u64).await;
        }
        batch = next_batch();
    }
    PUBLISHING.store(false, Ordering::Release);
}

fn queued() -> usize {
    QUEUE.lock().map_or(0, |queue| queue.len())
}

fn next_batch() -> Vec<StoredEvent> {
    let Ok(mut queue) = QUEUE.lock() else {
        return Vec::new();
    };
    let length = queue.len().min(BATCH);
    queue.drain(..length).collect()
}

/// Events that were stored before this are not in a queue any more.
pub(crate) fn pending_before(now: Timestamp) -> Timestamp {
    now.saturating_sub(PENDING_AFTER).unwrap_or(Timestamp::MIN)
}

/// Why events were not published. Events that were published before are marked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PublishError {
    #[error(transparent)]
    Database(#[from] DbError),
    #[error("not published: {0}")]
    Publish(String),
}

/// Publishes stored events, and marks them. Events that fail stay pending.
pub(crate) async fn publish(events: &[TaskEvent]) -> Result<(), PublishError> {
    let batch: Vec<StoredEvent> = events.iter().map(stored).collect();
    for part in batch.chunks(BATCH) {
        publish_and_mark(part).await?;
    }
    Ok(())
}

pub(crate) async fn publish_and_mark(batch: &[StoredEvent]) -> Result<(), PublishError> {
    let first_versions = batch.iter().all(|event| event.version == 1);
    if first_versions {
        return publish_together(batch).await;
    }
    // The connection is released before the events are published: their number is limited, and marking the events takes another.
    let mut rest = store::unpublished_until(&Database::open().await?, batch).await?;
    // One version of a task at a time: a broker may take one event of a bulk call and refuse another.
    while !rest.is_empty() {
        let mut together: Vec<StoredEvent> = Vec::new();
        let mut later = Vec::new();
        for event in rest {
            let waits =
                together.len() == BATCH || together.iter().any(|first| first.task_id == event.task_id);
            if waits { &mut later } else { &mut together }.push(event);
        }
        publish_together(&together).await?;
        rest = later;
    }
    Ok(())
}

/// Publishes at most one version of each task.
async fn publish_together(batch: &[StoredEvent]) -> Result<(), PublishError> {
    let mut events = Vec::with_capacity(batch.len());
    for stored in batch {
        match serde_json::from_str::<TaskEvent>(&stored.data) {
            Ok(event) => events.push(event),
            // It cannot be published. It is marked with the others, so that it does not hold up later ones; the row
            // stays, and this line says where it is.
            Err(error) => {
                tracing::error!(task = %stored.task_id, version = stored.version, "a stored event cannot be read: {error}")
            }
        }
    }
    // The other system creates the next occurrence of tasks that were completed there.
    let recurring = |event: &&TaskEvent| {
        event.change == Change::Completed && event.task.task.recurrence.is_some() && event.origin.is_none()
    };
    publish_all(
        topic::TASK_EVENTS,
        events.iter().map(|event| cloud(event, event)).collect(),
    )
    .await?;
    publish_all(
        topic::TASK_RECURRENCE,
        events
            .iter()
            .filter(recurring)
            .map(|event| cloud(event, event))
            .collect(),
    )
    .await?;
    publish_all(
        topic::TASK_UPDATES,
        events.iter().map(|event| cloud(event, &update(event))).collect(),
    )
    .await?;
    let database = Database::open().await?;
    store::mark_published(&database, batch, Timestamp::now()).await?;
    for event in batch.iter().filter(|event| event.version % PRUNED_AT_ONCE == 0) {
        prune(&database, event).await?;
    }
    Ok(())
}

/// Deletes published versions of a task beyond the newest that are kept. Versions are numbered without gaps.
async fn prune(database: &Database, event: &StoredEvent) -> Result<(), PublishError> {
    let most = Limit::TaskVersions
        .most()
        .await
        .map_err(|error| PublishError::Publish(error.0))?;
    match most.and_then(|most| event.version.checked_sub(most)) {
        Some(version) if version > 0 => Ok(store::delete_until(database, event.task_id, version).await?),
        _ => Ok(()),
    }
}

/// Publishes completed occurrences again for recurring-task, which creates the next ones.
pub(crate) async fn announce_completed(events: &[TaskEvent]) -> Result<(), PublishError> {
    let events = events.iter().map(|event| cloud(event, event)).collect();
    publish_all(topic::TASK_RECURRENCE, events).await
}

async fn publish_all(topic: &str, events: Vec<CloudEvent>) -> Result<(), PublishError> {
    if events.is_empty() {
        return Ok(());
    }
    let topic = publish::topic(topic)
        .await
        .map_err(|error| PublishError::Publish(describe(&error)))?;
    let failed = pubsub::publish_all(component::PUBSUB.to_owned(), topic.clone(), events)
        .await
        .map_err(|error| PublishError::Publish(describe(&error)))?;
    match failed.first() {
        None => Ok(()),
        Some(first) => Err(PublishError::Publish(format!(
            "{} events on {topic}, the first because of: {}",
            failed.len(),
            first.message
        ))),
    }
}

fn cloud<T: nudge_contract::event::Payload>(event: &TaskEvent, data: &T) -> CloudEvent {
    let mut cloud = cloud_event(app::API, event.id(), event.task.task.id.to_string(), data);
    cloud.time = event.task.task.updated_at.to_string();
    cloud
}

fn update(event: &TaskEvent) -> TaskUpdate {
    TaskUpdate {
        schema_version: SCHEMA_VERSION,
        user_id: event.task.user_id.clone(),
        task_id: event.task.task.id,
        version: event.task.task.version,
        change: event.change,
    }
}
