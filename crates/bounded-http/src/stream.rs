//! A socket with time limits: for the head of a request, and for a client that does not read.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use crate::connections::Connection;
use crate::limits::Limits;
use crate::patience::Patience;

pub(crate) struct TimedStream {
    stream: TcpStream,
    connection: Arc<Connection>,
    head_limit: Duration,
    /// The limit of a head that has begun, and the number of requests before it.
    head: Option<(u64, Pin<Box<Sleep>>)>,
    writing: Patience,
}

impl TimedStream {
    pub(crate) fn new(stream: TcpStream, connection: Arc<Connection>, limits: &Limits) -> Self {
        Self {
            stream,
            connection,
            head_limit: limits.head,
            head: None,
            writing: Patience::new(limits.response),
        }
    }

    /// Completes a write, or fails it if the client has been too slow.
    fn written(
        &mut self,
        context: &mut Context<'_>,
        result: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        self.connection.set_writing(result.is_pending());
        match result {
            Poll::Ready(result) => {
                self.writing.progressed(*result.as_ref().unwrap_or(&0));
                Poll::Ready(result)
            }
            Poll::Pending => self
                .writing
                .poll_exhausted(context)
                .map(|()| Err(timed_out("the client reads the response too slowly"))),
        }
    }
}

fn timed_out(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, what)
}

impl AsyncRead for TimedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        let result = Pin::new(&mut this.stream).poll_read(context, buffer);
        let Some(answered) = this.connection.awaits_request() else {
            return result;
        };
        if this.head.as_ref().is_none_or(|(begun, _)| *begun != answered) {
            if buffer.filled().len() > before {
                this.head = Some((answered, Box::pin(sleep(this.head_limit))));
            }
        } else if result.is_pending()
            && let Some((_, timer)) = &mut this.head
            && timer.as_mut().poll(context).is_ready()
        {
            return Poll::Ready(Err(timed_out("the head of the request is incomplete")));
        }
        result
    }
}

impl AsyncWrite for TimedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(context, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.written(context, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
