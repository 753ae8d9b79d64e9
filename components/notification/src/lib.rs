//! Reminders: consumes changes of tasks and runs jobs; publishes due reminders.
//!
//! Every scheduled reminder of a pending task is one Dapr job, named after the reminder's id, that fires on one
//! replica. The database of the api is the source of truth: a recurring job asks the api for overdue reminders, which
//! recovers the jobs that a scheduler loses, and email-delivery asks it again before it sends.
//!
//! | file | holds |
//! | --- | --- |
//! | `routes.rs` | HTTP: thin adapters |
//! | `exports.rs` | WIT: thin adapters |
//! | `service.rs` | the logic |
//! | `store.rs` | the state between events |

mod exports;
mod routes;
mod service;

use spin_sdk::http::{IntoResponse, Request};

/// Handles one request: the component's entry point.
#[cfg_attr(target_arch = "wasm32", spin_sdk::http_service)]
pub async fn handle(request: Request) -> impl IntoResponse {
    nudge_component::serve::serve(nudge_contract::names::app::NOTIFICATION, routes::router, request).await
}
