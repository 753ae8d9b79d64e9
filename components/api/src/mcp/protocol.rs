//! JSON-RPC 2.0 as the Model Context Protocol uses it.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::revision::{Revision, revisions};

/// A refusal on the level of the protocol (JSON-RPC 2.0, section 5.1).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RpcError {
    /// What HTTP says; the revisions before 2026-07-28 leave it at 200 once the message is understood.
    pub(crate) status: StatusCode,
    pub(super) code: i32,
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
    pub(super) fn malformed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, -32602, message)
    }

    /// -32020: a header is missing, or says something else than the body.
    pub(super) fn header_mismatch(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, -32020, message)
    }

    /// -32022: a revision that is not spoken here.
    pub(super) fn unsupported(requested: &str) -> Self {
        Self {
            data: Some(json!({ "supported": revisions(), "requested": shown(requested) })),
            ..Self::new(StatusCode::BAD_REQUEST, -32022, "unsupported protocol version")
        }
    }

    /// -32000, the protocol leaves it to the server: what is asked for may be asked for again.
    pub(crate) fn not_now(message: impl Into<String>) -> Self {
        Self::new(StatusCode::OK, -32000, message)
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
}
