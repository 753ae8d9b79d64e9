//! How long an identity provider's keys are used, and how often it is asked.

use nudge_test_kit::dapr::{Function, unavailable};
use nudge_test_kit::sidecar::Reply;
use nudge_test_kit::signing::SigningKey;
use serde_json::{Value, json};

use super::identity_provider::{Provider, claims, show, status};
use crate::support::{Service, json as body};

/// Until a set is asked for again, in seconds.
const FRESH: u64 = 5 * 60;

/// Until a set may not be used any more.
const USABLE: u64 = 60 * 60;

/// Between two requests.
const PAUSE: u64 = 10;

async fn token(api: &Service, key: &SigningKey, kid: &str) -> u16 {
    status(api, &key.token(kid, &claims(api))).await
}

#[tokio::test]
async fn replicas_share_the_keys() {
    let key = SigningKey::p256(1);
    let (provider, api) = Provider::with(&[key.jwk("a")]).await;
    assert_eq!(token(&api, &key, "a").await, 200);
    let replica = provider.setup().beside(&api).start().await;
    for api in [&replica, &api, &replica] {
        assert_eq!(token(api, &key, "a").await, 200);
    }
    assert_eq!(provider.asked(), 1);
}

#[tokio::test]
async fn a_new_key_is_fetched_when_a_token_names_it() {
    let (old, new) = (SigningKey::ed25519(1), SigningKey::ed25519(2));
    let (provider, api) = Provider::with(&[old.jwk("old")]).await;
    assert_eq!(token(&api, &old, "old").await, 200);
    provider.publish(&[old.jwk("old"), new.jwk("new")]);
    assert_eq!(token(&api, &new, "new").await, 401, "it was asked just now");
    api.pass(PAUSE);
    assert_eq!(token(&api, &new, "new").await, 200);
    assert_eq!(token(&api, &old, "old").await, 200);
    assert_eq!(provider.asked(), 2);
}

#[tokio::test]
async fn forged_kids_do_not_become_a_flood() {
    let (good, forged) = (SigningKey::ed25519(1), SigningKey::ed25519(9));
    let (provider, api) = Provider::with(&[good.jwk("good")]).await;
    assert_eq!(token(&api, &good, "good").await, 200);
    let replica = provider.setup().beside(&api).start().await;
    for round in 0..3 {
        api.pass(PAUSE);
        provider.publish(&[good.jwk("good")]);
        for number in 0..10 {
            let kid = format!("forged-{round}-{number}");
            for api in [&api, &replica] {
                assert_eq!(token(api, &forged, &kid).await, 401);
            }
        }
    }
    assert_eq!(provider.asked(), 1 + 3, "the first, and one per pause");
    assert_eq!(token(&api, &good, "good").await, 200);
}

#[tokio::test]
async fn a_key_that_was_taken_out_stops_working() {
    let (stolen, new) = (SigningKey::p256(1), SigningKey::p256(2));
    let (provider, api) = Provider::with(&[stolen.jwk("stolen"), new.jwk("new")]).await;
    assert_eq!(token(&api, &stolen, "stolen").await, 200);
    provider.publish(&[new.jwk("new")]);
    api.pass(FRESH - 1);
    assert_eq!(token(&api, &stolen, "stolen").await, 200);
    assert_eq!(provider.asked(), 1);
    api.pass(1);
    assert_eq!(token(&api, &stolen, "stolen").await, 401);
    assert_eq!(token(&api, &new, "new").await, 200);
    assert_eq!(provider.asked(), 1);
}

#[tokio::test]
async fn keys_go_on_for_an_hour_while_the_provider_is_down() {
    let key = SigningKey::ed25519(1);
    let (provider, api) = Provider::with(&[key.jwk("a")]).await;
    assert_eq!(token(&api, &key, "a").await, 200);
    assert_eq!(provider.asked(), 1);
    let replica = provider.setup().beside(&api).start().await;

    api.pass(FRESH);
    for api in [&api, &replica, &api, &replica] {
        assert_eq!(token(api, &key, "a").await, 200);
    }
    assert_eq!(provider.asked(), 1, "it answered 500; asking again can wait");
    api.pass(USABLE - FRESH - 1);
    assert_eq!(token(&api, &key, "a").await, 200);
    assert_eq!(provider.asked(), 1);

    api.pass(PAUSE);
    for api in [&api, &replica] {
        let answer = show(api, &key.token("a", &claims(api))).await;
        assert_eq!(body(&answer, 503)["code"], "unavailable");
        assert_eq!(answer.header("retry-after"), "5");
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(
            !text.contains("127.0.0.1"),
            "where the keys are is for the log: {text}"
        );
    }
    assert_eq!(provider.asked(), 1);

    provider.publish(&[key.jwk("a")]);
    api.pass(PAUSE);
    assert_eq!(token(&api, &key, "a").await, 200);
}

