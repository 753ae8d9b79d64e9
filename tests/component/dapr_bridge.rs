//! The bridge itself: its exports are called, and a scripted sidecar answers as real ones (1.16) were recorded to.

mod errors;
mod jobs;
mod other_blocks;
mod pubsub;
mod state;

use std::path::Path;

use nudge_test_kit::bindings::bridge::Bridge as Exports;
use nudge_test_kit::bindings::bridge::exports::nudge::dapr::types::Error;
use nudge_test_kit::components;
use nudge_test_kit::sidecar::{Reply, ScriptedSidecar};
use spin_host::{ComponentState, Host, Manifest, RunningHost};

/// An instance of the bridge and its sidecar.
struct Bridge {
    sidecar: ScriptedSidecar,
    store: wasmtime::Store<ComponentState>,
    exports: Exports,
    _host: RunningHost,
}

impl Bridge {
    async fn start() -> Self {
        Self::with("").await
    }

    /// A bridge with more variables (lines of TOML), in a component that has no others than the sidecar's address.
    async fn with(variables: &str) -> Self {
        let sidecar = ScriptedSidecar::start().await.expect("a free port");
        let endpoint = format!("dapr_http_endpoint = \"{}\"\n", sidecar.endpoint());
        Self::at(sidecar, &format!("{endpoint}{variables}")).await
    }

    async fn at(sidecar: ScriptedSidecar, variables: &str) -> Self {
        let manifest = format!(
            "spin_manifest_version = 2\n[application]\nname = \"test\"\n\
             [component.bridge]\nsource = \"target/wasm32-wasip2/release/nudge_dapr_bridge.wasm\"\n\
             allowed_outbound_hosts = [\"http://127.0.0.1:*\"]\n[component.bridge.variables]\n{variables}"
        );
        let root: &Path = components::built();
        let manifest = Manifest::parse(root.join("spin.toml"), &manifest).expect("a manifest");
        let host = Host::builder(manifest)
            .components(["bridge"])
            .listen(([127, 0, 0, 1], 0).into())
            .cache_dir(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"))
            .build()
            .await
            .expect("a host")
            .start();
        let (mut store, instance) = host
            .component("bridge")
            .expect("selected")
            .instantiate()
            .await
            .expect("an instance");
        let exports = Exports::new(&mut store, &instance).expect("the world of the bridge");
        Self {
            sidecar,
            store,
            exports,
            _host: host,
        }
    }

    fn reply(&self, reply: Reply) {
        self.sidecar.reply(reply);
    }

    /// The one request since the last look.
    fn request(&self) -> String {
        let requests = self.sidecar.requests();
        assert_eq!(requests.len(), 1, "{requests:#?}");
        requests.into_iter().next().expect("one")
    }
}

/// Calls an export: `call!(bridge, nudge_dapr_state.call_get("store".into(), "key".into()))`.
macro_rules! call {
    ($bridge:expr, $interface:ident.$function:ident($($argument:expr),*)) => {{
        let interface = $bridge.exports.$interface();
        let calling = $bridge.store.run_concurrent(async |accessor| interface.$function(accessor, $($argument),*).await);
        tokio::time::timeout(nudge_test_kit::http::DEADLINE, calling)
            .await
            .expect("an answer in time")
            .expect("no trap")
            .expect("no trap")
    }};
}
use call;

/// The name of an error, and what it says.
fn kind(error: &Error) -> (&'static str, &str) {
    let (kind, failure) = match error {
        Error::Unavailable(failure) => ("unavailable", failure),
        Error::Timeout(failure) => ("timeout", failure),
        Error::AccessDenied(failure) => ("access-denied", failure),
        Error::NoSuchComponent(failure) => ("no-such-component", failure),
        Error::InvalidArgument(failure) => ("invalid-argument", failure),
        Error::Conflict(failure) => ("conflict", failure),
        Error::Other(failure) => ("other", failure),
    };
    (kind, &failure.message)
}
