//! Recurring tasks: consumes completed tasks and creates their next occurrence.
//!
//! The service is stateless. The next occurrence and its id (UUIDv5 of the series and the instant) follow from the completed
//! task alone, and the api creates a task with that id only once, so repeated events are harmless.
//!
//! | file | holds |
//! | --- | --- |
//! | `routes.rs` | HTTP: thin adapters |
//! | `exports.rs` | WIT: thin adapters |
//! | `service.rs` | the logic |

mod exports;
mod routes;
mod service;

use spin_sdk::http::{IntoResponse, Request};

/// Handles one request: the component's entry point.
#[cfg_attr(target_arch = "wasm32", spin_sdk::http_service)]
pub async fn handle(request: Request) -> impl IntoResponse {
    nudge_component::serve::serve(
        nudge_contract::names::app::RECURRING_TASK,
        routes::router,
        request,
    )
    .await
}
