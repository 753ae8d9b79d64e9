//! ID tokens (OpenID Connect Core 1.0, sections 2 and 3.1.3.7).
//!
//! They come directly from the token endpoint, so TLS says that they are the provider's, and their signature is not checked (section
//! 3.1.3.7, point 6). The API checks the signature of access tokens.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::authorization::Client;

/// Maximum difference between the clocks of provider and browser, in seconds. Clocks of private machines are often wrong.
const LEEWAY: i64 = 600;

/// A user of a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// The issuer.
    pub issuer: String,
    /// The user's id there, for ever.
    pub subject: String,
    /// What the user is called.
    pub name: Option<String>,
    /// The user's address.
    pub email: Option<String>,
}

/// The claims used here.
#[derive(Debug, Clone, Deserialize)]
pub struct Claims {
    iss: String,
    sub: String,
    #[serde(default)]
    aud: Option<Audience>,
    #[serde(default)]
    azp: Option<String>,
    #[serde(default)]
    exp: Option<f64>,
    #[serde(default)]
    nonce: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    preferred_username: Option<String>,
    #[serde(default)]
    email: Option<String>,
}

/// One or several (RFC 7519, section 4.1.3).
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "serde_json::Value")]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl TryFrom<serde_json::Value> for Audience {
    type Error = &'static str;

    fn try_from(value: serde_json::Value) -> Result<Self, Self::Error> {
        use serde_json::Value;
        let no = "an audience is a string or several";
        match value {
            Value::String(one) => Ok(Self::One(one)),
            Value::Array(all) => all
                .into_iter()
                .map(|item| match item {
                    Value::String(one) => Ok(one),
                    _ => Err(no),
                })
                .collect::<Result<_, _>>()
                .map(Self::Several),
            _ => Err(no),
        }
    }
}

impl Claims {
    /// The claims of a token, unchecked. For tokens that the page shows something of, and that the API checks.
    pub fn read(token: &str) -> Option<Self> {
        let payload = token.split('.').nth(1)?;
        let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
        serde_json::from_str(&String::from_utf8(payload).ok()?).ok()
    }

    /// The claims of an ID token for this client. A renewed one has no nonce, or the one of before (section 12.2).
    pub(crate) fn check(token: &str, client: &Client, nonce: Option<&str>, now: i64) -> Result<Self, Error> {
        let refuse = |what: String| Err(Error::setup(format!("the provider's ID token {what}")));
        let Some(claims) = Self::read(token) else {
            return refuse("cannot be read".to_owned());
        };
        if claims.iss != client.issuer {
            return refuse(format!("is of the issuer {:?}; check oidc_issuer", claims.iss));
        }
        let (ours, several) = match &claims.aud {
            Some(Audience::One(one)) => (*one == client.client_id, false),
            Some(Audience::Several(all)) => (all.contains(&client.client_id), all.len() > 1),
            None => (false, false),
        };
        let party = claims.azp.as_ref().map(|party| *party == client.client_id);
        if !ours || party == Some(false) || (several && party.is_none()) {
            return refuse("is for another application; check oidc_client_id".to_owned());
        }
        if nonce.is_some() && claims.nonce.as_deref() != nonce {
            return Err(Error::UnknownState);
        }
        match claims.exp {
            Some(expires) if (now as f64) < expires + LEEWAY as f64 => Ok(claims),
            Some(_) => refuse("has expired; check the clock of your device".to_owned()),
            None => refuse("has no exp claim".to_owned()),
        }
    }

    /// Whose token it is.
    pub fn who(self) -> Who {
        Who {
            issuer: self.iss,
            subject: self.sub,
            name: self.name.or(self.preferred_username),
            email: self.email,
        }
    }

    /// When the token expires, in seconds since 1970.
    pub fn expires(&self) -> Option<i64> {
        self.exp.map(|seconds| seconds as i64)
    }
}

