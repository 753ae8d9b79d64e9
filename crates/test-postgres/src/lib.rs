//! A PostgreSQL server for a test, if this machine has one.
//!
//! ```no_run
//! # async fn test() {
//! let Some(server) = test_postgres::Server::start().await else {
//!     return; // said why
//! };
//! println!("{}", server.url());
//! # }
//! ```

mod server;

pub use server::Server;
