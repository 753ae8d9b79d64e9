//! Which tokens count beside an identity provider.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::Method;
use nudge_test_kit::signing::SigningKey;
use nudge_test_kit::tokens;
use serde_json::{Value, json};

use super::identity_provider::{ISSUER, Provider, claims, show, status};
use crate::support::{Setup, ZONE, json as body, send};

#[tokio::test]
async fn a_token_signed_with_a_key_of_the_provider_says_who_is_calling() {
    let keys = [SigningKey::ed25519(1), SigningKey::p256(2), SigningKey::rsa()];
    let jwks: Vec<Value> = keys.iter().map(|key| key.jwk(key.algorithm())).collect();
    let (provider, api) = Provider::with(&jwks).await;
    for key in &keys {
        let algorithm = key.algorithm();
        let token = key.token(algorithm, &claims(&api));
        let created = send(
            api.anybody()
                .call(Method::POST, "/api/v1/tasks")
                .bearer(&token)
                .json(&json!({ "title": algorithm })),
        )
        .await;
        assert_eq!(body(&created, 201)["timeZone"], ZONE, "{algorithm}");
        let unnamed = key.signed(&json!({ "alg": algorithm }), &claims(&api));
        assert_eq!(
            status(&api, &unnamed).await,
            200,
            "{algorithm}: it is the only one"
        );
    }
    let token = keys[0].token("EdDSA", &claims(&api));
    let tasks = body(&show(&api, &token).await, 200);
    assert_eq!(tasks["items"].as_array().map(Vec::len), Some(3), "{tasks:#}");
    assert_eq!(provider.asked(), 1);
}

#[tokio::test]
async fn a_token_that_is_not_signed_with_a_key_of_the_provider_is_refused() {
    let (ed25519, p256, rsa) = (SigningKey::ed25519(1), SigningKey::p256(2), SigningKey::rsa());
    let jwks = [ed25519.jwk("ed"), p256.jwk("ec"), rsa.jwk("rsa")];
    let (_provider, api) = Provider::with(&jwks).await;
    let good = claims(&api);
    let header = |algorithm: &str, kid: &str| json!({ "alg": algorithm, "kid": kid });
    let cut = |token: String| format!("{}.", token.rsplit_once('.').unwrap().0);
    let spoilt = {
        let token = ed25519.token("ed", &good);
        let (_, signature) = token.rsplit_once('.').unwrap();
        let mut bobs = good.clone();
        bobs["sub"] = json!("bob");
        let other = ed25519.token("ed", &bobs);
        format!("{}.{signature}", other.rsplit_once('.').unwrap().0)
    };
    for (why, token) in [
        ("another key", SigningKey::ed25519(9).token("ed", &good)),
        ("claims of another token", spoilt),
        ("a key of another kid", ed25519.token("ec", &good)),
        ("a kid that is not there", ed25519.token("nowhere", &good)),
        (
            "RS256 with a P-256 key",
            p256.signed(&header("RS256", "ec"), &good),
        ),
        ("RS256 with a kid of P-256", rsa.token("ec", &good)),
        (
            "ES256 with an Ed25519 key",
            ed25519.signed(&header("ES256", "ed"), &good),
        ),
        (
            "EdDSA with a P-256 key",
            p256.signed(&header("EdDSA", "ec"), &good),
        ),
        ("RS512", rsa.signed(&header("RS512", "rsa"), &good)),
        ("PS256", rsa.signed(&header("PS256", "rsa"), &good)),
        ("ES256K", p256.signed(&header("ES256K", "ec"), &good)),
        ("lower case", ed25519.signed(&header("eddsa", "ed"), &good)),
        ("alg none", ed25519.signed(&header("none", "ed"), &good)),
        (
            "alg none without signature",
            cut(ed25519.signed(&header("none", "ed"), &good)),
        ),
        ("no signature", cut(ed25519.token("ed", &good))),
        ("no alg", ed25519.signed(&json!({ "kid": "ed" }), &good)),
        (
            "crit",
            ed25519.signed(
                &json!({ "alg": "EdDSA", "kid": "ed", "crit": ["exp"], "exp": 1 }),
                &good,
            ),
        ),
        (
            "a logout token",
            ed25519.signed(
                &json!({ "alg": "EdDSA", "kid": "ed", "typ": "logout+jwt" }),
                &good,
            ),
        ),
        ("too long", {
            let mut long = good.clone();
            long["padding"] = json!("x".repeat(8 * 1024));
            ed25519.token("ed", &long)
        }),
    ] {
        let answer = show(&api, &token).await;
        assert_eq!(answer.status, 401, "{why}: {:?}", answer.body);
        assert_eq!(answer.header("www-authenticate"), "Bearer", "{why}");
    }
    assert_eq!(status(&api, &ed25519.token("ed", &good)).await, 200);
}

