//! Pages that links in emails lead to.

use http::Method;
use serde_json::json;

use super::recipients::{path, press, set, title};
use crate::host_log::{self, Line};
use crate::support::{Service, send};

const NEW: &str = "new@example.org";

#[tokio::test]
async fn pages_load_nothing_run_nothing_and_are_not_stored() {
    let api = Service::start("api").await;
    let confirmation = set(&api, &api.user("alice"), NEW, 1).await;
    let never = format!("/email/confirm/{}", "x".repeat(43));
    for page in [
        path(&confirmation, "link"),
        path(&confirmation, "stopLink"),
        never.as_str(),
    ] {
        let answer = api.anybody().get(page).await;
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; style-src 'sha256-"),
            "{policy}"
        );
        assert!(
            policy.ends_with("form-action 'self'; base-uri 'none'; frame-ancestors 'none'"),
            "{policy}"
        );
        let html = String::from_utf8_lossy(&answer.body).into_owned();
        for absent in ["<script", "http://", "https://", "src=", NEW, "alice"] {
            assert!(!html.contains(absent), "{absent} in {html}");
        }
        for present in [
            "<!doctype html>",
            "lang=\"en\"",
            "width=device-width",
            "prefers-color-scheme:dark",
        ] {
            assert!(html.contains(present), "{present} in {html}");
        }
    }
}

/// Whether a request writes to the database.
async fn writes(api: &Service, method: Method, path: &str) -> (u16, bool) {
    host_log::record();
    let answer = send(api.anybody().call(method, path)).await;
    let lines = host_log::take();
    let is_write = |line: &Line| match line {
        Line::Statement(sql) => ["INSERT", "UPDATE", "DELETE"]
            .iter()
            .any(|verb| sql.starts_with(verb)),
        _ => false,
    };
    (answer.status.as_u16(), lines.iter().any(is_write))
}

#[tokio::test]
async fn a_link_that_was_never_sent_writes_nothing() {
    let api = Service::start("api").await;
    set(&api, &api.user("alice"), NEW, 1).await;
    for page in ["confirm", "stop", "resume"] {
        for token in [
            "x".repeat(43),
            "x".to_owned(),
            "%00".to_owned(),
            "x".repeat(5_000),
        ] {
            let path = format!("/email/{page}/{token}");
            assert_eq!(writes(&api, Method::POST, &path).await, (404, false), "{path}");
            if page != "resume" {
                assert_eq!(writes(&api, Method::GET, &path).await, (404, false), "{path}");
            }
        }
    }
}

#[tokio::test]
async fn a_link_that_does_not_work_says_what_to_do() {
    let api = Service::start("api").await;
    for (page, words) in [
        ("confirm", "set the address again in your profile"),
        ("stop", "use the link at the end of the newest one"),
    ] {
        let answer = api
            .anybody()
            .get(&format!("/email/{page}/{}", "x".repeat(43)))
            .await;
        assert_eq!(answer.status, 404);
        assert_eq!(title(&answer.body), "This link does not work any more");
        let html = String::from_utf8_lossy(&answer.body).into_owned();
        let text = html.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(words), "{html}");
    }
}

#[tokio::test]
async fn a_page_says_in_which_state_emails_are() {
    let api = Service::start("api").await;
    let confirmation = set(&api, &api.user("alice"), NEW, 1).await;
    let stop = path(&confirmation, "stopLink");
    press(&api, stop).await;
    press(&api, stop).await;
    assert_eq!(
        title(&api.anybody().get(stop).await.body),
        "Nudge will not write to you again"
    );
    let resume = stop.replace("stop", "resume");
    let page = send(api.anybody().call(Method::POST, &resume)).await;
    let html = String::from_utf8_lossy(&page.body).into_owned();
    let token = stop.rsplit('/').next().expect("a token");
    assert!(html.contains(&format!("action=\"../stop/{token}\"")), "{html}");
    assert_eq!(
        title(&api.anybody().get(stop).await.body),
        "Never write to this address again?"
    );
    assert_eq!(api.anybody().post("/email/stop", &json!({})).await.status, 404);
}
