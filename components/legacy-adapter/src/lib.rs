//! Connects Nudge and the legacy system during a migration: it reads the events of each and writes those of the other.
//!
//! It stores nothing. It passes changes of the legacy system to the api, which repeats them and marks them with their origin. It
//! publishes changes of Nudge that have no such mark to the legacy system, with a header. So no change goes in circles, whichever
//! system is the master of a user (decision 0020).
//!
//! | file | holds |
//! | --- | --- |
//! | `routes.rs` | HTTP: thin adapters |
//! | `incoming.rs` | from the legacy system to Nudge |
//! | `outgoing.rs` | from Nudge to the legacy system |
//! | `api.rs` | calls of the api |
//!
//! It has no WIT exports: the events that it reads from the legacy system are not those of `nudge:events`.

mod api;
mod incoming;
mod outgoing;
mod routes;

use spin_sdk::http::{IntoResponse, Request};

#[cfg_attr(target_arch = "wasm32", spin_sdk::http_service)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    expect(dead_code, reason = "the entry point exists in the component only")
)]
async fn handle(request: Request) -> impl IntoResponse {
    nudge_component::serve::serve(
        nudge_contract::names::app::LEGACY_ADAPTER,
        routes::router,
        request,
    )
    .await
}
