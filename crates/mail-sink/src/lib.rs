//! An SMTP server that keeps every mail as a file.
//!
//! [`MailSink`] takes any mail for anybody and stores it as one `.eml` file, on disk before the client hears
//! 250. It never sends anything on. An HTML-only mail is completed to `multipart/alternative` with a text
//! part, as a submission server may (RFC 6409 section 8).
//!
//! ```
//! # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use mail_sink::MailSink;
//!
//! # let folder = tempfile::tempdir()?;
//! # let dir = folder.path();
//! let sink = MailSink::start("127.0.0.1:0".parse()?, dir).await?;
//! println!("send to {}, read {}", sink.addr(), sink.dir().display());
//! assert!(sink.mails()?.is_empty());
//! sink.shutdown().await;
//! # Ok(()) }
//! ```

mod complete;
mod fault;
mod incoming;
mod server;
mod session;
mod spool;
mod text;

pub use fault::{Fault, Stage};
pub use server::{Error, MailSink};
