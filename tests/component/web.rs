//! The component that serves the page.

use http::{HeaderMap, Method};
use nudge_contract::names::app;
use nudge_test_kit::http::{Answer, Call};

use crate::support::{Service, Setup};

/// A response to a request with these headers.
async fn get(service: &Service, path: &str, headers: &[(&str, &str)]) -> Answer {
    ask(service, Method::GET, path, headers).await
}

async fn ask(service: &Service, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    let call = Call::new(service.host.local_addr(), method, path);
    headers
        .iter()
        .fold(call, |call, (name, value)| call.header(name, *value))
        .send()
        .await
        .unwrap()
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .map_or("", |value| value.to_str().expect("a readable header"))
}

/// The addresses of the assets that a text names.
fn assets(text: &str) -> Vec<String> {
    text.split(['"', '\''])
        .filter(|part| part.starts_with("/assets/"))
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn each_view_is_the_shell_and_each_asset_that_it_names_is_there_for_ever() {
    let web = Service::start(app::WEB).await;
    let shell = get(&web, "/", &[]).await;
    assert_eq!(shell.status, 200);
    assert_eq!(header(&shell.headers, "content-type"), "text/html; charset=utf-8");
    assert_eq!(header(&shell.headers, "cache-control"), "no-cache");
    for view in [
        "/upcoming",
        "/all",
        "/completed",
        "/category/0199",
        "/tag/0199?sort=due",
        "/search?q=rent",
        "/settings",
        "/settings/agents",
        "/?task=0199",
    ] {
        let answer = get(&web, view, &[]).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.body),
            (200, &shell.body),
            "{view}"
        );
    }
    let named = assets(std::str::from_utf8(&shell.body).unwrap());
    assert!(named.len() >= 4, "{named:?}");
    for path in named {
        let answer = get(&web, &path, &[]).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(
            header(&answer.headers, "cache-control"),
            "public, max-age=31536000, immutable",
            "{path}"
        );
        let expected = match path.rsplit_once('.').expect("a name has an ending").1 {
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "wasm" => "application/wasm",
            "svg" => "image/svg+xml",
            "png" => "image/png",
            other => panic!("{other}"),
        };
        assert_eq!(header(&answer.headers, "content-type"), expected, "{path}");
    }
}

#[tokio::test]
async fn a_file_comes_in_the_best_coding_that_the_client_takes() {
    let web = Service::start(app::WEB).await;
    let plain = get(&web, "/", &[]).await;
    assert_eq!(header(&plain.headers, "content-encoding"), "");
    assert_eq!(header(&plain.headers, "vary"), "accept-encoding");
    let mut tags = vec![header(&plain.headers, "etag").to_owned()];
    for (accepted, coding) in [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("*", "br"),
        ("identity", ""),
        ("zstd", ""),
    ] {
        let answer = get(&web, "/", &[("accept-encoding", accepted)]).await;
        assert_eq!(header(&answer.headers, "content-encoding"), coding, "{accepted}");
        assert_eq!(header(&answer.headers, "vary"), "accept-encoding", "{accepted}");
        assert_eq!(
            answer.body.len() < plain.body.len(),
            !coding.is_empty(),
            "{accepted}"
        );
        tags.push(header(&answer.headers, "etag").to_owned());
    }
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), 3, "one per coding: {tags:?}");
}

#[tokio::test]
async fn a_client_that_has_the_file_gets_no_body() {
    let web = Service::start(app::WEB).await;
    let first = get(&web, "/", &[("accept-encoding", "br")]).await;
    let tag = header(&first.headers, "etag").to_owned();
    for sent in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}")] {
        let headers = [("accept-encoding", "br"), ("if-none-match", &sent)];
        let answer = get(&web, "/", &headers).await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (304, 0), "{sent}");
        assert_eq!(header(&answer.headers, "etag"), tag);
        assert_eq!(header(&answer.headers, "cache-control"), "no-cache");
    }
    let other = get(&web, "/", &[("accept-encoding", "gzip"), ("if-none-match", &tag)]).await;
    assert_eq!(other.status, 200, "that is another coding's tag");
    let head = ask(&web, Method::HEAD, "/", &[("accept-encoding", "br")]).await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
    assert_eq!(
        header(&head.headers, "content-length"),
        first.body.len().to_string()
    );
}

