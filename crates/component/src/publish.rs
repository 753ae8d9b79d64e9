//! Publishes payloads as CloudEvents.

use jiff::Timestamp;
use nudge_contract::event::{Payload, RejectedEvent, SCHEMA_VERSION};
use nudge_contract::names::{self, component};

use crate::dapr::pubsub::{self, CloudEvent};
use crate::dapr::types::{Error, Failure};
use crate::settings::variable;

/// Longest part of a rejected event that is kept, in bytes.
const KEPT: usize = 64 * 1024;

/// Puts a payload into a CloudEvent. `key` is its ordering key and its subject: the id of its task.
pub fn event<T: Payload>(source: &str, id: String, key: String, data: &T) -> CloudEvent {
    CloudEvent {
        id,
        source: source.to_owned(),
        type_: data.event_type().to_owned(),
        subject: Some(key.clone()),
        time: Timestamp::now().to_string(),
        // Payloads are structs of strings and numbers, so writing them as JSON cannot fail.
        data: serde_json::to_string(data).unwrap_or_else(|_| "null".to_owned()),
        partition_key: Some(key),
    }
}

/// The name of a topic on this broker: the variable `topic_prefix` followed by `name`. The prefix is empty unless another system
/// on the same broker has topics of the same names (docs/MIGRATION.md).
///
/// # Errors
///
/// `unavailable` if the variable cannot be read.
pub async fn topic(name: &str) -> Result<String, Error> {
    let prefix = variable("topic_prefix").await.map_err(|message| {
        Error::Unavailable(Failure {
            status: None,
            code: None,
            message,
        })
    })?;
    Ok(prefix.unwrap_or_default() + name)
}

/// Publishes one event. `name` is the name of the topic without its prefix.
///
/// # Errors
///
/// Those of the sidecar.
pub async fn publish(name: &str, event: CloudEvent) -> Result<(), Error> {
    pubsub::publish(component::PUBSUB.to_owned(), topic(name).await?, event).await
}

/// Publishes an event that a consumer can never handle to the dead-letter topic, with the reason.
///
/// # Errors
///
/// Those of the sidecar.
pub async fn reject(consumer: &str, reason: &str, body: &[u8]) -> Result<(), Error> {
    let kept = String::from_utf8_lossy(body.get(..KEPT).unwrap_or(body)).into_owned();
    let id = uuid::Uuid::now_v7().to_string();
    let data = RejectedEvent {
        schema_version: SCHEMA_VERSION,
        consumer: consumer.to_owned(),
        reason: reason.to_owned(),
        event: kept,
    };
    publish(names::topic::DEAD_LETTER, event(consumer, id.clone(), id, &data)).await
}

/// An error of the sidecar as text for the log.
pub fn describe(error: &Error) -> String {
    let (kind, failure) = match error {
        Error::Unavailable(failure) => ("unavailable", failure),
        Error::Timeout(failure) => ("timeout", failure),
        Error::AccessDenied(failure) => ("access denied", failure),
        Error::NoSuchComponent(failure) => ("no such component", failure),
        Error::InvalidArgument(failure) => ("invalid argument", failure),
        Error::Conflict(failure) => ("conflict", failure),
        Error::Other(failure) => ("failed", failure),
    };
    match &failure.code {
        Some(code) => format!("{kind}: {code}: {}", failure.message),
        None => format!("{kind}: {}", failure.message),
    }
}
