//! A guest's stdout and stderr as log lines.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use tracing::Level;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// Maximum length of a logged line in bytes; a longer one is split.
const LONGEST_LINE: usize = 16 * 1024;

/// Collects bytes into lines and logs each at level info under the target `spin_host::guest`, with the fields
/// `component` and `stream`. An incomplete last line is logged when the instance ends.
#[derive(Clone)]
pub(crate) struct LineLog(Arc<Lines>);

struct Lines {
    component: Arc<str>,
    stream: &'static str,
    pending: Mutex<Vec<u8>>,
}

impl LineLog {
    pub(crate) fn new(component: Arc<str>, stream: &'static str) -> Self {
        Self(Arc::new(Lines {
            component,
            stream,
            pending: Mutex::default(),
        }))
    }

    fn push(&self, bytes: &[u8]) {
        let mut pending = self.0.pending.lock().unwrap_or_else(PoisonError::into_inner);
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            match piece.split_last() {
                Some((b'\n', line)) => {
                    pending.extend_from_slice(line);
                    self.0.log(&pending);
                    pending.clear();
                }
                _ => pending.extend_from_slice(piece),
            }
            if pending.len() >= LONGEST_LINE {
                self.0.log(&pending);
                pending.clear();
            }
        }
    }
}

impl Lines {
    fn log(&self, line: &[u8]) {
        let (component, stream) = (&*self.component, self.stream);
        let Some(Structured {
            level,
            message,
            fields,
        }) = Structured::read(line)
        else {
            let line = String::from_utf8_lossy(line);
            tracing::info!(target: "spin_host::guest", component, stream, "{line}");
            return;
        };
        // The macros need the level at compile time, so there is one call for each level.
        match level {
            Level::ERROR => {
                tracing::error!(target: "spin_host::guest", component, stream, fields, "{message}")
            }
            Level::WARN => tracing::warn!(target: "spin_host::guest", component, stream, fields, "{message}"),
            Level::INFO => tracing::info!(target: "spin_host::guest", component, stream, fields, "{message}"),
            _ => tracing::debug!(target: "spin_host::guest", component, stream, fields, "{message}"),
        }
    }
}

/// A line of a guest's logger: a JSON object with `level` and `message`, as the `tracing` crate writes it. It is logged with its
/// level and message; its other fields are kept as JSON, except for the time, which the host adds.
#[derive(Debug, PartialEq, Eq)]
struct Structured {
    level: Level,
    message: String,
    fields: String,
}

impl Structured {
    fn read(line: &[u8]) -> Option<Self> {
        let mut object: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(line).ok()?;
        let level = object.get("level")?.as_str()?.parse().ok()?;
        let message = object.get("message")?.as_str()?.to_owned();
        object.retain(|name, _| !matches!(name.as_str(), "level" | "message" | "timestamp"));
        let fields = serde_json::Value::Object(object).to_string();
        Some(Self {
            level,
            message,
            fields,
        })
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        let pending = std::mem::take(self.pending.get_mut().unwrap_or_else(PoisonError::into_inner));
        if !pending.is_empty() {
            self.log(&pending);
        }
    }
}

impl IsTerminal for LineLog {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LineLog {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl AsyncWrite for LineLog {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.push(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl OutputStream for LineLog {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.push(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(LONGEST_LINE)
    }
}

impl Pollable for LineLog {
    fn ready<'life0, 'async_trait>(
        &'life0 mut self,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'async_trait>>
    where
        Self: 'async_trait,
        'life0: 'async_trait,
    {
        Box::pin(std::future::ready(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_guests_logger_keeps_its_level_and_its_fields() {
        let line = br#"{"timestamp":"2026-11-21T12:00:00Z","level":"WARN","message":"later","attempts":2}"#;
        let expected = Structured {
            level: Level::WARN,
            message: "later".to_owned(),
            fields: r#"{"attempts":2}"#.to_owned(),
        };
        assert_eq!(Structured::read(line), Some(expected));
        for plain in ["hello", "{}", r#"{"level":"loud","message":"x"}"#, r#"["level"]"#] {
            assert_eq!(Structured::read(plain.as_bytes()), None, "{plain}");
        }
    }
}
