//! `GET /v1.0/secrets/{store}/{key}` and `GET /v1.0/secrets/{store}/bulk`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::store::Secrets;
use crate::go_json::json_line;
use crate::problem::Problem;
use crate::resources::Block;
use crate::sidecar::Sidecar;

/// 401 unless `name` is a secret store of this app.
fn store<'s>(sidecar: &'s Sidecar, name: &str) -> Result<&'s Secrets, Problem> {
    match sidecar.component(name).map(|component| &component.block) {
        Some(Block::Secrets(secrets)) => Ok(secrets),
        _ => Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "ERR_SECRET_STORE_NOT_FOUND",
            format!("failed finding secret store with key {name}"),
        )),
    }
}

/// One secret, as an object with its name.
pub(crate) async fn get(
    State(sidecar): State<Arc<Sidecar>>,
    Path((name, key)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let value = store(&sidecar, &name)?.all().get(&key).ok_or_else(|| {
        Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "ERR_SECRET_GET",
            format!("failed getting secret with key {key} from secret store {name}: secret {key} not found"),
        )
    })?;
    Ok(json_line(&BTreeMap::from([(key, value)])))
}

/// All secrets of a store.
pub(crate) async fn bulk(
    State(sidecar): State<Arc<Sidecar>>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let all: BTreeMap<_, _> = store(&sidecar, &name)?
        .all()
        .iter()
        .map(|(key, value)| (key, BTreeMap::from([(key, value)])))
        .collect();
    Ok(json_line(&all))
}
