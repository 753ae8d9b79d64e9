//! Revoking tokens: by a user, and by an operator through the sidecar.

use axum::body::Body;
use http::StatusCode;
use jiff::Timestamp;
use nudge_component::Problem;
use nudge_component::serve::Json;
use nudge_contract::token::{RevokeTokens, TokensRevoked};

use super::internal::read;
use crate::agents::service;
use crate::caller::Identity;
use crate::db::{Database, milliseconds};

/// 204: the caller's tokens that were issued until now are refused from now on, the one of this request included, and all agents are removed.
pub(super) async fn revoke_own(identity: Identity) -> Result<StatusCode, Problem> {
    let caller = identity.open().await?;
    service::revoke_tokens(&caller.database, &caller.user.id, None, Timestamp::now()).await?;
    tracing::info!("a user has revoked all their tokens");
    Ok(StatusCode::NO_CONTENT)
}

/// The same for any user, or for one token or agent.
pub(super) async fn revoke(body: Body) -> Result<Json<TokensRevoked>, Problem> {
    let RevokeTokens { user, id } = read(body).await?;
    if id.as_deref() == Some("") {
        return Err(Problem::field(
            "id",
            "invalid_id",
            "leave it out, or name one token",
        ));
    }
    let now = milliseconds(Timestamp::now());
    service::revoke_tokens(&Database::open().await?, &user, id.as_deref(), now).await?;
    tracing::info!(one = id.is_some(), "an operator has revoked tokens of a user");
    Ok(Json(TokensRevoked { revoked_at: now }))
}
