//! `/api/v1/me`.

use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, body::Body};
use http::StatusCode;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, ETAG};
use jiff::Timestamp;
use nudge_component::Problem;
use nudge_component::serve::Json;

use super::body;
use crate::account::{erasure, export};
use crate::caller::Identity;
use crate::guard::rate_limit;
use crate::input::fields::JsonObject;
use crate::profile::{self, Profile};
use crate::version::{Conditions, etag};

pub(super) fn router() -> Router {
    Router::new()
        .route("/api/v1/me", get(read).patch(patch).delete(delete))
        .route("/api/v1/me/export", get(everything))
}

fn answer(profile: &Profile) -> Response {
    ([(ETAG, etag(profile.revision.version))], Json(profile.view())).into_response()
}

async fn read(identity: Identity) -> Result<Response, Problem> {
    let caller = identity.open().await?;
    let profile = profile::remember(&caller.database, &caller.user, Timestamp::now()).await?;
    Ok(answer(&profile))
}

async fn patch(
    identity: Identity,
    conditions: Conditions,
    JsonObject(object): JsonObject,
) -> Result<Response, Problem> {
    let patch = body::profile(object);
    let profile = profile::patch(&identity.open().await?, &conditions, &patch).await?;
    Ok(answer(&profile))
}

/// 202: the account is closing, and its data is deleted after responding.
async fn delete(identity: Identity, conditions: Conditions) -> Result<StatusCode, Problem> {
    erasure::begin(&identity.open().await?, &conditions).await?;
    Ok(StatusCode::ACCEPTED)
}

async fn everything(identity: Identity) -> Result<Response, Problem> {
    rate_limit::charge_rest(&identity.user.id, export::COST).await?;
    let body: Body = export::begin(&identity.open().await?).await?;
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CONTENT_DISPOSITION, "attachment; filename=\"nudge.json\""),
    ];
    Ok((headers, body).into_response())
}
