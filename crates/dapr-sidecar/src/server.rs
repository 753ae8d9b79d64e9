//! The HTTP API of one sidecar.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};

use crate::bindings::api as bindings;
use crate::jobs::api as jobs;
use crate::pubsub::{bulk, publish};
use crate::secrets::api as secrets;
use crate::sidecar::Sidecar;
use crate::state::api as state;
use crate::trace::{self, Trace};
use crate::{body, health, invoke, metadata};

/// All routes. daprd treats every other path as a service invocation without an app id: 404.
pub(crate) fn router(sidecar: Arc<Sidecar>) -> Router {
    let guarded = Router::new()
        .route(
            "/v1.0/publish/{pubsub}/{*topic}",
            post(publish::publish).put(publish::publish),
        )
        .route(
            "/v1.0-alpha1/publish/bulk/{pubsub}/{*topic}",
            post(bulk::publish).put(bulk::publish),
        )
        .route("/v1.0/state/{store}", post(state::save).put(state::save))
        .route(
            "/v1.0/state/{store}/bulk",
            post(state::get_bulk).put(state::get_bulk),
        )
        .route(
            "/v1.0/state/{store}/transaction",
            post(state::transact).put(state::transact),
        )
        .route("/v1.0/state/{store}/{key}", get(state::get).delete(state::delete))
        .route(
            "/v1.0-alpha1/state/{store}/query",
            post(state::query).put(state::query),
        )
        .route(
            "/v1.0-alpha1/jobs/{name}",
            post(jobs::schedule).get(jobs::get).delete(jobs::delete),
        )
        .route("/v1.0/secrets/{store}/bulk", get(secrets::bulk))
        .route("/v1.0/secrets/{store}/{key}", get(secrets::get))
        .route(
            "/v1.0/bindings/{name}",
            post(bindings::invoke).put(bindings::invoke),
        )
        .route("/v1.0/invoke/{app}/method/", any(invoke::by_path))
        .route("/v1.0/invoke/{app}/method/{*path}", any(invoke::by_path))
        .route("/v1.0/metadata", get(metadata::get))
        .route("/v1.0/metadata/{key}", axum::routing::put(metadata::set))
        .fallback(invoke::by_header)
        .layer(middleware::from_fn_with_state(sidecar.clone(), authenticate))
        .layer(middleware::from_fn_with_state(sidecar.clone(), follow_trace))
        .layer(middleware::from_fn(body::before_answering));
    // Health needs no token and has no trace headers, as recorded.
    Router::new()
        .route("/v1.0/healthz", get(health::healthz))
        .route("/v1.0/healthz/outbound", get(health::outbound))
        .merge(guarded)
        .with_state(sidecar)
}

/// `dapr-api-token`, when the app has one.
async fn authenticate(State(sidecar): State<Arc<Sidecar>>, mut request: Request, next: Next) -> Response {
    if let Some(token) = &sidecar.app.api_token {
        let given = request.headers_mut().remove("dapr-api-token");
        if !given.is_some_and(|given| same(given.as_bytes(), token.as_bytes())) {
            let headers = [
                (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            ];
            return (StatusCode::UNAUTHORIZED, headers, "invalid api token\n").into_response();
        }
    }
    next.run(request).await
}

/// Compares two tokens in constant time.
fn same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len() && left.iter().zip(right).fold(0, |all, (l, r)| all | (l ^ r)) == 0
}

/// Gives the request a span and the response its `traceparent`; `tracestate` and `baggage` are returned unchanged.
async fn follow_trace(State(sidecar): State<Arc<Sidecar>>, mut request: Request, next: Next) -> Response {
    if !sidecar.shared.tracing {
        request.extensions_mut().insert(Trace::default());
        return next.run(request).await;
    }
    let span = Trace::of_request(request.headers());
    let returned = [trace::TRACESTATE, "baggage"].map(|name| (name, request.headers().get(name).cloned()));
    let parent = span.header();
    request.extensions_mut().insert(span);
    let mut response = next.run(request).await;
    let own = (trace::TRACEPARENT, parent);
    for (name, value) in returned.into_iter().chain([own]) {
        if let Some(value) = value {
            response
                .headers_mut()
                .insert(HeaderName::from_static(name), value);
        }
    }
    response
        .headers_mut()
        .insert(header::VARY, HeaderValue::from_static("Origin"));
    response
}
