//! Routes that only the sidecar may call: events, jobs, and calls of other services through it.
//!
//! The sidecar sends `dapr-api-token` (<https://docs.dapr.io/operations/security/app-api-token/>), which must equal
//! the variable `dapr_app_token`. If that is empty, every call is refused: a publicly reachable address must not send
//! email to other users because a setting is missing.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use subtle::ConstantTimeEq;

use crate::problem::Problem;
use crate::settings::variable;

/// Axum middleware: accepts the sidecar's calls and answers all others with 401 or 403.
pub async fn only(request: Request, next: Next) -> Response {
    let shown = request
        .headers()
        .get("dapr-api-token")
        .map(|value| value.as_bytes().to_vec());
    let expected = match variable("dapr_app_token").await {
        Ok(expected) => expected,
        Err(log) => return Problem::unavailable("the configuration", log).into_response(),
    };
    match (shown, expected) {
        (Some(shown), Some(expected)) if bool::from(shown.ct_eq(expected.as_bytes())) => {
            next.run(request).await
        }
        (None, _) => {
            Problem::unauthorized("only the sidecar calls this: send its dapr-api-token").into_response()
        }
        (Some(_), None) => Problem::new(
            StatusCode::FORBIDDEN,
            "no_app_token",
            "the variable dapr_app_token is not set, so no caller can be the sidecar",
        )
        .into_response(),
        (Some(_), Some(_)) => Problem::new(
            StatusCode::FORBIDDEN,
            "wrong_app_token",
            "the dapr-api-token is not this app's",
        )
        .into_response(),
    }
}
