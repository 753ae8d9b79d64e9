//! Bindings that `wit-bindgen` generates for the imports of every service and for the event types.
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

/// Generates bindings for a world of `nudge:events` in a module `bindings`, and exports `Component`, which must be defined next to
/// the macro call and implement the handlers of the world. Types and imports are those of this crate.
///
/// ```ignore
/// use bindings::exports::nudge::events::task_reminders_handler;
///
/// nudge_component::world!("nudge:events/email-delivery");
///
/// struct Component;
///
/// impl task_reminders_handler::Guest for Component { /* … */ }
/// ```
#[macro_export]
macro_rules! world {
    ($world:literal) => {
        #[allow(
            missing_docs,
            unreachable_pub,
            unsafe_code,
            clippy::all,
            clippy::unwrap_used,
            clippy::expect_used,
            clippy::panic,
            clippy::indexing_slicing
        )]
        mod bindings {
            ::spin_sdk::wit_bindgen::generate!({
                path: ["../../wit/dapr", "../../wit/events"],
                world: $world,
                runtime_path: "::spin_sdk::wit_bindgen::rt",
                with: {
                    "nudge:dapr/types@0.1.0": ::nudge_component::dapr::types,
                    "nudge:dapr/pubsub@0.1.0": ::nudge_component::dapr::pubsub,
                    "nudge:dapr/state@0.1.0": ::nudge_component::dapr::state,
                    "nudge:dapr/jobs@0.1.0": ::nudge_component::dapr::jobs,
                    "nudge:dapr/secrets@0.1.0": ::nudge_component::dapr::secrets,
                    "nudge:dapr/bindings@0.1.0": ::nudge_component::dapr::bindings,
                    "nudge:dapr/invocation@0.1.0": ::nudge_component::dapr::invocation,
                    "nudge:dapr/health@0.1.0": ::nudge_component::dapr::health,
                    "nudge:dapr/metadata@0.1.0": ::nudge_component::dapr::metadata,
                    "nudge:events/types@0.1.0": ::nudge_component::events,
                },
            });

            #[cfg(target_arch = "wasm32")]
            use super::Component;
            #[cfg(target_arch = "wasm32")]
            export!(Component with_types_in self);
        }
    };
}
