//! HTTP routes. All but health accept only calls of the sidecar.

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
        .route(route::TASK_RECURRENCE, post(tasks_completed))
        .layer(middleware::from_fn(sidecar::only))
        .route(route::RECURRING_TASK_HEALTH, get(async || StatusCode::OK))
        .fallback(problem::no_route)
        .method_not_allowed_fallback(problem::no_method)
}

async fn tasks_completed(body: Body) -> Response {
    subscriber::consume_all(app::RECURRING_TASK, body, service::tasks_completed).await
}
