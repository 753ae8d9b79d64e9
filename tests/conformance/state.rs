//! State stores.

use http::Method;
use nudge_test_kit::bindings::bridge::exports::nudge::dapr::state::{
    Operation, Outcome, Precondition, PutOperation,
};
use nudge_test_kit::call;
use serde_json::{Value, json};

use crate::bench::{BILLING, ORDERS, Setup, Subject, World, kind, told};

const STORE: &str = "/v1.0/state/statestore";

fn put(key: &str, value: &str, precondition: Precondition) -> PutOperation {
    PutOperation {
        key: key.to_owned(),
        value: value.to_owned(),
        precondition,
        ttl_seconds: None,
    }
}

async fn save(world: &World, entries: Value) -> (u16, Value) {
    told(&world.post(STORE, &entries.to_string()).await)
}

async fn etag(world: &World, key: &str) -> String {
    world
        .get(&format!("{STORE}/{key}"))
        .await
        .header("etag")
        .to_owned()
}

pub(crate) async fn what_is_put_is_there(subject: Subject) {
    let world = Setup::default().start(&subject).await;
    let mut bridge = world.bridge().await;
    let value = r#"{"a": 1}"#;
    let outcome = call!(
        bridge,
        nudge_dapr_state.call_put("statestore".into(), put("k", value, Precondition::None))
    );
    assert_eq!(outcome, Ok(Outcome::Done));
    let found = call!(bridge, nudge_dapr_state.call_get("statestore".into(), "k".into()));
    let found = found.expect("no error").expect("an entry");
    assert_eq!(found.value, r#"{"a":1}"#, "JSON without its spaces");
    let answer = world.get(&format!("{STORE}/k")).await;
    assert_eq!(told(&answer), (200, json!({ "a": 1 })));
    assert_eq!(answer.header("etag"), found.etag);
    assert_eq!(answer.header("content-type"), "application/json");
    let missing = call!(
        bridge,
        nudge_dapr_state.call_get("statestore".into(), "none".into())
    );
    assert_eq!(missing, Ok(None));
    assert_eq!(
        told(&world.get(&format!("{STORE}/none")).await),
        (204, Value::Null)
    );
    for _ in 0..2 {
        let gone = call!(
            bridge,
            nudge_dapr_state.call_delete("statestore".into(), "k".into(), None)
        );
        assert_eq!(gone, Ok(Outcome::Done), "twice is once");
    }
    assert_eq!(world.get(&format!("{STORE}/k")).await.status, 204);
}

pub(crate) async fn an_absent_key_is_claimed_once(subject: Subject) {
    let world = Setup::default().start(&subject).await;
    let mut bridge = world.bridge().await;
    for expected in [Outcome::Done, Outcome::Lost] {
        let claim = put("claim", "1", Precondition::Absent);
        let outcome = call!(bridge, nudge_dapr_state.call_put("statestore".into(), claim));
        assert_eq!(outcome, Ok(expected));
    }
    let claim = json!([{ "key": "claim", "value": 2, "options": { "concurrency": "first-write" } }]);
    // Stores say it each in their way; the bridge knows them all.
    let (status, words) = match subject {
        Subject::Postgresql(_) => (500, "no item was updated"),
        Subject::Redis(_) => (500, "failed to set key orders||claim: "),
        _ => (
            409,
            "possible etag mismatch. error from state store: item already exists and no etag was passed",
        ),
    };
    let message = format!("failed saving state in state store statestore: {words}");
    check_refused(&save(&world, claim).await, status, &message);
}

/// Checks that a write was refused, with a message that begins so: Redis adds the line of a script.
fn check_refused((status, body): &(u16, Value), expected: u16, message: &str) {
    assert_eq!(
        (*status, &body["errorCode"]),
        (expected, &json!("ERR_STATE_SAVE")),
        "{body}"
    );
    let said = body["message"].as_str().expect("a message");
    assert!(said.starts_with(message), "{said} instead of {message}");
}

pub(crate) async fn an_old_etag_loses(subject: Subject) {
    let world = Setup::default().start(&subject).await;
    let mut bridge = world.bridge().await;
    save(&world, json!([{ "key": "k", "value": 1 }])).await;
    let old = etag(&world, "k").await;
    for expected in [Outcome::Done, Outcome::Lost] {
        let change = put("k", "2", Precondition::Unchanged(old.clone()));
        let outcome = call!(bridge, nudge_dapr_state.call_put("statestore".into(), change));
        assert_eq!(outcome, Ok(expected));
    }
    let current = etag(&world, "k").await;
    assert_ne!(current, old);
    let details = match subject {
        Subject::Postgresql(_) => String::new(),
        Subject::Redis(_) => ": ERR user_script:14: failed to set key orders||k".to_owned(),
        _ => format!(": state etag not match for key=orders||k: current={current}, expect={old}"),
    };
    let message = format!(
        "failed saving state in state store statestore: possible etag mismatch. error from state store{details}"
    );
    // Whatever the concurrency says, an ETag counts.
    for options in [json!({}), json!({ "concurrency": "last-write" })] {
        let change = json!([{ "key": "k", "value": 3, "etag": old, "options": options }]);
        check_refused(&save(&world, change).await, 409, &message);
    }
}

pub(crate) async fn many_keys_are_each_written_on_their_own(subject: Subject) {
    let world = Setup::default().start(&subject).await;
    let mut bridge = world.bridge().await;
    let value = async |key: &str| told(&world.get(&format!("{STORE}/{key}")).await);
    let absent = |key: &str, value: &str| put(key, value, Precondition::Absent);
    let both = vec![absent("a", "1"), absent("b", "1")];
    let outcome = call!(bridge, nudge_dapr_state.call_put_many("statestore".into(), both));
    assert_eq!(outcome, Ok(Outcome::Done));
    let old = etag(&world, "b").await;
    let mixed = vec![
        absent("a", "2"),
        absent("c", "2"),
        put("b", "2", Precondition::Unchanged(old.clone())),
    ];
    let outcome = call!(bridge, nudge_dapr_state.call_put_many("statestore".into(), mixed));
    assert_eq!(outcome, Ok(Outcome::Lost));
    assert_eq!(value("a").await, (200, json!(1)));
    assert_eq!(value("b").await, (200, json!(2)));
    assert_eq!(value("c").await, (200, json!(2)));
    // What was created together is as taken as what was created alone.
    let taken = vec![
        absent("a", "3"),
        absent("c", "3"),
        put("b", "3", Precondition::Unchanged(old)),
    ];
    let outcome = call!(bridge, nudge_dapr_state.call_put_many("statestore".into(), taken));
    assert_eq!(outcome, Ok(Outcome::Lost));
    for (key, expected) in [("a", 1), ("b", 2), ("c", 2)] {
        assert_eq!(value(key).await, (200, json!(expected)), "{key}");
    }
}

pub(crate) async fn a_transaction_with_a_taken_key_writes_nothing(subject: Subject) {
    let world = Setup::default().start(&subject).await;
    let mut bridge = world.bridge().await;
    let absent = |key: &str, value: &str| put(key, value, Precondition::Absent);
    let outcome = call!(
        bridge,
        nudge_dapr_state.call_put("statestore".into(), absent("taken", "1"))
    );
    assert_eq!(outcome, Ok(Outcome::Done));
    let operations = ["free", "taken"]
        .map(|key| Operation::Put(absent(key, "2")))
        .to_vec();
    let outcome = call!(
        bridge,
        nudge_dapr_state.call_transact("statestore".into(), operations)
    );
    assert_eq!(outcome, Ok(Outcome::Lost));
    assert_eq!(told(&world.get(&format!("{STORE}/taken")).await), (200, json!(1)));
    assert_eq!(world.get(&format!("{STORE}/free")).await.status, 204);
}

pub(crate) async fn a_key_that_a_transaction_created_is_taken(subject: Subject) {
    let world = Setup::default().start(&subject).await;
    let mut bridge = world.bridge().await;
    let claim = |value: &str| {
        let claim = |key: &str| Operation::Put(put(key, value, Precondition::Absent));
        vec![claim("a"), claim("b")]
    };
    for expected in [Outcome::Done, Outcome::Lost] {
        let outcome = call!(
            bridge,
            nudge_dapr_state.call_transact("statestore".into(), claim("1"))
        );
        assert_eq!(outcome, Ok(expected));
    }
    let alone = put("a", "2", Precondition::Absent);
    let outcome = call!(bridge, nudge_dapr_state.call_put("statestore".into(), alone));
    assert_eq!(outcome, Ok(Outcome::Lost));
}

pub(crate) async fn a_transaction_is_all_or_nothing(subject: Subject) {
    let world = Setup::default().start(&subject).await;
    let mut bridge = world.bridge().await;
    save(&world, json!([{ "key": "k", "value": 1 }])).await;
    let old = etag(&world, "k").await;
    for (expected, gone) in [(Outcome::Done, 204), (Outcome::Lost, 200)] {
        let operations = vec![
            Operation::Put(put("k", "2", Precondition::Unchanged(old.clone()))),
            Operation::Delete("other".to_owned()),
        ];
        let outcome = call!(
            bridge,
            nudge_dapr_state.call_transact("statestore".into(), operations)
        );
        assert_eq!(outcome, Ok(expected));
        assert_eq!(world.get(&format!("{STORE}/other")).await.status, gone);
        save(&world, json!([{ "key": "other", "value": 1 }])).await;
    }
    let stale = json!({ "operations": [
        { "operation": "upsert", "request": { "key": "new", "value": 1 } },
        { "operation": "upsert", "request": { "key": "k", "value": 9, "etag": old } },
    ] });
    let (status, body) = told(
        &world
            .post(&format!("{STORE}/transaction"), &stale.to_string())
            .await,
    );
    assert_eq!(
        (status, &body["errorCode"]),
        (500, &json!("ERR_STATE_TRANSACTION"))
    );
    assert_eq!(world.get(&format!("{STORE}/new")).await.status, 204);
    // Several saves in one request are no transaction.
    let mixed = json!([{ "key": "first", "value": 1 }, { "key": "k", "value": 9, "etag": old }]);
    assert_eq!(save(&world, mixed).await.0, 409);
    assert_eq!(told(&world.get(&format!("{STORE}/first")).await), (200, json!(1)));
    let nothing = world
        .post(&format!("{STORE}/transaction"), r#"{"operations":[]}"#)
        .await;
    assert_eq!(nothing.status, 204);
}

pub(crate) async fn a_conditional_delete_needs_the_current_etag(subject: Subject) {
    let world = Setup::default().start(&subject).await;
    let mut bridge = world.bridge().await;
    save(&world, json!([{ "key": "k", "value": 1 }])).await;
    let old = etag(&world, "k").await;
    save(&world, json!([{ "key": "k", "value": 2 }])).await;
    let path = format!("{STORE}/k?concurrency=first-write");
    let refused = world.call(Method::DELETE, &path).header("if-match", old.clone());
    let (status, body) = told(&refused.send().await.expect("an answer"));
    assert_eq!((status, &body["errorCode"]), (409, &json!("ERR_STATE_DELETE")));
    let current = etag(&world, "k").await;
    for (tag, expected) in [(old, Outcome::Lost), (current, Outcome::Done)] {
        let outcome = call!(
            bridge,
            nudge_dapr_state.call_delete("statestore".into(), "k".into(), Some(tag))
        );
        assert_eq!(outcome, Ok(expected));
    }
}

pub(crate) async fn a_value_expires(subject: Subject) {
    let world = Setup::default().start(&subject).await;
    let mut bridge = world.bridge().await;
    let short = PutOperation {
        ttl_seconds: Some(1),
        ..put("k", "1", Precondition::Absent)
    };
    let outcome = call!(
        bridge,
        nudge_dapr_state.call_put("statestore".into(), short.clone())
    );
    assert_eq!(outcome, Ok(Outcome::Done));
    let expiry = world
        .get(&format!("{STORE}/k"))
        .await
        .header("metadata.ttlexpiretime")
        .to_owned();
    assert_eq!((expiry.len(), expiry.ends_with('Z')), (20, true), "{expiry}");
    let gone = async { while world.get(&format!("{STORE}/k")).await.status != 204 {} };
    tokio::time::timeout(test_app::PATIENCE, gone)
        .await
        .expect("it expires");
    let outcome = call!(bridge, nudge_dapr_state.call_put("statestore".into(), short));
    assert_eq!(outcome, Ok(Outcome::Done), "it can be claimed again");
}

pub(crate) async fn several_keys_at_once(subject: Subject) {
    let world = Setup::default().start(&subject).await;
    let mut bridge = world.bridge().await;
    save(
        &world,
        json!([{ "key": "a", "value": 1 }, { "key": "b/c", "value": { "n": 2 } }]),
    )
    .await;
    let keys = ["a", "none", "b/c"].map(str::to_owned).to_vec();
    let found = call!(bridge, nudge_dapr_state.call_get_many("statestore".into(), keys));
    let mut found: Vec<(String, String)> = found
        .expect("no error")
        .into_iter()
        .map(|entry| (entry.key, entry.value))
        .collect();
    found.sort();
    let expected = [("a", "1"), ("b/c", r#"{"n":2}"#)].map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(found, expected);
    assert_eq!(
        told(&world.get(&format!("{STORE}/b%2Fc")).await),
        (200, json!({ "n": 2 }))
    );
}

pub(crate) async fn keys_belong_to_their_app(subject: Subject) {
    let world = Setup::default().start_for(&subject, &[ORDERS, BILLING]).await;
    let (mut orders, mut billing) = (world.bridge().await, world.bridge_of(BILLING).await);
    let one = put("k", "1", Precondition::None);
    let outcome = call!(orders, nudge_dapr_state.call_put("statestore".into(), one));
    assert_eq!(outcome, Ok(Outcome::Done));
    let found = call!(
        billing,
        nudge_dapr_state.call_get("statestore".into(), "k".into())
    );
    assert_eq!(found, Ok(None));
}

pub(crate) async fn what_is_refused_is_named(subject: Subject) {
    let world = Setup::default().start(&subject).await;
    let expected = json!({
        "errorCode": "ERR_STATE_STORE_NOT_FOUND",
        "message": "state store nostore is not found",
        "details": [{
            "@type": "type.googleapis.com/google.rpc.ErrorInfo", "domain": "dapr.io", "metadata": { "appID": "orders" },
            "reason": "DAPR_STATE_NOT_FOUND",
        }],
    });
    assert_eq!(told(&world.get("/v1.0/state/nostore/k").await), (400, expected));
    let mut bridge = world.bridge().await;
    let error = call!(bridge, nudge_dapr_state.call_get("nostore".into(), "k".into()));
    assert_eq!(kind(&error.unwrap_err()), ("no-such-component", Some(400)));
    for (entries, message) in [
        (json!([{ "value": 1 }]), "\"key\" is a required field"),
        (
            json!([{ "key": "a||b", "value": 1 }]),
            "api error: code = InvalidArgument desc = input key/keyPrefix 'a||b' can't contain '||'",
        ),
    ] {
        let (status, body) = save(&world, entries).await;
        assert_eq!(
            (status, &body["errorCode"], &body["message"]),
            (400, &json!("ERR_MALFORMED_REQUEST"), &json!(message))
        );
    }
    let (status, body) = told(&world.post(STORE, "{x").await);
    assert_eq!(
        (status, &body["errorCode"]),
        (400, &json!("ERR_MALFORMED_REQUEST"))
    );
    let (status, body) = told(&world.post("/v1.0-alpha1/state/statestore/query", "{}").await);
    assert_eq!(
        (status, &body["errorCode"]),
        (500, &json!("ERR_STATE_STORE_NOT_SUPPORTED"))
    );
}
