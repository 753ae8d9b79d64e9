//! Requests to the token endpoint and their responses (RFC 6749, sections 4.1.3, 5 and 6), and to the revocation endpoint (RFC 7009).

use serde::Deserialize;

use crate::authorization::{Client, Pending};
use crate::form;
use crate::id_token::{Claims, is_jwt};
use crate::{Error, Session};

/// A form that is posted to the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRequest {
    /// The body, `application/x-www-form-urlencoded`.
    pub body: String,
}

/// The tokens of a response.
#[derive(Debug, Deserialize)]
pub struct Grant {
    pub(crate) access_token: String,
    #[serde(default)]
    token_type: Option<String>,
    /// Seconds. A number, although some providers write a string.
    #[serde(default)]
    pub(crate) expires_in: Option<serde_json::Value>,
    #[serde(default)]
    pub(crate) refresh_token: Option<String>,
    #[serde(default)]
    pub(crate) id_token: Option<String>,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
    #[serde(default)]
    error_description: Option<String>,
}

impl Client {
    /// Exchanges a code.
    pub fn code_request(&self, pending: &Pending, code: &str) -> TokenRequest {
        TokenRequest {
            body: form::write(&[
                ("grant_type", "authorization_code"),
                ("code", code),
                ("redirect_uri", &self.redirect_uri),
                ("client_id", &self.client_id),
                ("code_verifier", pending.verifier().as_str()),
                ("resource", self.resource()),
            ]),
        }
    }

    /// Renews a session.
    pub fn renewal_request(&self, refresh_token: &str) -> TokenRequest {
        TokenRequest {
            body: form::write(&[
                ("grant_type", "refresh_token"),
                ("refresh_token", refresh_token),
                ("client_id", &self.client_id),
                ("resource", self.resource()),
            ]),
        }
    }

    /// Revokes a refresh token, and with it the access tokens that it made.
    pub fn revocation_request(&self, refresh_token: &str) -> TokenRequest {
        TokenRequest {
            body: form::write(&[
                ("token", refresh_token),
                ("token_type_hint", "refresh_token"),
                ("client_id", &self.client_id),
            ]),
        }
    }

    /// The session of the response to a [`Client::code_request`]. `now` is in seconds since 1970.
    ///
    /// # Errors
    ///
    /// The provider refuses the code, or the ID token is not for this request.
    pub fn begin(&self, pending: &Pending, status: u16, body: &str, now: i64) -> Result<Session, Error> {
        let grant = Grant::parse(status, body)?;
        let id_token = grant
            .id_token
            .as_deref()
            .ok_or_else(|| Error::setup("the provider sent no ID token; oidc_scope must contain openid"))?;
        let claims = Claims::check(id_token, self, Some(pending.nonce()), now)?;
        Ok(Session::new(grant, claims, now))
    }
}

impl Grant {
    /// Reads a response.
    ///
    /// # Errors
    ///
    /// It is an error, or has no access token that the API can read.
    pub(crate) fn parse(status: u16, body: &str) -> Result<Self, Error> {
        if status != 200 {
            return Err(match serde_json::from_str::<Refusal>(body) {
                Ok(refusal) => Error::from_response(&refusal.error, refusal.error_description.as_deref()),
                Err(_) if status >= 500 || status == 429 => Error::Unavailable {
                    detail: format!("the token endpoint answered {status}"),
                },
                Err(_) => Error::setup(format!("the token endpoint answered {status}")),
            });
        }
        let grant: Self = serde_json::from_str(body).map_err(|error| {
            Error::setup(format!(
                "the response of the token endpoint cannot be read: {error}"
            ))
        })?;
        if !grant
            .token_type
            .as_deref()
            .is_some_and(|kind| kind.eq_ignore_ascii_case("bearer"))
        {
            return Err(Error::setup("the provider's access token is not a bearer token"));
        }
        if !is_jwt(&grant.access_token) {
            return Err(Error::setup(
                "the provider's access token is not a JWT, so the API cannot check it: set oidc_audience to the identifier of the API at the \
                 provider",
            ));
        }
        Ok(grant)
    }

    /// Seconds until the access token expires, if the provider says so.
    pub(crate) fn lifetime(&self) -> Option<i64> {
        let value = self.expires_in.as_ref()?;
        value
            .as_i64()
            .or_else(|| value.as_str()?.parse().ok())
            .filter(|seconds| *seconds > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authorization::Prompt;
    use crate::authorization::tests::{NOW, client, pending};
    use crate::id_token::tests::{claims, jwt};
    use serde_json::json;

    fn body() -> serde_json::Value {
        json!({
            "access_token": jwt(&json!({ "sub": "alice" })), "token_type": "Bearer", "expires_in": 300,
            "refresh_token": "r1", "id_token": jwt(&claims()),
        })
    }

    #[test]
    fn a_code_is_sent_with_its_verifier() {
        let pending = pending(Prompt::Login);
        let TokenRequest { body } = client().code_request(&pending, "a b");
        assert_eq!(
            body,
            format!(
                "grant_type=authorization_code&code=a%20b&redirect_uri=https%3A%2F%2Fnudge.example.com%2F&client_id=page&\
                 code_verifier={}&resource=https%3A%2F%2Fnudge.example.com%2Fapi",
                pending.verifier().as_str()
            )
        );
    }

    #[test]
    fn a_session_begins() {
        let session = client()
            .begin(&pending(Prompt::Login), 200, &body().to_string(), NOW)
            .unwrap();
        assert_eq!(session.who().subject, "alice");
        assert_eq!(session.refresh_token(), Some("r1"));
        assert!(!session.is_expired(NOW + 299) && session.is_expired(NOW + 300));
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        for (name, value, words) in [
            ("access_token", json!("opaque"), "oidc_audience"),
            ("token_type", json!("DPoP"), "bearer"),
            ("token_type", json!(null), "bearer"),
            ("id_token", json!(null), "oidc_scope must contain openid"),
            ("access_token", json!(null), "cannot be read"),
        ] {
            let mut body = body();
            body[name] = value.clone();
            let error = client()
                .begin(&pending(Prompt::Login), 200, &body.to_string(), NOW)
                .unwrap_err();
            assert!(error.to_string().contains(words), "{name} {value}: {error}");
        }
    }

    #[test]
    fn the_refusal_of_the_provider_is_said() {
        let parse = |status, body: &str| Grant::parse(status, body).unwrap_err();
        assert_eq!(parse(400, r#"{"error":"invalid_grant"}"#), Error::SessionEnded);
        assert!(
            parse(401, r#"{"error":"invalid_client"}"#)
                .to_string()
                .contains("oidc_client_id")
        );
        assert!(matches!(parse(502, "<html>"), Error::Unavailable { .. }));
        assert!(matches!(parse(404, "<html>"), Error::Setup { .. }));
    }

    #[test]
    fn a_lifetime_may_be_a_string() {
        for (value, expected) in [
            (json!(300), Some(300)),
            (json!("300"), Some(300)),
            (json!(-1), None),
            (json!(null), None),
        ] {
            let mut body = body();
            body["expires_in"] = value;
            assert_eq!(Grant::parse(200, &body.to_string()).unwrap().lifetime(), expected);
        }
    }
}
