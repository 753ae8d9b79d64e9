//! The part of Dapr 1.16's HTTP API that Nudge uses, in one process on SQLite.
//!
//! Replaces daprd, its scheduler, a broker and a state store on one machine. A request gets the
//! status, body and headers that were recorded from a real daprd 1.16; what does not exist here is refused by name.
//!
//! ```
//! # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use std::collections::BTreeMap;
//! use dapr_sidecar::{App, Clock, Options, Sidecars, Synchronous};
//!
//! # let folder = tempfile::tempdir()?;
//! # let dir = folder.path();
//! std::fs::write(dir.join("pubsub.yaml"), "
//! apiVersion: dapr.io/v1alpha1
//! kind: Component
//! metadata: {name: pubsub}
//! spec: {type: pubsub.in-memory, version: v1}
//! ")?;
//! let mut sidecars = Sidecars::bind(Options {
//!     resources: vec![dir.to_owned()],
//!     working_dir: dir.to_owned(),
//!     data: dir.join("dapr.db"),
//!     synchronous: Synchronous::Full,
//!     clock: Clock::system(),
//!     await_clock: Clock::system(),
//!     apps: vec![App::new("orders")],
//! })
//! .await?;
//! println!("DAPR_HTTP_ENDPOINT=http://{}", sidecars.address("orders").ok_or("bound above")?);
//! sidecars.serve(BTreeMap::from([("orders".to_owned(), "http://127.0.0.1:8080".parse()?)]));
//! sidecars.shutdown().await;
//! # Ok(()) }
//! ```
//!
//! `pubsub.in-memory` and `state.in-memory` name the component types, so that the same files load on a real daprd;
//! here both are durable: neither a killed process nor a power cut loses anything after the response. Delivery follows what was recorded with
//! Kafka: eight partitions, one message in flight in each, order within a `partitionKey`. A bulk subscription gets batches of one
//! partition, and one batch of its component at a time; what daprd 1.16.0 does badly with them (`docs/dapr-bulk-subscribe.md`) happens
//! here, too.
//!
//! What is absent: actors, workflows, configuration stores, locks, gRPC, input bindings, programmatic subscriptions, the outbox, schedules of jobs other than `@every`, TLS to mail servers, jitter of retries, wildcards in
//! topics, groups in addresses. An error that quotes Go's JSON or protobuf parser has the same status and code here, and the
//! words of another parser.
//! In a subscription that is not bulk, an event that has expired or matches no route is dropped with a log line; what daprd does if
//! there is a dead-letter topic was not recorded. Outbound policies apply to bindings; publishing and state stay in
//! the process.

mod app;
mod bindings;
mod body;
mod breaker;
mod duration;
mod error;
mod go_json;
mod health;
mod invoke;
mod jobs;
mod metadata;
mod policy;
mod problem;
mod pubsub;
mod resources;
mod secrets;
mod server;
mod sidecar;
mod sidecars;
mod state;
mod store;
mod trace;

pub use app::{App, AppHealth};
pub use error::Error;
pub use sidecars::{Options, Sidecars};
pub use step_clock::Clock;
pub use store::{StoreError, Synchronous};
