//! `POST|PUT /v1.0/bindings/{name}`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use crate::body;
use crate::problem::Problem;
use crate::sidecar::Sidecar;

#[derive(Deserialize)]
struct Request {
    #[serde(default)]
    operation: String,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    #[serde(default)]
    data: Value,
}

/// Invokes a binding: 204, or 500 with what went wrong, also for a binding that does not exist.
pub(crate) async fn invoke(
    State(sidecar): State<Arc<Sidecar>>,
    Path(name): Path<String>,
    body: Body,
) -> Result<StatusCode, Problem> {
    let body = body::read(body).await.map_err(Problem::malformed)?;
    let request: Request = serde_json::from_slice(&body)
        .map_err(|error| Problem::malformed(format!("failed deserializing HTTP body: {error}")))?;
    let failed = |why: String| {
        let message = format!("error invoking output binding {name}: {why}");
        Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "ERR_INVOKE_OUTPUT_BINDING",
            message,
        )
    };
    let mailer = sidecar.mailers.get(&name);
    let mailer = mailer.ok_or_else(|| failed(format!("couldn't find output binding {name}")))?;
    if request.operation != "create" {
        let operation = request.operation;
        return Err(failed(format!(
            "binding {name} does not support operation {operation}. supported operations:create"
        )));
    }
    let data = match request.data {
        Value::String(text) => text,
        other => other.to_string(),
    };
    let policy = sidecar.outbound_policy(&name);
    let sent = policy.run(&sidecar.shared.clock, || {
        mailer.send(&request.metadata, &data, sidecar.shared.now())
    });
    sent.await
        .map(|()| StatusCode::NO_CONTENT)
        .map_err(|error| failed(error.to_string()))
}
