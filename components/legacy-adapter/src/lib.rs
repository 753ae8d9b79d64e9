//! Between Nudge and the system that it replaces, for the time of a migration: plain JSON of the one in, that of the other out.
//!
//! It keeps nothing. What was done there is handed to the api, which repeats it here and marks it; what was done here, and has no
//! mark, is published there with a header. So nothing goes round, whoever is whose master (decision 0020).
//!
//! | file | holds |
//! | --- | --- |
//! | `routes.rs` | HTTP: thin adapters |
//! | `incoming.rs` | from there to here |
//! | `outgoing.rs` | from here to there |
//! | `api.rs` | what the api is asked |
//!
//! It has no WIT exports: its events are not those of `nudge:events`, and a task event as WIT has it does not say its origin.

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
