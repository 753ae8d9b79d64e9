//! Email: consumes due reminders and notices about accounts, sends emails and publishes or reports the outcomes.
//!
//! One email is sent per reminder and instant, however often its event is delivered: a record in the state store is claimed
//! with a lease before the work and marked done after it. The api decides just before sending whether and where to send;
//! events contain no address.
//!
//! | file | holds |
//! | --- | --- |
//! | `routes.rs` | HTTP: thin adapters |
//! | `exports.rs` | WIT: thin adapters |
//! | `service.rs` | the logic of a batch |
//! | `notices.rs` | the same for emails about accounts |
//! | `due.rs` | a reminder of a batch |
//! | `store.rs` | the inbox |
//! | `rest.rs` | recipients whose mail server takes too long, and how long they rest |
//! | `sending.rs` | the emails of a batch, one after another in each lane |
//! | `lane.rs` | the guarantee that each smtp component sends only one email at a time |
//! | `mail.rs` | the content of the email |
//! | `header.rs` | the encoding of its subject and sender |
//! | `smtp.rs` | the binding, and what its failures mean |
//! | `recipients.rs` | recipients that the api is told to stop sending to |

mod due;
mod exports;
mod header;
mod lane;
mod mail;
mod notices;
mod recipients;
mod rest;
mod routes;
mod sending;
mod service;
mod smtp;
mod store;

use spin_sdk::http::{IntoResponse, Request};

/// Handles one request: the component's entry point.
#[cfg_attr(target_arch = "wasm32", spin_sdk::http_service)]
pub async fn handle(request: Request) -> impl IntoResponse {
    nudge_component::serve::serve(
        nudge_contract::names::app::EMAIL_DELIVERY,
        routes::router,
        request,
    )
    .await
}
