//! `/api/v1/openapi.json`: the contract, as it is in `docs/openapi.json`.

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, StatusCode};

const DOCUMENT: &str = include_str!("../../../../docs/openapi.json");

/// Of the document's bytes, so that another document has another entity tag.
const FINGERPRINT: u64 = fingerprint(DOCUMENT.as_bytes());

pub(super) async fn read(headers: HeaderMap) -> Response {
    let tag = format!("\"{FINGERPRINT:016x}\"");
    let known = knows(&headers, &tag);
    // Five minutes: long enough for tools that ask for every call, short enough for whoever waits for a new version.
    let about = [(ETAG, tag), (CACHE_CONTROL, "public, max-age=300".to_owned())];
    if known {
        return (StatusCode::NOT_MODIFIED, about).into_response();
    }
    (about, [(CONTENT_TYPE, "application/json")], DOCUMENT).into_response()
}

/// Whether `If-None-Match` has this tag (RFC 9110, section 13.1.2): weak tags match as well.
fn knows(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

/// FNV-1a, 64 bits, when the component is compiled.
const fn fingerprint(mut bytes: &[u8]) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    while let [first, rest @ ..] = bytes {
        hash = (hash ^ *first as u64).wrapping_mul(0x0000_0100_0000_01b3);
        bytes = rest;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_is_known_strong_weak_among_others_or_as_a_star() {
        for (value, known) in [
            ("\"7\"", true),
            ("W/\"7\"", true),
            ("\"6\", \"7\"", true),
            ("*", true),
            ("\"6\"", false),
            ("7", false),
        ] {
            let headers = [(IF_NONE_MATCH, value.parse().unwrap())].into_iter().collect();
            assert_eq!(knows(&headers, "\"7\""), known, "{value}");
        }
    }

    #[test]
    fn the_fingerprint_is_that_of_the_published_test_vectors() {
        assert_eq!(fingerprint(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fingerprint(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
