//! Dapr for WebAssembly components: exports the WIT package `nudge:dapr` over outbound HTTP to a sidecar.
//!
//! A service imports `nudge:dapr/…` and knows no network; Spin composes it with this component:
//!
//! ```toml
//! [component.service.dependencies]
//! "nudge:dapr" = { component = "dapr-bridge", inherit_configuration = ["allowed_outbound_hosts", "variables"] }
//! ```
//!
//! The bridge has no configuration of its own. It reads that of the component it is composed into:
//!
//! | variable | meaning | when absent |
//! | --- | --- | --- |
//! | `dapr_http_endpoint` | the sidecar's address, such as `http://127.0.0.1:3500` | every call is `unavailable` |
//! | `dapr_api_token` | sent as `dapr-api-token` | empty: not sent |
//! | `dapr_timeout_ms` | how long a call may take until its first byte | 10000 |
//!
//! One file per building block; `sidecar.rs` and `exchange.rs` hold the only code that talks HTTP, `error.rs` the only code that
//! knows what Dapr's statuses mean.

mod bindings;
mod block_bindings;
mod error;
mod exchange;
mod health;
mod invocation;
mod jobs;
mod metadata;
mod pubsub;
mod secrets;
mod sidecar;
mod state;

/// The component: one unit type that implements the export of every building block.
struct Bridge;
