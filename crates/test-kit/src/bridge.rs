//! The bridge component by itself, called through WIT.

use std::path::Path;

use anyhow::Result;
use spin_host::{ComponentState, Host, Manifest, RunningHost};

use crate::bindings::bridge::Bridge as Exports;
use crate::bindings::bridge::exports::nudge::dapr::types::{Error, Failure};
use crate::components;

/// An instance of the bridge.
pub struct Bridge {
    /// The store of the instance.
    pub store: wasmtime::Store<ComponentState>,
    /// Its exports; see [`call!`](crate::call).
    pub exports: Exports,
    _host: RunningHost,
}

impl Bridge {
    /// Starts a bridge with these variables in TOML, such as `dapr_http_endpoint = "http://127.0.0.1:3500"`. Compiled code is
    /// cached in the folder `cache`.
    ///
    /// # Errors
    ///
    /// The lines are not valid TOML, or the component cannot be instantiated.
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

/// The name of an error in `wit/dapr/types.wit`, and its details.
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

/// Calls an export of a [`Bridge`](crate::bridge::Bridge) and returns its result:
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
