//! JSON-RPC 2.0 as the Model Context Protocol uses it, and the protocol's revisions.
//!
//! | revision | what is different here |
//! | --- | --- |
//! | `2025-03-26` | several messages may come in one array |
//! | `2025-06-18`, `2025-11-25` | one message per request, header `MCP-Protocol-Version` |
//! | `2026-07-28` | no handshake: every request says its revision in `_meta`, and its method and tool in headers |
//!
//! The specification is at `modelcontextprotocol.io/specification/{revision}`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};

/// A published revision of the protocol that is spoken here. In order: a later one is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Revision {
    Of20250326,
    Of20250618,
    Of20251125,
    Of20260728,
}

impl Revision {
    /// All of them, the newest first.
    pub(crate) const ALL: [Self; 4] = [
        Self::Of20260728,
        Self::Of20251125,
        Self::Of20250618,
        Self::Of20250326,
    ];

    /// The newest one that begins with `initialize`.
    pub(crate) const NEWEST_WITH_HANDSHAKE: Self = Self::Of20251125;

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Of20250326 => "2025-03-26",
            Self::Of20250618 => "2025-06-18",
            Self::Of20251125 => "2025-11-25",
            Self::Of20260728 => "2026-07-28",
        }
    }

    pub(crate) fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|revision| revision.as_str() == text)
    }

    /// Whether each request speaks for itself.
    pub(crate) fn is_stateless(self) -> bool {
        self >= Self::Of20260728
    }
}

/// Names of all revisions, as errors and `server/discover` list them.
pub(crate) fn revisions() -> Vec<&'static str> {
    Revision::ALL.into_iter().map(Revision::as_str).collect()
}

/// A refusal on the level of the protocol (JSON-RPC 2.0, section 5.1).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RpcError {
    /// What HTTP says; the revisions before 2026-07-28 leave it at 200 once the message is understood.
    pub(crate) status: StatusCode,
    code: i32,
    message: String,
    data: Option<Value>,
}

impl RpcError {
    fn new(status: StatusCode, code: i32, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            data: None,
        }
    }

    /// -32700: no JSON.
    pub(crate) fn parse(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, -32700, message)
    }

    /// -32600: JSON, but no message of the protocol.
    pub(crate) fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, -32600, message)
    }

    /// -32601: no such method. 404 since 2026-07-28.
    pub(crate) fn no_method(revision: Revision, method: &str) -> Self {
        let status = if revision.is_stateless() {
            StatusCode::NOT_FOUND
        } else {
            StatusCode::OK
        };
        Self::new(status, -32601, format!("there is no method {}", shown(method)))
    }

    /// -32602: the method is there, its parameters are not as it takes them.
    pub(crate) fn invalid_params(message: impl Into<String>) -> Self {
        Self::new(StatusCode::OK, -32602, message)
    }

    /// -32602 with 400: a request of 2026-07-28 without what it must say about itself.
    fn malformed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, -32602, message)
    }

    /// -32020: a header is missing, or says something else than the body.
    fn header_mismatch(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, -32020, message)
    }

    /// -32022: a revision that is not spoken here.
    fn unsupported(requested: &str) -> Self {
        Self {
            data: Some(json!({ "supported": revisions(), "requested": shown(requested) })),
            ..Self::new(StatusCode::BAD_REQUEST, -32022, "unsupported protocol version")
        }
    }

    /// The response that carries it; `id` is null when none could be read.
    pub(crate) fn response(&self, id: &Value) -> Value {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let (Some(data), Some(error)) = (&self.data, error.as_object_mut()) {
            error.insert("data".to_owned(), data.clone());
        }
        json!({ "jsonrpc": "2.0", "id": id, "error": error })
    }
}

/// The response that carries a result.
pub(crate) fn response(id: &Value, result: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "result": result })
}

/// What a client sends.
#[derive(Debug, PartialEq)]
pub(crate) enum Message {
    /// Wants an answer.
    Request(Request),
    /// Wants none; nothing here depends on one.
    Notification,
    /// Answers a request. This server makes none.
    Response,
}

/// A call of a method.
#[derive(Debug, PartialEq)]
pub(crate) struct Request {
    /// A text or a whole number.
    pub(crate) id: Value,
    pub(crate) method: String,
    pub(crate) params: Map<String, Value>,
}

