//! Which revision of the protocol a request is made in, and whether its headers match.
//!
//! | revision | difference here |
//! | --- | --- |
//! | `2025-03-26` | an array may hold several messages |
//! | `2025-06-18`, `2025-11-25` | one message per request, header `MCP-Protocol-Version` |
//! | `2026-07-28` | no handshake: every request has its revision in `_meta`, and its method and tool in headers |
//!
//! The specification is at `modelcontextprotocol.io/specification/{revision}`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use serde_json::Value;

use super::protocol::{Request, RpcError, shown};

/// A published revision of the protocol that this server supports. A later one is greater.
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

    /// Whether each request states its own revision, without a handshake.
    pub(crate) fn is_stateless(self) -> bool {
        self >= Self::Of20260728
    }
}

/// Names of all revisions, as errors and `server/discover` list them.
pub(crate) fn revisions() -> Vec<&'static str> {
    Revision::ALL.into_iter().map(Revision::as_str).collect()
}

const VERSION_HEADER: &str = "mcp-protocol-version";
const META_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const META_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";

/// Which revision a request is made in, and whether its headers match.
///
/// The revision in `_meta` counts; without it the one in the header; without a header it is 2025-03-26, which had none.
/// The older revisions begin with `initialize`, whatever its header says.
pub(crate) fn of(headers: &HeaderMap, request: &Request) -> Result<Revision, RpcError> {
    let header = text(headers, VERSION_HEADER)?;
    let meta = request.params.get("_meta").and_then(Value::as_object);
    let in_meta = match meta.and_then(|meta| meta.get(META_VERSION)) {
        None => None,
        Some(Value::String(version)) => Some(version.as_str()),
        Some(_) => {
            return Err(RpcError::malformed(format!(
                "_meta: {META_VERSION} must be a string"
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
            Some((header, None)) => Err(RpcError::unsupported(header, &revisions())),
        };
    };
    match header {
        Some(header) if header == said => {}
        Some(header) => return Err(mismatch("MCP-Protocol-Version", header, said)),
        None => return Err(missing("MCP-Protocol-Version")),
    }
    let revision = Revision::named(said).ok_or_else(|| RpcError::unsupported(said, &revisions()))?;
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

/// `Mcp-Method` and `Mcp-Name` repeat what the body says, for intermediaries that do not read bodies (revision 2026-07-28,
/// streamable HTTP, "Standard Request Headers").
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

/// A header's value; `=?base64?…?=` encodes text that is not plain ASCII.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::protocol::{Message, read};
    use http::StatusCode;
    use serde_json::json;

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
    fn an_older_request_is_of_the_revision_its_header_names() {
        let plain = request(json!({}));
        assert_eq!(of(&headers(&[]), &plain), Ok(Revision::Of20250326));
        let header = |version| of(&headers(&[("mcp-protocol-version", version)]), &plain);
        assert_eq!(header("2025-06-18"), Ok(Revision::Of20250618));
        assert_eq!(header("2025-11-25"), Ok(Revision::Of20251125));
        assert_eq!(header("1999-01-01").unwrap_err().code, -32022);
        assert_eq!(header("2026-07-28").unwrap_err().code, -32602);
    }

    #[test]
    fn a_new_request_says_the_same_in_headers_and_body() {
        let new = request(meta("2026-07-28"));
        let with = |version: &str, method: &str| {
            of(
                &headers(&[("mcp-protocol-version", version), ("mcp-method", method)]),
                &new,
            )
        };
        assert_eq!(with("2026-07-28", "tools/list"), Ok(Revision::Of20260728));
        assert_eq!(with("2025-11-25", "tools/list").unwrap_err().code, -32020);
        assert_eq!(with("2026-07-28", "TOOLS/LIST").unwrap_err().code, -32020);
        assert_eq!(of(&headers(&[]), &new).unwrap_err().code, -32020);
        let unknown = request(meta("2099-01-01"));
        let error = of(&headers(&[("mcp-protocol-version", "2099-01-01")]), &unknown).unwrap_err();
        assert_eq!((error.code, error.status), (-32022, StatusCode::BAD_REQUEST));
    }

    #[test]
    fn an_encoded_name_is_decoded_before_it_is_compared() {
        assert_eq!(decoded("add_task").as_deref(), Some("add_task"));
        assert_eq!(decoded("=?base64?YWRkX3Rhc2s=?=").as_deref(), Some("add_task"));
        assert_eq!(decoded("=?base64?YWRkX3Rhc2s?="), None, "padding belongs to it");
    }
}
