//! Passes delivered CloudEvents to handlers, and their results back to Dapr.
//!
//! Dapr understands `SUCCESS`, `RETRY` and `DROP`; after a 404 it drops the event silently, after another status it
//! retries. So every delivery is answered with 200 and one of the three, and an event that can never be handled is first
//! published to the dead-letter topic with the reason, which Dapr's own dead-lettering would not include.

use axum::Json;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use bytes::Bytes;
use nudge_contract::event::{CloudEvent, Payload};
use serde::{Deserialize, Serialize};

use crate::events::Disposition;
use crate::publish::{describe, reject};
use crate::serve::read_body;

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

/// Handles one delivery: reads the event, calls `handle` with its payload, and answers Dapr.
pub async fn consume<T, F>(consumer: &'static str, body: Body, handle: impl FnOnce(T) -> F) -> Response
where
    T: Payload,
    F: Future<Output = Result<(), Disposition>>,
{
    let bytes = match read_body(body).await {
        Ok(bytes) => bytes,
        Err(problem) => return answer(refuse(consumer, problem.detail(), b"").await),
    };
    let event = match CloudEvent::parse::<T>(&bytes) {
        Ok(event) => event,
        Err(error) => return answer(refuse(consumer, &error.to_string(), &bytes).await),
    };
    match handle(event.data).await {
        Err(Disposition::Drop(reason)) => answer(refuse(consumer, &reason, &bytes).await),
        Err(Disposition::Retry(reason)) => answer(again(Some(&event.id), &reason)),
        Ok(()) => answer(Status::Success),
    }
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
        Err(problem) => return answer(refuse(consumer, problem.detail(), b"").await),
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
