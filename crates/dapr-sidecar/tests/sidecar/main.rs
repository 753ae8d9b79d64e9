//! The sidecar as an app sees it: one module per building block, all in one binary.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "test helpers may panic as tests do"
)]

mod abuse;
mod bench;

mod bindings;
mod bulk;
mod health;
mod invoke;
mod jobs;
mod power_cut;
mod pubsub;
mod secrets;
mod state;
