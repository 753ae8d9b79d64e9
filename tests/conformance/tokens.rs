//! `DAPR_API_TOKEN` and `APP_API_TOKEN`.

use http::Method;
use nudge_test_kit::call;

use crate::bench::{Setup, Subject};

fn setup() -> Setup {
    Setup::default().topic("t").tokens("tok-dapr", "tok-app")
}

pub(crate) async fn callers_must_show_the_token(subject: Subject) {
    let world = setup().start(&subject).await;
    for token in [None, Some("x"), Some("tok-dapx")] {
        let call = world
            .call(Method::POST, "/v1.0/publish/pubsub/t")
            .body("application/json", "1");
        let call = token
            .into_iter()
            .fold(call, |call, token| call.header("dapr-api-token", token));
        let answer = call.send().await.expect("an answer");
        assert_eq!(
            (answer.status.as_u16(), &answer.body[..]),
            (401, &b"invalid api token\n"[..])
        );
        assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    assert_eq!(world.get("/v1.0/metadata").await.status, 401);
    assert_eq!(world.get("/v1.0/healthz").await.status, 204, "for probes");
    let mut bridge = world.bridge().await;
    let read = call!(
        bridge,
        nudge_dapr_secrets.call_get("secretstore".into(), "jwt-key".into())
    );
    assert!(matches!(read, Ok(Some(_))), "the bridge shows it: {read:?}");
}

pub(crate) async fn the_app_is_shown_its_token(subject: Subject) {
    let world = setup().jobs().start(&subject).await;
    let token = ("dapr-api-token", "tok-dapr");
    let post = async |path: &str, body: &'static str| {
        let call = world.call(Method::POST, path).header(token.0, token.1);
        let answer = call
            .body("application/json", body)
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.status, 204, "{path}");
    };
    post("/v1.0/publish/pubsub/t", "1").await;
    post("/v1.0-alpha1/jobs/x", r#"{"dueTime": "0s", "data": 1}"#).await;
    for path in ["/on/t", "/job/x", "/dapr/config", "/dapr/subscribe"] {
        let seen = world.app().wait(path, 1).await;
        assert_eq!(seen[0].header("dapr-api-token"), Some("tok-app"), "{path}");
    }
}
