//! An HTTP client that returns responses unchanged.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// Longer than any response takes, even on a busy machine.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// A request builder. Awaiting [`Call::send`] opens a connection of its own.
#[derive(Debug, Clone)]
pub struct Call {
    address: SocketAddr,
    method: Method,
    path: String,
    headers: Vec<(String, String)>,
    body: Bytes,
}

/// A complete response.
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

    /// The method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The path, with its query.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The body; empty when there is none.
    pub fn sent_body(&self) -> &[u8] {
        &self.body
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
    /// No connection, no response within [`DEADLINE`], or an incomplete one.
    pub async fn send(self) -> Result<Answer> {
        let what = format!("{} {}", self.method, self.path);
        tokio::time::timeout(DEADLINE, self.exchange())
            .await
            .with_context(|| format!("{what}: no answer within {DEADLINE:?}"))?
            .context(what)
    }

    /// Sends it and returns the response as soon as its head has arrived.
    ///
    /// # Errors
    ///
    /// No connection, or no head of a response within [`DEADLINE`].
    pub async fn open(self) -> Result<Streamed> {
        let what = format!("{} {}", self.method, self.path);
        let (connection, response) = tokio::time::timeout(DEADLINE, self.head())
            .await
            .with_context(|| format!("{what}: no answer within {DEADLINE:?}"))?
            .context(what)?;
        let (parts, body) = response.into_parts();
        Ok(Streamed {
            headers: parts.headers,
            body,
            connection,
        })
    }

    async fn exchange(self) -> Result<Answer> {
        Session::open(self.address).await?.exchange(self).await
    }

    async fn head(self) -> Result<(Connection, Response<Incoming>)> {
        let (mut sender, connection) = connect(self.address).await?;
        let response = sender.send_request(self.request()?).await?;
        Ok((connection, response))
    }

    fn request(self) -> Result<Request<Full<Bytes>>> {
        let mut request = Request::builder()
            .method(self.method)
            .uri(self.path)
            .header("host", self.address.to_string());
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        Ok(request.body(Full::new(self.body))?)
    }
}

/// A connection for successive requests.
#[derive(Debug)]
pub struct Session {
    sender: SendRequest<Full<Bytes>>,
    connection: Connection,
}

impl Session {
    /// Opens a connection.
    ///
    /// # Errors
    ///
    /// The connection fails.
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let (sender, connection) = connect(address).await?;
        Ok(Self { sender, connection })
    }

    /// Sends a request over this connection, whatever the address it was made for.
    ///
    /// # Errors
    ///
    /// The connection is closed, there is no response within [`DEADLINE`], or it is incomplete.
    pub async fn send(&mut self, call: Call) -> Result<Answer> {
        let what = format!("{} {}", call.method, call.path);
        tokio::time::timeout(DEADLINE, self.exchange(call))
            .await
            .with_context(|| format!("{what}: no answer within {DEADLINE:?}"))?
            .context(what)
    }

    async fn exchange(&mut self, call: Call) -> Result<Answer> {
        self.sender.ready().await?;
        let (parts, body) = self.sender.send_request(call.request()?).await?.into_parts();
        Ok(Answer {
            status: parts.status,
            headers: parts.headers,
            body: body.collect().await?.to_bytes(),
        })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

async fn connect(address: SocketAddr) -> Result<(SendRequest<Full<Bytes>>, Connection)> {
    let stream = TcpStream::connect(address).await.context("no connection")?;
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    Ok((sender, tokio::spawn(connection)))
}

type Connection = JoinHandle<hyper::Result<()>>;

/// A response whose body is read in chunks. Dropping it closes the connection.
#[derive(Debug)]
pub struct Streamed {
    headers: HeaderMap,
    body: Incoming,
    connection: Connection,
}

impl Streamed {
    /// The value of a header; empty if it is absent or not text.
    pub fn header(&self, name: &str) -> &str {
        text(&self.headers, name)
    }

    /// The next chunk of the body, as text.
    ///
    /// # Errors
    ///
    /// The body has ended or is incomplete, or nothing arrives within [`DEADLINE`].
    pub async fn chunk(&mut self) -> Result<String> {
        loop {
            let frame = tokio::time::timeout(DEADLINE, self.body.frame())
                .await
                .with_context(|| format!("nothing within {DEADLINE:?}"))?
                .context("the body has ended")??;
            if let Ok(data) = frame.into_data() {
                return Ok(String::from_utf8(data.to_vec())?);
            }
        }
    }
}

impl Drop for Streamed {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

impl Answer {
    /// The value of a header; empty if it is absent or not text.
    pub fn header(&self, name: &str) -> &str {
        text(&self.headers, name)
    }

    /// The body as JSON.
    ///
    /// # Errors
    ///
    /// The body is not JSON.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_slice(&self.body)
            .with_context(|| format!("{}: {:?} is not JSON", self.status, self.body))
    }
}
