//! An identity provider: a server on loopback with a set of keys, and an api that trusts it.

use http::Method;
use nudge_test_kit::http::Answer;
use nudge_test_kit::sidecar::{Reply, ScriptedSidecar};
use nudge_test_kit::tokens;
use serde_json::{Value, json};

use crate::support::{Service, Setup, ZONE, send};

/// Who makes the tokens.
pub(super) const ISSUER: &str = "https://login.example.com";

/// A provider. It answers once for each time it was told to, and 500 when it is asked more often.
pub(super) struct Provider(ScriptedSidecar);

impl Provider {
    pub(super) async fn start() -> Self {
        Self(ScriptedSidecar::start().await.expect("a free port"))
    }

    /// A provider and an api that has not asked it yet; the first answer has these keys.
    pub(super) async fn with(keys: &[Value]) -> (Self, Service) {
        let provider = Self::start().await;
        provider.publish(keys);
        let api = provider.setup().start().await;
        (provider, api)
    }

    /// The next answer has these keys.
    pub(super) fn publish(&self, keys: &[Value]) {
        self.answer(Reply::json(200, &json!({ "keys": keys }).to_string()));
    }

    pub(super) fn answer(&self, reply: Reply) {
        self.0.reply(reply);
    }

    /// Where its keys are.
    pub(super) fn url(&self) -> String {
        format!("{}/keys", self.0.endpoint())
    }

    /// An api that trusts this provider.
    pub(super) fn setup(&self) -> Setup {
        Setup::new("api")
            .variable("jwks_url", &self.url())
            .variable("jwks_host", &self.0.endpoint())
            .variable("jwt_issuer", ISSUER)
    }

    /// How often it was asked since the last look.
    pub(super) fn asked(&self) -> usize {
        let requests = self.0.requests();
        assert!(
            requests.iter().all(|request| request == "GET /keys\n"),
            "{requests:?}"
        );
        requests.len()
    }
}

/// The claims of a good token of alice, made now.
pub(super) fn claims(api: &Service) -> Value {
    let mut claims = tokens::claims("alice", ZONE, api.clock.now());
    claims["iss"] = json!(ISSUER);
    claims
}

/// What the api responds to a caller with this token.
pub(super) async fn show(api: &Service, token: &str) -> Answer {
    send(api.anybody().call(Method::GET, "/api/v1/tasks").bearer(token)).await
}

/// The status of that answer.
pub(super) async fn status(api: &Service, token: &str) -> u16 {
    show(api, token).await.status.as_u16()
}
