//! Publish and subscribe.

use expect_test::expect;
use nudge_test_kit::bindings::bridge::exports::nudge::dapr::pubsub::{CloudEvent, FailedEvent, RawMessage};
use nudge_test_kit::sidecar::Reply;

use super::{Bridge, call, kind};

fn event(id: &str, key: Option<&str>) -> CloudEvent {
    CloudEvent {
        id: id.to_owned(),
        source: "api".to_owned(),
        type_: "nudge.task.created.v1".to_owned(),
        subject: key.map(str::to_owned),
        time: "2026-11-21T12:00:00Z".to_owned(),
        data: r#"{"n": 1}"#.to_owned(),
        partition_key: key.map(str::to_owned),
    }
}

#[tokio::test]
async fn publishes_a_complete_event_and_its_key() {
    let mut bridge = Bridge::start().await;
    bridge.reply(Reply::empty(204));
    assert_eq!(
        call!(
            bridge,
            nudge_dapr_pubsub.call_publish("pubsub".into(), "task-events".into(), event("e:1", Some("a&b")))
        ),
        Ok(())
    );
    expect![[r#"
        POST /v1.0/publish/pubsub/task-events?metadata.partitionKey=a%26b
        content-type: application/cloudevents+json

        {"specversion":"1.0","id":"e:1","source":"api","type":"nudge.task.created.v1","subject":"a&b","time":"2026-11-21T12:00:00Z","datacontenttype":"application/json","data":{"n": 1}}
    "#]]
    .assert_eq(&bridge.request());
}

#[tokio::test]
async fn publishes_a_message_as_it_is_with_its_key_and_headers() {
    let mut bridge = Bridge::start().await;
    bridge.reply(Reply::empty(204));
    let message = RawMessage {
        data: r#"{"n": 1}"#.to_owned(),
        partition_key: Some("a&b".to_owned()),
        headers: vec![("nudge-origin".to_owned(), "x=y".to_owned())],
    };
    assert_eq!(
        call!(
            bridge,
            nudge_dapr_pubsub.call_publish_raw("legacy".into(), "task-events".into(), message)
        ),
        Ok(())
    );
    expect![[r#"
        POST /v1.0/publish/legacy/task-events?metadata.rawPayload=true&metadata.partitionKey=a%26b&metadata.nudge%2Dorigin=x%3Dy
        content-type: application/json

        {"n": 1}
    "#]]
    .assert_eq(&bridge.request());
    let broken = RawMessage {
        data: "no JSON".to_owned(),
        partition_key: None,
        headers: Vec::new(),
    };
    let refused = call!(
        bridge,
        nudge_dapr_pubsub.call_publish_raw("legacy".into(), "task-events".into(), broken)
    );
    assert_eq!(kind(&refused.expect_err("it is no JSON")).0, "invalid-argument");
}

#[tokio::test]
async fn an_event_without_key_leaves_its_order_to_the_broker() {
    let mut bridge = Bridge::start().await;
    bridge.reply(Reply::empty(204));
    assert_eq!(
        call!(
            bridge,
            nudge_dapr_pubsub.call_publish("pubsub".into(), "task-events".into(), event("e:1", None))
        ),
        Ok(())
    );
    expect![[r#"
        POST /v1.0/publish/pubsub/task-events
        content-type: application/cloudevents+json

        {"specversion":"1.0","id":"e:1","source":"api","type":"nudge.task.created.v1","time":"2026-11-21T12:00:00Z","datacontenttype":"application/json","data":{"n": 1}}
    "#]]
    .assert_eq(&bridge.request());
}

#[tokio::test]
async fn publishes_many_events_in_one_call() {
    let mut bridge = Bridge::start().await;
    bridge.reply(Reply::empty(204));
    let events = vec![event("e:1", Some("k")), event("e:2", None)];
    assert_eq!(
        call!(
            bridge,
            nudge_dapr_pubsub.call_publish_all("pubsub".into(), "task-events".into(), events)
        ),
        Ok(Vec::new())
    );
    expect![[r#"
        POST /v1.0-alpha1/publish/bulk/pubsub/task-events
        content-type: application/json

        [{"entryId":"0","event":{"specversion":"1.0","id":"e:1","source":"api","type":"nudge.task.created.v1","subject":"k","time":"2026-11-21T12:00:00Z","datacontenttype":"application/json","data":{"n": 1}},"contentType":"application/cloudevents+json","metadata":{"partitionKey":"k"}},{"entryId":"1","event":{"specversion":"1.0","id":"e:2","source":"api","type":"nudge.task.created.v1","time":"2026-11-21T12:00:00Z","datacontenttype":"application/json","data":{"n": 1}},"contentType":"application/cloudevents+json"}]
    "#]]
    .assert_eq(&bridge.request());
    assert_eq!(
        call!(
            bridge,
            nudge_dapr_pubsub.call_publish_all("pubsub".into(), "task-events".into(), Vec::new())
        ),
        Ok(Vec::new())
    );
    assert!(bridge.sidecar.requests().is_empty());
}

#[tokio::test]
async fn events_that_the_broker_did_not_take_are_named() {
    let mut bridge = Bridge::start().await;
    bridge.reply(Reply::json(500, r#"{"failedEntries":[{"entryId":"1","error":"kafka: message too large"}],"errorCode":"ERR_PUBSUB_PUBLISH_MESSAGE"}"#));
    let events = vec![event("e:1", None), event("e:2", None)];
    assert_eq!(
        call!(
            bridge,
            nudge_dapr_pubsub.call_publish_all("pubsub".into(), "task-events".into(), events)
        ),
        Ok(vec![FailedEvent {
            index: 1,
            message: "kafka: message too large".to_owned()
        }]),
    );
}

#[tokio::test]
async fn a_broker_that_is_not_there_or_slow_is_an_error() {
    let mut bridge = Bridge::start().await;
    for (status, body, expected) in [
        (
            404,
            r#"{"errorCode":"ERR_PUBSUB_NOT_FOUND","message":"pubsub nope is not found"}"#,
            "no-such-component",
        ),
        (
            500,
            r#"{"errorCode":"ERR_PUBSUB_PUBLISH_MESSAGE","message":"error when publishing: context deadline exceeded"}"#,
            "timeout",
        ),
        (
            500,
            r#"{"errorCode":"ERR_PUBSUB_PUBLISH_MESSAGE","message":"error when publishing: broker is down"}"#,
            "other",
        ),
    ] {
        bridge.reply(Reply::json(status, body));
        let error = call!(
            bridge,
            nudge_dapr_pubsub.call_publish("pubsub".into(), "t".into(), event("e", None))
        )
        .unwrap_err();
        assert_eq!(kind(&error).0, expected);
        bridge.reply(Reply::json(status, body));
        let error = call!(
            bridge,
            nudge_dapr_pubsub.call_publish_all("pubsub".into(), "t".into(), vec![event("e", None)])
        )
        .unwrap_err();
        assert_eq!(kind(&error).0, expected);
    }
}

#[tokio::test]
async fn a_payload_that_is_not_json_is_refused_before_it_is_sent() {
    let mut bridge = Bridge::start().await;
    let broken = CloudEvent {
        data: "{".to_owned(),
        ..event("e", None)
    };
    let error = call!(
        bridge,
        nudge_dapr_pubsub.call_publish("pubsub".into(), "t".into(), broken)
    )
    .unwrap_err();
    assert_eq!(kind(&error).0, "invalid-argument");
    assert!(bridge.sidecar.requests().is_empty());
}
