//! `POST|PUT /v1.0/publish/{pubsub}/{topic}`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use serde_json::json;

use super::broker::{LARGEST_MESSAGE, Message, Topic};
use super::envelope::{self, Publication};
use crate::app::chain;
use crate::body;
use crate::problem::Problem;
use crate::resources::{Block, Topics};
use crate::sidecar::Sidecar;
use crate::trace::Trace;

/// Publishes one message. 204 once it is durable.
pub(crate) async fn publish(
    State(sidecar): State<Arc<Sidecar>>,
    Path((pubsub, topic)): Path<(String, String)>,
    Query(query): Query<BTreeMap<String, String>>,
    Extension(trace): Extension<Trace>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let topics = component(&sidecar, &pubsub)?;
    let failed = |why: &str| not_published(&sidecar, &pubsub, &topic, why);
    let body = body::read(body).await.map_err(failed)?;
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let metadata = metadata(query);
    let message = message(&sidecar, &pubsub, &topic, content_type, &body, metadata, &trace)?;
    allow(&sidecar, topics, &pubsub, &topic)?;
    if let Some(why) = too_large(&message) {
        return Err(failed(&why));
    }
    let destination = Topic {
        pubsub: pubsub.clone(),
        name: topic.clone(),
    };
    let stored = sidecar.shared.broker.append(&destination, vec![message]).await;
    stored.map_err(|error| failed(&chain(&error)))?;
    Ok(StatusCode::NO_CONTENT)
}

/// The `metadata.*` parameters of a query, without the prefix. Dapr reads no metadata from headers.
pub(crate) fn metadata(query: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let stripped = query.into_iter().filter_map(|(name, value)| {
        let name = name.strip_prefix("metadata.")?.to_owned();
        Some((name, value))
    });
    stripped.collect()
}

/// The topics of a pubsub component of this app; 404 unless `pubsub` is one.
pub(crate) fn component<'s>(sidecar: &'s Sidecar, pubsub: &str) -> Result<&'s Topics, Problem> {
    match sidecar.component(pubsub).map(|component| &component.block) {
        Some(Block::Pubsub(topics)) => Ok(topics),
        _ => Err(Problem::new(
            StatusCode::NOT_FOUND,
            "ERR_PUBSUB_NOT_FOUND",
            format!("pubsub {pubsub} is not found"),
        )
        .info("DAPR_PUBSUB_NOT_FOUND", json!({}))),
    }
}

/// 403 unless this app may publish to the topic.
pub(crate) fn allow(sidecar: &Sidecar, topics: &Topics, pubsub: &str, topic: &str) -> Result<(), Problem> {
    let app_id = &sidecar.app.app_id;
    if topics.may_publish(app_id, topic) {
        return Ok(());
    }
    let message = format!("topic {topic} is not allowed for app id {app_id}");
    Err(
        Problem::new(StatusCode::FORBIDDEN, "ERR_PUBSUB_FORBIDDEN", &message)
            .resource("pubsub", pubsub, &message)
            .info("DAPR_PUBSUB_FORBIDDEN", json!({"topic": topic, "error": message})),
    )
}

/// A message as it is stored: the body unchanged with `rawPayload`, otherwise in its envelope.
pub(crate) fn message(
    sidecar: &Sidecar,
    pubsub: &str,
    topic: &str,
    content_type: &str,
    body: &[u8],
    metadata: BTreeMap<String, String>,
    trace: &Trace,
) -> Result<Message, Problem> {
    let raw = metadata.get("rawPayload").is_some_and(|raw| raw == "true");
    let body = if raw {
        body.to_vec()
    } else {
        envelope::wrap(&Publication {
            app_id: &sidecar.app.app_id,
            pubsub,
            topic,
            content_type,
            body,
            metadata: &metadata,
            trace,
            now: sidecar.shared.now(),
        })?
    };
    Ok(Message { metadata, body })
}

/// The error for a message over the broker's limit, in the words of Dapr's Kafka client.
pub(crate) fn too_large(message: &Message) -> Option<String> {
    let size = message.body.len();
    (size > LARGEST_MESSAGE).then(|| {
        format!("Attempt to produce message larger than configured Producer.MaxMessageBytes: {size} > {LARGEST_MESSAGE}")
    })
}

fn not_published(sidecar: &Sidecar, pubsub: &str, topic: &str, why: &str) -> Problem {
    let message = format!("error when publishing to topic {topic} in pubsub {pubsub}: {why}");
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "ERR_PUBSUB_PUBLISH_MESSAGE",
        &message,
    )
    .resource("pubsub", pubsub, &message)
    .info(
        "DAPR_PUBSUB_PUBLISH_MESSAGE",
        json!({"appID": sidecar.app.app_id, "error": why}),
    )
}
