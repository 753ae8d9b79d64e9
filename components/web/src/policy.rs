//! Headers that keep the page to itself: it loads nothing from elsewhere, and no other page shows it in a frame.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use http::{HeaderName, HeaderValue};
use nudge_component::Problem;

use crate::config::Variables;

/// Adds the headers to every response.
pub(crate) async fn protect(request: Request, next: Next) -> Response {
    let policy = match Variables::read().await {
        // With a wrong value the page may call nothing else, and `/config.json` says what is wrong.
        Ok(variables) => content_security_policy(&variables.origins().unwrap_or_default()),
        Err(error) => return Problem::unavailable("the configuration", error).into_response(),
    };
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    for (name, value) in [
        (
            "permissions-policy",
            "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        ),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

/// Content Security Policy, level 3. The page calls its own origin, and the identity provider where there is one.
fn content_security_policy(provider: &[String]) -> String {
    let provider: String = provider.iter().map(|origin| format!(" {origin}")).collect();
    format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
         connect-src 'self'{provider}; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

/// Scheme, host and port of an address that is safe for tokens: `https`, or `http` on loopback. None for what could add a directive or a
/// source.
pub(crate) fn origin(address: &str) -> Option<String> {
    let (scheme, rest) = address.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let is_host = !authority.is_empty()
        && authority
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'[' | b']'));
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    let is_loopback = matches!(host, "127.0.0.1" | "localhost" | "[::1]");
    (is_host && (scheme == "https" || (scheme == "http" && is_loopback))).then(|| format!("{scheme}://{authority}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_origin_of_a_well_formed_issuer_may_be_called() {
        for (issuer, origin) in [
            (
                "https://id.example.com/realms/a?b=c",
                Some("https://id.example.com"),
            ),
            ("http://127.0.0.1:8080", Some("http://127.0.0.1:8080")),
            ("http://[::1]:8080/x", Some("http://[::1]:8080")),
            ("http://id.example.com", None),
            ("http://127.0.0.1.example.com", None),
            ("https://id.example.com; script-src *", None),
            ("https://a b", None),
            ("javascript://id.example.com", None),
            ("id.example.com", None),
            ("https:///path", None),
        ] {
            assert_eq!(super::origin(issuer).as_deref(), origin, "{issuer}");
        }
        assert!(content_security_policy(&[]).contains("connect-src 'self';"));
        assert!(
            content_security_policy(&["https://id.example.com".to_owned(), "https://a.example".to_owned()])
                .contains("connect-src 'self' https://id.example.com https://a.example;")
        );
    }
}
