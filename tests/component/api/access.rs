//! Who gets in, and to whose things.

use http::Method;
use nudge_test_kit::dapr::{Function, unavailable};
use nudge_test_kit::http::DEADLINE;
use nudge_test_kit::tokens;
use serde_json::{Value, json};

use crate::support::{Service, ZONE, json, send, text};

#[tokio::test]
async fn a_person_without_a_good_token_is_not_let_in() {
    let api = Service::start("api").await;
    let now = api.clock.now();
    let good = tokens::claims("alice", ZONE, now);
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        claims
    };
    let hs256 = || json!({ "alg": "HS256", "typ": "JWT" });
    let unsigned = tokens::signed(json!({ "alg": "none" }), good.clone(), tokens::KEY);
    let cut = format!("{}.", unsigned.rsplit_once('.').unwrap().0);
    let expired = 1_795_262_400 - 61;
    for (why, header) in [
        ("no header", None),
        ("another scheme", Some("Basic YWxpY2U6c2VjcmV0".to_owned())),
        ("no token", Some("Bearer".to_owned())),
        ("no JWT", Some("Bearer x.y".to_owned())),
        (
            "another key",
            Some(tokens::signed(
                hs256(),
                good.clone(),
                "another-key-0123456789abcdef0123456789",
            )),
        ),
        ("alg none", Some(unsigned)),
        ("alg none without signature", Some(cut)),
        (
            "alg RS256",
            Some(tokens::signed(
                json!({ "alg": "RS256" }),
                good.clone(),
                tokens::KEY,
            )),
        ),
        (
            "expired",
            Some(tokens::signed(hs256(), with("exp", json!(expired)), tokens::KEY)),
        ),
        (
            "never expires",
            Some(tokens::signed(hs256(), with("exp", Value::Null), tokens::KEY)),
        ),
        (
            "not yet valid",
            Some(tokens::signed(
                hs256(),
                with("nbf", json!(1_795_262_400 + 61)),
                tokens::KEY,
            )),
        ),
        (
            "for others",
            Some(tokens::signed(hs256(), with("aud", json!("bank")), tokens::KEY)),
        ),
        (
            "by others",
            Some(tokens::signed(hs256(), with("iss", json!("bank")), tokens::KEY)),
        ),
        (
            "without subject",
            Some(tokens::signed(hs256(), with("sub", json!("")), tokens::KEY)),
        ),
        (
            "no zone",
            Some(tokens::signed(
                hs256(),
                with("zoneinfo", json!("Mars/Base")),
                tokens::KEY,
            )),
        ),
    ] {
        let mut call = api.anybody().call(Method::GET, "/api/v1/tasks");
        if let Some(header) = header {
            call = if header.contains(' ') || header == "Bearer" {
                call.header("authorization", header)
            } else {
                call.bearer(&header)
            };
        }
        let answer = send(call).await;
        assert_eq!(answer.status, 401, "{why}: {:?}", answer.body);
        assert_eq!(answer.header("www-authenticate"), "Bearer", "{why}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{why}");
    }
    assert_eq!(api.user("alice").get("/api/v1/tasks").await.status, 200);
}

#[tokio::test]
async fn another_persons_things_are_not_there() {
    let api = Service::start("api").await;
    let (alice, bob) = (api.user("alice"), api.user("bob"));
    let category = alice
        .create("/api/v1/categories", &json!({ "name": "Home" }))
        .await;
    let tag = alice.create("/api/v1/tags", &json!({ "name": "soon" })).await;
    let task = alice
        .create(
            "/api/v1/tasks",
            &json!({ "title": "mine", "categoryId": category["id"] }),
        )
        .await;
    for (path, thing) in [
        ("/api/v1/tasks", &task),
        ("/api/v1/categories", &category),
        ("/api/v1/tags", &tag),
    ] {
        let one = format!("{path}/{}", text(thing, "id"));
        assert_eq!(bob.get(&one).await.status, 404, "{path}");
        assert_eq!(bob.patch(&one, &json!({})).await.status, 404, "{path}");
        assert_eq!(bob.delete(&one).await.status, 404, "{path}");
        assert_eq!(json(&bob.get(path).await, 200)["items"], json!([]), "{path}");
        let kept = json(&alice.get(&one).await, 200);
        assert_eq!((&kept["id"], &kept["version"]), (&thing["id"], &thing["version"]));
    }
    let complete = format!("/api/v1/tasks/{}/complete", text(&task, "id"));
    assert_eq!(bob.post(&complete, &json!({})).await.status, 404);
    let stolen = bob
        .post(
            "/api/v1/tasks",
            &json!({ "title": "x", "categoryId": category["id"], "tagIds": [tag["id"]] }),
        )
        .await;
    assert_eq!(json(&stolen, 400)["errors"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        bob.create("/api/v1/categories", &json!({ "name": "Home" })).await["name"],
        "Home",
        "names are a person's own"
    );
}

#[tokio::test]
async fn no_caller_is_let_in_while_the_secret_store_is_away_and_all_are_after_it() {
    let api = Service::start("api").await;
    api.dapr.fail_next(Function::Secret, unavailable("no sidecar"));
    let alice = api.user("alice");
    let answer = alice.get("/api/v1/tasks").await;
    assert_eq!(json(&answer, 503)["code"], "unavailable");
    assert_eq!(answer.header("retry-after"), "5");
    assert!(
        !String::from_utf8_lossy(&answer.body).contains("no sidecar"),
        "details are for the log"
    );
    assert_eq!(alice.get("/api/v1/tasks").await.status, 200);
}

#[tokio::test]
async fn a_key_that_is_too_short_admits_no_caller() {
    let api = Service::start("api").await;
    api.dapr.set_secret("jwt-key", "short");
    let token = tokens::signed(
        json!({ "alg": "HS256" }),
        tokens::claims("alice", ZONE, api.clock.now()),
        "short",
    );
    let answer = send(api.anybody().call(Method::GET, "/api/v1/tasks").bearer(&token)).await;
    assert_eq!(answer.status, 503);
}

#[tokio::test]
async fn ready_follows_the_sidecar_and_live_does_not() {
    let api = Service::start("api").await;
    let anybody = api.anybody();
    assert_eq!(
        json(&anybody.get("/health/ready").await, 200),
        json!({ "status": "ready" })
    );
    api.dapr.down(Function::Health, unavailable("starting"));
    // The result of the last second may be given.
    readiness(&api, 503).await;
    assert_eq!(
        json(&anybody.get("/health/live").await, 200),
        json!({ "status": "live" })
    );
    api.dapr.up(Function::Health);
    readiness(&api, 200).await;
}

/// Returns once the api answers so.
async fn readiness(api: &Service, status: u16) {
    let answered = async {
        while api.anybody().get("/health/ready").await.status != status {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, answered)
        .await
        .expect("readiness follows the sidecar");
}

#[tokio::test]
async fn asking_whether_it_is_ready_costs_one_check_a_second() {
    let api = Service::start("api").await;
    let begun = std::time::Instant::now();
    for _ in 0..50 {
        json(&api.anybody().get("/health/ready").await, 200);
    }
    // One for each instance and second; a warm one answers all.
    let most = 2 + 2 * begun.elapsed().as_secs() as usize;
    let checks = api.dapr.calls(Function::Health);
    assert!((1..=most).contains(&checks), "{checks}, at most {most}");
}
