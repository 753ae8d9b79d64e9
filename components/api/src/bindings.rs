//! What `wit-bindgen` makes of the world `nudge:events/api`; types and imports are those of `nudge_component`.
#![allow(
    missing_docs,
    unreachable_pub,
    unsafe_code,
    clippy::all,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

spin_sdk::wit_bindgen::generate!({
    path: ["../../wit/dapr", "../../wit/events"],
    world: "nudge:events/api",
    runtime_path: "::spin_sdk::wit_bindgen::rt",
    with: {
        "nudge:dapr/types@0.1.0": nudge_component::dapr::types,
        "nudge:dapr/pubsub@0.1.0": nudge_component::dapr::pubsub,
        "nudge:dapr/state@0.1.0": nudge_component::dapr::state,
        "nudge:dapr/jobs@0.1.0": nudge_component::dapr::jobs,
        "nudge:dapr/secrets@0.1.0": nudge_component::dapr::secrets,
        "nudge:dapr/bindings@0.1.0": nudge_component::dapr::bindings,
        "nudge:dapr/invocation@0.1.0": nudge_component::dapr::invocation,
        "nudge:dapr/health@0.1.0": nudge_component::dapr::health,
        "nudge:dapr/metadata@0.1.0": nudge_component::dapr::metadata,
        "nudge:events/types@0.1.0": nudge_component::events,
    },
});

#[cfg(target_arch = "wasm32")]
use crate::exports::Component;
#[cfg(target_arch = "wasm32")]
export!(Component with_types_in self);