impl Who {
    /// A name to show.
    pub fn shown(&self) -> &str {
        [&self.name, &self.email]
            .into_iter()
            .flatten()
            .find(|text| !text.trim().is_empty())
            .unwrap_or(&self.subject)
    }

    /// Identifies the user on this device: two issuers may use the same subject.
    pub fn key(&self) -> String {
        format!("{} {}", self.issuer, self.subject)
    }
}

/// Whether a token has the three parts of a signed JWT (RFC 7519; RFC 9068).
pub fn is_jwt(token: &str) -> bool {
    let parts: Vec<&str> = token.split('.').collect();
    parts.len() == 3
        && parts.iter().take(2).all(|part| {
            URL_SAFE_NO_PAD
                .decode(part)
                .is_ok_and(|part| part.first() == Some(&b'{'))
        })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::authorization::Prompt;
    use crate::authorization::tests::{NOW, client, pending};
    use serde_json::{Value, json};

    pub(crate) fn jwt(claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.c2ln", part(&json!({ "alg": "RS256" })), part(claims))
    }

    pub(crate) fn claims() -> Value {
        json!({
            "iss": "https://id.example.com", "sub": "alice", "aud": "page", "exp": NOW + 300, "iat": NOW,
            "nonce": pending(Prompt::Login).nonce(), "name": "Alice", "email": "alice@example.com",
        })
    }

    fn check(name: &str, value: Value) -> Result<Claims, Error> {
        let mut claims = claims();
        claims[name] = value;
        Claims::check(
            &jwt(&claims),
            &client(),
            Some(pending(Prompt::Login).nonce()),
            NOW,
        )
    }

    #[test]
    fn a_token_for_this_request_is_accepted() {
        let who = check("aud", json!(["page"])).unwrap().who();
        assert_eq!(
            (who.shown(), who.key().as_str()),
            ("Alice", "https://id.example.com alice")
        );
        check("exp", json!(NOW - 599)).unwrap();
        check("azp", json!("page")).unwrap();
    }

    #[test]
    fn a_token_for_another_is_refused() {
        for (name, value, words) in [
            ("iss", json!("https://evil.example"), "oidc_issuer"),
            ("aud", json!("other"), "oidc_client_id"),
            ("aud", json!(["page", "other"]), "oidc_client_id"),
            ("aud", Value::Null, "oidc_client_id"),
            ("azp", json!("other"), "oidc_client_id"),
            ("nonce", json!("other"), "not started in this tab"),
            ("nonce", Value::Null, "not started in this tab"),
            ("exp", json!(NOW - 600), "clock"),
            ("exp", Value::Null, "no exp"),
            ("sub", json!(7), "cannot be read"),
        ] {
            let error = check(name, value.clone()).unwrap_err().to_string();
            assert!(error.contains(words), "{name} {value}: {error}");
        }
        for token in ["", "a.b", "a.b.c"] {
            assert!(Claims::check(token, &client(), None, NOW).is_err(), "{token}");
        }
    }

    #[test]
    fn a_user_has_a_name_to_show() {
        let shown = |name: Value, username: Value, email: Value| {
            let mut claims = claims();
            claims["name"] = name;
            claims["preferred_username"] = username;
            claims["email"] = email;
            Claims::read(&jwt(&claims)).unwrap().who().shown().to_owned()
        };
        assert_eq!(shown(json!("A"), json!("b"), json!("c@x")), "A");
        assert_eq!(shown(Value::Null, json!("b"), json!("c@x")), "b");
        assert_eq!(shown(json!(" "), Value::Null, json!("c@x")), "c@x");
        assert_eq!(shown(Value::Null, Value::Null, Value::Null), "alice");
    }

    #[test]
    fn only_a_signed_jwt_is_one() {
        assert!(is_jwt(&jwt(&claims())));
        for token in ["", "opaque", "a.b.c", "e30.e30", "e30.e30.x.y"] {
            assert!(!is_jwt(token), "{token}");
        }
    }
}
