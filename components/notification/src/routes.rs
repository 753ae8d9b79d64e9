//! HTTP routes. All but health accept only calls of the sidecar.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use http::StatusCode;
use nudge_component::events::Disposition;
use nudge_component::serve::{PathText, read_body};
use nudge_component::{Problem, problem, sidecar, subscriber};
use nudge_contract::names::{app, route};

use crate::{arming, service};

pub(crate) fn router() -> Router {
    Router::new()
        .route(route::TASK_EVENTS, post(tasks_changed))
        .route(route::JOB, post(job))
        .layer(middleware::from_fn(sidecar::only))
        .route(route::NOTIFICATION_HEALTH, get(health))
        .fallback(problem::no_route)
        .method_not_allowed_fallback(problem::no_method)
}

async fn tasks_changed(body: Body) -> Response {
    subscriber::consume_all(app::NOTIFICATION, body, arming::tasks_changed).await
}

/// Dapr takes a 404 for success, so a job that cannot be run is logged and answered with 422, which makes the failure
/// policy of the job retry and report it.
async fn job(PathText(name): PathText, body: Body) -> Response {
    let body = match read_body(body).await {
        Ok(body) => body,
        Err(problem) => return problem.into_response(),
    };
    match service::run_job(&name, &body).await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(Disposition::Retry(reason)) => {
            Problem::unavailable("what the job needs", format!("job {name}: {reason}")).into_response()
        }
        Err(Disposition::Drop(reason)) => {
            tracing::error!(job = name, "cannot be run: {reason}");
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "unknown_job", reason).into_response()
        }
    }
}

/// Responds before it schedules the recurring jobs: if the scheduler is down, that takes longer than a probe may, and the
/// sidecar would hold back events, which do not need a scheduler.
async fn health() -> StatusCode {
    spin_sdk::wasip3::spawn(service::schedule_recurring_jobs());
    StatusCode::OK
}
