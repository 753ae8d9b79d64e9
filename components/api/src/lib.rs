//! The task service: the only writer of task data.
//!
//! A change and its event are one SQL statement (a trigger appends the event to `task_event`). The response goes out once that is
//! stored, and the event is published after responding. What a crash leaves unpublished, the recurring job publishes.
//!
//! A request comes in by one of three doors, which read it into commands of the domain ([`nudge_domain::task`]). Services carry them
//! out; they know neither HTTP nor JSON. Imports go downwards only (`scripts/import-cycles.sh`):
//!
//! | door | reads |
//! | --- | --- |
//! | `http/` | REST: routes, bodies, queries, conditions, problem documents |
//! | `mcp/` | tools for models |
//! | `legacy/` | changes of the system that Nudge replaces; deleted when no migration needs it |
//! | `exports.rs` | WIT: events |
//!
//! | service | does |
//! | --- | --- |
//! | `upkeep.rs` | what the recurring job does: publish, follow series, remove what is old |
//! | `account/` | export and deletion of everything about a user |
//! | `tasks/` | tasks: `service.rs`, `reminders.rs`, `list/`, `search.rs`, `labels/`; for the other services: `leases.rs`, `delivery.rs`, `successors.rs` |
//! | `dead_letters.rs` | events that no consumer could handle |
//! | `profile.rs` | what is known about a user |
//! | `agents/` | programs that a user gave a token |
//! | `recipients/` | who may be written to: confirmed addresses, stops, limits on emails, emails about accounts |
//!
//! | ground | holds |
//! | --- | --- |
//! | `caller.rs`, `error.rs`, `limit.rs`, `version.rs` | who asks, why not, how much, and at which version |
//! | `guard/` | idempotency keys, cost per minute, requests in flight, open feeds |
//! | `events/` | the outbox and the feed |
//! | `input/` | reading JSON and query strings, naming what is wrong; media types |
//! | `auth/` | tokens |
//! | `public_url.rs`, `random_token.rs` | where users reach this application; tokens of random bits |
//! | `schema/` | migrations; opening the database |
//! | `terms/` | what full-text search sees of a text |
//! | `db/` | one database, two dialects |

mod account;
mod agents;
mod auth;
mod caller;
mod db;
mod dead_letters;
mod error;
mod events;
mod exports;
#[cfg(fuzzing)]
pub mod fuzzing;
mod guard;
mod http;
mod input;
mod legacy;
mod limit;
mod mcp;
mod profile;
mod public_url;
mod random_token;
mod recipients;
mod schema;
mod tasks;
mod terms;
mod upkeep;
mod version;

use spin_sdk::http::{IntoResponse, Request};

/// Answers one request: the component's entry point.
#[cfg_attr(target_arch = "wasm32", spin_sdk::http_service)]
pub async fn handle(request: Request) -> impl IntoResponse {
    nudge_component::serve::serve(nudge_contract::names::app::API, http::router, request).await
}
