//! Reminders: arms the seconds in which reminders are due, and publishes due reminders.
//!
//! Every second in which a reminder becomes due soon is one Dapr job that fires on one replica. The database of the api is the source
//! of truth: what fires leases what is due and publishes it, and so does a recurring job, which recovers what a scheduler or a
//! crash lost. email-delivery asks the api again before it sends. Nothing is kept here between two requests that cannot be lost.
//!
//! | file | holds |
//! | --- | --- |
//! | `routes.rs` | HTTP: thin adapters |
//! | `exports.rs` | WIT: thin adapters |
//! | `service.rs` | the jobs |
//! | `arming.rs` | which seconds have a job |
//! | `sweep.rs` | from due reminders in the database to events |

mod arming;
mod exports;
mod routes;
mod service;
mod sweep;

use spin_sdk::http::{IntoResponse, Request};

/// Handles one request: the component's entry point.
#[cfg_attr(target_arch = "wasm32", spin_sdk::http_service)]
pub async fn handle(request: Request) -> impl IntoResponse {
    nudge_component::serve::serve(nudge_contract::names::app::NOTIFICATION, routes::router, request).await
}
