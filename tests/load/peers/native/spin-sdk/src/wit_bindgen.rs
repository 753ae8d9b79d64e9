//! The real wit-bindgen, in three cases.

pub use crate::generate;
pub use real::wit_bindgen::rt;

/// Bindings as in the components, with the paths that they have from a folder beside this one. The imports that all services
/// share (the call with `inline`) are not made: `nudge:dapr` is the crate `dapr_native`, and only the events are types.
#[macro_export]
macro_rules! generate {
    ({ inline: $($rest:tt)* }) => {
        /// The packages.
        pub mod nudge {
            pub use ::dapr_native::dapr;

            /// `nudge:events`.
            pub mod events {
                pub use super::super::only_events::nudge::events::types;
            }
        }

        mod only_events {
            $crate::real_spin_sdk::wit_bindgen::generate!({
                inline: "
                    package nudge:native;
                    world only-events {
                        import nudge:events/types@0.1.0;
                    }
                ",
                path: ["../../../../../wit/dapr", "../../../../../wit/events"],
                runtime_path: "::spin_sdk::wit_bindgen::rt",
                generate_all,
            });
        }
    };
    ({ path: [$($path:tt)*], $($rest:tt)* }) => {
        $crate::real_spin_sdk::wit_bindgen::generate!({
            path: ["../../../../../wit/dapr", "../../../../../wit/events"],
            $($rest)*
        });
    };
    ({ path: $path:literal, $($rest:tt)* }) => {
        $crate::real_spin_sdk::wit_bindgen::generate!({
            path: "../../../../../wit/dapr",
            $($rest)*
        });
    };
}
