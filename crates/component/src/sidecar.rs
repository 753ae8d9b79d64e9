//! Routes that only the sidecar may call: events, jobs, and what services ask of each other through it.
//!
//! The sidecar shows `dapr-api-token` (<https://docs.dapr.io/operations/security/app-api-token/>), which must be the
//! variable `dapr_app_token`. When that is empty, nobody is let in: an address that anybody can reach must not
//! send other people's mail because a setting was forgotten.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use subtle::ConstantTimeEq;

use crate::problem::Problem;
use crate::settings::variable;

/// Axum middleware: passes the sidecar's calls, answers all others 401 or 403.
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
