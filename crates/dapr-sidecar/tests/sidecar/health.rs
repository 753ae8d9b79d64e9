//! Health, metadata, tokens and app health checks.

use std::path::Path;
use std::time::Duration;

use dapr_sidecar::{App, AppHealth};
use serde_json::{Value, json};

use crate::bench::{BASICS, Bench, Scripted, assert_recorded, subscription};

#[tokio::test]
async fn is_not_ready_until_the_app_answers_and_accepts_messages_before_that() {
    let yaml = format!("{BASICS}{}", subscription("t", "{default: /on/t}", None));
    let mut bench = Bench::bind(&yaml, vec![App::new("orders")]).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let address = listener.local_addr().expect("bound");
    drop(listener);
    let url = format!("http://{address}").parse().expect("a URL");
    bench.sidecars.serve([("orders".to_owned(), url)].into());
    assert_recorded(&bench.get("/v1.0/healthz").await, "not-ready.txt");
    assert_eq!(bench.get("/v1.0/healthz/outbound").await.status, 204);
    assert_eq!(bench.post("/v1.0/publish/pubsub/t", "1").await.status, 204);
    let app = Scripted::on(
        tokio::net::TcpListener::bind(address)
            .await
            .expect("the port is free again"),
    );
    bench.ready("orders").await;
    app.wait("/on/t", 1).await;
    for path in ["/dapr/config", "/dapr/subscribe"] {
        let asked = app.wait(path, 1).await;
        assert_eq!(
            (asked.len(), asked[0].header("dapr-app-id")),
            (1, Some("orders")),
            "{path}"
        );
    }
    assert_eq!(bench.get("/v1.0/healthz?appid=orders").await.status, 204);
    let wrong = bench.get("/v1.0/healthz?appid=zzz").await;
    assert_recorded(&wrong, "wrong-app-id.txt");
    assert_eq!(
        wrong.header("traceparent"),
        None,
        "health answers without trace headers"
    );
}

#[tokio::test]
async fn tokens_guard_everything_but_health_and_reach_the_app() {
    let yaml = format!("{BASICS}{}", subscription("t", "{default: /on/t}", None));
    let app = App {
        api_token: Some("tok-dapr".to_owned()),
        app_token: Some("tok-app".to_owned()),
        ..App::new("orders")
    };
    let mut bench = Bench::bind(&yaml, vec![app]).await;
    let app = Scripted::start().await;
    bench.serve(&[("orders", &app)]);
    bench.ready("orders").await;
    for headers in [
        &[][..],
        &[("dapr-api-token", "x")][..],
        &[("dapr-api-token", "tok-dapx")][..],
    ] {
        let refused = bench
            .request_as("orders", "POST", "/v1.0/publish/pubsub/t", headers, "1")
            .await;
        assert_recorded(&refused, "unauthorized.txt");
        assert_eq!(refused.header("content-type"), Some("text/plain; charset=utf-8"));
        assert_eq!(refused.header("x-content-type-options"), Some("nosniff"));
    }
    assert_eq!(bench.get("/v1.0/metadata").await.status, 401);
    assert_eq!(bench.get("/nowhere").await.status, 401);
    let token = [("dapr-api-token", "tok-dapr")];
    assert_eq!(
        bench
            .request_as("orders", "POST", "/v1.0/publish/pubsub/t", &token, "1")
            .await
            .status,
        204
    );
    let seen = app.wait("/on/t", 1).await;
    assert_eq!(seen[0].header("dapr-api-token"), Some("tok-app"));
    assert_eq!(
        app.wait("/dapr/config", 1).await[0].header("dapr-api-token"),
        Some("tok-app")
    );
}

