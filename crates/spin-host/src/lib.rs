//! Runs the components of a `spin.toml` on wasmtime, where Spin itself is not installed.
//!
//! It reads the manifest that [Spin](https://spinframework.dev) 4.1 reads, composes the components with their
//! dependencies, and serves them over HTTP with the same limits, defaults and refusals. It implements a part of Spin
//! (HTTP triggers, WASI 0.2 and 0.3, outbound HTTP, variables, SQLite,
//! PostgreSQL) and refuses everything else by name.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let manifest = spin_host::Manifest::load("spin.toml")?;
//! let host = spin_host::Host::builder(manifest)
//!     .listen("127.0.0.1:0".parse()?)
//!     .state_dir("/tmp/state")
//!     .variable("sidecar", "http://127.0.0.1:3500")
//!     .build()
//!     .await?
//!     .start();
//! println!("http://{}", host.local_addr());
//! host.shutdown().await;
//! # Ok(()) }
//! ```

mod allowed_hosts;
mod bindings;
mod clock;
mod compiled;
mod component;
mod compose;
mod deny;
mod dependency;
mod extension;
mod files;
mod host;
mod http_client;
mod instances;
mod limits;
pub mod manifest;
mod outbound_http;
mod postgres;
mod queue;
mod routes;
mod server;
mod sqlite;
mod state;
mod stdio;
mod variables;

pub use allowed_hosts::AllowedHostError;
pub use bounded_http::{Limits as HttpLimits, Pace};
pub use component::LoadedComponent;
pub use compose::ComposeError;
pub use extension::Extension;
pub use files::FilesError;
pub use host::{ComponentError, Host, HostBuilder, HostError, RunningHost};
pub use limits::Limits;
pub use manifest::{Manifest, ManifestError};
pub use routes::{RouteError, RouteMatch, Router};
pub use state::ComponentState;
pub use variables::VariableError;
