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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_may_call_the_provider_and_nothing_else() {
        assert!(content_security_policy(&[]).contains("connect-src 'self';"));
        assert!(
            content_security_policy(&[
                "https://id.example.com".to_owned(),
                "https://a.example".to_owned()
            ])
            .contains("connect-src 'self' https://id.example.com https://a.example;")
        );
    }
}