#[tokio::test]
async fn a_browser_loads_nothing_from_elsewhere_and_calls_only_the_issuer() {
    let web = Setup::new(app::WEB)
        .variable("oidc_issuer", "https://id.example.com/realms/nudge")
        .variable("oidc_client_id", "page")
        .start()
        .await;
    for path in ["/", "/config.json", "/assets/unknown.js"] {
        let headers = get(&web, path, &[]).await.headers;
        let policy = header(&headers, "content-security-policy").to_owned();
        for directive in [
            "default-src 'none'",
            "script-src 'self' 'wasm-unsafe-eval'",
            "style-src 'self'",
            "connect-src 'self' https://id.example.com",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'none'",
        ] {
            assert!(
                policy.split("; ").any(|part| part == directive),
                "{path}: {directive} in {policy}"
            );
        }
        assert_eq!(header(&headers, "x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header(&headers, "referrer-policy"), "no-referrer", "{path}");
        assert_eq!(
            header(&headers, "cross-origin-opener-policy"),
            "same-origin",
            "{path}"
        );
    }
    let config: serde_json::Value =
        serde_json::from_slice(&get(&web, "/config.json", &[]).await.body).unwrap();
    assert_eq!(config["oidc"]["issuer"], "https://id.example.com/realms/nudge");
    assert_eq!(config["oidc"]["clientId"], "page");

    let local = Service::start(app::WEB).await;
    let answer = get(&local, "/config.json", &[]).await;
    assert_eq!(answer.body, r#"{"oidc":null,"local":false}"#);
    let policy = header(&answer.headers, "content-security-policy");
    assert!(
        policy.split("; ").any(|part| part == "connect-src 'self'"),
        "{policy}"
    );
}

#[tokio::test]
async fn a_wrong_variable_is_named_where_the_page_reads_it_and_the_page_is_served_all_the_same() {
    for (variables, named) in [
        (&[("oidc_issuer", "https://id.example.com")][..], "oidc_client_id"),
        (
            &[
                ("oidc_issuer", "id.example.com; script-src *"),
                ("oidc_client_id", "page"),
            ],
            "oidc_issuer",
        ),
        (&[("local_sign_in", "maybe")], "local_sign_in"),
    ] {
        let setup = variables
            .iter()
            .fold(Setup::new(app::WEB), |setup, (name, value)| {
                setup.variable(name, value)
            });
        let web = setup.start().await;
        let answer = get(&web, "/config.json", &[]).await;
        assert_eq!(answer.status, 503, "{variables:?}");
        let problem: serde_json::Value = answer.json().unwrap();
        assert!(
            problem["detail"].as_str().unwrap().starts_with(named),
            "{problem}"
        );
        let shell = get(&web, "/", &[]).await;
        assert_eq!(shell.status, 200);
        let policy = header(&shell.headers, "content-security-policy");
        assert!(!policy.contains("script-src *"), "{policy}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_404_and_nothing_can_be_changed() {
    let web = Service::start(app::WEB).await;
    for path in [
        "/nothing",
        "/assets/",
        "/assets/app.js",
        "/assets/..%2findex.html",
        "/index.html.br",
        "/upcoming/x",
        "/dapr/subscribe",
    ] {
        let answer = get(&web, path, &[]).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(
            header(&answer.headers, "content-type"),
            "application/problem+json",
            "{path}"
        );
    }
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        let answer = ask(&web, method, "/", &[]).await;
        assert_eq!(answer.status, 405);
        assert_eq!(header(&answer.headers, "allow"), "GET,HEAD");
    }
}

/// Bytes that a browser with Brotli loads before it can show a task, at most.
const GOAL: usize = 200_000;
/// What the page is at today, which is more (decision 0048). Lower it with each step towards the goal; it never grows.
const MOST: usize = 430_000;

#[tokio::test]
async fn what_comes_before_the_first_task_does_not_grow() {
    let web = Service::start(app::WEB).await;
    let shell = get(&web, "/", &[]).await.body;
    let mut paths = assets(std::str::from_utf8(&shell).unwrap());
    paths.retain(|path| [".css", ".js", ".wasm"].iter().any(|end| path.ends_with(end)));
    paths.push("/".to_owned());
    paths.sort();
    paths.dedup();
    assert_eq!(paths.len(), 4, "shell, style, script, module: {paths:?}");
    let mut sum = 0;
    for path in paths {
        let plain = get(&web, &path, &[]).await.body.len();
        let coded = get(&web, &path, &[("accept-encoding", "br")]).await.body.len();
        println!("{path}: {plain} bytes, {coded} with Brotli");
        sum += coded;
    }
    println!("before the first task: {sum} bytes; the goal is {GOAL}");
    assert!(sum <= MOST, "{sum} bytes are more than {MOST}");
}
