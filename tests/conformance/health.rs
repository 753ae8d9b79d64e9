//! Health and metadata.

use nudge_test_kit::call;
use serde_json::{Value, json};

use crate::bench::{Setup, Subject, told};

pub(crate) async fn a_sidecar_says_how_it_is(subject: Subject) {
    let world = Setup::default().start(&subject).await;
    for path in [
        "/v1.0/healthz",
        "/v1.0/healthz/outbound",
        "/v1.0/healthz?appid=orders",
    ] {
        assert_eq!(told(&world.get(path).await), (204, Value::Null), "{path}");
    }
    let expected =
        json!({ "errorCode": "ERR_HEALTH_APPID_NOT_MATCH", "message": "dapr app-id does not match" });
    assert_eq!(told(&world.get("/v1.0/healthz?appid=zzz").await), (500, expected));
    let mut bridge = world.bridge().await;
    assert_eq!(call!(bridge, nudge_dapr_health.call_check()), Ok(()));
}

pub(crate) async fn metadata_say_the_version(subject: Subject) {
    let world = Setup::default().topic("t").start(&subject).await;
    let (status, body) = told(&world.get("/v1.0/metadata").await);
    assert_eq!(
        (status, &body["id"], &body["runtimeVersion"]),
        (200, &json!("orders"), &json!("1.16.0"))
    );
    let mut components: Vec<(Value, Value, Value)> = body["components"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|component| {
            let member = |name: &str| component[name].clone();
            (member("name"), member("type"), member("version"))
        })
        .collect();
    components.sort_by_key(|(name, ..)| name.to_string());
    let expected = [
        ("pubsub", "pubsub.in-memory"),
        ("secretstore", "secretstores.local.file"),
        ("statestore", "state.in-memory"),
    ];
    assert_eq!(
        components,
        expected.map(|(name, kind)| (json!(name), json!(kind), json!("v1")))
    );
    let subscription = json!({
        "pubsubname": "pubsub", "topic": "t", "rules": [{ "path": "/on/t" }], "deadLetterTopic": "", "type": "DECLARATIVE",
    });
    assert_eq!(body["subscriptions"], json!([subscription]));
}

pub(crate) async fn metadata_say_how_many_calls_of_the_app_may_be_in_flight(subject: Subject) {
    let app = |body: &Value| body["appConnectionProperties"].clone();
    for limit in [None, Some(1), Some(16)] {
        let setup = Setup::default();
        let setup = limit.map_or_else(Setup::default, |limit| setup.max_concurrency(limit));
        let world = setup.start(&subject).await;
        let (_, body) = told(&world.get("/v1.0/metadata").await);
        let port: u16 = world
            .app()
            .url
            .rsplit(':')
            .next()
            .and_then(|port| port.parse().ok())
            .expect("a port");
        let mut expected = json!({ "port": port, "protocol": "http", "channelAddress": "127.0.0.1" });
        if let Some(limit) = limit {
            expected["maxConcurrency"] = json!(limit);
        }
        assert_eq!(app(&body), expected);
        let mut bridge = world.bridge().await;
        assert_eq!(
            call!(bridge, nudge_dapr_metadata.call_app_max_concurrency()),
            Ok(limit)
        );
    }
}

pub(crate) async fn an_unhealthy_app_gets_nothing(subject: Subject) {
    let world = Setup::default()
        .topic("t")
        .health("/health")
        .start(&subject)
        .await;
    world.app().answers("/health", &[(503, "")]);
    // Two that fail: the first makes it unhealthy, and when the second is asked for that is known.
    let asked = world.app().seen("/health").len();
    world.app().wait("/health", asked + 2).await;
    assert_eq!(world.post("/v1.0/publish/pubsub/t", "1").await.status, 204);
    assert_eq!(
        world.get("/v1.0/healthz").await.status,
        204,
        "the sidecar is well"
    );
    let asked = world.app().seen("/health").len();
    world.app().wait("/health", asked + 1).await;
    assert_eq!(world.app().seen("/on/t").len(), 0);
}
