//! Reminders: changes of tasks and jobs come in, due reminders go out.
//!
//! Every scheduled reminder of a pending task is one Dapr job, named after the reminder's id, that fires on one
//! replica. The database of the api stays the truth: a standing job asks it for reminders that are overdue, which
//! heals whatever a scheduler loses, and email-delivery asks it once more before it sends.
//!
//! | file | holds |
//! | --- | --- |
//! | `routes.rs` | HTTP: thin adapters |
//! | `exports.rs` | WIT: thin adapters |
//! | `service.rs` | what happens |
//! | `store.rs` | what is kept between events |

mod exports;
mod routes;
mod service;
mod store;

use spin_sdk::http::{IntoResponse, Request};

/// Answers one request: the component's entry point.
#[cfg_attr(target_arch = "wasm32", spin_sdk::http_service)]
pub async fn handle(request: Request) -> impl IntoResponse {
    nudge_component::serve::serve(nudge_contract::names::app::NOTIFICATION, routes::router, request).await
}
