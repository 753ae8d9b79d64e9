//! Bodies: those of requests, which must arrive at a pace, and those of responses, whose end is the end of a request.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use hyper::body::{Body, Frame, Incoming, SizeHint};

use crate::connections::InFlight;
use crate::limits::Pace;
use crate::patience::Patience;

/// Why a request's body cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The connection broke, or what arrived is not a valid body.
    #[error(transparent)]
    Connection(#[from] hyper::Error),
    /// The body arrived more slowly than the pace that is required; it is incomplete.
    #[error("the body arrived too slowly")]
    TooSlow,
}

/// The body of a request.
#[derive(Debug)]
pub struct RequestBody {
    body: Incoming,
    patience: Patience,
}

impl RequestBody {
    pub(crate) fn new(body: Incoming, pace: Pace) -> Self {
        Self {
            body,
            patience: Patience::new(pace),
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        match Pin::new(&mut this.body).poll_frame(context) {
            Poll::Ready(frame) => {
                let data = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref());
                this.patience.progressed(data.map_or(0, Bytes::len));
                Poll::Ready(frame.map(|frame| frame.map_err(BodyError::from)))
            }
            Poll::Pending => {
                ready!(this.patience.poll_exhausted(context));
                Poll::Ready(Some(Err(BodyError::TooSlow)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of a response. Its request is in flight until this is dropped.
pub(crate) struct ResponseBody<B> {
    pub(crate) body: B,
    pub(crate) _in_flight: InFlight,
}

impl<B> Body for ResponseBody<B>
where
    B: Body + Unpin,
    B::Data: Buf,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