#[tokio::test]
async fn a_public_key_of_a_provider_cannot_be_used_as_a_secret() {
    let (ed25519, rsa) = (SigningKey::ed25519(1), SigningKey::rsa());
    for hs256 in ["", "true"] {
        let provider = Provider::start().await;
        let jwks = [ed25519.jwk("ed"), rsa.jwk("rsa")];
        provider.publish(&jwks);
        let api = provider.setup().variable("jwt_hs256", hs256).start().await;
        let good = ed25519.token("ed", &claims(&api));
        assert_eq!(status(&api, &good).await, 200);
        for jwk in &jwks {
            let kid = jwk["kid"].as_str().unwrap();
            let raw = URL_SAFE_NO_PAD
                .decode(jwk["x"].as_str().or(jwk["n"].as_str()).unwrap())
                .unwrap();
            // RFC 8410: what precedes an Ed25519 key in its PEM file.
            let mut der = vec![
                0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
            ];
            der.extend(&raw);
            let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
            writeln!(pem, "{}\n-----END PUBLIC KEY-----", STANDARD.encode(&der)).unwrap();
            for (what, secret) in [
                ("JWK", jwk.to_string().into_bytes()),
                ("raw key", raw),
                ("DER", der),
                ("PEM", pem.into_bytes()),
            ] {
                for issuer in [ISSUER, "nudge"] {
                    let mut claims = claims(&api);
                    claims["iss"] = json!(issuer);
                    let header = json!({ "alg": "HS256", "kid": kid });
                    let token = tokens::signed_with(header, claims, &secret);
                    assert_eq!(status(&api, &token).await, 401, "{kid} {what} {issuer} {hs256:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_key_that_a_token_brings_along_is_not_used() {
    let (trusted, own) = (SigningKey::ed25519(1), SigningKey::ed25519(9));
    let (_provider, api) = Provider::with(&[trusted.jwk("ed")]).await;
    let elsewhere = Provider::start().await;
    elsewhere.publish(&[own.jwk("ed")]);
    let url = elsewhere.url();
    for extra in [
        json!({ "jwk": own.jwk("ed") }),
        json!({ "jku": url, "x5u": url }),
        json!({ "x5c": ["AAAA"] }),
    ] {
        let mut header = json!({ "alg": "EdDSA", "kid": "ed" });
        for (name, value) in extra.as_object().unwrap() {
            header[name] = value.clone();
        }
        assert_eq!(
            status(&api, &own.signed(&header, &claims(&api))).await,
            401,
            "{extra}"
        );
        assert_eq!(
            status(&api, &trusted.signed(&header, &claims(&api))).await,
            200,
            "{extra}: it is not looked at"
        );
    }
    assert_eq!(elsewhere.asked(), 0);
}

#[tokio::test]
async fn the_claims_of_a_provider_are_checked() {
    let key = SigningKey::ed25519(1);
    let provider = Provider::start().await;
    provider.publish(&[key.jwk("ed")]);
    let api = provider.setup().variable("jwt_audience", "tasks").start().await;
    let now = 1_795_262_400_i64;
    let with = |name: &str, value: Value| {
        let mut claims = claims(&api);
        claims["aud"] = json!("tasks");
        claims[name] = value;
        key.token("ed", &claims)
    };
    for (why, token) in [
        ("expired", with("exp", json!(now - 61))),
        ("never expires", with("exp", Value::Null)),
        ("expires beyond any calendar", with("exp", json!(i64::MAX))),
        ("not yet valid", with("nbf", json!(now + 61))),
        ("valid from beyond any calendar", with("nbf", json!(u64::MAX))),
        ("for others", with("aud", json!("bank"))),
        ("for nudge", with("aud", json!("nudge"))),
        ("without issuer", with("iss", Value::Null)),
        ("by others", with("iss", json!("https://login.example.com/"))),
        ("by nudge", with("iss", json!("nudge"))),
        ("without subject", with("sub", json!(""))),
    ] {
        let answer = show(&api, &token).await;
        assert_eq!(answer.status, 401, "{why}: {:?}", answer.body);
    }
    for (why, token) in [
        ("a minute ago", with("exp", json!(now - 60))),
        ("in a minute", with("nbf", json!(now + 60))),
        ("for several", with("aud", json!(["bank", "tasks"]))),
    ] {
        assert_eq!(status(&api, &token).await, 200, "{why}");
    }
}

#[tokio::test]
async fn a_secret_that_was_forgotten_counts_no_longer_beside_a_provider() {
    let key = SigningKey::ed25519(1);
    let (_provider, api) = Provider::with(&[key.jwk("ed")]).await;
    let secret = tokens::mint("alice", ZONE, api.clock.now());
    let by_provider = tokens::signed(json!({ "alg": "HS256" }), claims(&api), tokens::KEY);
    assert_eq!(status(&api, &secret).await, 401);
    assert_eq!(status(&api, &by_provider).await, 401);

    let provider = Provider::start().await;
    provider.publish(&[key.jwk("ed")]);
    let both = provider.setup().variable("jwt_hs256", "true").start().await;
    assert_eq!(status(&both, &secret).await, 200);
    assert_eq!(status(&both, &key.token("ed", &claims(&both))).await, 200);
    assert_eq!(
        status(&both, &by_provider).await,
        401,
        "the secret does not speak for the provider"
    );
}

#[tokio::test]
async fn without_a_provider_only_the_secret_counts() {
    let api = Setup::new("api").variable("jwt_issuer", ISSUER).start().await;
    let key = SigningKey::ed25519(1);
    assert_eq!(status(&api, &key.token("ed", &claims(&api))).await, 401);
    let secret = tokens::mint("alice", ZONE, api.clock.now());
    assert_eq!(status(&api, &secret).await, 200);
}

#[tokio::test]
async fn settings_that_contradict_each_other_admit_no_caller() {
    let token = |api: &crate::support::Service| tokens::mint("alice", ZONE, api.clock.now());
    for (name, value) in [
        ("jwt_hs256", "false"),
        ("jwt_hs256", "yes"),
        ("jwks_url", "http://login.example.com/keys"),
        ("jwks_url", "login.example.com"),
    ] {
        let api = Setup::new("api").variable(name, value).start().await;
        let answer = show(&api, &token(&api)).await;
        assert_eq!(answer.status, 503, "{name} {value}: {:?}", answer.body);
    }
}

#[tokio::test]
async fn keys_that_are_weak_or_for_something_else_do_not_count() {
    let (good, weak, other) = (
        SigningKey::ed25519(1),
        SigningKey::weak_rsa(),
        SigningKey::ed25519(2),
    );
    let mut encrypts = other.jwk("encrypts");
    encrypts["use"] = json!("enc");
    let mut signs = other.jwk("signs");
    signs["key_ops"] = json!(["sign"]);
    let mut another = other.jwk("another");
    another["alg"] = json!("ES256");
    let secret = json!({ "kty": "oct", "kid": "secret", "k": "AAAA", "alg": "HS256" });
    let jwks = [
        good.jwk("good"),
        weak.jwk("weak"),
        encrypts,
        signs,
        another,
        secret,
    ];
    let (_provider, api) = Provider::with(&jwks).await;
    assert_eq!(status(&api, &weak.token("weak", &claims(&api))).await, 401);
    for kid in ["encrypts", "signs", "another", "secret"] {
        assert_eq!(status(&api, &other.token(kid, &claims(&api))).await, 401, "{kid}");
    }
    let known = tokens::signed_with(json!({ "alg": "HS256", "kid": "secret" }), claims(&api), &[0; 3]);
    assert_eq!(status(&api, &known).await, 401);
    assert_eq!(status(&api, &good.token("good", &claims(&api))).await, 200);
}

#[tokio::test]
async fn a_token_without_kid_needs_a_set_with_one_key_of_its_algorithm() {
    let (one, two) = (SigningKey::ed25519(1), SigningKey::ed25519(2));
    let (_provider, api) = Provider::with(&[one.jwk("one"), two.jwk("two")]).await;
    let unnamed = one.signed(&json!({ "alg": "EdDSA" }), &claims(&api));
    assert_eq!(status(&api, &unnamed).await, 401);
    assert_eq!(status(&api, &one.token("one", &claims(&api))).await, 200);
}
