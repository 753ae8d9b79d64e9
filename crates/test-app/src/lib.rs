//! An app behind a sidecar, as a script: it records what it gets and answers what it was told.
//!
//! ```no_run
//! # async fn test() {
//! let app = test_app::Scripted::start().await;
//! app.answers("/on/orders", &[(500, ""), (200, "")]);
//! // A sidecar that was given `app.url` delivers two times.
//! app.wait("/on/orders", 2).await;
//! # }
//! ```
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may panic as tests do"
)]

mod bulk;
mod scripted;

pub use bulk::{entries, statuses};
pub use scripted::{ANY, PATIENCE, Scripted, Seen};
