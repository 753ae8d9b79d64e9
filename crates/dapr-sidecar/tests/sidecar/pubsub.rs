//! Publish, delivery, retries and dead letters.

use std::time::Duration;

use dapr_sidecar::{App, Clock};
use serde_json::json;

use crate::bench::{BASICS, Bench, Scripted, assert_recorded, start, subscription};

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn with(topic: &str, routes: &str, dead_letter: Option<&str>) -> String {
    format!("{BASICS}{}", subscription(topic, routes, dead_letter))
}

/// A topic with a dead-letter topic, and subscriptions of both.
fn with_dead_letters() -> String {
    let dead = subscription("dead", "{default: /on/dead}", None);
    format!("{}{dead}", with("t", "{default: /on/t}", Some("dead")))
}

#[tokio::test]
async fn delivers_the_recorded_envelope_and_headers() {
    let (bench, app) = Bench::with_app(&with("orders", "{default: /on/orders}", None)).await;
    let query = "metadata.partitionKey=cust-42&metadata.cloudevent.id=evt-1&metadata.cloudevent.type=order.created.v1\
                 &metadata.cloudevent.source=shop&metadata.cloudevent.subject=o-2&metadata.ttlInSeconds=60&metadata.custom=abc";
    let path = format!("/v1.0/publish/pubsub/orders?{query}");
    let headers = [
        ("content-type", "application/json"),
        ("traceparent", TRACEPARENT),
        ("tracestate", "v=1"),
    ];
    let answer = bench
        .request_as("orders", "POST", &path, &headers, r#"{"orderId": "o-2"}"#)
        .await;
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    let span = answer.header("traceparent").expect("a traceparent").to_owned();
    assert_eq!((span.len(), &span[..36]), (55, &TRACEPARENT[..36]));
    assert_ne!(span, TRACEPARENT);
    assert_eq!(answer.header("tracestate"), Some("v=1"));

    let seen = app.wait("/on/orders", 1).await.remove(0);
    assert_eq!(
        seen.text(),
        format!(
            r#"{{"data":{{"orderId":"o-2"}},"datacontenttype":"application/json","expiration":"2026-11-21T20:58:11Z","id":"evt-1","pubsubname":"pubsub","source":"shop","specversion":"1.0","time":"2026-11-21T20:57:11Z","topic":"orders","traceid":"{span}","traceparent":"{span}","tracestate":"v=1","type":"order.created.v1"}}"#
        )
    );
    for (name, value) in [
        ("content-type", "application/cloudevents+json"),
        ("pubsubname", "pubsub"),
        ("partitionkey", "cust-42"),
        ("__key", "cust-42"),
        ("__offset", "0"),
        ("__topic", "orders"),
        ("custom", "abc"),
        ("ttlinseconds", "60"),
        ("cloudevent.subject", "o-2"),
        ("__timestamp", "1795294631000"),
    ] {
        assert_eq!(seen.header(name), Some(value), "{name}");
    }
    let hop = seen.header("traceparent").expect("a traceparent");
    assert_eq!(&hop[..36], &TRACEPARENT[..36]);
    assert_ne!(hop, span);
}

#[tokio::test]
async fn routes_by_type_and_drops_what_matches_no_rule() {
    let rules = "{rules: [{match: 'event.type == \"a\" || event.type == \"b\"', path: /on/ab}]}";
    let (bench, app) = Bench::with_app(&with("t", rules, None)).await;
    for kind in ["x", "b"] {
        let path = format!("/v1.0/publish/pubsub/t?metadata.partitionKey=k&metadata.cloudevent.type={kind}");
        assert_eq!(bench.post(&path, "1").await.status, 204);
    }
    let seen = app.wait("/on/ab", 1).await;
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].json()["type"], "b");
}