#[tokio::test]
async fn holds_topics_and_jobs_while_the_app_is_unhealthy() {
    let subscription = subscription("t", "{default: /on/t}", None);
    let subscription = subscription.replace("scopes: [orders]", "scopes: [orders, billing]");
    let yaml = format!("{BASICS}{subscription}");
    let interval = Duration::from_secs(1);
    let health = AppHealth {
        path: "/healthz".to_owned(),
        interval,
        threshold: 2,
        timeout: Duration::from_secs(5),
    };
    let app = App {
        health: Some(health),
        app_token: Some("tok-app".to_owned()),
        ..App::new("orders")
    };
    let mut bench = Bench::bind(&yaml, vec![app, App::new("billing")]).await;
    let (app, other) = (Scripted::start().await, Scripted::start().await);
    bench.serve(&[("orders", &app), ("billing", &other)]);
    bench.ready("orders").await;
    app.answers("/healthz", &[(503, "")]);
    let probes = app.seen("/healthz").len();
    // The third probe starts only after the second failure is counted.
    bench
        .step_until(interval, || app.seen("/healthz").len() >= probes + 3)
        .await;
    bench.post("/v1.0/publish/pubsub/t", "1").await;
    bench
        .post("/v1.0-alpha1/jobs/j", r#"{"dueTime": "0s", "data": 1}"#)
        .await;
    // What comes after them gets to another app, which is healthy.
    for n in 1..3 {
        let job = format!("/v1.0-alpha1/jobs/after-{n}");
        let due = r#"{"dueTime": "0s", "data": 1}"#;
        bench.post("/v1.0/publish/pubsub/t", "2").await;
        bench
            .request_as(
                "billing",
                "POST",
                &job,
                &[("content-type", "application/json")],
                due,
            )
            .await;
        other.wait("/on/t", n + 1).await;
        other.wait(&format!("/job/after-{n}"), 1).await;
    }
    assert!(app.seen("/on/t").is_empty() && app.seen("/job/j").is_empty());
    assert_eq!(
        bench.get("/v1.0/healthz").await.status,
        204,
        "the sidecar itself stays ready"
    );
    assert_eq!(app.seen("/healthz")[0].header("dapr-api-token"), None);
    app.answers("/healthz", &[(200, "")]);
    bench
        .step_until(interval, || {
            !app.seen("/on/t").is_empty() && !app.seen("/job/j").is_empty()
        })
        .await;
}

#[tokio::test]
async fn metadata_lists_what_is_loaded_and_keeps_attributes() {
    let yaml = format!("{BASICS}{}", subscription("t", "{default: /on/t}", Some("dead")));
    let bench = Bench::bind(&yaml, vec![App::new("orders")]).await;
    assert_eq!(
        bench
            .request_as("orders", "PUT", "/v1.0/metadata/myattr", &[], "v1")
            .await
            .status,
        204
    );
    let metadata = bench.get("/v1.0/metadata").await.json();
    assert_eq!(
        (&metadata["id"], &metadata["extended"]["myattr"]),
        (&json!("orders"), &json!("v1"))
    );
    assert_eq!(
        metadata["components"][0],
        json!({"name": "pubsub", "type": "pubsub.in-memory", "version": "v1", "capabilities": ["BULK_PUBSUB"]})
    );
    let subscription = json!({"pubsubname": "pubsub", "topic": "t", "rules": [{"path": "/on/t"}], "deadLetterTopic": "dead", "type": "DECLARATIVE"});
    assert_eq!(metadata["subscriptions"], json!([subscription]));
}

/// daprd's recorded metadata of its app, with the port of the test's app.
fn recorded_app(fixture: &str, port: u16) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(fixture);
    let recorded = std::fs::read_to_string(&path).expect("a fixture");
    let (_, body) = recorded.split_once('\n').expect("a status line");
    let mut body: Value = serde_json::from_str(body).expect("JSON");
    body["appConnectionProperties"]["port"] = json!(port);
    body["appConnectionProperties"].take()
}

#[tokio::test]
async fn metadata_has_the_maximum_number_of_calls_in_flight_as_recorded() {
    let health = AppHealth {
        path: "/health".to_owned(),
        interval: Duration::from_secs(5),
        threshold: 1000,
        timeout: Duration::from_secs(3),
    };
    let limited = |max_concurrency, health| App {
        max_concurrency,
        health,
        ..App::new("orders")
    };
    for (app, fixture) in [
        (limited(None, None), "no-limit"),
        // Dapr's `--app-max-concurrency 0` is no limit either.
        (limited(Some(0), None), "no-limit"),
        (limited(Some(1), None), "limit-1"),
        (limited(Some(16), None), "limit-16"),
        (limited(Some(1), Some(health)), "limit-1-health"),
    ] {
        let mut bench = Bench::bind(BASICS, vec![app]).await;
        let scripted = Scripted::start().await;
        bench.serve(&[("orders", &scripted)]);
        bench.ready("orders").await;
        let answer = bench.get("/v1.0/metadata").await.json();
        let port = scripted.url.rsplit(':').next().and_then(|port| port.parse().ok());
        for version in ["1.16.0", "1.18.3"] {
            let file = format!("metadata-{fixture}-{version}.txt");
            let recorded = recorded_app(&file, port.expect("a port"));
            assert_eq!(answer["appConnectionProperties"], recorded, "{file}");
        }
    }
}

#[tokio::test]
async fn without_sampling_there_is_no_trace_context() {
    let off = "---\napiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata: {name: c}\nspec: {tracing: {samplingRate: '0'}}\n";
    let yaml = format!("{BASICS}{}{off}", subscription("t", "{default: /on/t}", None));
    let (bench, app) = Bench::with_app(&yaml).await;
    let headers = [(
        "traceparent",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )];
    let answer = bench
        .request_as("orders", "POST", "/v1.0/publish/pubsub/t", &headers, "1")
        .await;
    assert_eq!((answer.status, answer.header("traceparent")), (204, None));
    let seen = app.wait("/on/t", 1).await.remove(0);
    assert_eq!(
        (seen.header("traceparent"), &seen.json()["traceid"]),
        (None, &json!(""))
    );
}
