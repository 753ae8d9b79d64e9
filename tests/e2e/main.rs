//! The whole system: components on the spin host, embedded sidecars, mail sink. Time is stepped, except in the tests that
//! kill the program.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that panics has failed, and says where"
)]

mod addresses;
mod clock;
mod crash;
mod field_reports;
mod pressure;
mod program;
mod quiet_hours;
mod recurrence;
mod reminders;
#[cfg(target_os = "linux")] // `xdg-open`
mod sign_in;
mod support;
mod tokens;
mod trail;
