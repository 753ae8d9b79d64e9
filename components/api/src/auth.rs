//! Who is calling: a bearer token (RFC 6750) that is a JWT (RFC 7519), signed with HS256 and the secret `jwt-key`.
//!
//! | claim | meaning |
//! | --- | --- |
//! | `sub` | the user; nothing else says who that is |
//! | `iss`, `aud` | `nudge` |
//! | `exp` | required; a minute of leeway |
//! | `nbf` | honoured when present; a minute of leeway |
//! | `email` | whereto reminders go |
//! | `zoneinfo` | IANA zone (OpenID Connect Core 1.0, section 5.1); UTC when absent |

use std::sync::OnceLock;

use axum::extract::FromRequestParts;
use http::header::AUTHORIZATION;
use http::request::Parts;
use jiff::Timestamp;
use jwt_compact::alg::{Hs256, Hs256Key};
use jwt_compact::{AlgorithmExt, UntrustedToken};
use nudge_component::Problem;
use nudge_component::dapr::secrets;
use nudge_component::publish::describe;
use nudge_contract::names::{component::SECRET_STORE, secret::JWT_KEY};
use nudge_domain::Zone;
use nudge_domain::id::UserId;
use serde::Deserialize;

/// How far the clocks of issuer and api may be apart, in seconds.
const LEEWAY: i64 = 60;

/// RFC 7518, section 3.2: a key must be as long as the hash.
const SHORTEST_KEY: usize = 32;

#[derive(Deserialize, serde::Serialize, Clone)]
struct Claims {
    sub: String,
    #[serde(default)]
    iss: Option<String>,
    #[serde(default)]
    aud: Option<Audience>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    zoneinfo: Option<String>,
}

/// One or several (RFC 7519, section 4.1.3).
#[derive(Deserialize, serde::Serialize, Clone)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// The caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) id: UserId,
    pub(crate) email: Option<String>,
    pub(crate) zone: Zone,
}

impl<S: Sync> FromRequestParts<S> for User {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        user(parts).await
    }
}

/// The caller of a request; a token is checked once for each request.
pub(crate) async fn user(parts: &mut Parts) -> Result<User, Problem> {
    if let Some(user) = parts.extensions.get::<User>() {
        return Ok(user.clone());
    }
    let user = {
        let header = parts
            .headers
            .get(AUTHORIZATION)
            .ok_or_else(|| Problem::unauthorized("send Authorization: Bearer and a token"))?;
        let header = header
            .to_str()
            .map_err(|_| Problem::unauthorized("the Authorization header is not ASCII"))?;
        let (scheme, token) = header.split_once(' ').unwrap_or((header, ""));
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Problem::unauthorized(
                "the Authorization header must be Bearer and a token",
            ));
        }
        check(token.trim(), key().await?, Timestamp::now())?
    };
    parts.extensions.insert(user.clone());
    Ok(user)
}

async fn key() -> Result<&'static Hs256Key, Problem> {
    static KEY: OnceLock<Hs256Key> = OnceLock::new();
    if let Some(key) = KEY.get() {
        return Ok(key);
    }
    let secret = secrets::get(SECRET_STORE.to_owned(), JWT_KEY.to_owned())
        .await
        .map_err(|error| Problem::unavailable("the secret store", describe(&error)))?;
    let values = secret.unwrap_or_default();
    let named = values.iter().find(|(name, _)| name == JWT_KEY).or(values.first());
    let (_, value) = named
        .ok_or_else(|| Problem::unavailable("the secret store", format!("it has no secret {JWT_KEY}")))?;
    if value.len() < SHORTEST_KEY {
        return Err(Problem::unavailable(
            "the secret store",
            format!("the secret {JWT_KEY} is shorter than {SHORTEST_KEY} bytes"),
        ));
    }
    Ok(KEY.get_or_init(|| Hs256Key::new(value)))
}

fn check(token: &str, key: &Hs256Key, now: Timestamp) -> Result<User, Problem> {
    let refuse = |detail: &str| Problem::unauthorized(format!("the token {detail}"));
    let untrusted = UntrustedToken::new(token).map_err(|error| refuse("is not a JWT").logged(error))?;
    // The algorithm is this one, whatever the header says: `none` and others fail here.
    let token = Hs256
        .validator::<Claims>(key)
        .validate(&untrusted)
        .map_err(|error| {
            refuse("is not signed with HS256 and this server's key, or lacks a claim").logged(error)
        })?;
    let claims = token.claims();
    let expires = claims
        .expiration
        .ok_or_else(|| refuse("has no exp claim"))?
        .timestamp();
    if now.as_second() > expires.saturating_add(LEEWAY) {
        return Err(refuse("has expired: get a new one"));
    }
    if claims
        .not_before
        .is_some_and(|from| now.as_second() < from.timestamp().saturating_sub(LEEWAY))
    {
        return Err(refuse("is not valid yet"));
    }
    let custom = &claims.custom;
    let for_us = match &custom.aud {
        Some(Audience::One(audience)) => audience == "nudge",
        Some(Audience::Several(audiences)) => audiences.iter().any(|audience| audience == "nudge"),
        None => false,
    };
    if custom.iss.as_deref() != Some("nudge") || !for_us {
        return Err(refuse("is not issued by and for nudge (iss, aud)"));
    }
    let id = custom
        .sub
        .parse()
        .map_err(|error| refuse("has no usable sub claim").logged(error))?;
    let zone = match &custom.zoneinfo {
        Some(name) => name
            .parse()
            .map_err(|error| refuse("has a zoneinfo claim that is no IANA zone").logged(error))?,
        None => Zone::utc(),
    };
    let email = match &custom.email {
        Some(email) if !is_address(email) => {
            return Err(refuse("has an email claim that is not one mail address"));
        }
        email => email.clone(),
    };
    Ok(User { id, email, zone })
}

