//! A session: its tokens, and when to renew them.

use crate::Error;
use crate::authorization::Client;
use crate::id_token::{Claims, Who};
use crate::token::Grant;

/// How long before its end an access token is renewed, in seconds.
const AHEAD: i64 = 60;

/// The lifetime of an access token if the provider does not say it, in seconds.
const UNSAID: i64 = 300;

/// The tokens of a user, in memory only.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    who: Who,
    access_token: String,
    refresh_token: Option<String>,
    id_token: Option<String>,
    renew: i64,
    expires: i64,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "Session of {}, until {}",
            self.who.subject, self.expires
        )
    }
}

impl Session {
    pub(crate) fn new(grant: Grant, claims: Claims, now: i64) -> Self {
        let lifetime = grant.lifetime().unwrap_or(UNSAID);
        Self {
            who: claims.who(),
            renew: now + lifetime - AHEAD.min(lifetime / 4),
            expires: now + lifetime,
            access_token: grant.access_token,
            refresh_token: grant.refresh_token,
            id_token: grant.id_token,
        }
    }

    /// Whose session it is.
    pub fn who(&self) -> &Who {
        &self.who
    }

    /// The token for the API.
    pub fn access_token(&self) -> &str {
        &self.access_token
    }

    /// The token to renew the session with.
    pub fn refresh_token(&self) -> Option<&str> {
        self.refresh_token.as_deref()
    }

    /// The last ID token, which tells the provider who signs out.
    pub fn id_token(&self) -> Option<&str> {
        self.id_token.as_deref()
    }

    /// Whether the access token has expired, by the clock of this device.
    pub fn is_expired(&self, now: i64) -> bool {
        now >= self.expires
    }

    /// Whether to renew now, ahead of the end.
    pub fn is_to_renew(&self, now: i64) -> bool {
        now >= self.renew
    }

    /// Seconds until it is time to renew.
    pub fn renew_in(&self, now: i64) -> i64 {
        (self.renew - now).max(0)
    }

    /// Seconds until the access token expires.
    pub fn expires_in(&self, now: i64) -> i64 {
        (self.expires - now).max(0)
    }

    /// The session after the response to a [`Client::renewal_request`]. A refresh token that is not replaced remains (RFC 6749, section 6).
    ///
    /// # Errors
    ///
    /// The provider refuses, or answers for another user (OpenID Connect Core 1.0, section 12.2).
    pub fn renewed(&self, client: &Client, status: u16, body: &str, now: i64) -> Result<Self, Error> {
        let mut grant = Grant::parse(status, body)?;
        let claims = grant
            .id_token
            .as_deref()
            .map(|token| Claims::check(token, client, None, now))
            .transpose()?;
        grant.refresh_token = grant.refresh_token.or_else(|| self.refresh_token.clone());
        grant.id_token = grant.id_token.or_else(|| self.id_token.clone());
        let lifetime = grant.lifetime().unwrap_or(UNSAID);
        if claims.is_some_and(|claims| claims.who().key() != self.who.key()) {
            return Err(Error::setup("the provider renewed the session for another user"));
        }
        Ok(Self {
            who: self.who.clone(),
            renew: now + lifetime - AHEAD.min(lifetime / 4),
            expires: now + lifetime,
            access_token: grant.access_token,
            refresh_token: grant.refresh_token,
            id_token: grant.id_token,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authorization::Prompt;
    use crate::authorization::tests::{NOW, client, pending};
    use crate::id_token::tests::{claims, jwt};
    use serde_json::{Value, json};

    fn body(lifetime: Value) -> Value {
        json!({
            "access_token": jwt(&json!({ "sub": "alice" })), "token_type": "Bearer", "expires_in": lifetime,
            "refresh_token": "r1", "id_token": jwt(&claims()),
        })
    }

    fn session(lifetime: Value) -> Session {
        client()
            .begin(&pending(Prompt::Login), 200, &body(lifetime).to_string(), NOW)
            .unwrap()
    }

    #[test]
    fn it_is_renewed_ahead_of_its_end() {
        for (lifetime, ahead) in [
            (json!(3_600), 60),
            (json!(240), 60),
            (json!(60), 15),
            (json!(5), 1),
            (json!(null), 60),
        ] {
            let session = session(lifetime.clone());
            let end = lifetime.as_i64().unwrap_or(300);
            assert_eq!(session.renew_in(NOW), end - ahead, "{lifetime}");
            assert!(!session.is_to_renew(NOW + end - ahead - 1) && session.is_to_renew(NOW + end - ahead));
            assert_eq!(session.renew_in(NOW + 9_000), 0);
        }
    }

    #[test]
    fn a_renewal_replaces_what_the_provider_sends() {
        let old = session(json!(5));
        let mut answer = json!({ "access_token": jwt(&json!({ "sub": "alice", "n": 2 })), "token_type": "bearer", "expires_in": 10 });
        let new = old.renewed(&client(), 200, &answer.to_string(), NOW + 4).unwrap();
        assert_ne!(new.access_token(), old.access_token());
        assert_eq!(
            (new.refresh_token(), new.id_token()),
            (Some("r1"), old.id_token())
        );
        assert!(!new.is_expired(NOW + 13) && new.is_expired(NOW + 14));
        answer["refresh_token"] = json!("r2");
        let new = old.renewed(&client(), 200, &answer.to_string(), NOW + 4).unwrap();
        assert_eq!(new.refresh_token(), Some("r2"));
    }

    #[test]
    fn a_renewal_is_for_the_same_user() {
        let mut other = claims();
        other["sub"] = json!("bob");
        other["nonce"] = Value::Null;
        let mut answer = body(json!(5));
        answer["id_token"] = json!(jwt(&other));
        let old = session(json!(5));
        let error = old.renewed(&client(), 200, &answer.to_string(), NOW).unwrap_err();
        assert!(error.to_string().contains("another user"), "{error}");
        assert_eq!(
            old.renewed(&client(), 400, r#"{"error":"invalid_grant"}"#, NOW),
            Err(Error::SessionEnded)
        );
    }

    #[test]
    fn no_token_is_in_a_log() {
        let session = session(json!(5));
        let text = format!("{session:?}");
        assert!(
            !text.contains("r1") && !text.contains(session.access_token()),
            "{text}"
        );
    }
}
