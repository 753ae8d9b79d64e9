//! Passes delivered CloudEvents to handlers, and their results back to Dapr.
//!
//! Dapr delivers an event alone, or, with a bulk subscription, events in batches. It understands `SUCCESS`, `RETRY` and `DROP`;
//! after a 404 it drops the event silently, after another status it retries. So every delivery is answered with 200 and
//! one of these per event, and an event that can never be handled is first published to the dead-letter topic with the reason,
//! which Dapr's own dead-lettering would not include.

use std::borrow::Cow;

use axum::Json;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use bytes::Bytes;
use http::StatusCode;
use nudge_contract::event::{CloudEvent, Payload};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::batch;
use crate::events::Disposition;
use crate::problem::Problem;
use crate::publish::{describe, reject};
use crate::serve::{MAX_BATCH, read_body, read_body_up_to};

/// The response of a subscriber: <https://docs.dapr.io/reference/api/pubsub_api/#expected-http-response>.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
enum Status {
    Success,
    Retry,
    Drop,
}

#[derive(Serialize)]
struct Answer {
    status: Status,
}

/// A delivery of a bulk subscription: <https://docs.dapr.io/developing-applications/building-blocks/pubsub/pubsub-bulk/>.
#[derive(Deserialize)]
struct Batch<'a> {
    #[serde(borrow)]
    entries: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    #[serde(borrow)]
    entry_id: Cow<'a, str>,
    /// The event as it would be delivered alone; Base64 text if the subscription is raw.
    #[serde(borrow)]
    event: &'a RawValue,
}

/// The response to a batch.
#[derive(Serialize)]
struct BatchAnswer<'a> {
    statuses: Vec<EntryAnswer<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EntryAnswer<'a> {
    entry_id: &'a str,
    status: Status,
}

/// Handles a delivery of one event or of a batch: reads the events, calls `handle` once with the payloads of those that can be
/// read, and answers Dapr. `handle` returns a result per payload, in their order. One that it leaves out is delivered again.
pub async fn consume_all<T, F>(
    consumer: &'static str,
    body: Body,
    handle: impl FnOnce(Vec<T>) -> F,
) -> Response
where
    T: Payload,
    F: Future<Output = Vec<Result<(), Disposition>>>,
{
    let bytes = match read_body_up_to(body, MAX_BATCH).await {
        Ok(bytes) => bytes,
        Err(problem) => return unread(consumer, problem).await,
    };
    match serde_json::from_slice::<Batch<'_>>(&bytes) {
        Ok(batch) => {
            let events: Vec<&[u8]> = batch
                .entries
                .iter()
                .map(|entry| entry.event.get().as_bytes())
                .collect();
            let statuses = handle_all(consumer, &events, handle).await;
            let statuses = batch
                .entries
                .iter()
                .zip(statuses)
                .map(|(entry, status)| EntryAnswer {
                    entry_id: &entry.entry_id,
                    // daprd crashes, or dead-letters another event, if an entry is dropped from a batch that has a dead-letter
                    // topic (docs/dapr-bulk-subscribe.md).
                    status: if status == Status::Drop {
                        Status::Retry
                    } else {
                        status
                    },
                });
            let statuses = statuses.collect();
            Json(BatchAnswer { statuses }).into_response()
        }
        // One event alone; what is neither is refused as such.
        Err(_) => one(handle_all(consumer, &[&bytes], handle).await),
    }
}

/// Handles events together. Returns their statuses, in order.
async fn handle_all<T, F>(
    consumer: &'static str,
    events: &[&[u8]],
    handle: impl FnOnce(Vec<T>) -> F,
) -> Vec<Status>
where
    T: Payload,
    F: Future<Output = Vec<Result<(), Disposition>>>,
{
    let mut ids = Vec::new();
    let read = events.iter().map(|event| match CloudEvent::parse::<T>(event) {
        Ok(event) => {
            ids.push(Some(event.id));
            Ok(event.data)
        }
        Err(error) => {
            ids.push(None);
            Err(Disposition::Drop(error.to_string()))
        }
    });
    let read = read.collect();
    let results = batch::handle(read, handle).await;
    let mut statuses = Vec::new();
    for ((result, event), id) in results.into_iter().zip(events).zip(&ids) {
        statuses.push(match result {
            Err(Disposition::Drop(reason)) => refuse(consumer, &reason, event).await,
            Err(Disposition::Retry(reason)) => again(id.as_deref(), &reason),
            Ok(()) => Status::Success,
        });
    }
    statuses
}

