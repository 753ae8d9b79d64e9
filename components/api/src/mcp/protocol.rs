//! JSON-RPC 2.0 as the Model Context Protocol uses it.

use http::StatusCode;
use serde_json::{Map, Value, json};

/// A refusal at the level of the protocol (JSON-RPC 2.0, section 5.1).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RpcError {
    /// The HTTP status. Before revision 2026-07-28 it is 200 once the message is understood.
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

    /// -32700: not JSON.
    pub(crate) fn parse(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, -32700, message)
    }

    /// -32600: JSON, but not a message of the protocol.
    pub(crate) fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, -32600, message)
    }

    /// -32601: no such method.
    pub(crate) fn no_method(status: StatusCode, method: &str) -> Self {
        Self::new(status, -32601, format!("there is no method {}", shown(method)))
    }

    /// -32602: the method exists, but does not take these parameters.
    pub(crate) fn invalid_params(message: impl Into<String>) -> Self {
        Self::new(StatusCode::OK, -32602, message)
    }

    /// -32602 with 400: a request of 2026-07-28 without the `_meta` that it must have.
    pub(super) fn malformed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, -32602, message)
    }

    /// -32020: a header is missing, or contradicts the body.
    pub(super) fn header_mismatch(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, -32020, message)
    }

    /// -32022: a revision that this server does not support.
    pub(super) fn unsupported(requested: &str, supported: &[&str]) -> Self {
        Self {
            data: Some(json!({ "supported": supported, "requested": shown(requested) })),
            ..Self::new(StatusCode::BAD_REQUEST, -32022, "unsupported protocol version")
        }
    }

    /// -32000, which the protocol leaves to the server: the request was not done, and may be sent again.
    pub(crate) fn not_now(message: impl Into<String>) -> Self {
        Self::new(StatusCode::OK, -32000, message)
    }

    /// The response with this error. `id` is null if none could be read.
    pub(crate) fn response(&self, id: &Value) -> Value {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let (Some(data), Some(error)) = (&self.data, error.as_object_mut()) {
            error.insert("data".to_owned(), data.clone());
        }
        json!({ "jsonrpc": "2.0", "id": id, "error": error })
    }
}

/// The response with a result.
pub(crate) fn response(id: &Value, result: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "result": result })
}

/// What a client sends.
#[derive(Debug, PartialEq)]
pub(crate) enum Message {
    /// Expects an answer.
    Request(Request),
    /// Expects none. Nothing here depends on notifications.
    Notification,
    /// The answer to a request. This server sends no requests.
    Response,
}

/// A call of a method.
#[derive(Debug, PartialEq)]
pub(crate) struct Request {
    /// A string or a whole number.
    pub(crate) id: Value,
    pub(crate) method: String,
    pub(crate) params: Map<String, Value>,
}

/// Reads one message. A refusal comes with the id of the message, null if none can be read.
pub(crate) fn read(value: Value) -> Result<Message, (Value, RpcError)> {
    let Value::Object(mut message) = value else {
        let error = RpcError::invalid_request("a message is a JSON object");
        return Err((Value::Null, error));
    };
    let id = message.remove("id");
    let known = match &id {
        Some(id) if is_id(id) => id.clone(),
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
        return refuse("method must be a string");
    };
    match (id, members(message.remove("params"))) {
        // A notification is never answered, not even if its params are wrong (JSON-RPC 2.0, section 4.1).
        (None, _) => Ok(Message::Notification),
        (Some(_), _) if known.is_null() => refuse("id must be a string or a whole number"),
        (Some(_), None) => Err((known, RpcError::invalid_params("params must be an object"))),
        (Some(id), Some(params)) => Ok(Message::Request(Request { id, method, params })),
    }
}

/// The members of an object. Clients that have none leave it out, or send `null` or the empty list that PHP makes of an empty
/// object.
pub(crate) fn members(value: Option<Value>) -> Option<Map<String, Value>> {
    match value {
        None | Some(Value::Null) => Some(Map::new()),
        Some(Value::Object(members)) => Some(members),
        Some(Value::Array(items)) if items.is_empty() => Some(Map::new()),
        Some(_) => None,
    }
}

/// Whether a request may have this id: a string or a whole number, even one written with a zero fraction or an exponent.
fn is_id(id: &Value) -> bool {
    let whole = |number: f64| number.fract() == 0.0;
    id.is_string() || id.is_i64() || id.is_u64() || id.as_f64().is_some_and(whole)
}

/// What was sent, short enough to be sent back.
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
    fn what_is_not_a_message_is_refused_with_its_id() {
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
        for params in [json!([1]), json!("x"), json!(7), json!(false)] {
            let positional = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping", "params": params });
            assert_eq!(read(positional).unwrap_err().1.code, -32602, "{params}");
        }
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
    fn a_notification_is_one_whatever_its_params() {
        for params in [json!(null), json!([1]), json!("x"), json!({})] {
            let message = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params });
            assert_eq!(read(message), Ok(Message::Notification), "{params}");
        }
    }

    #[test]
    fn what_clients_send_for_no_params_is_no_params() {
        for params in [json!(null), json!([]), json!({})] {
            assert_eq!(request(params).params, Map::new());
        }
    }

    #[test]
    fn an_id_is_a_string_or_a_whole_number_however_it_is_written() {
        let texts = ["\"\"", "\"0\""];
        let numbers = [
            "0",
            "-1",
            "1.0",
            "1e2",
            "18446744073709551615",
            "18446744073709551616",
        ];
        for id in texts.into_iter().chain(numbers) {
            let sent: Value = serde_json::from_str(id).unwrap();
            let message = json!({ "jsonrpc": "2.0", "id": sent, "method": "ping" });
            match read(message) {
                Ok(Message::Request(request)) => assert_eq!(request.id, sent, "{id}"),
                other => unreachable!("{id}: {other:?}"),
            }
        }
    }
}
