//! W3C trace context, level 1: <https://www.w3.org/TR/trace-context/>.

use http::HeaderMap;

/// A `traceparent`: the trace that a request belongs to, and its parent span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traceparent {
    trace_id: String,
    parent_id: String,
    flags: String,
}

impl Traceparent {
    /// Reads the header; none if it is absent or malformed (section 3.2.2: then a new trace starts).
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('-');
        let (version, trace_id, parent_id, flags) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let hex = |text: &str, length: usize| {
            text.len() == length
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        };
        let known = hex(version, 2) && version != "ff" && (version != "00" || parts.next().is_none());
        let valid = hex(trace_id, 32) && hex(parent_id, 16) && hex(flags, 2);
        let zero = trace_id.bytes().all(|byte| byte == b'0') || parent_id.bytes().all(|byte| byte == b'0');
        (known && valid && !zero).then(|| Self {
            trace_id: trace_id.to_owned(),
            parent_id: parent_id.to_owned(),
            flags: flags.to_owned(),
        })
    }

    /// A new trace, sampled.
    pub fn start() -> Self {
        let (trace, span) = (uuid::Uuid::now_v7(), uuid::Uuid::now_v7());
        let parent_id = format!("{:016x}", span.as_u128() as u64);
        Self {
            trace_id: trace.simple().to_string(),
            parent_id,
            flags: "01".to_owned(),
        }
    }

    /// The caller's trace, or a new one.
    pub fn of(headers: &HeaderMap) -> Self {
        headers
            .get("traceparent")
            .and_then(|value| value.to_str().ok())
            .and_then(Self::parse)
            .unwrap_or_else(Self::start)
    }

    /// Id of the trace, 32 hexadecimal digits.
    pub fn trace_id(&self) -> &str {
        &self.trace_id
    }
}

impl std::fmt::Display for Traceparent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "00-{}-{}-{}", self.trace_id, self.parent_id, self.flags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_carried_on_and_a_malformed_one_is_not() {
        let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(Traceparent::parse(text).unwrap().to_string(), text);
        for wrong in [
            "",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
        ] {
            assert_eq!(Traceparent::parse(wrong), None, "{wrong}");
        }
        assert_eq!(
            Traceparent::parse(&Traceparent::start().to_string())
                .unwrap()
                .flags,
            "01"
        );
    }
}
