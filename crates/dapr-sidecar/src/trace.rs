//! W3C trace context (<https://www.w3.org/TR/trace-context/>): each hop keeps the trace id and gets its own span id.

use axum::http::{HeaderMap, HeaderValue};
use uuid::Uuid;

/// The header that carries the ids.
pub(crate) const TRACEPARENT: &str = "traceparent";
/// The header that carries what vendors add.
pub(crate) const TRACESTATE: &str = "tracestate";

/// The span of a request. The server creates one for every request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace {
    /// `00-<trace id>-<span id>-<flags>`; empty when the configuration samples nothing.
    pub(crate) parent: String,
    /// The caller's `tracestate`, or empty.
    pub(crate) state: String,
}

impl Trace {
    /// The span of a request that arrived with these headers.
    pub(crate) fn of_request(headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        match text(TRACEPARENT).and_then(child) {
            Some(parent) => Self {
                parent,
                state: text(TRACESTATE).unwrap_or_default().to_owned(),
            },
            None => Self {
                parent: format!("00-{}-{}-01", Uuid::new_v4().simple(), span()),
                state: String::new(),
            },
        }
    }

    /// The `traceparent` header, if there is one.
    pub(crate) fn header(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.parent)
            .ok()
            .filter(|value| !value.is_empty())
    }
}

/// The `traceparent` of the next hop; `None` if `parent` is not one (version 00, hex ids that are not zero).
pub(crate) fn child(parent: &str) -> Option<String> {
    let fields: Vec<&str> = parent.split('-').collect();
    let &[version, trace_id, span_id, flags] = fields.as_slice() else {
        return None;
    };
    let hex = |field: &str, length| {
        field.len() == length
            && field
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let zero = |field: &str| field.bytes().all(|b| b == b'0');
    let good = version == "00" && hex(trace_id, 32) && hex(span_id, 16) && hex(flags, 2);
    (good && !zero(trace_id) && !zero(span_id)).then(|| format!("00-{trace_id}-{}-{flags}", span()))
}

/// A span id: the half of a random UUID whose variant bits keep it from being zero.
fn span() -> String {
    format!("{:016x}", Uuid::new_v4().as_u64_pair().1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hop_keeps_the_trace_id_and_flags_and_changes_the_span_id() {
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
        let child = child(parent).expect("a valid parent");
        assert_eq!(
            (child.len(), &child[..36], &child[52..]),
            (55, &parent[..36], "-00")
        );
        assert_ne!(child[36..52], parent[36..52]);
    }

    #[test]
    fn a_bad_parent_starts_a_new_trace() {
        for bad in [
            "",
            "00-0-0-01",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        ] {
            assert_eq!(child(bad), None, "{bad}");
        }
        let trace = Trace::of_request(&HeaderMap::new());
        assert!(
            child(&trace.parent).is_some(),
            "a fresh one is valid: {}",
            trace.parent
        );
    }
}
