//! Publish and subscribe: <https://docs.dapr.io/reference/api/pubsub_api/>.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::Bridge;
use crate::bindings::Error;
use crate::bindings::exports::nudge::dapr::pubsub::{CloudEvent, FailedEvent, Guest, RawMessage};
use crate::error;
use crate::sidecar::{Call, segment};

const CONTENT_TYPE: &str = "application/cloudevents+json";

/// CloudEvents 1.0, JSON format, section 3.
#[derive(Serialize)]
struct Envelope<'a> {
    specversion: &'static str,
    id: &'a str,
    source: &'a str,
    r#type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    time: &'a str,
    datacontenttype: &'static str,
    data: &'a RawValue,
}

impl<'a> Envelope<'a> {
    fn new(event: &'a CloudEvent) -> Result<Self, Error> {
        Ok(Self {
            specversion: "1.0",
            id: &event.id,
            source: &event.source,
            r#type: &event.type_,
            subject: event.subject.as_deref(),
            time: &event.time,
            datacontenttype: "application/json",
            data: serde_json::from_str(&event.data).map_err(|reason| {
                error::invalid(format!("data of event {} is not JSON: {reason}", event.id))
            })?,
        })
    }
}

#[derive(Serialize)]
struct BulkEntry<'a> {
    #[serde(rename = "entryId")]
    entry_id: String,
    event: Envelope<'a>,
    #[serde(rename = "contentType")]
    content_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<BulkMetadata<'a>>,
}

#[derive(Serialize)]
struct BulkMetadata<'a> {
    #[serde(rename = "partitionKey")]
    partition_key: &'a str,
}

#[derive(Deserialize)]
struct BulkFailure {
    #[serde(rename = "failedEntries")]
    failed_entries: Vec<FailedEntry>,
}

#[derive(Deserialize)]
struct FailedEntry {
    #[serde(rename = "entryId")]
    entry_id: String,
    #[serde(default)]
    error: String,
}

impl Guest for Bridge {
    async fn publish(pubsub: String, topic: String, event: CloudEvent) -> Result<(), Error> {
        let mut path = format!("/v1.0/publish/{}/{}", segment(&pubsub), segment(&topic));
        if let Some(key) = &event.partition_key {
            path.push_str("?metadata.partitionKey=");
            path.push_str(&query_value(key));
        }
        let body = to_json(&Envelope::new(&event)?)?;
        Call::post(path)
            .body(CONTENT_TYPE, body)
            .send()
            .await?
            .success()?;
        Ok(())
    }

    async fn publish_raw(pubsub: String, topic: String, message: RawMessage) -> Result<(), Error> {
        // Dapr reads the metadata of a publish call only from the query.
        let mut path = format!(
            "/v1.0/publish/{}/{}?metadata.rawPayload=true",
            segment(&pubsub),
            segment(&topic)
        );
        let key = message.partition_key.map(|key| ("partitionKey".to_owned(), key));
        for (name, value) in key.into_iter().chain(message.headers) {
            path.push_str(&format!(
                "&metadata.{}={}",
                query_value(&name),
                query_value(&value)
            ));
        }
        serde_json::from_str::<&RawValue>(&message.data)
            .map_err(|reason| error::invalid(format!("the message is not JSON: {reason}")))?;
        Call::post(path).json(message.data).send().await?.success()?;
        Ok(())
    }

    async fn publish_all(
        pubsub: String,
        topic: String,
        events: Vec<CloudEvent>,
    ) -> Result<Vec<FailedEvent>, Error> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let entries = events
            .iter()
            .enumerate()
            .map(|(index, event)| {
                Ok(BulkEntry {
                    entry_id: index.to_string(),
                    event: Envelope::new(event)?,
                    content_type: CONTENT_TYPE,
                    metadata: event
                        .partition_key
                        .as_deref()
                        .map(|partition_key| BulkMetadata { partition_key }),
                })
            })
            .collect::<Result<Vec<_>, Error>>()?;
        let path = format!(
            "/v1.0-alpha1/publish/bulk/{}/{}",
            segment(&pubsub),
            segment(&topic)
        );
        let answer = Call::post(path).json(to_json(&entries)?).send().await?;
        // If only some were published, Dapr answers 500, and the body names the others.
        match serde_json::from_slice::<BulkFailure>(&answer.body) {
            Ok(failure) if answer.status == 500 && !failure.failed_entries.is_empty() => {
                failure.failed_entries.into_iter().map(failed_event).collect()
            }
            _ => answer.success().map(|_| Vec::new()),
        }
    }
}

fn failed_event(entry: FailedEntry) -> Result<FailedEvent, Error> {
    let index = entry
        .entry_id
        .parse()
        .map_err(|reason| error::unexpected("entryId", reason))?;
    Ok(FailedEvent {
        index,
        message: entry.error,
    })
}

fn query_value(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn to_json(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value)
        .map_err(|reason| error::invalid(format!("the event cannot be written as JSON: {reason}")))
}
