//! Mail: due reminders come in, mail goes out, how that ended is published.
//!
//! One mail per reminder and instant, however often its event comes: an inbox record in the state store is claimed with
//! a lease before the work and marked done after it. Whether to send at all, and whereto, the api says at the last
//! moment; events carry no address.
//!
//! | file | holds |
//! | --- | --- |
//! | `routes.rs` | HTTP: thin adapters |
//! | `exports.rs` | WIT: thin adapters |
//! | `service.rs` | what happens |
//! | `store.rs` | the inbox |
//! | `lane.rs` | why one email at a time, and nothing otherwise |
//! | `mail.rs` | what the mail says |
//! | `header.rs` | how its subject and sender are written |
//! | `smtp.rs` | the binding, and what its failures mean |

mod exports;
mod header;
mod lane;
mod mail;
mod routes;
mod service;
mod smtp;
mod store;

use spin_sdk::http::{IntoResponse, Request};

/// Answers one request: the component's entry point.
#[cfg_attr(target_arch = "wasm32", spin_sdk::http_service)]
pub async fn handle(request: Request) -> impl IntoResponse {
    nudge_component::serve::serve(
        nudge_contract::names::app::EMAIL_DELIVERY,
        routes::router,
        request,
    )
    .await
}
