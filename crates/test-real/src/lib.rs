//! Real parts for the components: broker, databases, scheduler, mail server, and how a sidecar is started on them.
//!
//! ```no_run
//! # async fn test() {
//! use test_real::{Parts, Platform};
//!
//! if let Some(missing) = Parts::USUAL.missing() {
//!     panic!("{missing}");
//! }
//! let platform = Platform::start(Parts::USUAL).await;
//! let sidecar = platform.sidecar("api", 3500, 3000).await;
//! # drop(sidecar);
//! # }
//! ```
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test whose parts do not start has failed"
)]

mod mail_server;
mod parts;
mod platform;

pub use mail_server::MailServer;
pub use parts::{Broker, Parts, State};
pub use platform::{API_TOKEN, APP_TOKEN, Platform, add_secrets};

use jiff::{SignedDuration, Timestamp};

/// The instant so many seconds from now, as the API keeps it.
pub fn in_seconds(seconds: i64) -> Timestamp {
    let at = Timestamp::now() + SignedDuration::from_secs(seconds);
    Timestamp::from_second(at.as_second()).expect("soon")
}

/// Runs something that waits for a process, off the runtime's threads, and panics if it fails.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> anyhow::Result<T> + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await.expect("no panic") {
        Ok(value) => value,
        Err(error) => panic!("{error:#}"),
    }
}
