//! HTTP routes. All but health accept only calls of the sidecar.

use axum::body::Body;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Router, middleware};
use http::StatusCode;
use nudge_component::publish::describe;
use nudge_component::{Problem, problem, sidecar, subscriber};
use nudge_contract::names::{app, route};

use crate::{lane, notices, service};

pub(crate) fn router() -> Router {
    Router::new()
        .route(route::TASK_REMINDERS, post(reminders_due))
        .route(route::ACCOUNT_NOTICES, post(notices_requested))
        .layer(middleware::from_fn(sidecar::only))
        .route(route::EMAIL_DELIVERY_HEALTH, get(async || StatusCode::OK))
        .route(route::EMAIL_DELIVERY_READY, get(ready))
        .fallback(problem::no_route)
        .method_not_allowed_fallback(problem::no_method)
}

/// 503 while the sidecar is unavailable or allows more than one delivery at a time.
async fn ready() -> Result<StatusCode, Problem> {
    let asked = lane::ask().await;
    match asked.map_err(|error| Problem::unavailable("the Dapr sidecar", describe(&error)))? {
        Ok(()) => Ok(StatusCode::OK),
        Err(closed) => {
            let detail = closed.to_string();
            Err(Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "emails_would_mix",
                detail.clone(),
            )
            .logged(detail))
        }
    }
}

async fn reminders_due(body: Body) -> Response {
    subscriber::consume_all(app::EMAIL_DELIVERY, body, service::reminders_due).await
}

async fn notices_requested(body: Body) -> Response {
    subscriber::consume_all(app::EMAIL_DELIVERY, body, notices::requested).await
}
