//! Code that Nudge's tests share.
//!
//! - [`components`]: the components, built from the source as it is
//! - [`dapr`]: a fake of the WIT package `nudge:dapr` in the host, which records calls and fails on demand
//! - [`bindings`]: callers of the WIT exports of components
//! - [`bridge`]: the bridge component by itself
//! - [`tokens`]: bearer tokens
//! - [`signing`]: an identity provider's keys
//! - [`http`]: a client for a host on a free port
//! - [`limits`]: the limits of one user, turned off
//! - [`sidecar`]: a scripted HTTP API of a sidecar, to test the bridge itself
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use nudge_test_kit::{components, dapr::FakeDapr, http::Call};
//! use spin_host::{Host, Manifest};
//!
//! let dapr = FakeDapr::new();
//! let host = Host::builder(Manifest::load(components::built().join("spin.toml"))?)
//!     .components(["api"])
//!     .listen("127.0.0.1:0".parse()?)
//!     .extension(Arc::new(dapr.clone()))
//!     .build()
//!     .await?
//!     .start();
//! let answer = Call::new(host.local_addr(), "GET".parse()?, "/health/live").send().await?;
//! assert_eq!(answer.status, 200);
//! # Ok(()) }
//! ```

pub mod bindings;
pub mod bridge;
pub mod components;
pub mod dapr;
pub mod http;
pub mod limits;
pub mod sidecar;
pub mod signing;
pub mod tokens;
