//! What browsers ask before a web page may call, and what its answers carry (Fetch standard, "CORS protocol").

use http::Method;
use nudge_test_kit::http::{Answer, Call};
use serde_json::json;

use super::{post, request};
use crate::support::{Service, Setup, send};

const PAGE: &str = "https://chat.example.com";

async fn start() -> Service {
    Setup::new("api")
        .variable("mcp_allowed_origins", PAGE)
        .start()
        .await
}

/// What a browser asks before a page of an origin may send this method.
fn preflight(api: &Service, origin: &str, method: &str) -> Call {
    api.anybody()
        .call(Method::OPTIONS, "/mcp")
        .header("origin", origin)
        .header("access-control-request-method", method)
        .header(
            "access-control-request-headers",
            "authorization,content-type,mcp-protocol-version",
        )
}

/// The header's values between commas, in lower case.
fn list(answer: &Answer, name: &str) -> Vec<String> {
    answer
        .header(name)
        .split(',')
        .map(|value| value.trim().to_lowercase())
        .collect()
}

fn is_open(answer: &Answer, origin: &str, what: &str) {
    assert_eq!(answer.header("access-control-allow-origin"), origin, "{what}");
    assert!(list(answer, "vary").contains(&"origin".to_owned()), "{what}");
    let shown = list(answer, "access-control-expose-headers");
    assert!(shown.contains(&"retry-after".to_owned()), "{what}: {shown:?}");
}

fn is_closed(answer: &Answer, what: &str) {
    let allowing = answer
        .headers
        .keys()
        .find(|name| name.as_str().starts_with("access-control-"));
    assert_eq!(allowing, None, "{what}");
    assert!(list(answer, "vary").contains(&"origin".to_owned()), "{what}");
}

#[tokio::test]
async fn a_preflight_lets_known_pages_in_without_a_token() {
    let api = start().await;
    for origin in [
        PAGE,
        "http://localhost:6274",
        "http://127.0.0.1",
        "https://[::1]:3000",
    ] {
        for method in ["POST", "GET", "DELETE"] {
            let answer = send(preflight(&api, origin, method)).await;
            assert_eq!(answer.status, 204, "{origin}");
            assert!(answer.body.is_empty(), "{origin}");
            is_open(&answer, origin, origin);
            assert_eq!(answer.header("access-control-allow-methods"), "POST");
            let taken = list(&answer, "access-control-allow-headers");
            for name in [
                "authorization",
                "content-type",
                "accept",
                "mcp-protocol-version",
                "mcp-session-id",
                "mcp-method",
                "mcp-name",
                "last-event-id",
            ] {
                assert!(taken.contains(&name.to_owned()), "{name}: {taken:?}");
            }
            let seconds: u32 = answer.header("access-control-max-age").parse().expect("a number");
            assert!(seconds > 0);
        }
    }
}

#[tokio::test]
async fn a_preflight_of_another_page_is_told_nothing() {
    let api = start().await;
    for origin in [
        "https://example.com",
        "null",
        "http://chat.example.com",
        "https://chat.example.com.example.com",
    ] {
        let answer = send(preflight(&api, origin, "POST")).await;
        assert_eq!(answer.status, 403, "{origin}");
        is_closed(&answer, origin);
    }
}

#[tokio::test]
async fn a_known_page_may_read_every_answer_and_another_none() {
    let api = start().await;
    let alice = api.user("alice");
    let ping = request("ping", &json!({}));
    let calls = || {
        [
            (200, post(&alice, &ping)),
            (401, post(&api.anybody(), &ping)),
            (400, post(&alice, &json!(7))),
            (405, alice.call(Method::GET, "/mcp")),
            (415, alice.call(Method::POST, "/mcp").body("text/plain", "x")),
            (
                406,
                alice
                    .call(Method::POST, "/mcp")
                    .header("accept", "application/json;q=0")
                    .json(&ping),
            ),
        ]
    };
    for (status, call) in calls() {
        let answer = send(call.header("origin", PAGE)).await;
        assert_eq!(answer.status, status);
        is_open(&answer, PAGE, &status.to_string());
    }
    for (status, call) in calls() {
        let answer = send(call.header("origin", "https://example.com")).await;
        assert_eq!(answer.status, 403, "{status}");
        is_closed(&answer, &status.to_string());
    }
}

#[tokio::test]
async fn programs_are_told_which_methods_there_are() {
    let api = start().await;
    let answer = send(api.anybody().call(Method::OPTIONS, "/mcp")).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("allow")),
        (204, "OPTIONS, POST")
    );
    assert_eq!(answer.header("access-control-allow-origin"), "");
    let answer = send(api.anybody().call(Method::OPTIONS, "/api/v1/tasks")).await;
    assert_eq!(answer.status, 405, "REST is not for web pages of other origins");
    assert_eq!(answer.header("access-control-allow-origin"), "");
}
