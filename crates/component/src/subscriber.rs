//! From a delivered CloudEvent to a handler, and from its result to Dapr's words.
//!
//! Dapr understands `SUCCESS`, `RETRY` and `DROP`; a 404 would be dropped without a trace, another status retried. So
//! every delivery is answered 200 with one of the three words, and what can never be handled is first put on the
//! dead-letter topic with the reason, which Dapr's own copy would not carry.

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

/// What a subscriber answers: <https://docs.dapr.io/reference/api/pubsub_api/#expected-http-response>.
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

/// Consumes one delivery: reads the event, hands its payload to `handle`, answers Dapr.
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

/// A message of a raw subscription (`rawPayload`), as Dapr wraps it: the bytes in `data_base64`.
#[derive(Deserialize)]
struct Wrapped {
    data_base64: String,
}

/// The same for a message without an envelope: hands its bytes to `handle`.
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

/// Answers for a consumer that keeps whatever comes: there is nothing that it could not handle, but it may have to wait.
pub fn kept(kept: Result<(), String>) -> Response {
    answer(match kept {
        Ok(()) => Status::Success,
        Err(reason) => again(None, &reason),
    })
}

/// Has it delivered again.
fn again(event: Option<&str>, reason: &str) -> Status {
    tracing::warn!(event, "to be delivered again: {reason}");
    Status::Retry
}

/// Puts it aside. Without a broker to put it on, Dapr's own dead-lettering has to do.
async fn refuse(consumer: &str, reason: &str, body: &[u8]) -> Status {
    tracing::error!("rejected for good: {reason}");
    match reject(consumer, reason, body).await {
        Ok(()) => Status::Success,
        Err(error) => {
            tracing::error!("the rejected event could not be put aside: {}", describe(&error));
            Status::Drop
        }
    }
}

fn answer(status: Status) -> Response {
    Json(Answer { status }).into_response()
}

/// Retry, for a failure of the sidecar or of what is behind it.
pub fn retry(error: crate::dapr::types::Error) -> Disposition {
    Disposition::Retry(describe(&error))
}
