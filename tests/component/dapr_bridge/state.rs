//! State management.

use expect_test::{Expect, expect};
use nudge_test_kit::bindings::bridge::exports::nudge::dapr::state::{
    Entry, Operation, Outcome, Precondition, PutOperation,
};
use nudge_test_kit::sidecar::Reply;

use super::{Bridge, call, kind};

fn put(precondition: Precondition, ttl_seconds: Option<u32>) -> PutOperation {
    PutOperation {
        key: "k1".to_owned(),
        value: r#"{"a": 1}"#.to_owned(),
        precondition,
        ttl_seconds,
    }
}

#[tokio::test]
async fn reads_a_key_with_its_etag() {
    let mut bridge = Bridge::start().await;
    bridge.reply(Reply::json(200, r#"{"a":1}"#).header("etag", "ab59e890-b6d5-4ff3-81b6-19e1f90e4032"));
    let entry = call!(
        bridge,
        nudge_dapr_state.call_get("statestore".into(), "a/b?c d%".into())
    );
    let etag = "ab59e890-b6d5-4ff3-81b6-19e1f90e4032".to_owned();
    assert_eq!(
        entry,
        Ok(Some(Entry {
            key: "a/b?c d%".to_owned(),
            value: r#"{"a":1}"#.to_owned(),
            etag
        }))
    );
    expect![[r#"
        GET /v1.0/state/statestore/a%2Fb%3Fc%20d%25
    "#]]
    .assert_eq(&bridge.request());
}

#[tokio::test]
async fn a_key_that_does_not_exist_is_none() {
    let mut bridge = Bridge::start().await;
    bridge.reply(Reply::empty(204));
    assert_eq!(
        call!(
            bridge,
            nudge_dapr_state.call_get("statestore".into(), "none".into())
        ),
        Ok(None)
    );
}

#[tokio::test]
async fn reads_many_keys_in_one_call_and_omits_missing_ones() {
    let mut bridge = Bridge::start().await;
    bridge.reply(Reply::json(
        200,
        r#"[{"key":"k1","data":{"a": 2},"etag":"e1"},{"key":"bk1","data":1,"etag":"e2"},{"key":"nope"}]"#,
    ));
    let keys = vec!["k1".to_owned(), "nope".to_owned(), "bk1".to_owned()];
    let entry = |key: &str, value: &str, etag: &str| Entry {
        key: key.to_owned(),
        value: value.to_owned(),
        etag: etag.to_owned(),
    };
    assert_eq!(
        call!(bridge, nudge_dapr_state.call_get_many("statestore".into(), keys)),
        Ok(vec![entry("k1", r#"{"a": 2}"#, "e1"), entry("bk1", "1", "e2")]),
    );
    expect![[r#"
        POST /v1.0/state/statestore/bulk
        content-type: application/json

        {"keys":["k1","nope","bk1"]}
    "#]]
    .assert_eq(&bridge.request());
    assert_eq!(
        call!(
            bridge,
            nudge_dapr_state.call_get_many("statestore".into(), Vec::new())
        ),
        Ok(Vec::new())
    );
    assert!(bridge.sidecar.requests().is_empty());
}

async fn check_put(operation: PutOperation, expected: Expect) {
    let mut bridge = Bridge::start().await;
    bridge.reply(Reply::empty(204));
    assert_eq!(
        call!(bridge, nudge_dapr_state.call_put("statestore".into(), operation)),
        Ok(Outcome::Done)
    );
    expected.assert_eq(&bridge.request());
}

#[tokio::test]
async fn writes_a_key_on_each_precondition() {
    check_put(
        put(Precondition::None, None),
        expect![[r#"
            POST /v1.0/state/statestore
            content-type: application/json

            [{"key":"k1","value":{"a": 1},"options":{"concurrency":"last-write"}}]
        "#]],
    )
    .await;
    check_put(
        put(Precondition::Absent, Some(60)),
        expect![[r#"
            POST /v1.0/state/statestore
            content-type: application/json

            [{"key":"k1","value":{"a": 1},"options":{"concurrency":"first-write"},"metadata":{"ttlInSeconds":"60"}}]
        "#]],
    )
    .await;
    check_put(
        put(Precondition::Unchanged("e1".to_owned()), None),
        expect![[r#"
            POST /v1.0/state/statestore
            content-type: application/json

            [{"key":"k1","value":{"a": 1},"etag":"e1","options":{"concurrency":"first-write"}}]
        "#]],
    )
    .await;
}

/// The errors of stores if a precondition does not hold.
const LOST: [(u16, &str); 3] = [
    (
        409,
        r#"{"errorCode":"ERR_STATE_SAVE","message":"failed saving state in state store pgstate: possible etag mismatch. error from state store"}"#,
    ),
    (
        500,
        r#"{"errorCode":"ERR_STATE_SAVE","message":"failed saving state in state store pgstate: no item was updated"}"#,
    ),
    (
        409,
        r#"{"errorCode":"ERR_STATE_SAVE","message":"failed saving state in state store redis-state: possible etag mismatch. error from state store: ERR user_script:14: failed to set key orders||e script: d908, on @user_script:14."}"#,
    ),
];

#[tokio::test]
async fn a_lost_race_is_a_result() {
    let mut bridge = Bridge::start().await;
    for (status, body) in LOST {
        bridge.reply(Reply::json(status, body));
        let lost = call!(
            bridge,
            nudge_dapr_state.call_put("statestore".into(), put(Precondition::Absent, None))
        );
        assert_eq!(lost, Ok(Outcome::Lost), "{body}");
    }
}

#[tokio::test]
async fn many_keys_are_written_in_one_call_and_each_on_its_own_precondition() {
    let mut bridge = Bridge::start().await;
    let many = || {
        let other = PutOperation {
            key: "k2".to_owned(),
            ..put(Precondition::Unchanged("e2".to_owned()), None)
        };
        vec![put(Precondition::Absent, Some(60)), other]
    };
    bridge.reply(Reply::empty(204));
    let done = call!(
        bridge,
        nudge_dapr_state.call_put_many("statestore".into(), many())
    );
    assert_eq!(done, Ok(Outcome::Done));
    expect![[r#"
        POST /v1.0/state/statestore
        content-type: application/json

        [{"key":"k1","value":{"a": 1},"options":{"concurrency":"first-write"},"metadata":{"ttlInSeconds":"60"}},{"key":"k2","value":{"a": 1},"etag":"e2","options":{"concurrency":"first-write"}}]
    "#]]
    .assert_eq(&bridge.request());
    for (status, body) in LOST {
        bridge.reply(Reply::json(status, body));
        let lost = call!(
            bridge,
            nudge_dapr_state.call_put_many("statestore".into(), many())
        );
        assert_eq!(lost, Ok(Outcome::Lost), "{body}");
    }
    bridge.sidecar.requests().clear();
    let nothing = call!(
        bridge,
        nudge_dapr_state.call_put_many("statestore".into(), Vec::new())
    );
    assert_eq!(nothing, Ok(Outcome::Done));
}

#[tokio::test]
async fn a_value_that_is_not_json_is_refused_before_it_is_sent() {
    let mut bridge = Bridge::start().await;
    let operation = PutOperation {
        value: "{".to_owned(),
        ..put(Precondition::None, None)
    };
    let error = call!(bridge, nudge_dapr_state.call_put("statestore".into(), operation)).unwrap_err();
    assert_eq!(kind(&error).0, "invalid-argument");
    assert!(bridge.sidecar.requests().is_empty());
}

#[tokio::test]
async fn deletes_a_key_whatever_it_holds_or_if_it_is_unchanged() {
    let mut bridge = Bridge::start().await;
    bridge.reply(Reply::empty(204));
    assert_eq!(
        call!(
            bridge,
            nudge_dapr_state.call_delete("statestore".into(), "k1".into(), None)
        ),
        Ok(Outcome::Done)
    );
    expect![[r#"
        DELETE /v1.0/state/statestore/k1
    "#]]
    .assert_eq(&bridge.request());

    bridge.reply(Reply::json(
        409,
        r#"{"errorCode":"ERR_STATE_DELETE","message":"failed deleting state with key k1: possible etag mismatch. error from state store"}"#,
    ));
    let lost = call!(
        bridge,
        nudge_dapr_state.call_delete("statestore".into(), "k1".into(), Some("e1".into()))
    );
    assert_eq!(lost, Ok(Outcome::Lost));
    expect![[r#"
        DELETE /v1.0/state/statestore/k1?concurrency=first-write
        if-match: e1
    "#]]
    .assert_eq(&bridge.request());
}

#[tokio::test]
async fn does_a_transaction_in_one_call() {
    let mut bridge = Bridge::start().await;
    bridge.reply(Reply::empty(204));
    let operations = || {
        vec![
            Operation::Put(put(Precondition::Unchanged("e1".to_owned()), None)),
            Operation::Delete("k2".to_owned()),
        ]
    };
    assert_eq!(
        call!(
            bridge,
            nudge_dapr_state.call_transact("statestore".into(), operations())
        ),
        Ok(Outcome::Done)
    );
    expect![[r#"
        POST /v1.0/state/statestore/transaction
        content-type: application/json

        {"operations":[{"operation":"upsert","request":{"key":"k1","value":{"a": 1},"etag":"e1","options":{"concurrency":"first-write"}}},{"operation":"delete","request":{"key":"k2"}}]}
    "#]]
    .assert_eq(&bridge.request());
    for message in [
        "error while executing state transaction: possible etag mismatch. error from state store: invalid UUID length: 1",
        "error while executing state transaction: no item was updated",
        "error while executing state transaction: ERR user_script:14: failed to set key orders||e script: d908, on @user_script:14.",
    ] {
        bridge.reply(Reply::json(
            500,
            &format!(r#"{{"errorCode":"ERR_STATE_TRANSACTION","message":"{message}"}}"#),
        ));
        assert_eq!(
            call!(
                bridge,
                nudge_dapr_state.call_transact("statestore".into(), operations())
            ),
            Ok(Outcome::Lost),
            "{message}"
        );
    }
}
