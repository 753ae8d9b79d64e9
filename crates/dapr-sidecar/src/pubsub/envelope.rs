//! CloudEvents 1.0 as Dapr writes them: every field in alphabetical order, also of events that the caller made.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::go_json::sorted;
use crate::problem::Problem;
use crate::trace::Trace;

/// The content type of a complete event.
pub(crate) const CLOUD_EVENT: &str = "application/cloudevents+json";
const DEFAULT_TYPE: &str = "com.dapr.event.sent";

/// The parts of an envelope.
pub(crate) struct Publication<'p> {
    pub(crate) app_id: &'p str,
    pub(crate) pubsub: &'p str,
    pub(crate) topic: &'p str,
    pub(crate) content_type: &'p str,
    pub(crate) body: &'p [u8],
    pub(crate) metadata: &'p BTreeMap<String, String>,
    pub(crate) trace: &'p Trace,
    pub(crate) now: Timestamp,
}

/// The event to store: `body` wrapped, or completed if it is an event already.
pub(crate) fn wrap(publication: &Publication<'_>) -> Result<Vec<u8>, Problem> {
    let mut event = match media_type(publication.content_type).as_str() {
        CLOUD_EVENT => complete(publication)?,
        kind => fresh(publication, kind),
    };
    let time = seconds(publication.now);
    if !event.contains_key("time") {
        event.insert("time".to_owned(), json!(time));
    }
    for (name, value) in [
        ("pubsubname", publication.pubsub),
        ("topic", publication.topic),
        ("traceid", &publication.trace.parent),
        ("traceparent", &publication.trace.parent),
        ("tracestate", &publication.trace.state),
    ] {
        event.insert(name.to_owned(), json!(value));
    }
    if let Some(ttl) = ttl(publication)? {
        let expiration = publication
            .now
            .saturating_add(jiff::SignedDuration::try_from(ttl).unwrap_or(jiff::SignedDuration::MAX));
        let expiration = expiration.unwrap_or(Timestamp::MAX);
        event.insert("expiration".to_owned(), json!(seconds(expiration)));
    }
    Ok(sorted(&Value::Object(event)).to_string().into_bytes())
}

/// A new event around a body that is not one.
fn fresh(publication: &Publication<'_>, kind: &str) -> Map<String, Value> {
    let text = || json!(String::from_utf8_lossy(publication.body));
    let (field, data) = if kind == "application/json" || kind.ends_with("+json") {
        // Invalid JSON is accepted as a string, as recorded.
        (
            "data",
            serde_json::from_slice(publication.body).unwrap_or_else(|_| text()),
        )
    } else if kind == "application/octet-stream" {
        ("data_base64", json!(STANDARD.encode(publication.body)))
    } else {
        ("data", text())
    };
    let given = |name: &str| publication.metadata.get(&format!("cloudevent.{name}")).cloned();
    // Dapr lets a request set these three and no others: `subject` is ignored.
    let fields = [
        (field, data),
        (
            "datacontenttype",
            json!(if kind.is_empty() {
                "text/plain"
            } else {
                publication.content_type
            }),
        ),
        (
            "id",
            json!(given("id").unwrap_or_else(|| Uuid::new_v4().to_string())),
        ),
        (
            "source",
            json!(given("source").unwrap_or_else(|| publication.app_id.to_owned())),
        ),
        ("specversion", json!("1.0")),
        (
            "type",
            json!(given("type").unwrap_or_else(|| DEFAULT_TYPE.to_owned())),
        ),
    ];
    fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// An event as the caller made it. One without `id` stays without, as recorded.
fn complete(publication: &Publication<'_>) -> Result<Map<String, Value>, Problem> {
    let mut event: Map<String, Value> = serde_json::from_slice(publication.body).map_err(|error| {
        let reason = format!("cannot create cloudevent: {error}");
        Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "ERR_PUBSUB_CLOUD_EVENTS_SER",
            &reason,
        )
        .resource("pubsub", publication.pubsub, &reason)
        .info(
            "DAPR_PUBSUB_CLOUD_EVENT_CREATION",
            json!({"appID": publication.app_id, "error": error.to_string()}),
        )
    })?;
    for (name, value) in [("source", "Dapr"), ("type", DEFAULT_TYPE), ("specversion", "1.0")] {
        event.entry(name).or_insert_with(|| json!(value));
    }
    Ok(event)
}

