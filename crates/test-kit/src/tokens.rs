//! Bearer tokens (JWT, HS256), valid and invalid.

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jwt_compact::alg::{Hs256, Hs256Key};
use jwt_compact::{Algorithm, AlgorithmSignature};
use serde_json::{Value, json};

/// The secret `jwt-key` of [`FakeDapr`](crate::dapr::FakeDapr).
pub const KEY: &str = "test-key-0123456789abcdef0123456789abcdef";

/// A valid token of `user` for an hour from `now`, with the address `{user}@example.com` and the time zone `zone`.
pub fn mint(user: &str, zone: &str, now: SystemTime) -> String {
    signed(
        json!({ "alg": "HS256", "typ": "JWT" }),
        claims(user, zone, now),
        KEY,
    )
}

/// The claims of a valid token, for tests to modify.
pub fn claims(user: &str, zone: &str, now: SystemTime) -> Value {
    let expires = (now + Duration::from_secs(3_600))
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    json!({
        "sub": user,
        "iss": "nudge",
        "aud": "nudge",
        "email": format!("{user}@example.com"),
        "zoneinfo": zone,
        "exp": expires.as_secs(),
    })
}

/// A token with this header and these claims, valid or not, signed with HS256 and `key`.
pub fn signed(header: Value, claims: Value, key: &str) -> String {
    signed_with(header, claims, key.as_bytes())
}

/// The same with a key of arbitrary bytes.
pub fn signed_with(header: Value, claims: Value, key: &[u8]) -> String {
    let message = format!(
        "{}.{}",
        BASE64.encode(header.to_string()),
        BASE64.encode(claims.to_string())
    );
    let signature = Hs256.sign(&Hs256Key::new(key), message.as_bytes());
    format!("{message}.{}", BASE64.encode(signature.as_bytes()))
}
