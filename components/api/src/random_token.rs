//! Tokens of 256 random bits, in Base64url.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use spin_sdk::wasip3::random::random::get_random_bytes;

/// Length of a token, in bytes.
const BYTES: usize = 32;

/// Length of a token, in characters of Base64url.
const LENGTH: usize = 43;

/// A new token.
pub(crate) fn new() -> String {
    let mut bytes = Vec::with_capacity(BYTES);
    // A call may return fewer bytes than it is asked for.
    while bytes.len() < BYTES {
        bytes.extend(get_random_bytes((BYTES - bytes.len()) as u64));
    }
    bytes.truncate(BYTES);
    BASE64URL.encode(bytes)
}

/// Whether a text can be a token. If not, the database need not be asked.
pub(crate) fn is_one(text: &str) -> bool {
    text.len() == LENGTH
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_looks_like_a_token_is_looked_up() {
        assert!(is_one(&BASE64URL.encode([7; BYTES])));
        for text in [
            "",
            "x",
            &"x".repeat(44),
            &"x".repeat(42),
            &format!("{}%", "x".repeat(42)),
        ] {
            assert!(!is_one(text), "{text}");
        }
    }
}