#[tokio::test]
async fn an_answer_that_is_not_a_key_set_admits_no_caller() {
    let key = SigningKey::ed25519(1);
    let set = json!({ "keys": [key.jwk("a")] }).to_string();
    let many: Vec<Value> = (0..101).map(|number| key.jwk(&number.to_string())).collect();
    for (why, reply) in [
        (
            "too large",
            Reply::json(200, &format!("{set}{}", " ".repeat(256 * 1024))),
        ),
        ("too many", Reply::json(200, &json!({ "keys": many }).to_string())),
        ("no JSON", Reply::text(200, "<html>")),
        ("no set", Reply::json(200, &key.jwk("a").to_string())),
        ("another status", Reply::json(404, &set)),
        ("a redirect", Reply::json(302, &set).header("location", "/keys")),
    ] {
        let provider = Provider::start().await;
        provider.answer(reply);
        let api = provider.setup().start().await;
        assert_eq!(token(&api, &key, "a").await, 503, "{why}");
        assert_eq!(token(&api, &key, "a").await, 503, "{why}");
        assert_eq!(provider.asked(), 1, "{why}: asking again can wait");
        provider.publish(&[key.jwk("a")]);
        api.pass(PAUSE);
        assert_eq!(token(&api, &key, "a").await, 200, "{why}");
    }
}

#[tokio::test]
async fn a_provider_that_says_nothing_is_not_waited_for() {
    let key = SigningKey::ed25519(1);
    let provider = Provider::start().await;
    provider.answer(Reply::silence());
    let api = provider.setup().start().await;
    assert_eq!(token(&api, &key, "a").await, 503);
    assert_eq!(provider.asked(), 1);
}

#[tokio::test]
async fn a_host_that_is_not_allowed_is_not_asked() {
    let key = SigningKey::ed25519(1);
    let provider = Provider::start().await;
    provider.publish(&[key.jwk("a")]);
    let api = provider
        .setup()
        .variable("jwks_host", "https://login.example.com")
        .start()
        .await;
    assert_eq!(token(&api, &key, "a").await, 503);
    assert_eq!(provider.asked(), 0);
}

#[tokio::test]
async fn keys_that_another_program_wrote_into_the_state_store_do_not_count() {
    let (key, planted) = (SigningKey::ed25519(1), SigningKey::ed25519(9));
    let (provider, api) = Provider::with(&[key.jwk("a")]).await;
    assert_eq!(token(&api, &key, "a").await, 200);
    let name = |api: &Service| {
        let keys = api.dapr.keys();
        let found = keys.into_iter().find(|name| !name.contains("turn"));
        found.expect("the set is shared")
    };
    let record = json!({
        "url": provider.url(),
        "set": { "at": 1_795_262_400_i64, "text": json!({ "keys": [planted.jwk("a")] }).to_string() },
        "failed_at": null,
    });
    let own = nudge_test_kit::tokens::signed(
        json!({ "alg": "HS256" }),
        record.clone(),
        nudge_test_kit::tokens::KEY,
    );
    for value in [record, json!(own)] {
        api.dapr.set_state(&name(&api), &value);
        provider.publish(&[key.jwk("a")]);
        api.pass(PAUSE);
        let replica = provider.setup().beside(&api).start().await;
        assert_eq!(token(&replica, &planted, "a").await, 401);
        assert_eq!(token(&replica, &key, "a").await, 200);
    }
    assert_eq!(provider.asked(), 3);
}

#[tokio::test]
async fn without_a_state_store_each_instance_asks_for_itself() {
    let key = SigningKey::ed25519(1);
    let (provider, api) = Provider::with(&[key.jwk("a")]).await;
    api.dapr.down(Function::StateGetMany, unavailable("no sidecar"));
    assert_eq!(token(&api, &key, "a").await, 200);
    assert_eq!(provider.asked(), 1);
    assert!(api.dapr.keys().is_empty());
}
