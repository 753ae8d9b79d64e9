//! `/v1.0/healthz` and `/v1.0/healthz/outbound`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::StatusCode;

use crate::app::Phase;
use crate::problem::Problem;
use crate::sidecar::Sidecar;

/// 204 once the app has answered, whatever happens to it later; 500 before that, or for another app id.
pub(crate) async fn healthz(
    State(sidecar): State<Arc<Sidecar>>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<StatusCode, Problem> {
    let problem = |code, message| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, code, message);
    if sidecar.channel.phase() == Phase::Starting {
        return Err(problem("ERR_HEALTH_NOT_READY", "dapr is not ready: [runtime]"));
    }
    if query.get("appid").is_some_and(|id| *id != sidecar.app.app_id) {
        return Err(problem(
            "ERR_HEALTH_APPID_NOT_MATCH",
            "dapr app-id does not match",
        ));
    }
    Ok(StatusCode::NO_CONTENT)
}

/// 204: a sidecar that serves has loaded its components.
pub(crate) async fn outbound() -> StatusCode {
    StatusCode::NO_CONTENT
}
