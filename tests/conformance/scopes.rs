//! Which app may publish and subscribe to which topic: `publishingScopes` and `subscriptionScopes` of a pubsub component.

use nudge_test_kit::bindings::bridge::exports::nudge::dapr::pubsub::CloudEvent;
use nudge_test_kit::call;
use serde_json::{Value, json};

use crate::bench::{Setup, Subject, kind, told};

const PUBLISH: &str = "/v1.0/publish/pubsub";

pub(crate) async fn a_topic_outside_the_scope_is_refused(subject: Subject) {
    let world = Setup::default()
        .topic("t")
        .topic("closed")
        .scopes("orders=t;billing=closed", "")
        .start(&subject)
        .await;
    let refused = json!({
        "errorCode": "ERR_PUBSUB_FORBIDDEN",
        "message": "topic closed is not allowed for app id orders",
        "details": [
            {
                "@type": "type.googleapis.com/google.rpc.ResourceInfo", "resource_type": "pubsub", "resource_name": "pubsub",
                "owner": "", "description": "topic closed is not allowed for app id orders",
            },
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo", "domain": "dapr.io", "reason": "DAPR_PUBSUB_FORBIDDEN",
                "metadata": { "topic": "closed", "error": "topic closed is not allowed for app id orders" },
            },
        ],
    });
    let one = world.post(&format!("{PUBLISH}/closed"), "1").await;
    assert_eq!(told(&one), (403, refused.clone()));
    let entries = json!([{ "entryId": "1", "event": 1, "contentType": "application/json" }]).to_string();
    let several = world
        .post("/v1.0-alpha1/publish/bulk/pubsub/closed", &entries)
        .await;
    assert_eq!(told(&several), (403, refused));
    let mut bridge = world.bridge().await;
    let event = CloudEvent {
        id: "e:1".to_owned(),
        source: "orders".to_owned(),
        type_: "nudge.task.created.v1".to_owned(),
        subject: None,
        time: "2026-11-21T12:00:00Z".to_owned(),
        data: "1".to_owned(),
        partition_key: None,
    };
    let error = call!(
        bridge,
        nudge_dapr_pubsub.call_publish("pubsub".into(), "closed".into(), event)
    );
    assert_eq!(kind(&error.unwrap_err()), ("access-denied", Some(403)));

    assert_eq!(world.post(&format!("{PUBLISH}/t"), "2").await.status, 204);
    world.app().wait("/on/t", 1).await;
    assert!(world.app().seen("/on/closed").is_empty());
}

/// So every app must be named.
pub(crate) async fn an_app_without_a_scope_may_publish_anything(subject: Subject) {
    let world = Setup::default()
        .topic("t")
        .scopes("billing=other", "billing=other")
        .start(&subject)
        .await;
    assert_eq!(world.post(&format!("{PUBLISH}/t"), "1").await.status, 204);
    world.app().wait("/on/t", 1).await;
}

pub(crate) async fn a_subscription_outside_the_scope_gets_nothing(subject: Subject) {
    let world = Setup::default()
        .topic("t")
        .topic("closed")
        .scopes("", "orders=t")
        .start(&subject)
        .await;
    for topic in ["closed", "t"] {
        assert_eq!(world.post(&format!("{PUBLISH}/{topic}"), "1").await.status, 204);
    }
    world.app().wait("/on/t", 1).await;
    // Time for the other one to come, were it let through.
    for number in 2..=5 {
        assert_eq!(world.post(&format!("{PUBLISH}/t"), "1").await.status, 204);
        world.app().wait("/on/t", number).await;
    }
    assert!(world.app().seen("/on/closed").is_empty());
}

/// The sidecar publishes it as the app. Without that scope the event comes again.
pub(crate) async fn a_dead_letter_needs_the_scope(subject: Subject) {
    let setup = |scopes| {
        Setup::default()
            .subscription("t", "{default: /on/t}", Some("dead"), false)
            .topic("dead")
            .scopes(scopes, "")
    };
    let world = setup("orders=t,dead").start(&subject).await;
    world.app().answers("/on/t", &[(500, "")]);
    assert_eq!(world.post(&format!("{PUBLISH}/t"), "1").await.status, 204);
    let dead = world.app().wait("/on/dead", 1).await;
    assert_eq!(dead[0].json()["data"], Value::from(1));

    let world = setup("orders=t").start(&subject).await;
    world.app().answers("/on/t", &[(500, ""), (200, "")]);
    assert_eq!(world.post(&format!("{PUBLISH}/t"), "1").await.status, 204);
    world.app().wait("/on/t", 2).await;
    assert!(world.app().seen("/on/dead").is_empty());
}
