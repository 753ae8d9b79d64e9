//! Service invocation.

use dapr_sidecar::App;

use crate::bench::{BASICS, Bench, Scripted, assert_recorded};

async fn bench() -> (Bench, Scripted) {
    let billing = App {
        app_token: Some("tok-app".to_owned()),
        ..App::new("billing")
    };
    let mut bench = Bench::bind(BASICS, vec![App::new("orders"), billing]).await;
    let app = Scripted::start().await;
    bench.serve(&[("billing", &app)]);
    (bench, app)
}

#[tokio::test]
async fn passes_on_method_path_body_headers_and_response() {
    let (bench, app) = bench().await;
    app.answers("/api/x", &[(418, r#"{"tea":1}"#)]);
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let headers = [
        ("content-type", "application/json"),
        ("x-custom", "1"),
        ("traceparent", parent),
        ("dapr-api-token", "mine"),
    ];
    let answer = bench
        .request_as(
            "orders",
            "PATCH",
            "/v1.0/invoke/billing/method/api/x?q=a%2Fb",
            &headers,
            r#"{"a": 1}"#,
        )
        .await;
    assert_eq!(
        (answer.status, answer.body.as_str(), answer.header("x-app")),
        (418, r#"{"tea":1}"#, Some("1"))
    );
    assert_eq!(
        &answer.header("traceparent").expect("a span")[..36],
        &parent[..36]
    );
    let seen = app.wait("/api/x?q=a%2Fb", 1).await.remove(0);
    assert_eq!((seen.method.as_str(), seen.text()), ("PATCH", r#"{"a": 1}"#));
    for (name, value) in [
        ("dapr-caller-app-id", "orders"),
        ("dapr-callee-app-id", "billing"),
        ("dapr-caller-namespace", "default"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-custom", "1"),
        ("content-type", "application/json"),
        ("dapr-api-token", "tok-app"),
    ] {
        assert_eq!(seen.header(name), Some(value), "{name}");
    }
    let hop = seen.header("traceparent").expect("a span");
    assert!(hop.starts_with(&parent[..36]) && hop != parent);
}

#[tokio::test]
async fn the_app_may_be_in_a_header_and_the_path_empty() {
    let (bench, app) = bench().await;
    let answer = bench
        .request_as(
            "orders",
            "GET",
            "/anything?x=1",
            &[("dapr-app-id", "billing")],
            "",
        )
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(app.wait("/anything?x=1", 1).await.len(), 1);
    assert_recorded(&bench.get("/anything").await, "no-app-id.txt");
    assert_eq!(bench.get("/v1.0/invoke/billing/method/").await.status, 200);
    assert_eq!(app.wait("/", 1).await.len(), 1);
}

#[tokio::test]
async fn an_unknown_app_and_one_that_does_not_listen_are_500() {
    let (bench, _app) = bench().await;
    assert_recorded(
        &bench.get("/v1.0/invoke/nobody/method/x").await,
        "invoke-unknown.txt",
    );
    let away = bench.get("/v1.0/invoke/orders/method/x").await;
    assert_eq!(
        (away.status, &away.json()["errorCode"]),
        (500, &"ERR_DIRECT_INVOKE".into())
    );
}
