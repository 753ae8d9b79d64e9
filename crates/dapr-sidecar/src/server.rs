//! The HTTP API of one sidecar.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, Version, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use bounded_http::{Client, Limits, RequestBody};
use tokio::net::TcpListener;
use tower::ServiceExt as _;

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
        // From the innermost to the outermost: what a caller without the token sends is not kept.
        .layer(middleware::from_fn(body::before_answering))
        .layer(middleware::from_fn_with_state(sidecar.clone(), authenticate))
        .layer(middleware::from_fn_with_state(sidecar.clone(), follow_trace));
    // Health needs no token and has no trace headers, as recorded.
    Router::new()
        .route("/v1.0/healthz", get(health::healthz))
        .route("/v1.0/healthz/outbound", get(health::outbound))
        .merge(guarded)
        .layer(middleware::from_fn(one_host))
        .with_state(sidecar)
}

/// The bounds of the server. As in daprd, a head has 8 KiB (`--read-buffer-size`, and what Go adds) and 10 s; daprd bounds nothing
/// else. A connection without a request stays open, as there, unless too many are.
pub(crate) fn limits() -> Limits {
    Limits {
        head_bytes: 8 * 1024,
        head: Duration::from_secs(10),
        idle: Duration::from_secs(3600),
        request_body: body::PACE,
        response: body::PACE,
        ..Limits::default()
    }
}

/// Serves the API until `stopped` completes and the requests in flight are answered.
pub(crate) async fn serve(listener: TcpListener, sidecar: Arc<Sidecar>, stopped: impl Future<Output = ()>) {
    let router = router(sidecar);
    let answer = move |request: http::Request<RequestBody>, client: Client| {
        let router = router.clone();
        async move {
            if client.is_beyond_limit() {
                let closing = [(header::CONNECTION, "close")];
                return Ok((StatusCode::SERVICE_UNAVAILABLE, closing).into_response());
            }
            router.oneshot(request.map(Body::new)).await
        }
    };
    let serving = bounded_http::serve(listener, limits(), stopped, answer).await;
    serving.ended().await;
}

/// Refuses a request that does not name exactly one host, as Go's server does.
async fn one_host(request: Request, next: Next) -> Response {
    let hosts = request.headers().get_all(header::HOST).iter().count();
    let refusal = match hosts {
        0 if request.version() == Version::HTTP_11 => "400 Bad Request: missing required Host header",
        0 | 1 => return next.run(request).await,
        _ => "400 Bad Request",
    };
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CONNECTION, "close"),
    ];
    (StatusCode::BAD_REQUEST, headers, refusal).into_response()
}

/// `dapr-api-token`, when the app has one.
async fn authenticate(State(sidecar): State<Arc<Sidecar>>, mut request: Request, next: Next) -> Response {
    if let Some(token) = &sidecar.app.api_token {
        let given = request.headers_mut().remove("dapr-api-token");
        if !given.is_some_and(|given| same(given.as_bytes(), token.as_bytes())) {
            body::discard(request.into_body()).await;
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
