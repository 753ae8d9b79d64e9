//! An SMTP server that stores each email as a file.
//!
//! [`MailSink`] accepts email for every recipient. It writes each message, as it was sent, to one `.eml` file, which is on
//! disk before the client gets its 250 reply. It never forwards anything, and it adds no header but `Return-Path`.
//!
//! ```
//! # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use mail_sink::MailSink;
//!
//! # let folder = tempfile::tempdir()?;
//! # let dir = folder.path();
//! let sink = MailSink::start("127.0.0.1:0".parse()?, dir).await?;
//! println!("send to {}, read {}", sink.addr(), sink.dir().display());
//! assert!(sink.emails()?.is_empty());
//! sink.shutdown().await;
//! # Ok(()) }
//! ```

mod connections;
mod fault;
mod recipient;
mod server;
mod session;
mod spool;

pub use fault::{Fault, Stage};
pub use recipient::Treatment;
pub use server::{Error, MailSink};
pub use spool::emails_in;
