//! One request: token, conditions, time limit, errors.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use leptos::prelude::{TimeoutHandle, set_timeout_with_handle, window};
use nudge_page_model::Problem;
use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, AbortSignal, Headers, RequestCache, RequestCredentials, RequestInit, Response,
};

use super::ApiError;

/// Longest time until a response is complete. The API answers in well under a second, and a cold one in a few.
const LONGEST: Duration = Duration::from_secs(20);

/// Who uses the page.
pub(crate) trait Session {
    /// A valid token, renewed if need be; none if the person has to sign in.
    fn token(&self) -> Pin<Box<dyn Future<Output = Option<String>>>>;

    /// The API did not accept this token.
    fn refused(&self, token: &str);
}

/// A request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Call {
    method: &'static str,
    path: String,
    body: Option<String>,
    if_match: Option<String>,
    key: Option<String>,
    accept: Option<&'static str>,
    last_event: Option<String>,
    keepalive: bool,
}

impl Call {
    pub(crate) fn new(method: &'static str, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            ..Self::default()
        }
    }

    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self::new("GET", path)
    }

    /// A POST that can be repeated: with this key, or with a new one.
    pub(crate) fn post(path: impl Into<String>, key: Option<String>) -> Self {
        Self {
            key: Some(key.unwrap_or_else(new_key)),
            ..Self::new("POST", path)
        }
    }

    pub(crate) fn json(mut self, body: &impl serde::Serialize) -> Self {
        self.body = serde_json::to_string(body).ok();
        self
    }

    /// Only on this version.
    pub(crate) fn version(mut self, version: u32) -> Self {
        self.if_match = Some(format!("\"{version}\""));
        self
    }

    pub(crate) fn if_match(mut self, tag: Option<String>) -> Self {
        self.if_match = tag;
        self
    }

    /// A stream of the changes after this one.
    pub(crate) fn stream_after(mut self, cursor: String) -> Self {
        self.accept = Some("text/event-stream");
        self.last_event = Some(cursor);
        self
    }

    /// It is finished even if the page closes meanwhile.
    pub(crate) fn keepalive(mut self) -> Self {
        self.keepalive = true;
        self
    }

    fn init(&self, token: &str, signal: &AbortSignal) -> Result<RequestInit, JsValue> {
        let headers = Headers::new()?;
        headers.set("Authorization", &format!("Bearer {token}"))?;
        let optional = [
            ("Content-Type", self.body.as_ref().map(|_| "application/json")),
            ("If-Match", self.if_match.as_deref()),
            ("Idempotency-Key", self.key.as_deref()),
            ("Accept", self.accept.or(Some("application/json"))),
            ("Last-Event-ID", self.last_event.as_deref()),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                headers.set(name, value)?;
            }
        }
        let init = RequestInit::new();
        init.set_method(self.method);
        init.set_headers(&headers);
        init.set_cache(RequestCache::NoStore);
        init.set_credentials(RequestCredentials::Omit);
        init.set_signal(Some(signal));
        if self.keepalive {
            let _ = js_sys::Reflect::set(&init, &"keepalive".into(), &JsValue::TRUE);
        }
        if let Some(body) = &self.body {
            init.set_body(&JsValue::from_str(body));
        }
        Ok(init)
    }
}

/// A key for a request that is made once.
fn new_key() -> String {
    uuid::Uuid::from_bytes(random()).to_string()
}

/// Random bytes of the browser.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if let Ok(crypto) = window().crypto() {
        let _ = crypto.get_random_values_with_u8_array(&mut bytes);
    }
    bytes
}

/// A response that was read to its end.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) text: String,
    pub(crate) etag: Option<String>,
    /// It is the answer to an earlier request with the same key.
    pub(crate) replayed: bool,
}

impl Answered {
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        serde_json::from_str(&self.text).map_err(|error| ApiError::Unreadable(error.to_string()))
    }
}

/// The API, as the person who is signed in. A clone is the same.
#[derive(Clone)]
pub(crate) struct Api {
    session: Rc<dyn Session>,
}

