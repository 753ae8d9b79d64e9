//! Publishing what is stored: behind the answer, and by the relay.
//!
//! `task_event` is the outbox. A request that stored a change queues its event and answers; one task of the instance
//! publishes the queue, with whatever other requests have queued meanwhile in the same bulk call, and marks the rows. An
//! outbound call is the dear part on Spin. The queue is lost with the instance; the rows are not, and the relay, run by a
//! standing job, publishes those that are older than [`LEFT_OVER`]. So an event may be published twice, with one id.
//!
//! The versions of a task appear on the broker in their order: before a version goes out, those before it have, or go first.
//! What is published again comes behind its first time.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use nudge_component::dapr::pubsub::{self, CloudEvent};
use nudge_component::publish::{self, describe, event as cloud_event};
use nudge_contract::api::RelayReport;
use nudge_contract::event::{Change, SCHEMA_VERSION, TaskEvent, TaskUpdate};
use nudge_contract::names::{app, component, topic};
use nudge_domain::task::Status;
use spin_sdk::wasip3::clocks::monotonic_clock::wait_for;

use crate::db::{Database, DbError};
use crate::store::{self, StoredEvent};
use crate::{dead_letters, idempotency, labels, search, service};

/// Age from which an unpublished event counts as left over: longer than publishing behind the answer takes.
const LEFT_OVER: SignedDuration = SignedDuration::from_secs(5);

/// Time after which a completed recurring task without its next occurrence is announced again.
const NO_SUCCESSOR: SignedDuration = SignedDuration::from_secs(60);

/// Time after which that is given up: the event was handled and refused often enough by then, and is on the dead-letter topic.
/// What comes after a skipped occurrence is created here, by no event, and never given up.
const GIVEN_UP: SignedDuration = SignedDuration::from_hours(24);

/// Most events of one bulk call: a few hundred kilobytes, far below Dapr's 4 MiB.
const BATCH: usize = 50;

/// How long events wait for those of other requests, while there are others: longer than a call of the sidecar, and shorter than
/// anybody notices. The first event after a pause does not wait.
const GATHERING: Duration = Duration::from_millis(10);

/// Most batches of one run of the relay, so that it ends; the next run goes on.
const BATCHES: u32 = 20;

/// Events of all requests of this instance that are stored and not yet published. Whose they are does not matter here.
static QUEUE: Mutex<Vec<StoredEvent>> = Mutex::new(Vec::new());
static PUBLISHING: AtomicBool = AtomicBool::new(false);

/// Publishes an event after the answer has gone out.
pub(crate) fn publish_behind(event: &TaskEvent) {
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
            tracing::warn!(events = batch.len(), "published later, by the relay: {error}");
        }
        // Somebody stored something meanwhile, and is likely not the last one.
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

/// Publishes what is left over, oldest first.
pub(crate) async fn relay() -> Result<RelayReport, RelayError> {
    let database = Database::open().await?;
    let now = Timestamp::now();
    let before = |age| ago(now, age);
    let mut published = 0;
    for _ in 0..BATCHES {
        let batch = store::left_over(&database, before(LEFT_OVER), BATCH as u32).await?;
        if batch.is_empty() {
            break;
        }
        publish_and_mark(&batch).await?;
        published += batch.len() as u32;
    }
    let waiting =
        store::without_successor(&database, before(GIVEN_UP), before(NO_SUCCESSOR), BATCH as u32).await?;
    let (completed, skipped): (Vec<_>, Vec<_>) = waiting
        .into_iter()
        .partition(|task| task.status == Status::Completed);
    for task in &skipped {
        // One that cannot be read or stored does not hold up the others.
        if let Err(error) = service::follow(&database, task, None).await {
            tracing::error!(task = %task.id, "the next occurrence is created later: {error}");
        }
    }
    let events: Vec<_> = completed
        .iter()
        .map(|task| task.event(Change::Completed, None, None))
        .collect();
    publish_all(
        topic::TASK_RECURRENCE,
        events.iter().map(|event| cloud(event, event)).collect(),
    )
    .await?;
    idempotency::forget_old(&database, now).await?;
    dead_letters::forget_old(&database, now).await?;
    labels::fill_keys(&database, labels::STATEMENTS_OF_A_RUN).await?;
    search::refresh(&database, search::BATCHES_OF_A_RUN).await?;
    Ok(RelayReport {
        published,
        left: store::count_left_over(&database).await?,
    })
}

/// What is older than this at a time is nobody's work in progress.
pub(crate) fn left_over_before(now: Timestamp) -> Timestamp {
    ago(now, LEFT_OVER)
}

fn ago(now: Timestamp, age: SignedDuration) -> Timestamp {
    now.saturating_sub(age).unwrap_or(Timestamp::MIN)
}

/// Why the relay stopped. What it did before is done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RelayError {
    #[error(transparent)]
    Database(#[from] DbError),
    #[error("not published: {0}")]
    Publish(String),
}

/// Publishes events that their callers stored, and marks them. What fails is left over, for the relay.
pub(crate) async fn publish(events: &[TaskEvent]) -> Result<(), RelayError> {
    let batch: Vec<StoredEvent> = events.iter().map(stored).collect();
    for part in batch.chunks(BATCH) {
        publish_and_mark(part).await?;
    }
    Ok(())
}

async fn publish_and_mark(batch: &[StoredEvent]) -> Result<(), RelayError> {
    let first_versions = batch.iter().all(|event| event.version == 1);
    if first_versions {
        return publish_together(batch).await;
    }
    let database = Database::open().await?;
    let mut rest = store::unpublished_until(&database, batch).await?;
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
async fn publish_together(batch: &[StoredEvent]) -> Result<(), RelayError> {
    let mut events = Vec::with_capacity(batch.len());
    for stored in batch {
        match serde_json::from_str::<TaskEvent>(&stored.data) {
            Ok(event) => events.push(event),
            // Nobody can publish it. It is marked with the others, so that it does not hold up those behind it; the row
            // stays, and this line says where it is.
            Err(error) => {
                tracing::error!(task = %stored.task_id, version = stored.version, "a stored event cannot be read: {error}")
            }
        }
    }
    // What was completed in another system is followed there.
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
    store::mark_published(&Database::open().await?, batch, Timestamp::now()).await?;
    Ok(())
}

async fn publish_all(topic: &str, events: Vec<CloudEvent>) -> Result<(), RelayError> {
    if events.is_empty() {
        return Ok(());
    }
    let topic = publish::topic(topic)
        .await
        .map_err(|error| RelayError::Publish(describe(&error)))?;
    let failed = pubsub::publish_all(component::PUBSUB.to_owned(), topic.clone(), events)
        .await
        .map_err(|error| RelayError::Publish(describe(&error)))?;
    match failed.first() {
        None => Ok(()),
        Some(first) => Err(RelayError::Publish(format!(
            "{} events on {topic}, the first because of: {}",
            failed.len(),
            first.message
        ))),
    }
}

fn cloud<T: nudge_contract::event::Payload>(event: &TaskEvent, data: &T) -> CloudEvent {
    let mut cloud = cloud_event(app::API, event.id(), event.task.task.id.to_string(), data);
    cloud.time.clone_from(&event.task.task.updated_at);
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
