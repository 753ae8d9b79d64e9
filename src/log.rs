//! The program's log: readable lines on a terminal, and JSON lines otherwise. Email addresses in them are masked.

use std::io::{self, IsTerminal, Write};

use nudge_domain::masked::masked;
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

/// Masks the email addresses in each line. The subscriber writes a line in one piece.
struct Masked<W>(W);

impl<W: Write> Write for Masked<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        self.0.write_all(masked(&text).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
