//! Calls of the api through a sidecar, for commands that need the api. They are not requests of a user, so they carry no user token.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use nudge::DataDir;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cli::SidecarOptions;

/// Maximum number of attempts while the api, or something that it needs, is unavailable.
const ATTEMPTS: u32 = 5;

/// Time between two attempts.
const PAUSE: Duration = Duration::from_secs(1);

/// Timeout of an attempt.
const PATIENCE: Duration = Duration::from_secs(30);

/// A sidecar that can call the app `api`.
pub(crate) struct Sidecar {
    address: SocketAddr,
    token: Option<String>,
}

impl Sidecar {
    /// Returns the sidecar of the options, or otherwise that of the `nudge up` on the data folder.
    pub(crate) fn find(options: &SidecarOptions, data_dir: &std::path::Path) -> Result<Self> {
        if let Some(address) = options.sidecar {
            return Ok(Self {
                address,
                token: options.sidecar_token.clone(),
            });
        }
        // Do not create the folder.
        let running = if data_dir.is_dir() {
            DataDir::open(data_dir)?.running()?
        } else {
            None
        };
        let running = running.with_context(|| {
            format!(
                "no nudge is running on {}: start `nudge up`, or name a sidecar with --sidecar",
                data_dir.display()
            )
        })?;
        Ok(Self {
            address: running.sidecar,
            token: Some(running.token),
        })
    }

    /// Calls the api, and retries while it is unavailable.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        route: &str,
        body: Option<&impl Serialize>,
    ) -> Result<T> {
        let body = body.map(serde_json::to_vec).transpose()?.unwrap_or_default();
        let mut attempt = 1;
        loop {
            let asked = tokio::time::timeout(PATIENCE, self.once(method.clone(), route, body.clone())).await;
            let why = match asked.context("no response in time") {
                Ok(Ok((status, answer))) if status < 300 => {
                    return serde_json::from_slice(&answer).context("the response of the api cannot be read");
                }
                Ok(Ok((status, answer))) => {
                    let words = String::from_utf8_lossy(&answer).into_owned();
                    ensure!(status >= 500, "the sidecar answered {status} to {route}: {words}");
                    anyhow::anyhow!("the sidecar answered {status} to {route}: {words}")
                }
                Ok(Err(error)) | Err(error) => error,
            };
            if attempt >= ATTEMPTS {
                bail!(why.context(format!(
                    "the api cannot be reached through the sidecar at {}",
                    self.address
                )));
            }
            attempt += 1;
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn once(&self, method: Method, route: &str, body: Vec<u8>) -> Result<(u16, Bytes)> {
        let stream = tokio::net::TcpStream::connect(self.address).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/v1.0/invoke/api/method{route}"))
            .header("host", self.address.to_string())
            .header("content-type", "application/json");
        if let Some(token) = &self.token {
            request = request.header("dapr-api-token", token);
        }
        let response = sender
            .send_request(request.body(Full::new(Bytes::from(body)))?)
            .await?;
        let status = response.status().as_u16();
        let answer = response.into_body().collect().await?.to_bytes();
        connection.abort();
        Ok((status, answer))
    }
}
