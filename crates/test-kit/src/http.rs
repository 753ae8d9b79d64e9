//! An HTTP client that shows what came back as it is.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// Longer than any answer takes, even on a busy machine.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// A request in the making. Awaiting [`Call::send`] opens a connection of its own.
#[derive(Debug, Clone)]
pub struct Call {
    address: SocketAddr,
    method: Method,
    path: String,
    headers: Vec<(String, String)>,
    body: Bytes,
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Call {
    /// A request for `path` (and query) of the server at `address`.
    pub fn new(address: SocketAddr, method: Method, path: impl Into<String>) -> Self {
        Self {
            address,
            method,
            path: path.into(),
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Adds a bearer token.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// Sets a body of type `application/json`.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// Sets a body.
    #[must_use]
    pub fn body(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.header("content-type", content_type)
    }

    /// Sends it.
    ///
    /// # Errors
    ///
    /// No connection, no answer within [`DEADLINE`], or one that breaks off.
    pub async fn send(self) -> Result<Answer> {
        let what = format!("{} {}", self.method, self.path);
        tokio::time::timeout(DEADLINE, self.exchange())
            .await
            .with_context(|| format!("{what}: no answer within {DEADLINE:?}"))?
            .context(what)
    }

    async fn exchange(self) -> Result<Answer> {
        let stream = TcpStream::connect(self.address).await.context("no connection")?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        let mut request = Request::builder()
            .method(self.method)
            .uri(self.path)
            .header("host", self.address.to_string());
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let (parts, body) = sender
            .send_request(request.body(Full::new(self.body))?)
            .await?
            .into_parts();
        let body = body.collect().await?.to_bytes();
        connection.abort();
        Ok(Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        })
    }
}

impl Answer {
    /// A header's text; empty when it is absent or no text.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The body as JSON.
    ///
    /// # Errors
    ///
    /// It is not.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_slice(&self.body)
            .with_context(|| format!("{}: {:?} is not JSON", self.status, self.body))
    }
}
