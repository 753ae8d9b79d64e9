//! Publish and delivery.

use std::time::{Duration, Instant};

use nudge_test_kit::bindings::bridge::exports::nudge::dapr::pubsub::CloudEvent;
use nudge_test_kit::call;
use serde_json::{Value, json};
use test_app::Seen;

use crate::bench::{Setup, Subject, World, kind, told};

const PUBLISH: &str = "/v1.0/publish/pubsub";

fn event(id: &str, data: &str) -> CloudEvent {
    CloudEvent {
        id: id.to_owned(),
        source: "api".to_owned(),
        type_: "nudge.task.created.v1".to_owned(),
        subject: Some("task-1".to_owned()),
        time: "2026-11-21T12:00:00Z".to_owned(),
        data: data.to_owned(),
        partition_key: Some("task-1".to_owned()),
    }
}

/// An event without the fields that differ from run to run, each of which must exist.
fn envelope(seen: &Seen, changing: &[&str]) -> Value {
    let mut event = seen.json();
    let members = event.as_object_mut().expect("an object");
    for name in changing {
        assert!(members.remove(*name).is_some(), "no {name} in {}", seen.text());
    }
    event
}

const TRACE: [&str; 2] = ["traceid", "traceparent"];

pub(crate) async fn an_event_arrives_as_it_was_published(subject: Subject) {
    let world = Setup::default().topic("t").start(&subject).await;
    let mut bridge = world.bridge().await;
    let published = call!(
        bridge,
        nudge_dapr_pubsub.call_publish("pubsub".into(), "t".into(), event("e:1", r#"{"n": 1}"#))
    );
    assert_eq!(published, Ok(()));
    let seen = world.app().wait("/on/t", 1).await.remove(0);
    let expected = json!({
        "specversion": "1.0", "id": "e:1", "source": "api", "type": "nudge.task.created.v1", "subject": "task-1",
        "time": "2026-11-21T12:00:00Z", "datacontenttype": "application/json", "data": { "n": 1 },
        "pubsubname": "pubsub", "topic": "t", "tracestate": "",
    });
    assert_eq!(envelope(&seen, &TRACE), expected);
    assert_eq!(seen.method, "POST");
    assert_eq!(seen.header("content-type"), Some("application/cloudevents+json"));
    let span = seen.header("traceparent").expect("a traceparent");
    let published = seen.json()["traceparent"].as_str().expect("text").to_owned();
    assert_eq!(span[..36], published[..36], "one trace");
    assert_ne!(span, published, "another span");
}

pub(crate) async fn plain_data_is_wrapped(subject: Subject) {
    let world = Setup::default().topic("t").start(&subject).await;
    let answer = world.post(&format!("{PUBLISH}/t"), r#"{"n": 1}"#).await;
    assert_eq!(told(&answer), (204, Value::Null));
    assert_eq!(answer.header("vary"), "Origin");
    let seen = world.app().wait("/on/t", 1).await.remove(0);
    let expected = json!({
        "specversion": "1.0", "source": "orders", "type": "com.dapr.event.sent", "datacontenttype": "application/json",
        "data": { "n": 1 }, "pubsubname": "pubsub", "topic": "t", "tracestate": "",
    });
    assert_eq!(envelope(&seen, &[&TRACE[..], &["id", "time"]].concat()), expected);
    assert_eq!(seen.json()["traceparent"], answer.header("traceparent"));
    let time = seen.json()["time"].as_str().expect("text").to_owned();
    assert_eq!(
        (time.len(), time.ends_with('Z')),
        (20, true),
        "whole seconds: {time}"
    );
}

pub(crate) async fn the_query_overrides_the_envelope_but_not_its_subject(subject: Subject) {
    let world = Setup::default().topic("t").start(&subject).await;
    let path = format!(
        "{PUBLISH}/t?metadata.cloudevent.id=evt-1&metadata.cloudevent.type=order.created.v1&metadata.cloudevent.source=shop\
         &metadata.cloudevent.subject=o-2&metadata.ttlInSeconds=60&metadata.custom=abc"
    );
    assert_eq!(world.post(&path, "1").await.status, 204);
    let seen = world.app().wait("/on/t", 1).await.remove(0);
    let expected = json!({
        "specversion": "1.0", "id": "evt-1", "source": "shop", "type": "order.created.v1",
        "datacontenttype": "application/json", "data": 1, "pubsubname": "pubsub", "topic": "t", "tracestate": "",
    });
    let changing = [&TRACE[..], &["time", "expiration"]].concat();
    assert_eq!(envelope(&seen, &changing), expected);
}

pub(crate) async fn other_types_of_content_keep_theirs(subject: Subject) {
    let world = Setup::default().topic("t").start(&subject).await;
    for (number, (content_type, body, member, expected)) in [
        ("text/plain", &b"hello"[..], "data", "hello"),
        ("application/octet-stream", b"\x00\x01\xff", "data_base64", "AAH/"),
        ("application/json", b"{oops", "data", "{oops"),
    ]
    .into_iter()
    .enumerate()
    {
        let answer = world.post_as(&format!("{PUBLISH}/t"), content_type, body).await;
        assert_eq!(answer.status, 204, "{content_type}");
        let seen = world.app().wait("/on/t", number + 1).await.remove(number).json();
        assert_eq!(
            (&seen[member], &seen["datacontenttype"]),
            (&json!(expected), &json!(content_type))
        );
    }
}

pub(crate) async fn an_incomplete_event_gets_what_dapr_gives(subject: Subject) {
    let world = Setup::default().topic("t").start(&subject).await;
    let event = r#"{"specversion": "1.0", "data": {"a": 1}}"#;
    let path = format!("{PUBLISH}/t");
    let answer = world.post_as(&path, "application/cloudevents+json", event).await;
    assert_eq!(answer.status, 204);
    let seen = world.app().wait("/on/t", 1).await.remove(0);
    let expected = json!({
        "specversion": "1.0", "source": "Dapr", "type": "com.dapr.event.sent", "data": { "a": 1 },
        "pubsubname": "pubsub", "topic": "t", "tracestate": "",
    });
    assert_eq!(
        envelope(&seen, &[&TRACE[..], &["time"]].concat()),
        expected,
        "no id"
    );
}

pub(crate) async fn a_raw_payload_arrives_bare(subject: Subject) {
    let world = Setup::default().topic("t").start(&subject).await;
    let path = format!("{PUBLISH}/t?metadata.rawPayload=true");
    assert_eq!(world.post(&path, r#"{"raw": 1}"#).await.status, 204);
    let seen = world.app().wait("/on/t", 1).await.remove(0);
    assert_eq!(seen.text(), r#"{"raw": 1}"#);
    assert_eq!(seen.header("content-type"), Some("application/cloudevents+json"));
}

pub(crate) async fn a_raw_subscription_gets_bytes(subject: Subject) {
    let setup = Setup::default().subscription("t", "{default: /on/t}", None, true);
    let world = setup.start(&subject).await;
    let path = format!("{PUBLISH}/t?metadata.rawPayload=true");
    assert_eq!(world.post(&path, r#"{"raw": 2}"#).await.status, 204);
    let seen = world.app().wait("/on/t", 1).await.remove(0);
    let expected = json!({
        "specversion": "1.0", "source": "Dapr", "type": "com.dapr.event.sent",
        "datacontenttype": "application/octet-stream", "data_base64": "eyJyYXciOiAyfQ==",
        "pubsubname": "pubsub", "topic": "t",
    });
    assert_eq!(envelope(&seen, &["id"]), expected);
}

pub(crate) async fn several_events_at_once_arrive_one_by_one(subject: Subject) {
    let world = Setup::default().topic("t").start(&subject).await;
    let mut bridge = world.bridge().await;
    let events: Vec<CloudEvent> = (0..3)
        .map(|number| event(&format!("e:{number}"), &number.to_string()))
        .collect();
    let failed = call!(
        bridge,
        nudge_dapr_pubsub.call_publish_all("pubsub".into(), "t".into(), events)
    );
    assert_eq!(failed, Ok(Vec::new()));
    let mut seen: Vec<(Value, Value, Value)> = world
        .app()
        .wait("/on/t", 3)
        .await
        .iter()
        .map(Seen::json)
        .map(|event| {
            (
                event["id"].clone(),
                event["data"].clone(),
                event["subject"].clone(),
            )
        })
        .collect();
    seen.sort_by_key(|(id, ..)| id.to_string());
    let expected: Vec<_> = (0..3)
        .map(|number| (json!(format!("e:{number}")), json!(number), json!("task-1")))
        .collect();
    assert_eq!(seen, expected);
}

pub(crate) async fn entries_of_one_id_are_refused(subject: Subject) {
    let world = Setup::default().start(&subject).await;
    let entry = json!({ "entryId": "1", "event": 1, "contentType": "application/json" });
    let body = json!([entry, entry]).to_string();
    let (status, body) = told(&world.post("/v1.0-alpha1/publish/bulk/pubsub/t", &body).await);
    assert_eq!(
        (status, &body["errorCode"]),
        (400, &json!("ERR_PUBSUB_EVENTS_SER"))
    );
    assert_eq!(
        body["message"],
        "error marshaling events to bytes for topic t pubsub pubsub. error: entryId is duplicated or not present for entry"
    );
    // The stable path is a topic named like the pubsub, of a pubsub named bulk.
    let (status, body) = told(&world.post("/v1.0/publish/bulk/pubsub/t", "[]").await);
    assert_eq!(
        (status, &body["message"]),
        (404, &json!("pubsub bulk is not found"))
    );
}

pub(crate) async fn rules_route_by_type(subject: Subject) {
    let routes = "{rules: [{match: 'event.type == \"a\"', path: /on/a}], default: /on/other}";
    let world = Setup::default()
        .subscription("t", routes, None, false)
        .start(&subject)
        .await;
    for kind in ["a", "b"] {
        let path = format!("{PUBLISH}/t?metadata.cloudevent.type={kind}");
        assert_eq!(world.post(&path, "1").await.status, 204);
    }
    assert_eq!(world.app().wait("/on/a", 1).await[0].json()["type"], "a");
    assert_eq!(world.app().wait("/on/other", 1).await[0].json()["type"], "b");
}

pub(crate) async fn an_unknown_pubsub_is_named(subject: Subject) {
    let world = Setup::default().start(&subject).await;
    let expected = json!({
        "errorCode": "ERR_PUBSUB_NOT_FOUND",
        "message": "pubsub nope is not found",
        "details": [{
            "@type": "type.googleapis.com/google.rpc.ErrorInfo", "domain": "dapr.io", "metadata": {},
            "reason": "DAPR_PUBSUB_NOT_FOUND",
        }],
    });
    assert_eq!(
        told(&world.post("/v1.0/publish/nope/t", "1").await),
        (404, expected)
    );
    let mut bridge = world.bridge().await;
    let error = call!(
        bridge,
        nudge_dapr_pubsub.call_publish("nope".into(), "t".into(), event("e:1", "1"))
    );
    assert_eq!(kind(&error.unwrap_err()), ("no-such-component", Some(404)));
}

pub(crate) async fn a_topic_must_be_named(subject: Subject) {
    let world = Setup::default().start(&subject).await;
    let expected = json!({
        "errorCode": "ERR_DIRECT_INVOKE",
        "message": "failed getting app id either from the URL path or the header dapr-app-id",
    });
    assert_eq!(
        told(&world.post("/v1.0/publish/pubsub/", "1").await),
        (404, expected)
    );
}

async fn with_dead_letters(subject: &Subject, resiliency: Option<&'static str>) -> World {
    let setup = Setup::default()
        .subscription("t", "{default: /on/t}", Some("dead"), false)
        .topic("dead");
    let setup = match resiliency {
        Some(yaml) => setup.resiliency(yaml),
        None => setup,
    };
    setup.start(subject).await
}

pub(crate) async fn without_retries_a_failure_is_a_dead_letter(subject: Subject) {
    let world = with_dead_letters(&subject, None).await;
    for (number, (status, body)) in [
        (200, r#"{"status":"DROP"}"#),
        (200, r#"{"status":"RETRY"}"#),
        (500, ""),
        (200, r#"{"status":"BOGUS"}"#),
    ]
    .into_iter()
    .enumerate()
    {
        world.app().answers("/on/t", &[(status, body)]);
        assert_eq!(world.post(&format!("{PUBLISH}/t"), "1").await.status, 204);
        let dead = world.app().wait("/on/dead", number + 1).await.remove(number);
        let seen = world.app().seen("/on/t");
        assert_eq!(seen.len(), number + 1, "one attempt for {status} {body}");
        assert_eq!(
            dead.text(),
            seen[number].text(),
            "the same event, its topic and all"
        );
    }
}

pub(crate) async fn a_404_is_no_dead_letter(subject: Subject) {
    let world = with_dead_letters(&subject, None).await;
    world.app().answers("/on/t", &[(404, ""), (500, "")]);
    for data in ["1", "2"] {
        world.post(&format!("{PUBLISH}/t"), data).await;
        world.app().wait("/on/t", data.parse().expect("a number")).await;
    }
    let dead = world.app().wait("/on/dead", 1).await;
    assert_eq!((dead.len(), &dead[0].json()["data"]), (1, &json!(2)));
}

pub(crate) async fn retries_come_before_the_dead_letter(subject: Subject) {
    let resiliency = "apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata: {name: r}\nspec:\n  policies:\n    \
        retries: {in: {policy: constant, duration: 100ms, maxRetries: 3}}\n  targets:\n    \
        components: {pubsub: {inbound: {retry: in}}}\n";
    let world = with_dead_letters(&subject, Some(resiliency)).await;
    world.app().answers("/on/t", &[(500, "")]);
    world.post(&format!("{PUBLISH}/t"), "1").await;
    world.app().wait("/on/dead", 1).await;
    let seen = world.app().seen("/on/t");
    assert_eq!(seen.len(), 4);
    assert!(
        seen.iter().all(|again| again.text() == seen[0].text()),
        "the same event"
    );
}

pub(crate) async fn what_is_not_handled_comes_again_before_what_follows_it(subject: Subject) {
    let world = Setup::default().topic("t").start(&subject).await;
    world.app().answers("/on/t", &[(500, ""), (200, "")]);
    for data in ["1", "2"] {
        let path = format!("{PUBLISH}/t?metadata.partitionKey=one");
        assert_eq!(world.post(&path, data).await.status, 204);
    }
    world.app().wait("/on/t", 1).await;
    let failed = Instant::now();
    let seen = world.app().wait("/on/t", 3).await;
    let data: Vec<Value> = seen.iter().map(|seen| seen.json()["data"].clone()).collect();
    assert_eq!(
        data,
        [json!(1), json!(1), json!(2)],
        "without a policy and a dead letter"
    );
    let ids: Vec<Value> = seen.iter().map(|seen| seen.json()["id"].clone()).collect();
    assert_eq!(ids[0], ids[1], "it is the same event");
    let pause = failed.elapsed();
    assert!(pause > Duration::from_secs(4), "5 s later, not {pause:?}");
}
