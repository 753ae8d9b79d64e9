//! Code that every Nudge component shares.
//!
//! - [`ask`]: requests to the api
//! - [`batch`]: one result per event of a batch
//! - [`dapr`] and [`events`]: the bindings of the WIT packages
//! - [`log`]: log lines, without addresses and bounded
//! - [`problem`]: errors as RFC 9457 problem details
//! - [`readiness`]: the result of a check, for a second
//! - [`serve`]: from Spin's request to an axum router and back, with limits, trace context and logs
//! - [`sidecar`]: routes that only the sidecar may call
//! - [`subscriber`]: from a delivered CloudEvent to a handler, and from its result to the status that Dapr expects
//! - [`publish`]: from a payload to a CloudEvent
//! - [`trace`]: W3C trace context
//!
//! A component is an axum router behind Spin's entry point:
//!
//! ```no_run
//! use axum::{Router, routing::get};
//! use nudge_component::serve;
//! use spin_sdk::http::{IntoResponse, Request};
//!
//! fn router() -> Router {
//!     Router::new().route("/hello", get(async || "hello"))
//! }
//!
//! async fn handle(request: Request) -> impl IntoResponse {
//!     serve::serve("example", router, request).await
//! }
//! ```

pub mod ask;
pub mod batch;
mod bindings;
pub mod convert;
pub mod log;
pub mod problem;
pub mod publish;
pub mod readiness;
pub mod serve;
pub mod settings;
pub mod sidecar;
pub mod subscriber;
pub mod trace;

pub use bindings::{dapr, events};
pub use problem::Problem;
