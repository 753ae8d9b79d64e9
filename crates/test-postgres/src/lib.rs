//! A PostgreSQL server for a test, if this machine has one.
//!
//! ```no_run
//! use libtest_mimic::Arguments;
//! use test_postgres::Server;
//!
//! async fn the_server_has_an_address(server: Server) {
//!     assert!(server.url().starts_with("postgres://"));
//! }
//!
//! let trials = vec![test_postgres::trial("the_server_has_an_address", the_server_has_an_address)];
//! libtest_mimic::run(&Arguments::from_args(), trials).exit();
//! ```

mod server;
mod trial;

pub use server::Server;
pub use trial::trial;
