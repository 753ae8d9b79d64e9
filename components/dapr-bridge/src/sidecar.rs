//! The HTTP client: one function, one timeout, one token.

use std::sync::OnceLock;

use bytes::Bytes;
use http::{HeaderMap, Method};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use spin_sdk::wasip3::http::types::RequestOptions;
use spin_sdk::wasip3::http_compat::RequestOptionsExtension;

use crate::bindings::{Error, Failure};
use crate::error;
use crate::exchange::exchange;

/// How long a call may take when `dapr_timeout_ms` is absent. Longer than the timeouts of the shipped resiliency
/// policies, so that their retries come first.
const DEFAULT_TIMEOUT_MS: u64 = 10_000;

/// Characters to encode in one segment of a path (RFC 3986, section 3.3).
const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'/')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}')
    .add(b'\\');

/// A complete response.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// The response if its status is 2xx, otherwise the error that it describes.
    pub(crate) fn success(self) -> Result<Self, Error> {
        if (200..300).contains(&self.status) {
            Ok(self)
        } else {
            Err(error::classify(self.status, &self.body))
        }
    }
}

/// A request builder. `path` starts with a slash.
pub(crate) struct Call {
    method: Method,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Bytes,
}

impl Call {
    pub(crate) fn new(method: Method, path: String) -> Self {
        Self {
            method,
            path,
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }

    pub(crate) fn get(path: String) -> Self {
        Self::new(Method::GET, path)
    }

    pub(crate) fn post(path: String) -> Self {
        Self::new(Method::POST, path)
    }

    pub(crate) fn delete(path: String) -> Self {
        Self::new(Method::DELETE, path)
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn json(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.header("content-type", "application/json")
    }

    pub(crate) fn body(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.header("content-type", content_type)
    }

    /// Sends the request and reads the response, whatever its status.
    pub(crate) async fn send(self) -> Result<Answer, Error> {
        let settings = Settings::get().await?;
        let mut request = http::Request::builder()
            .method(self.method)
            .uri(format!("{}{}", settings.endpoint, self.path));
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        if let Some(token) = &settings.token {
            request = request.header("dapr-api-token", token);
        }
        let request = request
            .extension(options(settings.timeout_ms))
            .header("content-length", self.body.len())
            .body(self.body)
            .map_err(|error| error::invalid(format!("the request cannot be built: {error}")))?;
        let (parts, body) = exchange(request)
            .await
            .map_err(|error| error::no_answer(&error))?
            .into_parts();
        Ok(Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        })
    }
}

/// The variables with the address of the sidecar and how to call it.
struct Settings {
    /// Without a trailing slash.
    endpoint: String,
    timeout_ms: u64,
    token: Option<String>,
}

impl Settings {
    /// Read once per instance: reading each is a host call, and every request needs them.
    async fn get() -> Result<&'static Self, Error> {
        static SETTINGS: OnceLock<Settings> = OnceLock::new();
        match SETTINGS.get() {
            Some(settings) => Ok(settings),
            None => {
                let settings = Self::read().await?;
                Ok(SETTINGS.get_or_init(|| settings))
            }
        }
    }

    async fn read() -> Result<Self, Error> {
        let endpoint = variable("dapr_http_endpoint").await?.ok_or_else(|| {
            unconfigured("the component has no variable dapr_http_endpoint: map it in [component.….variables] of spin.toml")
        })?;
        let timeout_ms = match variable("dapr_timeout_ms").await? {
            Some(text) => text
                .parse()
                .map_err(|_| unconfigured("dapr_timeout_ms is not a whole number of milliseconds"))?,
            None => DEFAULT_TIMEOUT_MS,
        };
        Ok(Self {
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            timeout_ms,
            token: variable("dapr_api_token").await?,
        })
    }
}

/// Spin's own limit would be 600 s each.
fn options(timeout_ms: u64) -> RequestOptionsExtension {
    let nanoseconds = timeout_ms.saturating_mul(1_000_000);
    let options = RequestOptions::new();
    // A host without support for this limit returns an error; then its own limits apply.
    let _ = options.set_connect_timeout(Some(nanoseconds));
    let _ = options.set_first_byte_timeout(Some(nanoseconds));
    let _ = options.set_between_bytes_timeout(Some(nanoseconds));
    RequestOptionsExtension(options)
}

/// A variable of the component that the bridge is composed into; none if it is not defined or empty.
async fn variable(name: &str) -> Result<Option<String>, Error> {
    use spin_sdk::variables::Error as Variable;
    match spin_sdk::variables::get(name).await {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(Variable::Undefined(_)) => Ok(None),
        Err(error) => Err(unconfigured(&format!("variable {name}: {error}"))),
    }
}

fn unconfigured(message: &str) -> Error {
    Error::Unavailable(Failure {
        status: None,
        code: None,
        message: message.to_owned(),
    })
}

/// One segment of a path.
pub(crate) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stays_one_segment() {
        assert_eq!(segment("a/b?c#d e%|"), "a%2Fb%3Fc%23d%20e%25%7C");
    }
}