impl Api {
    pub(crate) fn new(session: Rc<dyn Session>) -> Self {
        Self { session }
    }

    /// Makes a request, reads the response to its end and as `T`.
    pub(crate) async fn read<T: DeserializeOwned>(&self, call: Call) -> Result<T, ApiError> {
        self.send(call).await?.read()
    }

    /// Makes a request and reads the response to its end.
    pub(crate) async fn send(&self, call: Call) -> Result<Answered, ApiError> {
        let limit = Limit::new(LONGEST)?;
        let response = self.open(&call, &limit.controller.signal()).await;
        let response = response.map_err(|error| limit.explain(error))?;
        let etag = response.headers().get("ETag").ok().flatten();
        let text = text(&response).await.map_err(|error| limit.explain(error))?;
        let replayed = response.headers().has("Idempotency-Replayed").unwrap_or_default();
        Ok(Answered { text, etag, replayed })
    }

    /// Makes a request and returns a response of success, with its body not read yet. A token that is not accepted is renewed once.
    pub(crate) async fn open(&self, call: &Call, signal: &AbortSignal) -> Result<Response, ApiError> {
        let mut refused: Option<String> = None;
        loop {
            let token = self.session.token().await.ok_or(ApiError::SignedOut)?;
            if refused.as_ref() == Some(&token) {
                return Err(ApiError::SignedOut);
            }
            let response = self.attempt(call, &token, signal).await?;
            match response.status() {
                200..=299 => return Ok(response),
                401 => {
                    self.session.refused(&token);
                    if refused.is_some() {
                        return Err(ApiError::SignedOut);
                    }
                    refused = Some(token);
                }
                status => {
                    let after = response.headers().get("Retry-After").ok().flatten();
                    let body = text(&response).await.unwrap_or_default();
                    return Err(ApiError::Refused(Problem::read(status, &body, after.as_deref())));
                }
            }
        }
    }

    async fn attempt(&self, call: &Call, token: &str, signal: &AbortSignal) -> Result<Response, ApiError> {
        let init = call.init(token, signal).map_err(unreadable)?;
        let response = JsFuture::from(window().fetch_with_str_and_init(&call.path, &init)).await;
        response
            .map_err(|_| ApiError::Offline)?
            .dyn_into()
            .map_err(unreadable)
    }
}

async fn text(response: &Response) -> Result<String, ApiError> {
    let text = response.text().map_err(unreadable)?;
    let text = JsFuture::from(text).await.map_err(|_| ApiError::Offline)?;
    Ok(text.as_string().unwrap_or_default())
}

fn unreadable(error: JsValue) -> ApiError {
    ApiError::Unreadable(format!("{error:?}"))
}

/// Aborts a request after a time, unless it is dropped before.
pub(crate) struct Limit {
    pub(crate) controller: AbortController,
    over: Rc<Cell<bool>>,
    timer: Option<TimeoutHandle>,
}

impl Limit {
    pub(crate) fn new(after: Duration) -> Result<Self, ApiError> {
        let mut limit = Self {
            controller: AbortController::new().map_err(unreadable)?,
            over: Rc::default(),
            timer: None,
        };
        limit.restart(after);
        Ok(limit)
    }

    /// The time begins again.
    pub(crate) fn restart(&mut self, after: Duration) {
        self.clear();
        let (controller, over) = (self.controller.clone(), self.over.clone());
        let end = move || {
            over.set(true);
            controller.abort();
        };
        self.timer = set_timeout_with_handle(end, after).ok();
    }

    /// Whether the time is over.
    pub(crate) fn is_over(&self) -> bool {
        self.over.get()
    }

    fn clear(&mut self) {
        if let Some(timer) = self.timer.take() {
            timer.clear();
        }
    }

    /// An aborted request looks like one without a network.
    fn explain(&self, error: ApiError) -> ApiError {
        match error {
            ApiError::Offline if self.is_over() => ApiError::TimedOut,
            error => error,
        }
    }
}

impl Drop for Limit {
    fn drop(&mut self) {
        self.clear();
    }
}
