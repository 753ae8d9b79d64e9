//! Each component on wasmtime, called over HTTP and through its WIT exports, with Dapr as a value of the test.
//!
//! No sidecar, no network but loopback to the host under test; the clock stands still until a test moves it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what does not hold fails the test"
)]

mod api;
mod contract;
mod dapr_bridge;
mod day;
mod email_delivery;
mod field_reports;
mod golden;
mod host_log;
mod legacy_adapter;
mod mcp;
mod notification;
mod openapi;
mod plans;
mod recurring_task;
mod sample;
mod slow_bodies;
mod subscribers;
mod support;
mod web;
