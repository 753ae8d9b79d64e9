//! `/api/v1/me`.

use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, body::Body};
use http::StatusCode;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, ETAG};
use jiff::Timestamp;
use nudge_component::Problem;
use nudge_component::serve::Json;

use super::{body, tokens};
use crate::account::{erasure, export};
use crate::caller::Identity;
use crate::db::Database;
use crate::guard::rate_limit;
use crate::input::fields::JsonObject;
use crate::profile::{self, Profile};
use crate::recipients::{address, me};
use crate::version::{Conditions, etag};

/// What agents may ask for, too: the time zone says how dates are read.
pub(super) fn router() -> Router {
    Router::new().route("/api/v1/me", get(read))
}

/// What only the user may.
pub(super) fn account() -> Router {
    Router::new()
        .route("/api/v1/me", axum::routing::patch(patch).delete(delete))
        .route("/api/v1/me/email/resume", post(resume))
        .route("/api/v1/me/export", get(everything))
        .route("/api/v1/me/tokens/revoke", post(tokens::revoke_own))
}

async fn answer(database: &Database, profile: &Profile) -> Result<Response, Problem> {
    let me = me::view(database, profile, Timestamp::now()).await?;
    Ok(([(ETAG, etag(profile.revision.version))], Json(me)).into_response())
}

async fn read(identity: Identity) -> Result<Response, Problem> {
    let caller = identity.open().await?;
    let profile = profile::remember(&caller.database, &caller.user, Timestamp::now()).await?;
    answer(&caller.database, &profile).await
}

async fn patch(
    identity: Identity,
    conditions: Conditions,
    JsonObject(object): JsonObject,
) -> Result<Response, Problem> {
    let patch = body::profile(object);
    let caller = identity.open().await?;
    let profile = address::patch(&caller, &conditions, &patch).await?;
    answer(&caller.database, &profile).await
}

/// Sends emails to the address in use again, after they were stopped.
async fn resume(identity: Identity, conditions: Conditions) -> Result<Response, Problem> {
    let caller = identity.open().await?;
    let profile = address::resume(&caller, &conditions).await?;
    answer(&caller.database, &profile).await
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
