//! State stores.

use std::time::Duration;

use dapr_sidecar::App;
use serde_json::json;

use crate::bench::{BASICS, Bench, assert_recorded};

const STORE: &str = "/v1.0/state/statestore";

async fn bench() -> Bench {
    Bench::bind(BASICS, vec![App::new("orders"), App::new("billing")]).await
}

async fn etag(bench: &Bench, key: &str) -> String {
    bench
        .get(&format!("{STORE}/{key}"))
        .await
        .header("etag")
        .expect("an ETag")
        .to_owned()
}

#[tokio::test]
async fn saves_gets_and_deletes() {
    let bench = bench().await;
    let saved = bench
        .post(
            STORE,
            r#"[{"key":"k1","value":{"a": 1}},{"key":"k2","value":"str"}]"#,
        )
        .await;
    assert_eq!((saved.status, saved.body.as_str()), (204, ""));
    let got = bench.get(&format!("{STORE}/k1")).await;
    assert_eq!((got.status, got.body.as_str()), (200, r#"{"a":1}"#));
    assert_eq!(got.header("content-type"), Some("application/json"));
    assert_eq!(got.header("etag").expect("an ETag").len(), 36, "a UUID");
    assert_eq!(bench.get(&format!("{STORE}/none")).await.status, 204);
    assert_eq!(bench.delete(&format!("{STORE}/k1")).await.status, 204);
    assert_eq!(bench.get(&format!("{STORE}/k1")).await.status, 204);
    assert_eq!(bench.delete(&format!("{STORE}/k1")).await.status, 204);
}

#[tokio::test]
async fn a_stale_etag_loses_with_either_concurrency() {
    let bench = bench().await;
    bench.post(STORE, r#"[{"key":"e","value":1}]"#).await;
    let stale = etag(&bench, "e").await;
    let with = |options: &str| format!(r#"[{{"key":"e","value":2,"etag":"{stale}"{options}}}]"#);
    assert_eq!(
        bench
            .post(STORE, &with(r#","options":{"concurrency":"first-write"}"#))
            .await
            .status,
        204
    );
    let current = etag(&bench, "e").await;
    let message = format!(
        "failed saving state in state store statestore: possible etag mismatch. error from state store: \
         state etag not match for key=orders||e: current={current}, expect={stale}"
    );
    for options in [
        "",
        r#","options":{"concurrency":"first-write"}"#,
        r#","options":{"concurrency":"last-write"}"#,
    ] {
        let lost = bench.post(STORE, &with(options)).await;
        assert_eq!(
            (lost.status, lost.json()),
            (409, json!({"errorCode": "ERR_STATE_SAVE", "message": message}))
        );
    }
}

#[tokio::test]
async fn first_write_without_an_etag_only_creates() {
    let bench = bench().await;
    let claim = r#"[{"key":"e","value":3,"options":{"concurrency":"first-write"}}]"#;
    assert_eq!(bench.post(STORE, claim).await.status, 204);
    assert_recorded(&bench.post(STORE, claim).await, "state-first-write.txt");
    bench.clock.advance(Duration::from_secs(1));
    let short =
        r#"[{"key":"t","value":3,"metadata":{"ttlInSeconds":"5"},"options":{"concurrency":"first-write"}}]"#;
    assert_eq!(bench.post(STORE, short).await.status, 204);
    assert_eq!(bench.post(STORE, short).await.status, 409);
    bench.clock.advance(Duration::from_secs(6));
    assert_eq!(
        bench.post(STORE, short).await.status,
        204,
        "an expired key can be claimed again"
    );
}

#[tokio::test]
async fn several_saves_are_not_atomic_and_a_transaction_is() {
    let bench = bench().await;
    bench.post(STORE, r#"[{"key":"k","value":1}]"#).await;
    let mixed = r#"[{"key":"other","value":1},{"key":"k","value":2,"etag":"stale"}]"#;
    assert_eq!(bench.post(STORE, mixed).await.status, 409);
    assert_eq!(bench.get(&format!("{STORE}/other")).await.body, "1");
    let lost = r#"{"operations":[{"operation":"upsert","request":{"key":"t2","value":1}},{"operation":"upsert","request":{"key":"k","value":2,"etag":"stale"}}]}"#;
    let answer = bench.post(&format!("{STORE}/transaction"), lost).await;
    assert_eq!(
        (answer.status, &answer.json()["errorCode"]),
        (500, &json!("ERR_STATE_TRANSACTION"))
    );
    assert_eq!(bench.get(&format!("{STORE}/t2")).await.status, 204);
    let good = r#"{"operations":[{"operation":"upsert","request":{"key":"t2","value":1}},{"operation":"delete","request":{"key":"k"}}]}"#;
    assert_eq!(
        bench.post(&format!("{STORE}/transaction"), good).await.status,
        204
    );
    assert_eq!(bench.get(&format!("{STORE}/t2")).await.body, "1");
    assert_eq!(bench.get(&format!("{STORE}/k")).await.status, 204);
    assert_eq!(
        bench
            .post(&format!("{STORE}/transaction"), r#"{"operations":[]}"#)
            .await
            .status,
        204
    );
}

#[tokio::test]
async fn a_value_expires_after_its_seconds() {
    let bench = bench().await;
    bench
        .post(
            STORE,
            r#"[{"key":"k2","value":"str","metadata":{"ttlInSeconds":"3"}}]"#,
        )
        .await;
    let got = bench.get(&format!("{STORE}/k2")).await;
    assert_eq!(got.header("metadata.ttlexpiretime"), Some("2026-11-21T20:57:14Z"));
    bench.clock.advance(Duration::from_secs(3));
    assert_eq!(bench.get(&format!("{STORE}/k2")).await.status, 204);
}

#[tokio::test]
async fn bulk_get_answers_in_order_and_has_the_names_of_missing_keys() {
    let bench = bench().await;
    bench
        .post(STORE, r#"[{"key":"k1","value":{"a":2}},{"key":"bk1","value":1}]"#)
        .await;
    let found = bench
        .post(
            &format!("{STORE}/bulk"),
            r#"{"keys":["k1","nope","bk1"],"parallelism":5}"#,
        )
        .await;
    let etags = (etag(&bench, "k1").await, etag(&bench, "bk1").await);
    let expected = json!([
        {"key": "k1", "data": {"a": 2}, "etag": etags.0}, {"key": "nope"}, {"key": "bk1", "data": 1, "etag": etags.1},
    ]);
    assert_eq!((found.status, found.json()), (200, expected));
}

#[tokio::test]
async fn a_conditional_delete_needs_the_current_etag() {
    let bench = bench().await;
    bench.post(STORE, r#"[{"key":"k1","value":1}]"#).await;
    let good = etag(&bench, "k1").await;
    let path = format!("{STORE}/k1?concurrency=first-write");
    let stale = bench
        .request_as("orders", "DELETE", &path, &[("if-match", "stale")], "")
        .await;
    assert_eq!(
        (stale.status, &stale.json()["errorCode"]),
        (409, &json!("ERR_STATE_DELETE"))
    );
    assert_eq!(
        bench
            .request_as("orders", "DELETE", &path, &[("if-match", &good)], "")
            .await
            .status,
        204
    );
    assert_eq!(
        bench
            .request_as("orders", "DELETE", &path, &[("if-match", &good)], "")
            .await
            .status,
        409
    );
}

#[tokio::test]
async fn keys_may_contain_a_slash_and_belong_to_their_app() {
    let bench = bench().await;
    bench.post(STORE, r#"[{"key":"a/b","value":1}]"#).await;
    assert_eq!(bench.get(&format!("{STORE}/a%2Fb")).await.body, "1");
    assert_eq!(
        bench.get_as("billing", &format!("{STORE}/a%2Fb")).await.status,
        204
    );
    let shared = BASICS.replace(
        "spec: {type: state.in-memory, version: v1}",
        "spec: {type: state.in-memory, version: v1, metadata: [{name: keyPrefix, value: name}]}",
    );
    let bench = Bench::bind(&shared, vec![App::new("orders"), App::new("billing")]).await;
    bench.post(STORE, r#"[{"key":"k","value":1}]"#).await;
    assert_eq!(bench.get_as("billing", &format!("{STORE}/k")).await.body, "1");
}

#[tokio::test]
async fn refuses_as_recorded() {
    let bench = bench().await;
    assert_recorded(
        &bench.get("/v1.0/state/nostore/k").await,
        "state-unknown-store.txt",
    );
    assert_recorded(
        &bench.post(STORE, r#"[{"value":1}]"#).await,
        "state-empty-key.txt",
    );
    assert_recorded(
        &bench.post(STORE, r#"[{"key":"a||b","value":1}]"#).await,
        "state-illegal-key.txt",
    );
    let ttl = r#"[{"key":"kt","value":1,"metadata":{"ttlInSeconds":"abc"}}]"#;
    assert_recorded(&bench.post(STORE, ttl).await, "state-bad-ttl.txt");
    assert_recorded(
        &bench.post("/v1.0-alpha1/state/statestore/query", "{}").await,
        "state-query.txt",
    );
    assert_recorded(
        &bench.post(STORE, &"y".repeat(4_200_000)).await,
        "state-too-large.txt",
    );
    assert_eq!(
        bench.post(STORE, "{x").await.json()["errorCode"],
        "ERR_MALFORMED_REQUEST"
    );
}

#[tokio::test]
async fn state_survives_a_crash() {
    let bench = bench().await;
    bench.post(STORE, r#"[{"key":"k","value":1}]"#).await;
    let bench = bench.crash_and_restart(vec![App::new("orders")]).await;
    assert_eq!(bench.get(&format!("{STORE}/k")).await.body, "1");
}
