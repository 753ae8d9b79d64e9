//! The host, with real components from `tests/fixtures`, over real sockets on free ports.

#![allow(clippy::expect_used, clippy::panic)] // clippy.toml allows them in tests, not in what tests share.

mod capabilities;
mod composition;
mod isolation;
mod manifest;
mod pressure;
mod serving;
mod shutdown;
mod support;
