//! What every call has in common: token, time limit, and a sidecar that is not there.

use expect_test::expect;
use nudge_test_kit::bindings::bridge::exports::nudge::dapr::types::{Error, Failure};
use nudge_test_kit::sidecar::{Reply, ScriptedSidecar};

use super::{Bridge, call, kind};

#[tokio::test]
async fn shows_its_token() {
    let mut bridge = Bridge::with("dapr_api_token = \"tok-dapr\"\n").await;
    bridge.reply(Reply::empty(204));
    assert_eq!(call!(bridge, nudge_dapr_health.call_check()), Ok(()));
    expect![[r#"
        GET /v1.0/healthz/outbound
        dapr-api-token: tok-dapr
    "#]]
    .assert_eq(&bridge.request());
}

#[tokio::test]
async fn a_token_that_is_missing_or_wrong_is_access_denied_in_every_block() {
    let mut bridge = Bridge::with("dapr_api_token = \"\"\n").await;
    let refused = || Reply::text(401, "invalid api token\n");
    let expected = Error::AccessDenied(Failure {
        status: Some(401),
        code: None,
        message: "invalid api token".to_owned(),
    });
    bridge.reply(refused());
    assert_eq!(
        call!(bridge, nudge_dapr_state.call_get("s".into(), "k".into())),
        Err(expected.clone())
    );
    assert!(
        !bridge.request().contains("dapr-api-token"),
        "an empty token is none"
    );
    bridge.reply(refused());
    assert_eq!(
        call!(bridge, nudge_dapr_secrets.call_get("s".into(), "k".into())),
        Err(expected.clone())
    );
    bridge.reply(refused());
    assert_eq!(
        call!(bridge, nudge_dapr_jobs.call_exists("j".into())),
        Err(expected.clone())
    );
    bridge.reply(refused());
    let request = super::other_blocks::request("GET", None);
    assert_eq!(
        call!(bridge, nudge_dapr_invocation.call_invoke("api".into(), request)),
        Err(expected)
    );
}

#[tokio::test]
async fn a_sidecar_that_does_not_answer_in_time_is_a_timeout() {
    let mut bridge = Bridge::with("dapr_timeout_ms = \"1000\"\n").await;
    bridge.reply(Reply::silence());
    let error = call!(bridge, nudge_dapr_health.call_check()).unwrap_err();
    assert_eq!(kind(&error).0, "timeout", "{error:?}");
    assert_eq!(
        bridge.request(),
        "GET /v1.0/healthz/outbound\n",
        "it had been asked"
    );
}

#[tokio::test]
async fn a_sidecar_that_is_not_there_is_unavailable() {
    // No process listens on the port of a sidecar that has ended.
    let sidecar = ScriptedSidecar::start().await.expect("a free port");
    let gone = ScriptedSidecar::start().await.expect("a free port").endpoint();
    let mut bridge = Bridge::at(sidecar, &format!("dapr_http_endpoint = \"{gone}\"\n")).await;
    let error = call!(bridge, nudge_dapr_health.call_check()).unwrap_err();
    assert_eq!(kind(&error).0, "unavailable", "{error:?}");
}

#[tokio::test]
async fn a_bridge_without_address_says_what_to_set() {
    let sidecar = ScriptedSidecar::start().await.expect("a free port");
    let mut bridge = Bridge::at(sidecar, "dapr_http_endpoint = \"\"\n").await;
    let error = call!(bridge, nudge_dapr_health.call_check()).unwrap_err();
    let (kind, message) = kind(&error);
    assert_eq!(kind, "unavailable");
    assert!(
        message.contains("dapr_http_endpoint") && message.contains("spin.toml"),
        "{message}"
    );
}

#[tokio::test]
async fn a_sidecar_that_the_manifest_does_not_allow_is_access_denied() {
    let sidecar = ScriptedSidecar::start().await.expect("a free port");
    let mut bridge = Bridge::at(sidecar, "dapr_http_endpoint = \"http://localhost:3500\"\n").await;
    let error = call!(bridge, nudge_dapr_health.call_check()).unwrap_err();
    assert_eq!(kind(&error).0, "access-denied", "{error:?}");
}

#[tokio::test]
async fn a_time_limit_that_is_not_a_number_is_refused() {
    let mut bridge = Bridge::with("dapr_timeout_ms = \"soon\"\n").await;
    let error = call!(bridge, nudge_dapr_health.call_check()).unwrap_err();
    assert_eq!(
        kind(&error),
        (
            "unavailable",
            "dapr_timeout_ms is not a whole number of milliseconds"
        )
    );
}
