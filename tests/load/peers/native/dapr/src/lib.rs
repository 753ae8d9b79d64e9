//! The Dapr bridge as a library: its own source, called directly instead of through the component model.

#[path = "../../../../../../components/dapr-bridge/src/bindings.rs"]
mod bindings;
#[path = "../../../../../../components/dapr-bridge/src/block_bindings.rs"]
mod block_bindings;
pub mod dapr;
#[path = "../../../../../../components/dapr-bridge/src/error.rs"]
mod error;
mod exchange;
#[path = "../../../../../../components/dapr-bridge/src/health.rs"]
mod health;
#[path = "../../../../../../components/dapr-bridge/src/invocation.rs"]
mod invocation;
#[path = "../../../../../../components/dapr-bridge/src/jobs.rs"]
mod jobs;
#[path = "../../../../../../components/dapr-bridge/src/metadata.rs"]
mod metadata;
#[path = "../../../../../../components/dapr-bridge/src/pubsub.rs"]
mod pubsub;
#[path = "../../../../../../components/dapr-bridge/src/secrets.rs"]
mod secrets;
#[path = "../../../../../../components/dapr-bridge/src/sidecar.rs"]
mod sidecar;
#[path = "../../../../../../components/dapr-bridge/src/state.rs"]
mod state;

/// What the bridge's exports are implemented on.
struct Bridge;