/// Reads one message. A refusal comes with the id it answers to, null if there is none to be read.
pub(crate) fn read(value: Value) -> Result<Message, (Value, RpcError)> {
    let Value::Object(mut message) = value else {
        let error = RpcError::invalid_request("a message is a JSON object");
        return Err((Value::Null, error));
    };
    let id = message.remove("id");
    let known = match &id {
        Some(id) if id.is_string() || id.is_i64() || id.is_u64() => id.clone(),
        _ => Value::Null,
    };
    let refuse = |message: &str| Err((known.clone(), RpcError::invalid_request(message)));
    if message.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return refuse("jsonrpc must be \"2.0\"");
    }
    let Some(method) = message.remove("method") else {
        if message.contains_key("result") || message.contains_key("error") {
            return Ok(Message::Response);
        }
        return refuse("a message needs a method");
    };
    let Value::String(method) = method else {
        return refuse("method must be a text");
    };
    let params = match message.remove("params") {
        None => Map::new(),
        Some(Value::Object(params)) => params,
        Some(_) => {
            return Err((known, RpcError::invalid_params("params must be an object")));
        }
    };
    match id {
        None => Ok(Message::Notification),
        Some(_) if known.is_null() => refuse("id must be a text or a whole number"),
        Some(id) => Ok(Message::Request(Request { id, method, params })),
    }
}

const VERSION_HEADER: &str = "mcp-protocol-version";
const META_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const META_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";

/// Which revision a request is made in, and whether its headers fit to it.
///
/// A request that says its revision in `_meta` is taken at its word; one that does not, at its header's, and without
/// header it is of 2025-03-26, which knew none. `initialize` is how the older ones begin, whatever its header says.
pub(crate) fn revision(headers: &HeaderMap, request: &Request) -> Result<Revision, RpcError> {
    let header = text(headers, VERSION_HEADER)?;
    let meta = request.params.get("_meta").and_then(Value::as_object);
    let in_meta = match meta.and_then(|meta| meta.get(META_VERSION)) {
        None => None,
        Some(Value::String(version)) => Some(version.as_str()),
        Some(_) => {
            return Err(RpcError::malformed(format!(
                "_meta: {META_VERSION} must be a text"
            )));
        }
    };
    let Some(said) = in_meta else {
        return match header.map(|header| (header, Revision::named(header))) {
            None => Ok(Revision::Of20250326),
            Some((_, Some(revision))) if revision.is_stateless() => {
                Err(RpcError::malformed(format!("_meta must have {META_VERSION}")))
            }
            Some((_, Some(revision))) => Ok(revision),
            Some(_) if request.method == "initialize" => Ok(Revision::NEWEST_WITH_HANDSHAKE),
            Some((header, None)) => Err(RpcError::unsupported(header)),
        };
    };
    match header {
        Some(header) if header == said => {}
        Some(header) => return Err(mismatch("MCP-Protocol-Version", header, said)),
        None => return Err(missing("MCP-Protocol-Version")),
    }
    let revision = Revision::named(said).ok_or_else(|| RpcError::unsupported(said))?;
    if revision.is_stateless() {
        if !meta
            .and_then(|meta| meta.get(META_CAPABILITIES))
            .is_some_and(Value::is_object)
        {
            return Err(RpcError::malformed(format!(
                "_meta must have {META_CAPABILITIES}, an object"
            )));
        }
        standard_headers(headers, request)?;
    }
    Ok(revision)
}

/// Whether a request without `_meta` may come in an array.
pub(crate) fn takes_batches(headers: &HeaderMap) -> bool {
    match headers.get(VERSION_HEADER) {
        None => true,
        Some(header) => header == Revision::Of20250326.as_str(),
    }
}

/// `Mcp-Method` and `Mcp-Name` repeat what the body says, for those on the way who do not read bodies (revision
/// 2026-07-28, streamable HTTP, "Standard Request Headers").
fn standard_headers(headers: &HeaderMap, request: &Request) -> Result<(), RpcError> {
    match text(headers, "mcp-method")? {
        Some(method) if method == request.method => {}
        Some(method) => return Err(mismatch("Mcp-Method", method, &request.method)),
        None => return Err(missing("Mcp-Method")),
    }
    if request.method != "tools/call" {
        return Ok(());
    }
    let name = request
        .params
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let header = text(headers, "mcp-name")?.ok_or_else(|| missing("Mcp-Name"))?;
    if decoded(header).as_deref() == Some(name) {
        Ok(())
    } else {
        Err(mismatch("Mcp-Name", header, name))
    }
}

