//! Service invocation.

use http::Method;
use nudge_test_kit::bindings::bridge::exports::nudge::dapr::invocation::Request;
use nudge_test_kit::call;
use serde_json::json;

use crate::bench::{BILLING, ORDERS, Setup, Subject, World, told};

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

async fn start(subject: &Subject) -> World {
    Setup::default().start_for(subject, &[ORDERS, BILLING]).await
}

fn request(method: &str, path: &str, body: Option<&str>) -> Request {
    Request {
        method: method.to_owned(),
        path: path.to_owned(),
        body: body.map(str::to_owned),
        traceparent: Some(TRACEPARENT.to_owned()),
    }
}

pub(crate) async fn another_app_is_called(subject: Subject) {
    let world = start(&subject).await;
    world.other_app().answers("/api/x", &[(200, r#"{"ok":true}"#)]);
    let mut bridge = world.bridge().await;
    let answer = call!(
        bridge,
        nudge_dapr_invocation.call_invoke(BILLING.into(), request("POST", "/api/x?q=1", Some(r#"{"a": 1}"#)))
    );
    let answer = answer.expect("no error");
    assert_eq!(
        (answer.status, answer.body.as_slice()),
        (200, &br#"{"ok":true}"#[..])
    );
    let seen = world.other_app().wait("/api/x?q=1", 1).await.remove(0);
    assert_eq!((seen.method.as_str(), seen.text()), ("POST", r#"{"a": 1}"#));
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert_eq!(seen.header("dapr-caller-app-id"), Some(ORDERS));
    assert_eq!(seen.header("dapr-callee-app-id"), Some(BILLING));
    let trace = seen.header("traceparent").expect("a traceparent");
    assert_eq!(trace[..36], TRACEPARENT[..36], "one trace");
    let call = world
        .call(Method::GET, "/v1.0/invoke/billing/method/api/y")
        .header("x-custom", "1");
    assert_eq!(call.send().await.expect("an answer").status, 200);
    let seen = world.other_app().wait("/api/y", 1).await.remove(0);
    assert_eq!(seen.header("x-custom"), Some("1"));
}

pub(crate) async fn what_an_app_refuses_is_passed_on(subject: Subject) {
    let world = start(&subject).await;
    world.other_app().answers("/tea", &[(418, r#"{"tea":1}"#)]);
    let mut bridge = world.bridge().await;
    let answer = call!(
        bridge,
        nudge_dapr_invocation.call_invoke(BILLING.into(), request("GET", "/tea", None))
    );
    let answer = answer.expect("no error");
    assert_eq!(
        (answer.status, answer.body.as_slice()),
        (418, &br#"{"tea":1}"#[..])
    );
    let answer = world.get("/v1.0/invoke/billing/method/tea").await;
    assert_eq!(told(&answer), (418, json!({ "tea": 1 })));
    assert_eq!(answer.header("x-app"), "1", "the app's headers as well");
}

pub(crate) async fn an_unknown_app_is_named(subject: Subject) {
    let world = start(&subject).await;
    let message = "failed to invoke, id: nope, err: no host found with the given ID";
    let expected = json!({ "errorCode": "ERR_DIRECT_INVOKE", "message": message });
    assert_eq!(
        told(&world.get("/v1.0/invoke/nope/method/x").await),
        (500, expected)
    );
}