/// The event of a raw subscription: the message as bytes, without trace context.
pub(crate) fn wrap_raw(pubsub: &str, topic: &str, body: &[u8]) -> Map<String, Value> {
    let fields = [
        ("data_base64", json!(STANDARD.encode(body))),
        ("datacontenttype", json!("application/octet-stream")),
        ("id", json!(Uuid::new_v4().to_string())),
        ("pubsubname", json!(pubsub)),
        ("source", json!("Dapr")),
        ("specversion", json!("1.0")),
        ("topic", json!(topic)),
        ("type", json!(DEFAULT_TYPE)),
    ];
    fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// Whether an event's `expiration` has passed.
pub(crate) fn expired(event: &Map<String, Value>, now: Timestamp) -> bool {
    let expiration = event
        .get("expiration")
        .and_then(Value::as_str)
        .and_then(|text| text.parse::<Timestamp>().ok());
    expiration.is_some_and(|expiration| expiration < now)
}

fn ttl(publication: &Publication<'_>) -> Result<Option<Duration>, Problem> {
    let Some(text) = publication.metadata.get("ttlInSeconds") else {
        return Ok(None);
    };
    match text.parse::<u64>() {
        Ok(seconds) if seconds > 0 => Ok(Some(Duration::from_secs(seconds))),
        _ => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "ERR_PUBSUB_REQUEST_METADATA",
            format!("ttlInSeconds value must be higher than zero: actual is {text}"),
        )),
    }
}

/// A content type without its parameters, in lower case.
fn media_type(content_type: &str) -> String {
    content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}

fn seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-696e5925c7e297ab4ae6c9a11b28d9e0-387d365c691702be-01";

    fn wrapped(content_type: &str, body: &[u8], metadata: &[(&str, &str)]) -> String {
        let trace = Trace {
            parent: PARENT.to_owned(),
            state: String::new(),
        };
        let metadata = metadata
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let publication = Publication {
            app_id: "orders",
            pubsub: "pubsub",
            topic: "orders",
            content_type,
            body,
            metadata: &metadata,
            trace: &trace,
            now: "2026-11-21T20:57:11.9Z".parse().expect("a literal instant"),
        };
        String::from_utf8(wrap(&publication).expect("an event")).expect("text")
    }

    #[test]
    fn wraps_json_exactly_as_recorded() {
        let event = wrapped(
            "application/json",
            br#"{"orderId": "o-1", "n": 1}"#,
            &[("cloudevent.id", "evt-1")],
        );
        assert_eq!(
            event,
            format!(
                r#"{{"data":{{"n":1,"orderId":"o-1"}},"datacontenttype":"application/json","id":"evt-1","pubsubname":"pubsub","source":"orders","specversion":"1.0","time":"2026-11-21T20:57:11Z","topic":"orders","traceid":"{PARENT}","traceparent":"{PARENT}","tracestate":"","type":"com.dapr.event.sent"}}"#
            )
        );
    }

    #[test]
    fn keeps_the_subject_of_a_ready_event_and_ignores_one_in_the_metadata() {
        let ready = br#"{"specversion":"1.0","id":"ce-7","type":"t","source":"/s","subject":"s","myext":"x","time":"2026-01-01T00:00:00Z","data":1}"#;
        let event = wrapped(CLOUD_EVENT, ready, &[]);
        assert!(
            event.contains(r#""subject":"s""#) && event.contains(r#""myext":"x""#),
            "{event}"
        );
        assert!(event.contains(r#""time":"2026-01-01T00:00:00Z""#), "{event}");
        let event = wrapped("application/json", b"1", &[("cloudevent.subject", "s")]);
        assert!(!event.contains("subject"), "{event}");
    }

    #[test]
    fn completes_an_event_without_giving_it_an_id() {
        let event = wrapped(CLOUD_EVENT, br#"{"specversion":"1.0","data":{"a":1}}"#, &[]);
        assert!(
            event.contains(r#""source":"Dapr""#) && !event.contains(r#""id""#),
            "{event}"
        );
    }

    #[test]
    fn treats_text_bytes_and_invalid_json_as_recorded() {
        assert!(
            wrapped("text/plain", b"hello", &[]).contains(r#""data":"hello","datacontenttype":"text/plain""#)
        );
        assert!(wrapped("application/octet-stream", &[0, 1, 255], &[]).contains(r#""data_base64":"AAH/""#));
        assert!(wrapped("application/json", b"{oops", &[]).contains(r#""data":"{oops""#));
    }

    #[test]
    fn an_event_expires_after_its_seconds() {
        let event = wrapped("text/plain", b"x", &[("ttlInSeconds", "60")]);
        assert!(
            event.contains(r#""expiration":"2026-11-21T20:58:11Z""#),
            "{event}"
        );
        let event = serde_json::from_str(&event).expect("an object");
        let at = |text: &str| text.parse().expect("a literal instant");
        assert!(!expired(&event, at("2026-11-21T20:58:11Z")));
        assert!(expired(&event, at("2026-11-21T20:58:12Z")));
    }
}
