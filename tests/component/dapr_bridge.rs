//! The bridge itself: its exports are called, and a scripted sidecar answers as real ones (1.16) were recorded to.

mod connection;
mod errors;
mod jobs;
mod other_blocks;
mod pubsub;
mod state;

use std::path::Path;

use nudge_test_kit::bindings::bridge::exports::nudge::dapr::types::Error;
use nudge_test_kit::sidecar::{Reply, ScriptedSidecar};

/// An instance of the bridge with these variables (lines of TOML).
async fn instance(variables: &str) -> nudge_test_kit::bridge::Bridge {
    let cache = Path::new(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"));
    let bridge = nudge_test_kit::bridge::Bridge::start(variables, cache).await;
    bridge.expect("an instance")
}

/// An instance of the bridge and its sidecar.
struct Bridge {
    sidecar: ScriptedSidecar,
    bridge: nudge_test_kit::bridge::Bridge,
}

impl Bridge {
    async fn start() -> Self {
        Self::with("").await
    }

    /// A bridge with additional variables (lines of TOML), besides the sidecar's address.
    async fn with(variables: &str) -> Self {
        let sidecar = ScriptedSidecar::start().await.expect("a free port");
        let endpoint = format!("dapr_http_endpoint = \"{}\"\n", sidecar.endpoint());
        Self::at(sidecar, &format!("{endpoint}{variables}")).await
    }

    async fn at(sidecar: ScriptedSidecar, variables: &str) -> Self {
        Self {
            sidecar,
            bridge: instance(variables).await,
        }
    }

    fn reply(&self, reply: Reply) {
        self.sidecar.reply(reply);
    }

    /// The only request since the last call.
    fn request(&self) -> String {
        let requests = self.sidecar.requests();
        assert_eq!(requests.len(), 1, "{requests:#?}");
        requests.into_iter().next().expect("one")
    }
}

/// Calls an export of the bridge with a scripted sidecar.
macro_rules! call {
    ($bridge:expr, $interface:ident.$function:ident($($argument:expr),* $(,)?)) => {
        nudge_test_kit::call!($bridge.bridge, $interface.$function($($argument),*))
    };
}
use call;

/// The name of an error, and its message.
fn kind(error: &Error) -> (&'static str, &str) {
    let (kind, failure) = nudge_test_kit::bridge::failure(error);
    (kind, &failure.message)
}
