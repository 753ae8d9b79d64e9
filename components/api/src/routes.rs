//! HTTP routes.

mod health;
mod internal;
mod labels;
mod tasks;

use axum::Router;
use axum::middleware;
use axum::routing::{get, post};
use nudge_component::{problem, sidecar};
use nudge_contract::names::route;

use crate::labels::Kind;

pub(crate) fn router() -> Router {
    let internal = Router::new()
        .route(route::REMINDER_OUTCOMES, post(internal::reminder_outcome))
        .route(route::RELAY, post(internal::relay))
        .route(route::OVERDUE_REMINDERS, get(internal::overdue_reminders))
        .route(route::REMINDER_DELIVERY, get(internal::reminder_delivery))
        .route(route::SUCCESSOR, post(internal::successor))
        .layer(middleware::from_fn(sidecar::only));
    Router::new()
        .route("/api/v1/tasks", get(tasks::list).post(tasks::create))
        .route(
            "/api/v1/tasks/{id}",
            get(tasks::read).patch(tasks::patch).delete(tasks::delete),
        )
        .route("/api/v1/tasks/{id}/complete", post(tasks::complete))
        .merge(labels::router(Kind::Category))
        .merge(labels::router(Kind::Tag))
        .route(route::READY, get(health::ready))
        .route(route::LIVE, get(health::live))
        .merge(internal)
        .fallback(problem::no_route)
        .method_not_allowed_fallback(problem::no_method)
}
