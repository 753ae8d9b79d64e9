//! Serves the page: static files that are built into the component. It calls nothing and stores nothing.
//!
//! | file | holds |
//! | --- | --- |
//! | `routes.rs` | HTTP: which path leads to which file |
//! | `site.rs` | the files, and the coding that a browser gets them in |
//! | `conditions.rs` | `If-None-Match` and `Accept-Encoding` |
//! | `policy.rs` | headers that keep the page to itself |
//! | `config.rs` | `/config.json` |
//! | `origin.rs` | which origins of an identity provider are safe |

mod conditions;
mod config;
mod origin;
mod policy;
mod routes;
mod site;

use spin_sdk::http::{IntoResponse, Request};

/// Handles one request: the component's entry point.
#[cfg_attr(target_arch = "wasm32", spin_sdk::http_service)]
pub async fn handle(request: Request) -> impl IntoResponse {
    nudge_component::serve::serve(nudge_contract::names::app::WEB, routes::router, request).await
}