/// One address and nothing else. Dapr's binding would take `;` for a list, SMTP a line break for the next command.
fn is_address(text: &str) -> bool {
    let plain = text.len() <= 254
        && !text.contains(|c: char| c.is_whitespace() || c.is_control() || ";,<>\"()[]\\:".contains(c));
    plain
        && text
            .split_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !domain.contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_plain_address_is_an_address() {
        for address in ["alice@example.com", "a.b+c@mail.example.org"] {
            assert!(is_address(address), "{address}");
        }
        for text in [
            "",
            "alice",
            "@example.com",
            "alice@",
            "a@b@c",
            "a@b.c;d@e.f",
            "a@b.c\r\nRCPT TO:<x@y.z>",
            "A <a@b.c>",
            "a b@c.d",
        ] {
            assert!(!is_address(text), "{text}");
        }
    }

    const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";

    /// A token with this header and these claims, signed with HS256.
    fn token(header: &str, claims: &str) -> String {
        use base64::Engine;
        use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
        use jwt_compact::Algorithm;
        let message = format!("{}.{}", BASE64.encode(header), BASE64.encode(claims));
        let signature = Hs256.sign(&Hs256Key::new(KEY), message.as_bytes());
        format!(
            "{message}.{}",
            BASE64.encode(jwt_compact::AlgorithmSignature::as_bytes(&signature))
        )
    }

    fn outcome(header: &str, claims: &str) -> Result<User, String> {
        check(
            &token(header, claims),
            &Hs256Key::new(KEY),
            "2026-11-21T12:00:00Z".parse().unwrap(),
        )
        .map_err(|problem| problem.detail().to_owned())
    }

    const HS256: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

    #[test]
    fn a_good_token_says_who_is_calling() {
        let user = outcome(HS256, r#"{"sub":"alice","iss":"nudge","aud":"nudge","exp":1795262340,"email":"alice@example.com","zoneinfo":"Europe/Berlin"}"#).unwrap();
        assert_eq!(user.id.as_str(), "alice");
        assert_eq!(user.zone.name(), "Europe/Berlin");
        assert_eq!(user.email.as_deref(), Some("alice@example.com"));
    }

    #[test]
    fn a_token_that_is_expired_foreign_or_unsigned_is_refused() {
        for (header, claims, words) in [
            (
                HS256,
                r#"{"sub":"alice","iss":"nudge","aud":"nudge","exp":1795262339}"#,
                "expired",
            ),
            (HS256, r#"{"sub":"alice","iss":"nudge","aud":"nudge"}"#, "no exp"),
            (
                HS256,
                r#"{"sub":"alice","iss":"nudge","aud":"nudge","exp":1895262400,"nbf":1795262461}"#,
                "not valid yet",
            ),
            (
                HS256,
                r#"{"sub":"alice","iss":"nudge","aud":"other","exp":1895262400}"#,
                "issued by and for",
            ),
            (
                HS256,
                r#"{"sub":"alice","aud":"nudge","exp":1895262400}"#,
                "issued by and for",
            ),
            (
                HS256,
                r#"{"iss":"nudge","aud":"nudge","exp":1895262400}"#,
                "lacks a claim",
            ),
            (
                HS256,
                r#"{"sub":"","iss":"nudge","aud":"nudge","exp":1895262400}"#,
                "sub claim",
            ),
            (
                HS256,
                r#"{"sub":"alice","iss":"nudge","aud":"nudge","exp":1895262400,"zoneinfo":"Mars/Base"}"#,
                "zoneinfo",
            ),
            (
                r#"{"alg":"none"}"#,
                r#"{"sub":"alice","iss":"nudge","aud":"nudge","exp":1895262400}"#,
                "not signed",
            ),
            (
                r#"{"alg":"RS256"}"#,
                r#"{"sub":"alice","iss":"nudge","aud":"nudge","exp":1895262400}"#,
                "not signed",
            ),
        ] {
            let detail = outcome(header, claims).unwrap_err();
            assert!(detail.contains(words), "{claims}: {detail}");
        }
        let signed = token(
            HS256,
            r#"{"sub":"alice","iss":"nudge","aud":"nudge","exp":1895262400}"#,
        );
        let forged = check(
            &signed,
            &Hs256Key::new(b"another key of thirty-two bytes!"),
            Timestamp::UNIX_EPOCH,
        );
        assert!(forged.is_err());
    }
}