#[tokio::test]
async fn raw_payloads_are_delivered_unchanged() {
    let (bench, app) = Bench::with_app(&with("t", "{default: /on/t}", None)).await;
    bench
        .post("/v1.0/publish/pubsub/t?metadata.rawPayload=true", r#"{"raw": 1}"#)
        .await;
    let seen = app.wait("/on/t", 1).await.remove(0);
    assert_eq!(
        (seen.text(), seen.header("rawpayload"), seen.header("traceparent")),
        (r#"{"raw": 1}"#, Some("true"), None)
    );
}

#[tokio::test]
async fn a_raw_subscription_gets_bytes() {
    let yaml = with("t", "{default: /on/t}", None)
        .replace("  topic: t\n", "  topic: t\n  metadata: {rawPayload: 'true'}\n");
    let (bench, app) = Bench::with_app(&yaml).await;
    bench
        .post("/v1.0/publish/pubsub/t?metadata.rawPayload=true", r#"{"raw": 2}"#)
        .await;
    let event = app.wait("/on/t", 1).await.remove(0).json();
    assert_eq!(event["data_base64"], "eyJyYXciOiAyfQ==");
    assert_eq!(
        (&event["source"], &event["datacontenttype"]),
        (&json!("Dapr"), &json!("application/octet-stream"))
    );
}

#[tokio::test]
async fn refuses_as_recorded() {
    let (bench, _app) = Bench::with_app(BASICS).await;
    assert_recorded(
        &bench.post("/v1.0/publish/nope/t", "1").await,
        "publish-unknown-pubsub.txt",
    );
    assert_recorded(&bench.post("/v1.0/publish/pubsub/", "1").await, "no-app-id.txt");
    let twice = r#"[{"entryId":"1","event":1,"contentType":"application/json"},{"entryId":"1","event":2,"contentType":"application/json"}]"#;
    assert_recorded(
        &bench.post("/v1.0-alpha1/publish/bulk/pubsub/bulk", twice).await,
        "publish-bulk-duplicate.txt",
    );
    let stable = bench.post("/v1.0/publish/bulk/pubsub/bulk", "[]").await;
    assert_eq!(stable.json()["message"], "pubsub bulk is not found");
}

#[tokio::test]
async fn refuses_messages_too_large_for_the_broker_or_for_the_sidecar() {
    let (bench, _app) = Bench::with_app(BASICS).await;
    let large = bench
        .post(
            "/v1.0/publish/pubsub/t",
            &format!("\"{}\"", "y".repeat(1_100_000)),
        )
        .await;
    assert_eq!(
        (large.status, &large.json()["errorCode"]),
        (500, &json!("ERR_PUBSUB_PUBLISH_MESSAGE"))
    );
    assert_eq!(
        bench
            .post("/v1.0/publish/pubsub/t", &format!("\"{}\"", "y".repeat(900_000)))
            .await
            .status,
        204
    );
    let larger = bench.post("/v1.0/publish/pubsub/t", &"y".repeat(4_200_000)).await;
    let message = "error when publishing to topic t in pubsub pubsub: stream too large";
    assert_eq!((larger.status, &larger.json()["message"]), (500, &json!(message)));
}

#[tokio::test]
async fn bulk_publishes_the_good_entries_and_names_the_bad() {
    let (bench, app) = Bench::with_app(&with("t", "{default: /on/t}", None)).await;
    let entries = json!([
        {"entryId": "1", "event": {"n": 1}, "contentType": "application/json", "metadata": {"partitionKey": "k", "cloudevent.type": "t1"}},
        {"entryId": "2", "event": "text", "contentType": "text/plain", "metadata": {"partitionKey": "k"}},
        {"entryId": "3", "event": "x".repeat(1_200_000), "contentType": "text/plain"},
    ]);
    let answer = bench
        .post("/v1.0-alpha1/publish/bulk/pubsub/t", &entries.to_string())
        .await;
    assert_eq!(answer.status, 500);
    let answer = answer.json();
    assert_eq!(answer["errorCode"], "ERR_PUBSUB_PUBLISH_MESSAGE");
    assert_eq!(answer["failedEntries"].as_array().map(Vec::len), Some(1));
    assert_eq!(answer["failedEntries"][0]["entryId"], "3");
    let seen = app.wait("/on/t", 2).await;
    assert_eq!(
        (&seen[0].json()["type"], &seen[1].json()["data"]),
        (&json!("t1"), &json!("text"))
    );
}

#[tokio::test]
async fn without_a_dead_letter_topic_a_failure_blocks_its_partition_and_is_redelivered_every_five_seconds() {
    let (bench, app) = Bench::with_app(&with("t", "{default: /on/t}", None)).await;
    app.answers("/on/t", &[(200, r#"{"status":"RETRY"}"#), (500, ""), (200, "")]);
    for n in 0..2 {
        bench
            .post("/v1.0/publish/pubsub/t?metadata.partitionKey=k", &n.to_string())
            .await;
    }
    app.wait("/on/t", 1).await;
    let before = bench.clock.now();
    bench
        .step_until(Duration::from_millis(500), || app.seen("/on/t").len() >= 2)
        .await;
    let waited = bench.clock.now().duration_since(before).expect("time goes on");
    assert!(waited >= Duration::from_secs(5), "{waited:?}");
    bench
        .step_until(Duration::from_millis(500), || app.seen("/on/t").len() >= 4)
        .await;
    let data: Vec<_> = app
        .seen("/on/t")
        .iter()
        .map(|seen| seen.json()["data"].clone())
        .collect();
    assert_eq!(data, [json!(0), json!(0), json!(0), json!(1)]);
}

#[tokio::test]
async fn a_failure_goes_to_the_dead_letter_topic_at_once_and_unchanged() {
    let (bench, app) = Bench::with_app(&with_dead_letters()).await;
    for (status, body) in [
        (200, r#"{"status":"DROP"}"#),
        (200, r#"{"status":"RETRY"}"#),
        (500, ""),
        (200, r#"{"status":"BOGUS"}"#),
    ] {
        let before = app.seen("/on/dead").len();
        app.answers("/on/t", &[(status, body)]);
        bench
            .post("/v1.0/publish/pubsub/t?metadata.partitionKey=k", "1")
            .await;
        app.wait("/on/dead", before + 1).await;
        assert_eq!(
            app.seen("/on/t").len(),
            before + 1,
            "one attempt for {status} {body}"
        );
    }
    let (original, dead) = (&app.seen("/on/t")[2], &app.seen("/on/dead")[2]);
    assert_eq!(original.text(), dead.text());
    for name in ["__topic", "__offset", "__partition", "__key"] {
        assert_eq!(original.header(name), dead.header(name), "{name}");
    }
}

#[tokio::test]
async fn a_404_is_dropped_and_not_dead_lettered() {
    let (bench, app) = Bench::with_app(&with_dead_letters()).await;
    app.answers("/on/t", &[(404, ""), (500, "")]);
    for n in 0..2 {
        bench
            .post("/v1.0/publish/pubsub/t?metadata.partitionKey=k", &n.to_string())
            .await;
    }
    let dead = app.wait("/on/dead", 1).await;
    assert_eq!((dead.len(), &dead[0].json()["data"]), (1, &json!(1)));
    assert_eq!(app.seen("/on/t").len(), 2);
}

#[tokio::test]
async fn an_inbound_retry_policy_applies_before_the_dead_letter() {
    let resiliency = "---\napiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata: {name: r}\nspec:\n  policies:\n    \
        retries: {in: {policy: constant, duration: 500ms, maxRetries: 3}}\n  targets:\n    \
        components: {pubsub: {inbound: {retry: in}}}\n";
    let (bench, app) = Bench::with_app(&format!("{}{resiliency}", with_dead_letters())).await;
    app.answers("/on/t", &[(500, "")]);
    bench.post("/v1.0/publish/pubsub/t", "1").await;
    app.wait("/on/t", 1).await;
    let before = bench.clock.now();
    bench
        .step_until(Duration::from_millis(100), || !app.seen("/on/dead").is_empty())
        .await;
    assert_eq!(app.seen("/on/t").len(), 4);
    let waited = bench.clock.now().duration_since(before).expect("time goes on");
    assert!(waited >= Duration::from_millis(1500), "{waited:?}");
}

#[tokio::test]
async fn an_inbound_timeout_counts_as_a_failure() {
    let resiliency = "---\napiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata: {name: r}\nspec:\n  policies:\n    \
        timeouts: {short: 20ms}\n  targets:\n    components: {pubsub: {inbound: {timeout: short}}}\n";
    let (bench, app) = Bench::with_app(&format!("{}{resiliency}", with_dead_letters())).await;
    let _gate = app.gate("/on/t");
    bench.post("/v1.0/publish/pubsub/t", "1").await;
    app.wait("/on/dead", 1).await;
    assert_eq!(app.seen("/on/t").len(), 1);
}

#[tokio::test]
async fn one_message_of_a_partition_is_in_flight_at_a_time() {
    let after = subscription("after", "{default: /on/after}", None);
    let (bench, app) = Bench::with_app(&format!("{}{after}", with("t", "{default: /on/t}", None))).await;
    let gate = app.gate("/on/t");
    for n in 0..2 {
        bench
            .post("/v1.0/publish/pubsub/t?metadata.partitionKey=k", &n.to_string())
            .await;
    }
    app.wait("/on/t", 1).await;
    // What is published after it to another topic arrives.
    for n in 1..3 {
        bench.post("/v1.0/publish/pubsub/after", "1").await;
        app.wait("/on/after", n).await;
    }
    assert_eq!(app.seen("/on/t").len(), 1);
    gate.notify_one();
    app.wait("/on/t", 2).await;
}

#[tokio::test]
async fn an_expired_event_is_not_delivered() {
    let mut bench = Bench::bind(&with("t", "{default: /on/t}", None), vec![App::new("orders")]).await;
    for (ttl, data) in [(60, "1"), (600, "2")] {
        let path = format!("/v1.0/publish/pubsub/t?metadata.partitionKey=k&metadata.ttlInSeconds={ttl}");
        bench.post(&path, data).await;
    }
    bench.clock.advance(Duration::from_secs(120));
    let app = Scripted::start().await;
    bench.serve(&[("orders", &app)]);
    let seen = app.wait("/on/t", 1).await;
    assert_eq!(seen[0].json()["data"], 2);
}

#[tokio::test]
async fn accepted_messages_are_delivered_after_a_crash_and_those_in_flight_again() {
    let (bench, app) = Bench::with_app(&with("t", "{default: /on/t}", None)).await;
    let _gate = app.gate("/on/t");
    for n in 0..3 {
        bench
            .post("/v1.0/publish/pubsub/t?metadata.partitionKey=k", &n.to_string())
            .await;
    }
    app.wait("/on/t", 1).await;
    let mut bench = bench.crash_and_restart(vec![App::new("orders")]).await;
    let app = Scripted::start().await;
    bench.serve(&[("orders", &app)]);
    let data: Vec<_> = app
        .wait("/on/t", 3)
        .await
        .iter()
        .map(|seen| seen.json()["data"].clone())
        .collect();
    assert_eq!(data, [json!(0), json!(1), json!(2)]);
}

#[tokio::test]
async fn a_shutdown_waits_for_the_delivery_in_flight_and_starts_no_other() {
    let (bench, app) = Bench::with_app(&with("t", "{default: /on/t}", None)).await;
    let gate = app.gate("/on/t");
    for n in 0..2 {
        bench
            .post("/v1.0/publish/pubsub/t?metadata.partitionKey=k", &n.to_string())
            .await;
    }
    app.wait("/on/t", 1).await;
    let dir = bench.dir.clone();
    let shutdown = tokio::spawn(bench.sidecars.shutdown());
    tokio::task::yield_now().await;
    gate.notify_one();
    assert!(shutdown.await.expect("no panic"), "the delivery ends in time");
    assert_eq!(app.seen("/on/t").len(), 1);
    let clock = Clock::stepped(start());
    let mut bench = Bench::bind_in(dir, clock, vec![App::new("orders")])
        .await
        .expect("the same files");
    let app = Scripted::start().await;
    bench.serve(&[("orders", &app)]);
    assert_eq!(
        app.wait("/on/t", 1).await[0].json()["data"],
        1,
        "the first was settled, the second was not"
    );
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_the_next_retry() {
    let resiliency = "---\napiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata: {name: r}\nspec:\n  policies:\n    \
        retries: {in: {policy: constant, duration: 1h}}\n  targets:\n    components: {pubsub: {inbound: {retry: in}}}\n";
    let (bench, app) = Bench::with_app(&format!("{}{resiliency}", with("t", "{default: /on/t}", None))).await;
    app.answers("/on/t", &[(500, "")]);
    bench.post("/v1.0/publish/pubsub/t", "1").await;
    app.wait("/on/t", 1).await;
    assert!(
        bench.sidecars.shutdown().await,
        "nothing was in flight that had to be given up"
    );
}

#[tokio::test]
async fn each_app_gets_its_own_copy_and_components_keep_their_scopes() {
    let yaml = with("t", "{default: /on/t}", None).replace("scopes: [orders]", "scopes: [orders, billing]");
    let yaml = yaml.replace(
        "metadata: {name: statestore}",
        "metadata: {name: statestore}\nscopes: [orders]",
    );
    let mut bench = Bench::bind(&yaml, vec![App::new("orders"), App::new("billing")]).await;
    let (orders, billing) = (Scripted::start().await, Scripted::start().await);
    bench.serve(&[("orders", &orders), ("billing", &billing)]);
    bench.post("/v1.0/publish/pubsub/t", "1").await;
    orders.wait("/on/t", 1).await;
    billing.wait("/on/t", 1).await;
    assert_eq!(
        bench.get_as("orders", "/v1.0/state/statestore/k").await.status,
        204
    );
    assert_eq!(
        bench.get_as("billing", "/v1.0/state/statestore/k").await.status,
        400
    );
}
