//! `/mcp`: the streamable HTTP transport of the Model Context Protocol, without sessions and without streams.

use axum::Router;
use axum::body::Body;
use axum::extract::Extension;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::header::{ALLOW, HeaderValue};
use http::{HeaderMap, StatusCode};
use nudge_component::Problem;
use nudge_component::serve::{Json, read_body};
use nudge_component::trace::Traceparent;

use crate::auth::User;
use crate::guard::rate_limit;
use crate::input::media;
use crate::mcp::{self, Caller};

use super::origin;

pub(super) fn router() -> Router {
    Router::new()
        .route("/mcp", post(message).fallback(only_post))
        .route_layer(middleware::from_fn(rate_limit::limit))
        .route_layer(middleware::from_fn(origin::known))
}

/// There is no stream to open with GET and no session to end with DELETE.
async fn only_post() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "send each message as a POST: there are no sessions and no streams here",
    )
    .header(ALLOW, HeaderValue::from_static("POST"))
}

async fn message(
    user: User,
    Extension(trace): Extension<Traceparent>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    media::sent_as(&headers, &["application/json"])?;
    // The protocol has clients accept JSON and event streams both; here everything is JSON, so that is enough.
    media::wanted(&headers, &["application/json"])?;
    let body = read_body(body).await?;
    let caller = Caller {
        user: &user,
        trace: &trace,
        headers: &headers,
    };
    let reply = mcp::answer(&caller, &body).await;
    Ok(match reply.body {
        Some(body) => (reply.status, Json(body)).into_response(),
        None => reply.status.into_response(),
    })
}