/// A header's value; `=?base64?…?=` stands for a text that is not plain ASCII.
fn decoded(header: &str) -> Option<String> {
    let encoded = header
        .strip_prefix("=?base64?")
        .and_then(|rest| rest.strip_suffix("?="));
    match encoded {
        None => Some(header.to_owned()),
        Some(encoded) => String::from_utf8(STANDARD.decode(encoded).ok()?).ok(),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, RpcError> {
    headers
        .get(name)
        .map(|value| {
            value
                .to_str()
                .map(str::trim)
                .map_err(|_| RpcError::header_mismatch(format!("the header {name} is not ASCII")))
        })
        .transpose()
}

fn missing(name: &str) -> RpcError {
    RpcError::header_mismatch(format!("header mismatch: the header {name} is missing"))
}

fn mismatch(name: &str, header: &str, body: &str) -> RpcError {
    RpcError::header_mismatch(format!(
        "header mismatch: {name} is {}, the body says {}",
        shown(header),
        shown(body)
    ))
}

/// What came in, short enough to be sent back.
pub(crate) fn shown(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(params: Value) -> Request {
        let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": params });
        match read(message) {
            Ok(Message::Request(request)) => request,
            other => unreachable!("{other:?}"),
        }
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    fn meta(version: &str) -> Value {
        json!({ "_meta": { META_VERSION: version, META_CAPABILITIES: {} } })
    }

    #[test]
    fn what_is_no_message_is_refused_with_the_id_it_has() {
        for (message, id) in [
            (json!([]), Value::Null),
            (json!({ "id": 1, "method": "ping" }), json!(1)),
            (
                json!({ "jsonrpc": "1.0", "id": "a", "method": "ping" }),
                json!("a"),
            ),
            (json!({ "jsonrpc": "2.0", "id": 1 }), json!(1)),
            (json!({ "jsonrpc": "2.0", "id": 1, "method": 7 }), json!(1)),
            (
                json!({ "jsonrpc": "2.0", "id": null, "method": "ping" }),
                Value::Null,
            ),
            (
                json!({ "jsonrpc": "2.0", "id": 1.5, "method": "ping" }),
                Value::Null,
            ),
        ] {
            let (known, error) = read(message.clone()).unwrap_err();
            assert_eq!((known, error.code), (id, -32600), "{message}");
        }
        let positional = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping", "params": [1] });
        assert_eq!(read(positional).unwrap_err().1.code, -32602);
    }

    #[test]
    fn a_message_is_a_request_a_notification_or_a_response() {
        let notification = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        assert_eq!(read(notification), Ok(Message::Notification));
        let response = json!({ "jsonrpc": "2.0", "id": 1, "result": {} });
        assert_eq!(read(response), Ok(Message::Response));
        assert_eq!(request(json!({})).method, "tools/list");
    }

    #[test]
    fn an_older_request_is_of_the_revision_its_header_names() {
        let plain = request(json!({}));
        assert_eq!(revision(&headers(&[]), &plain), Ok(Revision::Of20250326));
        let header = |version| revision(&headers(&[("mcp-protocol-version", version)]), &plain);
        assert_eq!(header("2025-06-18"), Ok(Revision::Of20250618));
        assert_eq!(header("2025-11-25"), Ok(Revision::Of20251125));
        assert_eq!(header("1999-01-01").unwrap_err().code, -32022);
        assert_eq!(header("2026-07-28").unwrap_err().code, -32602);
    }

    #[test]
    fn a_new_request_says_the_same_in_headers_and_body() {
        let new = request(meta("2026-07-28"));
        let with = |version: &str, method: &str| {
            revision(
                &headers(&[("mcp-protocol-version", version), ("mcp-method", method)]),
                &new,
            )
        };
        assert_eq!(with("2026-07-28", "tools/list"), Ok(Revision::Of20260728));
        assert_eq!(with("2025-11-25", "tools/list").unwrap_err().code, -32020);
        assert_eq!(with("2026-07-28", "TOOLS/LIST").unwrap_err().code, -32020);
        assert_eq!(revision(&headers(&[]), &new).unwrap_err().code, -32020);
        let unknown = request(meta("2099-01-01"));
        let error = revision(&headers(&[("mcp-protocol-version", "2099-01-01")]), &unknown).unwrap_err();
        assert_eq!((error.code, error.status), (-32022, StatusCode::BAD_REQUEST));
    }

    #[test]
    fn an_encoded_name_is_decoded_before_it_is_compared() {
        assert_eq!(decoded("add_task").as_deref(), Some("add_task"));
        assert_eq!(decoded("=?base64?YWRkX3Rhc2s=?=").as_deref(), Some("add_task"));
        assert_eq!(decoded("=?base64?YWRkX3Rhc2s?="), None, "padding belongs to it");
    }
}
