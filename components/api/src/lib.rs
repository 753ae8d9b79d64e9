//! The task service: the only writer of task data.
//!
//! A change and its event are one SQL statement (a trigger appends the event to `task_event`), the answer goes out once
//! that is stored, and the event is published right behind the answer. What a crash leaves unpublished, the relay
//! publishes.
//!
//! | file | holds |
//! | --- | --- |
//! | `routes.rs`, `routes/` | HTTP: what comes in and goes out |
//! | `exports.rs` | WIT: thin adapters |
//! | `auth.rs`, `auth/` | who is calling |
//! | `input.rs`, `json.rs`, `media.rs` | reading bodies and queries, naming what is wrong; media types |
//! | `conditional.rs` | `If-Match` and `If-None-Match` |
//! | `draft.rs` | from a body to a task, by the rules of the domain |
//! | `service.rs`, `label_service.rs`, `bulk.rs` | what happens |
//! | `feed.rs` | history and change feed |
//! | `idempotency.rs`, `rate.rs` | what every request of a person passes |
//! | `record.rs` | a task between the database and the contract |
//! | `query.rs`, `cursor.rs`, `list.rs` | lists: what is asked for, where a page ends, the statement |
//! | `store.rs`, `labels.rs`, `people.rs` | the statements |
//! | `reminders.rs` | one reminder at a time |
//! | `delivery.rs` | what the other services ask and say about reminders |
//! | `legacy.rs`, `legacy/` | what is carried over from the system that Nudge replaces |
//! | `export.rs`, `leaving.rs` | everything about a person: as one document, and deleted |
//! | `search.rs`, `search/words.rs` | full text: the statements, and what the index sees of a text |
//! | `db.rs`, `schema.rs` | one database, two dialects |
//! | `mcp.rs`, `mcp/` | tasks as tools for models |
//! | `fuzzing.rs` | what reads bodies, for the fuzz targets; not in the component |
//! | `outbox.rs` | publishing behind the answer, and the relay |

mod account;
mod auth;
mod bindings;
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
mod mcp;
mod profile;
mod schema;
mod tasks;
mod terms;
mod upkeep;

use spin_sdk::http::{IntoResponse, Request};

/// Answers one request: the component's entry point.
#[cfg_attr(target_arch = "wasm32", spin_sdk::http_service)]
pub async fn handle(request: Request) -> impl IntoResponse {
    nudge_component::serve::serve(nudge_contract::names::app::API, http::router, request).await
}
