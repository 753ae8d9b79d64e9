//! The part of spin-sdk that Nudge's components use, on tokio instead of Spin.
//!
//! Types without behaviour are those of the real crate, so the components see no difference. What Spin's host does in the
//! real system is done here by the same libraries: hyper, rusqlite, tokio-postgres.

pub mod component;
pub mod http;
pub mod pg;
pub mod sqlite;
pub mod variables;

/// Timers.
pub mod time {
    pub use tokio::time::sleep;
}

pub mod wasip3;
pub mod wit_bindgen;

#[doc(hidden)]
pub use real as real_spin_sdk;
