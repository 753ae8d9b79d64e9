//! Secrets, bindings, invocation and health.

use expect_test::expect;
use nudge_test_kit::bindings::bridge::exports::nudge::dapr::invocation::{Request, Response};
use nudge_test_kit::sidecar::Reply;

use super::{Bridge, call, kind};
use crate::support::TRACE;

#[tokio::test]
async fn reads_a_secret() {
    let mut bridge = Bridge::start().await;
    bridge.reply(Reply::json(200, r#"{"jwt-key":"s3cret"}"#));
    let secret = call!(
        bridge,
        nudge_dapr_secrets.call_get("secretstore".into(), "jwt-key".into())
    );
    assert_eq!(
        secret,
        Ok(Some(vec![("jwt-key".to_owned(), "s3cret".to_owned())]))
    );
    expect![[r#"
        GET /v1.0/secrets/secretstore/jwt-key
    "#]]
    .assert_eq(&bridge.request());
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_none_and_a_store_that_is_not_there_an_error() {
    let mut bridge = Bridge::start().await;
    bridge.reply(Reply::json(
        500,
        r#"{"errorCode":"ERR_SECRET_GET","message":"failed getting secret with key zip from secret store localsecrets: secret zip not found"}"#,
    ));
    assert_eq!(
        call!(
            bridge,
            nudge_dapr_secrets.call_get("secretstore".into(), "zip".into())
        ),
        Ok(None)
    );
    bridge.reply(Reply::empty(204));
    assert_eq!(
        call!(
            bridge,
            nudge_dapr_secrets.call_get("secretstore".into(), "zip".into())
        ),
        Ok(None)
    );
    bridge.reply(Reply::json(
        401,
        r#"{"errorCode":"ERR_SECRET_STORE_NOT_FOUND","message":"failed finding secret store with key none"}"#,
    ));
    let error = call!(bridge, nudge_dapr_secrets.call_get("none".into(), "zip".into())).unwrap_err();
    assert_eq!(kind(&error).0, "no-such-component");
}

#[tokio::test]
async fn a_response_that_is_not_a_secret_is_not_quoted() {
    let mut bridge = Bridge::start().await;
    bridge.reply(Reply::json(200, r#"{"jwt-key":{"part":"s3cret"}}"#));
    let error = call!(
        bridge,
        nudge_dapr_secrets.call_get("secretstore".into(), "jwt-key".into())
    )
    .unwrap_err();
    assert_eq!(
        kind(&error),
        (
            "other",
            "the sidecar's secret cannot be read: not an object of strings"
        )
    );
}

#[tokio::test]
async fn asks_a_binding() {
    let mut bridge = Bridge::start().await;
    bridge.reply(Reply::empty(204));
    let metadata = vec![
        ("subject".to_owned(), "Hi \"ä\"".to_owned()),
        ("emailTo".to_owned(), "a@example.com".to_owned()),
    ];
    let answer = call!(
        bridge,
        nudge_dapr_bindings.call_invoke("smtp".into(), "create".into(), metadata, "\"<p>x</p>\"".into())
    );
    assert_eq!(answer, Ok(Vec::new()));
    expect![[r#"
        POST /v1.0/bindings/smtp
        content-type: application/json

        {"operation":"create","metadata":{"emailTo":"a@example.com","subject":"Hi \"ä\""},"data":"<p>x</p>"}
    "#]]
    .assert_eq(&bridge.request());
    bridge.reply(Reply::json(200, "[1,2]"));
    let answer = call!(
        bridge,
        nudge_dapr_bindings.call_invoke("db".into(), "query".into(), Vec::new(), "null".into())
    );
    assert_eq!(answer, Ok(b"[1,2]".to_vec()));
}

#[tokio::test]
async fn a_binding_that_refuses_says_why() {
    let mut bridge = Bridge::start().await;
    for (message, expected) in [
        (
            "error invoking output binding zzz: couldn't find output binding zzz",
            "no-such-component",
        ),
        (
            "error invoking output binding mailer: binding mailer does not support operation get. supported operations:create",
            "invalid-argument",
        ),
        (
            "error invoking output binding mailer: circuit breaker is open",
            "unavailable",
        ),
        (
            "error invoking output binding mailer: error from smtp binding, sending email failed: gomail: could not send email 1: 550 no",
            "other",
        ),
    ] {
        bridge.reply(Reply::json(
            500,
            &format!(r#"{{"errorCode":"ERR_INVOKE_OUTPUT_BINDING","message":"{message}"}}"#),
        ));
        let error = call!(
            bridge,
            nudge_dapr_bindings.call_invoke("b".into(), "get".into(), Vec::new(), "\"\"".into())
        )
        .unwrap_err();
        assert_eq!(kind(&error), (expected, message));
    }
    let error = call!(
        bridge,
        nudge_dapr_bindings.call_invoke("b".into(), "get".into(), Vec::new(), "<p>".into())
    )
    .unwrap_err();
    assert_eq!(kind(&error).0, "invalid-argument");
}

pub(super) fn request(method: &str, body: Option<&str>) -> Request {
    Request {
        method: method.to_owned(),
        path: "api/x?q=1".to_owned(),
        body: body.map(str::to_owned),
        traceparent: body.map(|_| TRACE.to_owned()),
    }
}

#[tokio::test]
async fn calls_another_app_and_passes_its_answer_whatever_it_is() {
    let mut bridge = Bridge::start().await;
    bridge.reply(Reply::json(418, r#"{"tea":1}"#));
    let answer = call!(
        bridge,
        nudge_dapr_invocation.call_invoke("billing".into(), request("POST", Some(r#"{"a": 1}"#)))
    );
    assert_eq!(
        answer,
        Ok(Response {
            status: 418,
            body: br#"{"tea":1}"#.to_vec()
        })
    );
    expect![[r#"
        POST /v1.0/invoke/billing/method/api/x?q=1
        content-type: application/json
        traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01

        {"a": 1}
    "#]]
    .assert_eq(&bridge.request());
    for status in [200, 204, 401, 404, 500, 503] {
        bridge.reply(Reply::empty(status));
        let answer = call!(
            bridge,
            nudge_dapr_invocation.call_invoke("billing".into(), request("GET", None))
        );
        assert_eq!(
            answer,
            Ok(Response {
                status,
                body: Vec::new()
            })
        );
    }
}

#[tokio::test]
async fn an_app_that_is_not_there_is_the_sidecars_error() {
    let mut bridge = Bridge::start().await;
    bridge.reply(Reply::json(500, r#"{"errorCode":"ERR_DIRECT_INVOKE","message":"failed to invoke, id: nope, err: no host found with the given ID"}"#));
    let error = call!(
        bridge,
        nudge_dapr_invocation.call_invoke("nope".into(), request("GET", None))
    )
    .unwrap_err();
    assert_eq!(kind(&error).0, "no-such-component");
    let error = call!(
        bridge,
        nudge_dapr_invocation.call_invoke("billing".into(), request("NO METHOD", None))
    )
    .unwrap_err();
    assert_eq!(kind(&error).0, "invalid-argument");
}

#[tokio::test]
async fn the_sidecars_metadata_say_how_many_calls_of_the_app_may_be_in_flight() {
    let mut bridge = Bridge::start().await;
    for (properties, limit) in [
        (
            r#"{"port":80,"protocol":"http","channelAddress":"127.0.0.1","maxConcurrency":1}"#,
            Some(1),
        ),
        (
            r#"{"port":80,"protocol":"http","channelAddress":"127.0.0.1","maxConcurrency":16}"#,
            Some(16),
        ),
        // What daprd says without a limit, and with -1 or 0; then -5, which it takes as well.
        (
            r#"{"port":80,"protocol":"http","channelAddress":"127.0.0.1"}"#,
            None,
        ),
        (
            r#"{"port":80,"protocol":"http","channelAddress":"127.0.0.1","maxConcurrency":-5}"#,
            None,
        ),
    ] {
        let body =
            format!(r#"{{"id":"orders","runtimeVersion":"1.16.0","appConnectionProperties":{properties}}}"#);
        bridge.reply(Reply::json(200, &body));
        assert_eq!(
            call!(bridge, nudge_dapr_metadata.call_app_max_concurrency()),
            Ok(limit),
            "{properties}"
        );
        assert_eq!(bridge.request(), "GET /v1.0/metadata\n", "it is asked each time");
    }
    bridge.reply(Reply::text(200, "no JSON"));
    let error = call!(bridge, nudge_dapr_metadata.call_app_max_concurrency()).unwrap_err();
    assert_eq!(kind(&error).0, "other");
    bridge.reply(Reply::text(401, "invalid api token"));
    let error = call!(bridge, nudge_dapr_metadata.call_app_max_concurrency()).unwrap_err();
    assert_eq!(kind(&error).0, "access-denied");
}

#[tokio::test]
async fn health_is_that_of_the_components_not_of_the_app() {
    let mut bridge = Bridge::start().await;
    bridge.reply(Reply::empty(204));
    assert_eq!(call!(bridge, nudge_dapr_health.call_check()), Ok(()));
    // `/v1.0/healthz` waits for the app, and the app's readiness asks here.
    assert_eq!(bridge.request(), "GET /v1.0/healthz/outbound\n");
    bridge.reply(Reply::json(
        500,
        r#"{"errorCode":"ERR_HEALTH_NOT_READY","message":"dapr is not ready: [runtime]"}"#,
    ));
    assert_eq!(
        kind(&call!(bridge, nudge_dapr_health.call_check()).unwrap_err()).0,
        "unavailable"
    );
}
