//! The bridge component by itself, called through WIT.

use std::path::Path;

use anyhow::Result;
use spin_host::{ComponentState, Host, Manifest, RunningHost};

use crate::bindings::bridge::Bridge as Exports;
use crate::bindings::bridge::exports::nudge::dapr::types::{Error, Failure};
use crate::components;

/// An instance of the bridge.
pub struct Bridge {
    /// Where it lives.
    pub store: wasmtime::Store<ComponentState>,
    /// What it exports; see [`call!`](crate::call).
    pub exports: Exports,
    _host: RunningHost,
}

impl Bridge {
    /// Starts one whose variables are these lines of TOML, such as `dapr_http_endpoint = "http://127.0.0.1:3500"`. Machine code
    /// is kept in the folder `cache`.
    ///
    /// # Errors
    ///
    /// The lines are no TOML, or the component cannot be instantiated.
    pub async fn start(variables: &str, cache: &Path) -> Result<Self> {
        let manifest = format!(
            "spin_manifest_version = 2\n[application]\nname = \"test\"\n\
             [component.bridge]\nsource = \"target/wasm32-wasip2/release/nudge_dapr_bridge.wasm\"\n\
             allowed_outbound_hosts = [\"http://127.0.0.1:*\"]\n[component.bridge.variables]\n{variables}"
        );
        let manifest = Manifest::parse(components::built().join("spin.toml"), &manifest)?;
        let host = Host::builder(manifest)
            .components(["bridge"])
            .listen(([127, 0, 0, 1], 0).into())
            .cache_dir(cache)
            .build()
            .await?
            .start();
        let (mut store, instance) = host.component("bridge")?.instantiate().await?;
        let exports = Exports::new(&mut store, &instance)?;
        Ok(Self {
            store,
            exports,
            _host: host,
        })
    }
}

/// The name of an error, as `wit/dapr/types.wit` has it, and what is known of it.
pub fn failure(error: &Error) -> (&'static str, &Failure) {
    match error {
        Error::Unavailable(failure) => ("unavailable", failure),
        Error::Timeout(failure) => ("timeout", failure),
        Error::AccessDenied(failure) => ("access-denied", failure),
        Error::NoSuchComponent(failure) => ("no-such-component", failure),
        Error::InvalidArgument(failure) => ("invalid-argument", failure),
        Error::Conflict(failure) => ("conflict", failure),
        Error::Other(failure) => ("other", failure),
    }
}

/// Calls an export of a [`Bridge`](crate::bridge::Bridge) and gives back its result:
/// `call!(bridge, nudge_dapr_state.call_get("store".into(), "key".into()))`.
#[macro_export]
macro_rules! call {
    ($bridge:expr, $interface:ident.$function:ident($($argument:expr),* $(,)?)) => {{
        let interface = $bridge.exports.$interface();
        let calling = $bridge
            .store
            .run_concurrent(async |accessor| interface.$function(accessor, $($argument),*).await);
        tokio::time::timeout($crate::http::DEADLINE, calling)
            .await
            .expect("an answer in time")
            .expect("no trap")
            .expect("no trap")
    }};
}
