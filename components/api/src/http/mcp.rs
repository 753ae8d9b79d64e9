//! `/mcp`: the streamable HTTP transport of the Model Context Protocol, without sessions and without streams.

use axum::Router;
use axum::body::Body;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::header::{ALLOW, HeaderValue};
use http::{HeaderMap, StatusCode};
use nudge_component::Problem;
use nudge_component::serve::{Json, read_body};

use crate::caller::Identity;
use crate::guard::{in_flight, rate_limit};
use crate::input::media;
use crate::mcp::{self, Exchange};

use super::{origin, well_known};

pub(super) fn router() -> Router {
    Router::new()
        .route("/mcp", post(message).fallback(only_post))
        .route_layer(middleware::from_fn(rate_limit::limit))
        .route_layer(middleware::from_fn(in_flight::limit))
        .route_layer(middleware::from_fn(well_known::challenge))
        .route_layer(middleware::from_fn(origin::known))
}

/// There is no stream to open with GET, and no session to end with DELETE.
async fn only_post() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "send each message as a POST: there are no sessions and no streams here",
    )
    .header(ALLOW, HeaderValue::from_static("POST"))
}

async fn message(identity: Identity, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    media::sent_as(&headers, &["application/json"])?;
    // The protocol asks clients to accept both JSON and event streams. Every answer here is JSON, so accepting that is enough.
    media::wanted(&headers, &["application/json"])?;
    let body = read_body(body).await?;
    let exchange = Exchange {
        identity: &identity,
        headers: &headers,
    };
    let reply = mcp::answer(&exchange, &body).await?;
    Ok(match reply.body {
        Some(body) => (reply.status, Json(body)).into_response(),
        None => reply.status.into_response(),
    })
}
