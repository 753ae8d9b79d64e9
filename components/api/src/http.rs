//! HTTP routes.

mod agents;
mod before_batches;
pub(crate) mod body;
mod bulk;
mod changes;
pub(crate) mod conditions;
mod dead_letters;
mod email_pages;
mod health;
mod internal;
mod labels;
mod legacy;
mod mcp;
mod me;
mod openapi;
mod origin;
mod problem;
pub(crate) mod query;
mod quick_add;
mod reminders;
mod search;
mod tasks;
mod tokens;
mod well_known;

use axum::Router;
use axum::middleware;
use axum::routing::{get, post};
use nudge_component::{problem as refusals, sidecar};
use nudge_contract::names::route;

use crate::guard::{idempotency, in_flight, rate_limit, scope};
use crate::tasks::labels::Kind;

pub(crate) fn router() -> Router {
    let internal = Router::new()
        .route(route::REMINDER_OUTCOMES, post(internal::reminder_outcomes))
        .route(route::RELAY, post(internal::relay))
        .route(route::LEASES, post(internal::lease))
        .route(route::DUE_SECONDS, get(internal::due_seconds))
        .route(route::DELIVERIES, post(internal::deliveries))
        .route(route::DEFERRALS, post(internal::deferrals))
        .route(route::SUCCESSORS, post(internal::successors))
        .route(route::REFUSED_RECIPIENTS, post(internal::refused_recipients))
        .route(route::NOTICES, post(internal::notices))
        .route(route::NOTICE_OUTCOMES, post(internal::notice_outcomes))
        .route(route::DEAD_LETTER_EVENTS, post(dead_letters::arrived))
        .route(route::DEAD_LETTERS, get(dead_letters::list))
        .route(route::DEAD_LETTERS_REPLAY, post(dead_letters::replay))
        .route(route::DEAD_LETTERS_DISCARD, post(dead_letters::discard))
        .route(route::TOKEN_REVOCATIONS, post(tokens::revoke))
        .merge(before_batches::router())
        .merge(legacy::router())
        .layer(middleware::from_fn(sidecar::only));
    let account = Router::new()
        .merge(agents::router())
        .merge(me::account())
        .route_layer(middleware::from_fn(idempotency::once))
        // Before a key is claimed: an agent must get no response that is kept for its user, nor leave a refusal for their key.
        .route_layer(middleware::from_fn(scope::users_only));
    let users = Router::new()
        .route("/api/v1/tasks", get(tasks::list).post(tasks::create))
        .route("/api/v1/tasks/bulk", post(tasks::bulk))
        .route("/api/v1/tasks/search", get(search::tasks))
        .route("/api/v1/tasks/parse", post(quick_add::parse))
        .route(
            "/api/v1/tasks/{id}",
            get(tasks::read).patch(tasks::patch).delete(tasks::delete),
        )
        .route("/api/v1/tasks/{id}/complete", post(tasks::complete))
        .route("/api/v1/tasks/{id}/reopen", post(tasks::reopen))
        .route("/api/v1/tasks/{id}/move", post(tasks::move_due))
        .route(
            "/api/v1/tasks/{id}/tags/{tag}",
            post(tasks::attach_tag).delete(tasks::detach_tag),
        )
        .route("/api/v1/tasks/{id}/history", get(tasks::history))
        .route("/api/v1/tasks/{id}/trail", get(tasks::trail))
        .route("/api/v1/tasks/{id}/occurrences", get(quick_add::occurrences))
        .route("/api/v1/changes", get(changes::changes))
        .merge(labels::router(Kind::Category))
        .merge(labels::router(Kind::Tag))
        .merge(reminders::router())
        .merge(me::router())
        // Inner to outer: who it is and how many are known before an Idempotency-Key is claimed, and before the body is read.
        .route_layer(middleware::from_fn(idempotency::once))
        .merge(account)
        .route_layer(middleware::from_fn(scope::limit))
        .route_layer(middleware::from_fn(rate_limit::limit))
        .route_layer(middleware::from_fn(in_flight::limit))
        .route_layer(middleware::from_fn(well_known::challenge));
    Router::new()
        .merge(users)
        .route("/api/v1/openapi.json", get(openapi::read))
        .route_layer(middleware::from_fn(conditions::reads))
        .merge(mcp::router())
        .merge(well_known::router())
        .route(route::READY, get(health::ready))
        .route(route::LIVE, get(health::live))
        .merge(email_pages::router())
        .merge(internal)
        .fallback(refusals::no_route)
        .method_not_allowed_fallback(refusals::no_method)
}
