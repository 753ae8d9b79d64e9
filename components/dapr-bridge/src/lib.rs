//! Dapr for WebAssembly components: exports the WIT package `nudge:dapr` over outbound HTTP to a sidecar.
//!
//! A service imports `nudge:dapr/…` and has no network code; Spin composes it with this component:
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
//! | `dapr_timeout_ms` | the time until the first byte of a response | 10000 |
//!
//! There is one file per building block. Only `sidecar.rs` and `exchange.rs` use HTTP, and only `error.rs` interprets Dapr's
//! status codes.

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
