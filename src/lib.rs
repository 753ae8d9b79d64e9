//! Nudge on one machine: the components of `spin.toml` on the spin host, a sidecar for each service, a mail sink.
//!
//! The program `nudge` is a thin layer on top of this; the end-to-end tests start the same [`System`] with a clock that they step.
//!
//! ```no_run
//! # async fn run() -> anyhow::Result<()> {
//! use nudge::{DataDir, System, SystemOptions};
//!
//! let data = DataDir::open(".nudge")?;
//! let system = System::start(SystemOptions::new(env!("CARGO_MANIFEST_DIR"), data)).await?;
//! println!("{}", system.url());
//! system.shutdown().await;
//! # Ok(()) }
//! ```

mod data_dir;
mod emails;
mod privacy;
mod system;
mod token;

pub use dapr_sidecar::Synchronous;
pub use data_dir::{DataDir, Exclusive, Running};
pub use emails::{Email, emails, html_to_text};
pub use system::{System, SystemOptions};
pub use token::{Minted, TokenRequest, mint, mint_with_id};
