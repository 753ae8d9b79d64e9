//! `GET /v1.0/metadata` and `PUT /v1.0/metadata/{key}`.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use serde_json::{Value, json};

use crate::go_json::json_line;
use crate::problem::Problem;
use crate::resources::Block;
use crate::sidecar::Sidecar;
use crate::{body, duration};

/// The version of daprd whose responses were recorded.
const VERSION: &str = "1.16.0";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'m> {
    id: &'m str,
    runtime_version: &'static str,
    components: Vec<Value>,
    extended: BTreeMap<String, String>,
    subscriptions: Vec<Value>,
    app_connection_properties: AppConnection<'m>,
}

/// How the app is reached. Fields without a value are omitted, as recorded.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AppConnection<'m> {
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
    protocol: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel_address: Option<&'m str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_concurrency: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    health: Option<Health<'m>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Health<'m> {
    health_check_path: &'m str,
    health_probe_interval: String,
    health_probe_timeout: String,
    health_threshold: u32,
}

impl<'m> AppConnection<'m> {
    fn of(sidecar: &'m Sidecar) -> Self {
        let address = sidecar.channel.address();
        Self {
            port: address.map(|(_, port)| port),
            protocol: "http",
            channel_address: address.map(|(host, _)| host),
            max_concurrency: sidecar.app.limit(),
            health: sidecar.app.health.as_ref().map(|health| Health {
                health_check_path: &health.path,
                health_probe_interval: duration::to_go(health.interval),
                health_probe_timeout: duration::to_go(health.timeout),
                health_threshold: health.threshold,
            }),
        }
    }
}

/// The loaded resources. Dapr's fields about actors, workflows and its own ports are omitted.
pub(crate) async fn get(State(sidecar): State<Arc<Sidecar>>) -> Response {
    let components = sidecar.components.values().map(|component| {
        let mut shown = json!({"name": component.name, "type": component.kind, "version": component.version});
        let capabilities: &[&str] = match component.block {
            Block::Pubsub(_) => &["BULK_PUBSUB"],
            Block::State(_) => &["ETAG", "TRANSACTIONAL", "TTL"],
            Block::Smtp(_) => &["OUTPUT_BINDING"],
            Block::Secrets(_) => &[],
        };
        if let (false, Some(fields)) = (capabilities.is_empty(), shown.as_object_mut()) {
            fields.insert("capabilities".to_owned(), json!(capabilities));
        }
        shown
    });
    let subscriptions = sidecar.subscriptions.iter().map(|subscription| {
        let rules: Vec<_> = subscription
            .routes
            .list()
            .map(|(expression, path)| match expression {
                Some(expression) => json!({"match": expression, "path": path}),
                None => json!({"path": path}),
            })
            .collect();
        json!({
            "pubsubname": subscription.pubsub,
            "topic": subscription.topic,
            "rules": rules,
            "deadLetterTopic": subscription.dead_letter.as_deref().unwrap_or_default(),
            "type": "DECLARATIVE",
        })
    });
    let mut extended = sidecar
        .attributes
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    extended.insert("daprRuntimeVersion".to_owned(), VERSION.to_owned());
    json_line(&Metadata {
        id: &sidecar.app.app_id,
        runtime_version: VERSION,
        components: components.collect(),
        extended,
        subscriptions: subscriptions.collect(),
        app_connection_properties: AppConnection::of(&sidecar),
    })
}

/// Sets an attribute, which is kept until the process ends.
pub(crate) async fn set(
    State(sidecar): State<Arc<Sidecar>>,
    Path(key): Path<String>,
    body: Body,
) -> Result<StatusCode, Problem> {
    let value = body::read(body).await.map_err(Problem::malformed)?;
    let value = String::from_utf8_lossy(&value).into_owned();
    sidecar
        .attributes
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(key, value);
    Ok(StatusCode::NO_CONTENT)
}
