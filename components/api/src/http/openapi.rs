//! `/api/v1/openapi.json`: the contract, as it is in `docs/openapi.json`.

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};

const DOCUMENT: &str = include_str!("../../../../docs/openapi.json");

/// Of the document's bytes, so that another document has another entity tag.
const FINGERPRINT: u64 = fingerprint(DOCUMENT.as_bytes());

pub(super) async fn read() -> Response {
    let about = [
        (CONTENT_TYPE, "application/json".to_owned()),
        (ETAG, format!("\"{FINGERPRINT:016x}\"")),
        // Five minutes: long enough for tools that ask for every call, short enough for clients that wait for a new version.
        (CACHE_CONTROL, "public, max-age=300".to_owned()),
    ];
    (about, DOCUMENT).into_response()
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
    fn the_fingerprint_is_that_of_the_published_test_vectors() {
        assert_eq!(fingerprint(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fingerprint(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
