//! The program's log: readable lines on a terminal, and JSON lines otherwise. Email addresses in them are masked.

use std::io::{self, IsTerminal};

use nudge_domain::masked::Masked;
use tracing_subscriber::EnvFilter;

/// Starts logging to standard error, as `RUST_LOG` says.
pub(crate) fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| Masked(io::stderr()));
    if io::stderr().is_terminal() {
        lines.compact().init();
    } else {
        lines.json().flatten_event(true).init();
    }
}
