//! Secrets.

use nudge_test_kit::call;
use serde_json::json;

use crate::bench::{Setup, Subject, kind, told};

pub(crate) async fn a_secret_is_read(subject: Subject) {
    let world = Setup::default().start(&subject).await;
    let expected = json!({ "jwt-key": "s3cret" });
    assert_eq!(
        told(&world.get("/v1.0/secrets/secretstore/jwt-key").await),
        (200, expected)
    );
    let mut bridge = world.bridge().await;
    let read = call!(
        bridge,
        nudge_dapr_secrets.call_get("secretstore".into(), "jwt-key".into())
    );
    assert_eq!(read, Ok(Some(vec![("jwt-key".to_owned(), "s3cret".to_owned())])));
}

pub(crate) async fn what_is_not_there_is_told_apart(subject: Subject) {
    let world = Setup::default().start(&subject).await;
    let (status, body) = told(&world.get("/v1.0/secrets/secretstore/zip").await);
    assert_eq!((status, &body["errorCode"]), (500, &json!("ERR_SECRET_GET")));
    let (status, body) = told(&world.get("/v1.0/secrets/nostore/zip").await);
    assert_eq!(
        (status, &body["errorCode"]),
        (401, &json!("ERR_SECRET_STORE_NOT_FOUND"))
    );
    let mut bridge = world.bridge().await;
    let missing = call!(
        bridge,
        nudge_dapr_secrets.call_get("secretstore".into(), "zip".into())
    );
    assert_eq!(missing, Ok(None));
    let error = call!(
        bridge,
        nudge_dapr_secrets.call_get("nostore".into(), "zip".into())
    );
    assert_eq!(kind(&error.unwrap_err()), ("no-such-component", Some(401)));
}