/// Handles one delivery of a subscription that is not a bulk subscription.
pub async fn consume<T, F>(consumer: &'static str, body: Body, handle: impl FnOnce(T) -> F) -> Response
where
    T: Payload,
    F: Future<Output = Result<(), Disposition>>,
{
    let bytes = match read_body(body).await {
        Ok(bytes) => bytes,
        Err(problem) => return unread(consumer, problem).await,
    };
    let handle = async |events: Vec<T>| match events.into_iter().next() {
        Some(event) => vec![handle(event).await],
        None => Vec::new(),
    };
    one(handle_all(consumer, &[&bytes], handle).await)
}

/// The answer to an event alone.
fn one(statuses: Vec<Status>) -> Response {
    answer(statuses.first().copied().unwrap_or(Status::Retry))
}

/// A message of a raw subscription (`rawPayload`) as Dapr wraps it: its bytes are in `data_base64`.
#[derive(Deserialize)]
struct Wrapped {
    data_base64: String,
}

/// Handles one delivery of a message without an envelope: calls `handle` with its bytes.
pub async fn consume_raw<F>(consumer: &'static str, body: Body, handle: impl FnOnce(Bytes) -> F) -> Response
where
    F: Future<Output = Result<(), Disposition>>,
{
    let bytes = match read_body(body).await {
        Ok(bytes) => bytes,
        Err(problem) => return unread(consumer, problem).await,
    };
    let wrapped = serde_json::from_slice::<Wrapped>(&bytes).map_err(|error| error.to_string());
    let raw = wrapped.and_then(|wrapped| {
        base64::engine::general_purpose::STANDARD
            .decode(wrapped.data_base64)
            .map_err(|error| error.to_string())
    });
    let raw = match raw {
        Ok(raw) => Bytes::from(raw),
        Err(error) => {
            let reason = format!("it is not a message of a raw subscription: {error}");
            return answer(refuse(consumer, &reason, &bytes).await);
        }
    };
    match handle(raw.clone()).await {
        Err(Disposition::Drop(reason)) => answer(refuse(consumer, &reason, &raw).await),
        Err(Disposition::Retry(reason)) => answer(again(None, &reason)),
        Ok(()) => answer(Status::Success),
    }
}

/// The response of a consumer that stores every message: it never rejects one, but may have to retry.
pub fn kept(kept: Result<(), String>) -> Response {
    answer(match kept {
        Ok(()) => Status::Success,
        Err(reason) => again(None, &reason),
    })
}

/// The answer to a delivery whose body cannot be read. If it did not arrive completely, Dapr delivers it again: it treats such a status
/// as a failure for now.
async fn unread(consumer: &str, problem: Problem) -> Response {
    match problem.status() {
        StatusCode::BAD_REQUEST | StatusCode::REQUEST_TIMEOUT => problem.into_response(),
        _ => answer(refuse(consumer, problem.detail(), b"").await),
    }
}

/// Requests redelivery.
fn again(event: Option<&str>, reason: &str) -> Status {
    tracing::warn!(event, "to be delivered again: {reason}");
    Status::Retry
}

/// Dead-letters the event. If it cannot be published, Dapr's own dead-lettering takes its place.
async fn refuse(consumer: &str, reason: &str, body: &[u8]) -> Status {
    tracing::error!("rejected for good: {reason}");
    match reject(consumer, reason, body).await {
        Ok(()) => Status::Success,
        Err(error) => {
            tracing::error!(
                "the rejected event could not be dead-lettered: {}",
                describe(&error)
            );
            Status::Drop
        }
    }
}

fn answer(status: Status) -> Response {
    Json(Answer { status }).into_response()
}

/// Retries after a failure of the sidecar or of a component behind it.
pub fn retry(error: crate::dapr::types::Error) -> Disposition {
    Disposition::Retry(describe(&error))
}
