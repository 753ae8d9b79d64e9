//! Recurring work: completed tasks come in, their next occurrence goes out.
//!
//! The service keeps nothing. The next occurrence follows from the completed one alone, its id too (UUIDv5 of the series
//! and the instant), and the api creates a task of that id once, so an event may come as often as it likes.
//!
//! | file | holds |
//! | --- | --- |
//! | `routes.rs` | HTTP: thin adapters |
//! | `exports.rs` | WIT: thin adapters |
//! | `service.rs` | what happens |

mod exports;
mod routes;
mod service;

use spin_sdk::http::{IntoResponse, Request};

/// Answers one request: the component's entry point.
#[cfg_attr(target_arch = "wasm32", spin_sdk::http_service)]
pub async fn handle(request: Request) -> impl IntoResponse {
    nudge_component::serve::serve(
        nudge_contract::names::app::RECURRING_TASK,
        routes::router,
        request,
    )
    .await
}
