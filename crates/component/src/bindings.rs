//! What `wit-bindgen` makes of the imports of every service, and of the event types.
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
    inline: "
        package nudge:component;
        world shared {
            include nudge:dapr/imports@0.1.0;
            import nudge:events/types@0.1.0;
        }
    ",
    path: ["../../wit/dapr", "../../wit/events"],
    runtime_path: "::spin_sdk::wit_bindgen::rt",
    generate_all,
});

pub use nudge::dapr;
pub use nudge::events::types as events;
