//! HTTP in both directions: axum's types in, a pooled hyper client out.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body::Frame;
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::wasip3::http::types::ErrorCode;
use crate::wasip3::http_compat::RequestOptionsExtension;

pub use axum::response::IntoResponse;

/// A request: one that comes in, unless its body is named.
pub type Request<B = Body> = http::Request<B>;

/// No body.
pub type EmptyBody = http_body_util::Empty<Bytes>;

/// A body that is there as a whole.
pub type FullBody<T> = http_body_util::Full<T>;

/// How long a host waits that is not told how long: Spin's limit.
const LONGEST: Duration = Duration::from_secs(600);

/// Time limits of one request, in nanoseconds; 0 where there is none.
#[derive(Clone, Debug, Default)]
pub struct RequestOptions {
    first_byte: Arc<AtomicU64>,
    between_bytes: Arc<AtomicU64>,
}

impl RequestOptions {
    /// No limits.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes no limit: connecting counts as waiting for the first byte.
    ///
    /// # Errors
    ///
    /// None.
    pub fn set_connect_timeout(&self, _nanoseconds: Option<u64>) -> Result<(), ErrorCode> {
        Ok(())
    }

    /// How long the answer may take to begin.
    ///
    /// # Errors
    ///
    /// None.
    pub fn set_first_byte_timeout(&self, nanoseconds: Option<u64>) -> Result<(), ErrorCode> {
        self.first_byte.store(nanoseconds.unwrap_or(0), Ordering::Relaxed);
        Ok(())
    }

    /// How long the rest of the answer may take.
    ///
    /// # Errors
    ///
    /// None.
    pub fn set_between_bytes_timeout(&self, nanoseconds: Option<u64>) -> Result<(), ErrorCode> {
        self.between_bytes
            .store(nanoseconds.unwrap_or(0), Ordering::Relaxed);
        Ok(())
    }
}

fn limit(nanoseconds: &AtomicU64) -> Duration {
    match nanoseconds.load(Ordering::Relaxed) {
        0 => LONGEST,
        nanoseconds => Duration::from_nanos(nanoseconds),
    }
}

/// The body of an answer.
#[derive(Debug)]
pub struct IncomingBody {
    body: hyper::body::Incoming,
    limit: Duration,
}

impl http_body::Body for IncomingBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}

/// Bodies of answers.
pub mod body {
    use super::{BodyExt, Bytes, ErrorCode, IncomingBody};

    /// Reading a body as a whole.
    #[allow(async_fn_in_trait)] // As in the real crate.
    pub trait IncomingBodyExt {
        /// All of it.
        ///
        /// # Errors
        ///
        /// It breaks off, or takes too long.
        async fn bytes(self) -> Result<Bytes, ErrorCode>;
    }

    impl IncomingBodyExt for IncomingBody {
        async fn bytes(self) -> Result<Bytes, ErrorCode> {
            match tokio::time::timeout(self.limit, self.collect()).await {
                Ok(Ok(collected)) => Ok(collected.to_bytes()),
                Ok(Err(error)) => Err(ErrorCode::InternalError(Some(error.to_string()))),
                Err(_) => Err(ErrorCode::ConnectionReadTimeout),
            }
        }
    }
}

/// Sends a request over a connection that may have served others before, and waits until the answer begins. There is no TLS.
///
/// # Errors
///
/// No connection, no answer, or none in time.
pub async fn send<B>(request: http::Request<B>) -> Result<http::Response<IncomingBody>, ErrorCode>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    static CLIENT: OnceLock<Client<HttpConnector, Body>> = OnceLock::new();
    let client = CLIENT.get_or_init(|| {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .build(connector)
    });
    let options = request.extensions().get::<RequestOptionsExtension>();
    let (first, between) = match options {
        Some(RequestOptionsExtension(options)) => (limit(&options.first_byte), limit(&options.between_bytes)),
        None => (LONGEST, LONGEST),
    };
    match tokio::time::timeout(first, client.request(request.map(Body::new))).await {
        Ok(Ok(response)) => Ok(response.map(|body| IncomingBody { body, limit: between })),
        Ok(Err(error)) if error.is_connect() => Err(ErrorCode::ConnectionRefused),
        Ok(Err(error)) => Err(ErrorCode::InternalError(Some(text(&error)))),
        Err(_) => Err(ErrorCode::HttpResponseTimeout),
    }
}

/// An error with its causes.
fn text(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", text(source)),
        None => error.to_string(),
    }
}
