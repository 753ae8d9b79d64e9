//! Bindings that `wit-bindgen` generates for the world `nudge:dapr/bridge`.
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
    path: "../../wit/dapr",
    world: "nudge:dapr/bridge",
    runtime_path: "::spin_sdk::wit_bindgen::rt",
});

#[cfg(target_arch = "wasm32")]
use crate::Bridge;
pub(crate) use exports::nudge::dapr::types::{Error, Failure};

#[cfg(target_arch = "wasm32")]
export!(Bridge with_types_in self);
