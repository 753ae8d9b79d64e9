//! Links in emails: `{public_url}/email/confirm/{token}` and `{public_url}/email/stop/{token}`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use http::Uri;
use nudge_component::settings::variable;
use spin_sdk::wasip3::random::random::get_random_bytes;

/// Length of the random part of a token, in bytes.
const BYTES: usize = 32;

/// Length of a token, in characters of Base64url.
const LENGTH: usize = 43;

/// The page on which an address is confirmed.
pub(crate) const CONFIRM: &str = "/email/confirm/";

/// The page on which emails are stopped.
pub(crate) const STOP: &str = "/email/stop/";

/// The address at which users reach this application, without a slash at its end: the variable `public_url`. None if it is not set:
/// there are no links then.
///
/// # Errors
///
/// A sentence for the log: the variable cannot be read, or is not such an address.
pub(crate) async fn public_url() -> Result<Option<String>, String> {
    match variable("public_url").await? {
        None => Ok(None),
        Some(url) => check(&url).map(Some),
    }
}

fn check(url: &str) -> Result<String, String> {
    let valid = url.parse::<Uri>().is_ok_and(|parsed| {
        let is_web = matches!(parsed.scheme_str(), Some("http" | "https"));
        is_web
            && parsed.host().is_some_and(|host| !host.is_empty())
            && parsed
                .authority()
                .is_some_and(|authority| !authority.as_str().contains('@'))
            && parsed.query().is_none()
    });
    if valid && !url.contains('#') {
        Ok(url.trim_end_matches('/').to_owned())
    } else {
        Err(
            "the variable public_url must be like https://nudge.example.com, with nothing after the path"
                .to_owned(),
        )
    }
}

/// A new token: 256 random bits in Base64url.
pub(crate) fn token() -> String {
    let mut bytes = Vec::with_capacity(BYTES);
    // A call may return fewer bytes than it is asked for.
    while bytes.len() < BYTES {
        bytes.extend(get_random_bytes((BYTES - bytes.len()) as u64));
    }
    bytes.truncate(BYTES);
    BASE64URL.encode(bytes)
}

/// Whether a text can be a token. If not, the database need not be asked.
pub(crate) fn is_token(text: &str) -> bool {
    text.len() == LENGTH
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_is_the_start_of_a_link() {
        for (url, start) in [
            ("https://nudge.example.com", "https://nudge.example.com"),
            ("https://nudge.example.com/", "https://nudge.example.com"),
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
            (
                "https://example.com/apps/nudge/",
                "https://example.com/apps/nudge",
            ),
        ] {
            assert_eq!(check(url).as_deref(), Ok(start));
        }
        for url in [
            "nudge.example.com",
            "ftp://example.com",
            "https://",
            "https://user@example.com",
            "https://example.com?x=1",
            "https://example.com/#x",
            "javascript:alert(1)",
            "/",
        ] {
            assert!(check(url).is_err(), "{url}");
        }
    }

    #[test]
    fn only_what_looks_like_a_token_is_looked_up() {
        assert!(is_token(&BASE64URL.encode([7; BYTES])));
        for text in [
            "",
            "x",
            &"x".repeat(44),
            &"x".repeat(42),
            &format!("{}%", "x".repeat(42)),
        ] {
            assert!(!is_token(text), "{text}");
        }
    }
}
