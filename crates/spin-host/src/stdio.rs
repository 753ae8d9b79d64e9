//! A guest's stdout and stderr as log lines.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// A longer line is logged in pieces of this many bytes.
const LONGEST_LINE: usize = 16 * 1024;

/// Collects bytes into lines and logs each at level info under the target `spin_host::guest`, with the fields
/// `component` and `stream`. What is left without a line's end is logged when the instance ends.
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
        let line = String::from_utf8_lossy(line);
        tracing::info!(target: "spin_host::guest", component = &*self.component, stream = self.stream, "{line}");
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
