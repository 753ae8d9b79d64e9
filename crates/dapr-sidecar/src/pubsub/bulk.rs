//! `POST|PUT /v1.0-alpha1/publish/bulk/{pubsub}/{topic}`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::broker::Topic;
use super::publish;
use crate::app::chain;
use crate::body;
use crate::problem::Problem;
use crate::sidecar::Sidecar;
use crate::trace::Trace;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(default)]
    entry_id: String,
    event: Value,
    #[serde(default)]
    content_type: String,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

/// The response if some entries were not published. The others were.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Failures {
    failed_entries: Vec<Failure>,
    error_code: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    entry_id: String,
    error: String,
}

/// Publishes several messages with one commit. 204 if all are durable, 500 naming those that are not.
pub(crate) async fn publish(
    State(sidecar): State<Arc<Sidecar>>,
    Path((pubsub, topic)): Path<(String, String)>,
    Query(query): Query<BTreeMap<String, String>>,
    Extension(trace): Extension<Trace>,
    body: Body,
) -> Result<Response, Problem> {
    let topics = publish::component(&sidecar, &pubsub)?;
    let refuse = |why: &str| not_readable(&sidecar, &pubsub, &topic, why);
    let body = body::read(body).await.map_err(refuse)?;
    let entries: Vec<Entry> = serde_json::from_slice(&body).map_err(|error| refuse(&error.to_string()))?;
    let mut ids = BTreeSet::new();
    if !entries
        .iter()
        .all(|entry| !entry.entry_id.is_empty() && ids.insert(&entry.entry_id))
    {
        return Err(refuse("entryId is duplicated or not present for entry"));
    }
    let common = publish::metadata(query);
    let (mut failed_entries, mut messages, mut published) = (Vec::new(), Vec::new(), Vec::new());
    for entry in entries {
        let bytes = bytes(&entry).map_err(refuse)?;
        let mut metadata = common.clone();
        metadata.extend(entry.metadata);
        let made = publish::message(
            &sidecar,
            &pubsub,
            &topic,
            &entry.content_type,
            &bytes,
            metadata,
            &trace,
        )?;
        match publish::too_large(&made) {
            Some(error) => failed_entries.push(Failure {
                entry_id: entry.entry_id,
                error,
            }),
            None => {
                messages.push(made);
                published.push(entry.entry_id);
            }
        }
    }
    publish::allow(&sidecar, topics, &pubsub, &topic)?;
    let destination = Topic { pubsub, name: topic };
    if let Err(error) = sidecar.shared.broker.append(&destination, messages).await {
        let error = chain(&error);
        failed_entries.extend(published.into_iter().map(|entry_id| Failure {
            entry_id,
            error: error.clone(),
        }));
    }
    if failed_entries.is_empty() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let failures = Failures {
        failed_entries,
        error_code: "ERR_PUBSUB_PUBLISH_MESSAGE",
    };
    Ok((StatusCode::INTERNAL_SERVER_ERROR, Json(failures)).into_response())
}

/// The event as bytes of its content type: JSON as JSON, bytes from base64, everything else from a string.
fn bytes(entry: &Entry) -> Result<Vec<u8>, &'static str> {
    let kind = entry.content_type.to_ascii_lowercase();
    match &entry.event {
        event if kind.starts_with("application/json") || kind.contains("+json") => {
            Ok(event.to_string().into_bytes())
        }
        Value::String(text) if kind.starts_with("application/octet-stream") => STANDARD
            .decode(text)
            .map_err(|_| "error: mismatch between contentType and event"),
        Value::String(text) => Ok(text.clone().into_bytes()),
        _ => Err("error: mismatch between contentType and event"),
    }
}

fn not_readable(sidecar: &Sidecar, pubsub: &str, topic: &str, why: &str) -> Problem {
    let message = format!("error marshaling events to bytes for topic {topic} pubsub {pubsub}. error: {why}");
    Problem::new(StatusCode::BAD_REQUEST, "ERR_PUBSUB_EVENTS_SER", &message)
        .resource("pubsub", pubsub, &message)
        .info(
            "DAPR_PUBSUB_MARSHAL_EVENTS",
            json!({"appID": sidecar.app.app_id, "error": why}),
        )
}
