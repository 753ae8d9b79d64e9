//! HTTP routes. All but the health check accept only calls of the sidecar.

use axum::body::{Body, Bytes};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Router, middleware};
use http::{HeaderMap, StatusCode};
use nudge_component::{problem, sidecar, subscriber};
use nudge_contract::names::{app, route};

use crate::{incoming, outgoing};

pub(crate) fn router() -> Router {
    Router::new()
        .route(route::LEGACY_EVENTS, post(legacy_event))
        .route(route::LEGACY_COMPLETIONS, post(legacy_completion))
        .route(route::LEGACY_TASK_EVENTS, post(task_changed))
        .route(route::LEGACY_OUTCOMES, post(reminder_ended))
        .layer(middleware::from_fn(sidecar::only))
        .route(route::LEGACY_ADAPTER_HEALTH, get(async || StatusCode::OK))
        .fallback(problem::no_route)
        .method_not_allowed_fallback(problem::no_method)
}

async fn legacy_event(headers: HeaderMap, body: Body) -> Response {
    let handle = async |raw: Bytes| incoming::apply(&headers, &raw).await;
    subscriber::consume_raw(app::LEGACY_ADAPTER, body, handle).await
}

async fn legacy_completion(headers: HeaderMap, body: Body) -> Response {
    let handle = async |raw: Bytes| incoming::take_over(&headers, &raw).await;
    subscriber::consume_raw(app::LEGACY_ADAPTER, body, handle).await
}

async fn task_changed(body: Body) -> Response {
    subscriber::consume(app::LEGACY_ADAPTER, body, outgoing::task_changed).await
}

async fn reminder_ended(body: Body) -> Response {
    subscriber::consume(app::LEGACY_ADAPTER, body, outgoing::reminder_ended).await
}
