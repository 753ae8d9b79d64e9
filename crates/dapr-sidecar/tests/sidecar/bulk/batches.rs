//! What a batch is, and when it is delivered.

use dapr_sidecar::{App, Clock};
use test_app::ANY;

use super::*;
use crate::bench::start;

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[tokio::test]
async fn a_batch_has_the_recorded_envelope_and_headers() {
    let (bench, app) = Bench::with_app(&plain()).await;
    answer(&app, 0, Some("SUCCESS"));
    let mut spans = Vec::new();
    for (id, trace, data) in [
        ("e-1", "a", r#"{"n": 9007199254740993, "f": 3.0}"#),
        ("e-2", "b", "2"),
    ] {
        let path = format!(
            "/v1.0/publish/pubsub/t?metadata.partitionKey=k&metadata.cloudevent.id={id}&metadata.custom=abc"
        );
        let parent = TRACEPARENT.replacen("0af7", &trace.repeat(4), 1);
        let headers = [
            ("content-type", "application/json"),
            ("traceparent", parent.as_str()),
        ];
        let answer = bench.request_as("orders", "POST", &path, &headers, data).await;
        assert_eq!(answer.status, 204);
        spans.push(answer.header("traceparent").expect("a traceparent").to_owned());
    }
    bench.clock.advance(INTERVAL);
    let seen = app.wait("/on/t", 1).await.remove(0);
    let id = seen.json()["id"].as_str().expect("text").to_owned();
    assert_eq!(id.len(), 36, "a UUID");
    let (partition, timestamp) = (
        entries(&seen)[0]["metadata"]["__partition"].clone(),
        "1795294631000",
    );
    let entry = |number: usize, id: &str, data: &str| {
        let span = &spans[number];
        format!(
            r#"{{"entryId":"{number}","event":{{"data":{data},"datacontenttype":"application/json","id":"{id}","pubsubname":"pubsub","source":"orders","specversion":"1.0","time":"2026-11-21T20:57:11Z","topic":"t","traceid":"{span}","traceparent":"{span}","tracestate":"","type":"com.dapr.event.sent"}},"metadata":{{"__key":"k","__offset":"{number}","__partition":{partition},"__timestamp":"{timestamp}","__topic":"t","cloudevent.id":"{id}","custom":"abc","partitionKey":"k"}},"contentType":"application/cloudevents+json"}}"#
        )
    };
    let (first, second) = (
        entry(0, "e-1", r#"{"f":3,"n":9007199254740992}"#),
        entry(1, "e-2", "2"),
    );
    let expected = format!(
        r#"{{"entries":[{first},{second}],"id":"{id}","metadata":{{"pubsubName":"pubsub"}},"pubsubname":"pubsub","topic":"t","type":"com.dapr.event.sent.bulk"}}"#
    );
    assert_eq!(seen.text(), expected);
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert_eq!(seen.header("pubsubname"), Some("pubsub"));
    let hop = seen.header("traceparent").expect("a traceparent");
    assert_eq!(hop[..36], spans[1][..36], "that of the last entry");
    assert_ne!(hop, spans[1]);
    for name in ["__key", "__offset", "custom", "partitionkey"] {
        assert_eq!(seen.header(name), None, "{name} belongs to the entry");
    }
}

#[tokio::test]
async fn a_full_batch_is_delivered_at_once_and_a_smaller_one_at_the_tick() {
    let (bench, app) = Bench::with_app(&plain()).await;
    answer(&app, 0, Some("SUCCESS"));
    publish(&bench, 0..3).await;
    bench.clock.advance(INTERVAL / 2);
    bench.settle().await;
    assert_eq!(batches(&app).len(), 0, "three of four, half an interval later");
    publish(&bench, 3..6).await;
    app.wait("/on/t", 1).await;
    bench.settle().await;
    assert_eq!(batches(&app), [[0, 1, 2, 3]], "full, without a tick");
    // The full batch did not start the ticker again.
    bench.clock.advance(INTERVAL / 2);
    app.wait("/on/t", 2).await;
    assert_eq!(numbers(&app.seen("/on/t")[1]), [4, 5]);
}

#[tokio::test]
async fn a_ticker_without_messages_keeps_its_phase_and_a_clock_that_is_set_back_does_not_stop_it() {
    let (bench, app) = Bench::with_app(&plain()).await;
    answer(&app, 0, Some("SUCCESS"));
    bench.clock.advance(INTERVAL * 10);
    bench.settle().await;
    publish(&bench, 0..1).await;
    bench.settle().await;
    assert_eq!(batches(&app).len(), 0, "the missed ticks are over");
    bench.clock.set_back(Duration::from_secs(600));
    bench.settle().await;
    bench.clock.advance(INTERVAL);
    app.wait("/on/t", 1).await;
}

#[tokio::test]
async fn a_batch_holds_messages_of_one_partition_and_keeps_the_order_of_each_key() {
    let (bench, app) = Bench::with_app(&plain()).await;
    answer(&app, 0, Some("SUCCESS"));
    for number in 0..30 {
        let path = format!("/v1.0/publish/pubsub/t?metadata.partitionKey=key-{}", number % 5);
        bench.post(&path, &number.to_string()).await;
    }
    let count = || {
        app.seen("/on/t")
            .iter()
            .map(|seen| entries(seen).len())
            .sum::<usize>()
    };
    bench.step_until(INTERVAL, || count() >= 30).await;
    let mut last = std::collections::BTreeMap::new();
    for seen in app.seen("/on/t") {
        let all = entries(&seen);
        assert!(all.len() <= 4, "{}", all.len());
        for (index, entry) in all.iter().enumerate() {
            assert_eq!(entry["entryId"], index.to_string());
            assert_eq!(
                entry["metadata"]["__partition"],
                all[0]["metadata"]["__partition"]
            );
            let (key, number) = (
                entry["metadata"]["__key"].to_string(),
                entry["event"]["data"].as_u64(),
            );
            assert!(
                last.insert(key.clone(), number) < Some(number),
                "{key}: {number:?} is in order"
            );
        }
    }
    assert_eq!(count(), 30, "each once");
}

#[tokio::test]
async fn a_slow_batch_holds_the_other_bulk_topics_of_its_component_but_no_single_deliveries() {
    let single = subscription("single", "{default: /on/single}", None);
    let other = bulk("other", "{default: /on/other}", None, 1);
    let (bench, app) = Bench::with_app(&format!("{}{other}{single}", plain())).await;
    let gate = app.gate("/on/t");
    answer(&app, 0, Some("SUCCESS"));
    app.responds("/on/other", |seen| statuses(seen, |_| Some("SUCCESS")));
    publish(&bench, 0..4).await;
    app.wait("/on/t", 1).await;
    // The next batch of the topic, a full batch of another topic, and a single event.
    publish(&bench, 4..8).await;
    bench.post("/v1.0/publish/pubsub/other", "1").await;
    bench.post("/v1.0/publish/pubsub/single", "1").await;
    app.wait("/on/single", 1).await;
    bench.settle().await;
    assert_eq!((batches(&app).len(), app.seen("/on/other").len()), (1, 0));
    // In the order in which they became ready.
    gate.notify_one();
    app.wait("/on/t", 2).await;
    gate.notify_one();
    app.wait("/on/other", 1).await;
}

#[tokio::test]
async fn there_is_one_call_for_each_path_and_events_without_a_route_go_to_the_root() {
    let rules =
        "{rules: [{match: 'event.type == \"a\"', path: /on/a}, {match: 'event.type == \"b\"', path: on/b}]}";
    let (bench, app) = Bench::with_app(&format!("{BASICS}{}", bulk("t", rules, None, 4))).await;
    for path in ["/on/a", "/on/b", "/"] {
        app.responds(path, |seen| statuses(seen, |_| Some("SUCCESS")));
    }
    for (number, kind) in ["a", "b", "c", "a"].iter().enumerate() {
        let path = format!("/v1.0/publish/pubsub/t?metadata.partitionKey=k&metadata.cloudevent.type={kind}");
        bench.post(&path, &number.to_string()).await;
    }
    let ids = |seen: &Seen| {
        entries(seen)
            .iter()
            .map(|entry| entry["entryId"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&app.wait("/on/a", 1).await[0]), ["0", "3"]);
    assert_eq!(ids(&app.wait("/on/b", 1).await[0]), ["1"]);
    assert_eq!(ids(&app.wait("/", 1).await[0]), ["2"]);
}

#[tokio::test]
async fn raw_messages_are_base64_text() {
    let yaml = bulk("t", "{default: /on/t}", None, 1)
        .replace("scopes:", "  metadata: {rawPayload: 'true'}\nscopes:");
    let (bench, app) = Bench::with_app(&format!("{BASICS}{yaml}")).await;
    app.responds("/on/t", |seen| statuses(seen, |_| Some("SUCCESS")));
    publish_raw(&bench, "{oops").await;
    let entry = entries(&app.wait("/on/t", 1).await[0]).remove(0);
    assert_eq!(
        (&entry["event"], &entry["contentType"]),
        (&json!("e29vcHM="), &json!("application/octet-stream"))
    );
}

#[tokio::test]
async fn a_batch_whose_answer_is_not_committed_is_delivered_again_after_a_crash() {
    let (bench, app) = Bench::with_app(&plain()).await;
    answer(&app, 0, Some("SUCCESS"));
    publish(&bench, 0..4).await;
    app.wait("/on/t", 1).await;
    bench.settle().await;
    let _gate = app.gate("/on/t");
    publish(&bench, 4..8).await;
    app.wait("/on/t", 2).await;
    let mut bench = bench.crash_and_restart(vec![App::new("orders")]).await;
    let app = Scripted::start().await;
    answer(&app, 0, Some("SUCCESS"));
    bench.serve(&[("orders", &app)]);
    app.wait("/on/t", 1).await;
    assert_eq!(batches(&app), [[4, 5, 6, 7]], "without those that were answered");
}

#[tokio::test]
async fn a_shutdown_waits_for_the_batch_in_flight_and_leaves_what_is_not_a_full_batch() {
    let (bench, app) = Bench::with_app(&plain()).await;
    answer(&app, 0, Some("SUCCESS"));
    let gate = app.gate("/on/t");
    publish(&bench, 0..6).await;
    app.wait("/on/t", 1).await;
    let dir = bench.dir.clone();
    let shutdown = tokio::spawn(bench.sidecars.shutdown());
    tokio::task::yield_now().await;
    gate.notify_one();
    assert!(shutdown.await.expect("no panic"), "the delivery ends in time");
    assert_eq!(batches(&app), [[0, 1, 2, 3]]);
    let clock = Clock::stepped(start());
    let mut bench = Bench::bind_in(dir, clock, vec![App::new("orders")])
        .await
        .expect("the same files");
    let app = Scripted::start().await;
    answer(&app, 0, Some("SUCCESS"));
    bench.serve(&[("orders", &app)]);
    bench.ready("orders").await;
    bench.clock.advance(INTERVAL);
    app.wait("/on/t", 1).await;
    assert_eq!(batches(&app), [[4, 5]]);
}

#[tokio::test]
async fn a_batch_counts_as_one_call_of_the_limit_of_concurrent_calls() {
    let app = App {
        max_concurrency: Some(1),
        ..App::new("orders")
    };
    let single = subscription("single", "{default: /on/single}", None);
    let mut bench = Bench::bind(&format!("{}{single}", plain()), vec![app]).await;
    let app = Scripted::start().await;
    answer(&app, 0, Some("SUCCESS"));
    let gate = app.gate(ANY);
    bench.serve(&[("orders", &app)]);
    bench.ready("orders").await;
    publish(&bench, 0..4).await;
    app.wait("/on/t", 1).await;
    bench.post("/v1.0/publish/pubsub/single", "1").await;
    bench.settle().await;
    assert_eq!(
        (batches(&app), app.seen("/on/single").len()),
        (vec![vec![json!(0), json!(1), json!(2), json!(3)]], 0)
    );
    gate.notify_one();
    app.wait("/on/single", 1).await;
    gate.notify_one();
    assert_eq!(app.most_in_flight(), 1);
}

#[tokio::test]
async fn what_is_not_enabled_is_delivered_event_by_event_and_unknown_fields_are_refused() {
    let yaml = plain();
    let (bench, app) = Bench::with_app(&yaml.replace("enabled: true", "enabled: false")).await;
    publish(&bench, 0..1).await;
    assert_eq!(app.wait("/on/t", 1).await[0].json()["data"], 0);
    let raw = "  metadata: {rawPayload: 'true'}\nscopes:";
    let rules = "{rules: [{match: 'event.type == \"a\"', path: /a}]}";
    for (yaml, word) in [
        (yaml.replace("maxMessagesCount", "maxMessages"), "maxMessages"),
        (
            yaml.replace("maxMessagesCount: 4", "maxMessagesCount: many"),
            "many",
        ),
        (
            format!("{BASICS}{}", bulk("t", rules, None, 4).replace("scopes:", raw)),
            "rawPayload and rules",
        ),
    ] {
        let dir = std::sync::Arc::new(tempfile::tempdir().expect("a folder"));
        std::fs::create_dir(dir.path().join("resources")).expect("a folder");
        std::fs::write(dir.path().join("resources/all.yaml"), yaml).expect("written");
        let error = Bench::bind_in(dir, Clock::stepped(start()), vec![App::new("orders")]).await;
        let error = format!("{:?}", error.map(drop).expect_err(word));
        assert!(error.contains(word), "{word}: {error}");
    }
}

#[tokio::test]
async fn the_defaults_are_those_of_kafka() {
    let limits = format!(
        ", maxMessagesCount: 4, maxAwaitDurationMs: {}",
        INTERVAL.as_millis()
    );
    let (bench, app) = Bench::with_app(&plain().replace(&limits, "")).await;
    answer(&app, 0, Some("SUCCESS"));
    publish(&bench, 0..79).await;
    bench.clock.advance(Duration::from_millis(9_999));
    bench.settle().await;
    assert_eq!(batches(&app).len(), 0);
    publish(&bench, 79..81).await;
    app.wait("/on/t", 1).await;
    bench.settle().await;
    assert_eq!(batches(&app).iter().map(Vec::len).collect::<Vec<_>>(), [80]);
    bench.clock.advance(Duration::from_millis(1));
    app.wait("/on/t", 2).await;
}
