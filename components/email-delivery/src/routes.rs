//! HTTP routes. All but health take only the sidecar's calls.

use axum::body::Body;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Router, middleware};
use http::StatusCode;
use nudge_component::{problem, sidecar, subscriber};
use nudge_contract::names::{app, route};

use crate::service;

pub(crate) fn router() -> Router {
    Router::new()
        .route(route::TASK_REMINDERS, post(reminder_due))
        .layer(middleware::from_fn(sidecar::only))
        .route(route::EMAIL_DELIVERY_HEALTH, get(async || StatusCode::OK))
        .fallback(problem::no_route)
        .method_not_allowed_fallback(problem::no_method)
}

async fn reminder_due(body: Body) -> Response {
    subscriber::consume(app::EMAIL_DELIVERY, body, service::reminder_due).await
}
