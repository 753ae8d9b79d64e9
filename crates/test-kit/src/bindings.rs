//! Bindings generated from `wit/`: the host side of `nudge:dapr`, and callers of the exports of components.
#![allow(missing_docs, unreachable_pub, clippy::all)] // Generated.

/// The imports of services, implemented by [`FakeDapr`](crate::dapr::FakeDapr).
pub mod imports {
    wasmtime::component::bindgen!({
        path: "../../wit/dapr",
        world: "nudge:dapr/imports",
        imports: { default: async | trappable },
        additional_derives: [PartialEq],
    });
}

/// The world of the bridge: `nudge:dapr` as exports.
pub mod bridge {
    wasmtime::component::bindgen!({
        path: "../../wit/dapr",
        world: "nudge:dapr/bridge",
        exports: { default: async | store },
        additional_derives: [PartialEq],
    });
}

/// The exports of the api besides HTTP.
pub mod api {
    wasmtime::component::bindgen!({
        inline: "package nudge:calls; world api { export nudge:events/reminder-outcomes-handler@0.1.0; }",
        path: ["../../wit/dapr", "../../wit/events"],
        exports: { default: async | store },
        additional_derives: [PartialEq, serde::Deserialize],
    });
}

/// The exports of notification besides HTTP.
pub mod notification {
    wasmtime::component::bindgen!({
        inline: "
            package nudge:calls;
            world notification {
                export nudge:events/task-events-handler@0.1.0;
                export nudge:events/job-handler@0.1.0;
            }
        ",
        path: ["../../wit/dapr", "../../wit/events"],
        exports: { default: async | store },
        with: { "nudge:events/types@0.1.0": super::api::nudge::events::types },
    });
}

/// The exports of email-delivery besides HTTP.
pub mod email_delivery {
    wasmtime::component::bindgen!({
        inline: "
            package nudge:calls;
            world email-delivery {
                export nudge:events/task-reminders-handler@0.1.0;
                export nudge:events/account-notices-handler@0.1.0;
            }
        ",
        path: ["../../wit/dapr", "../../wit/events"],
        exports: { default: async | store },
        with: { "nudge:events/types@0.1.0": super::api::nudge::events::types },
    });
}

/// The exports of recurring-task besides HTTP.
pub mod recurring_task {
    wasmtime::component::bindgen!({
        inline: "package nudge:calls; world recurring-task { export nudge:events/task-recurrence-handler@0.1.0; }",
        path: ["../../wit/dapr", "../../wit/events"],
        exports: { default: async | store },
        with: { "nudge:events/types@0.1.0": super::api::nudge::events::types },
    });
}
