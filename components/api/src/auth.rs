//! Who is calling: a bearer token (RFC 6750) that is a JWT (RFC 7519).
//!
//! | claim | meaning |
//! | --- | --- |
//! | `sub` | the user; nothing else says who that is |
//! | `iss`, `aud` | `nudge`, or what `jwt_issuer` and `jwt_audience` say for a provider's tokens |
//! | `exp` | required; a minute of leeway |
//! | `nbf` | honoured when present; a minute of leeway |
//! | `email` | whereto reminders go, unless `email_verified` is false |
//! | `zoneinfo` | IANA zone (OpenID Connect Core 1.0, section 5.1); UTC when absent |
//!
//! | file | holds |
//! | --- | --- |
//! | `policy.rs` | which tokens count: HS256 and the secret, or a provider's keys |
//! | `token.rs` | a token before and with its signature |
//! | `claims.rs` | what it says |
//! | `refusal.rs` | the answer to a token that is refused |
//! | `secret.rs` | the secret of HS256 |
//! | `jwks.rs` | the keys of a set |
//! | `keys.rs`, `shared.rs`, `fetch.rs` | how long they are used, how instances share them, where they come from |

mod claims;
mod fetch;
mod jwks;
mod keys;
mod policy;
mod refusal;
mod secret;
mod shared;
mod token;

use axum::extract::FromRequestParts;
use http::header::AUTHORIZATION;
use http::request::Parts;
use jiff::Timestamp;
use nudge_component::Problem;
use nudge_domain::Zone;
use nudge_domain::id::UserId;

use policy::NUDGE;
use refusal::refuse;
use token::Unchecked;

/// The caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    /// The subject of the token.
    pub(crate) id: UserId,
    /// Whereto reminders go: one plain address.
    pub(crate) email: Option<String>,
    /// Where the user lives; UTC when the token does not say.
    pub(crate) zone: Zone,
    /// Whether the token says where the user lives.
    pub(crate) says_zone: bool,
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
    let user = check(bearer(parts)?, Timestamp::now()).await?;
    parts.extensions.insert(user.clone());
    Ok(user)
}

fn bearer(parts: &Parts) -> Result<&str, Problem> {
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
    Ok(token.trim())
}

/// What the header names chooses among keys that count anyway; each key has its own algorithm (RFC 8725, section 3.1).
async fn check(token: &str, now: Timestamp) -> Result<User, Problem> {
    let token = Unchecked::read(token)?;
    let policy = policy::policy().await?;
    match (token.algorithm(), &policy.provider) {
        ("HS256", _) if policy.hs256 => token
            .signed_with_secret(secret::key().await?)?
            .user(NUDGE, NUDGE, now),
        (algorithm @ ("EdDSA" | "ES256" | "RS256"), Some(provider)) => {
            let keys = keys::keys(provider, token.key_id(), algorithm, now).await?;
            let key = keys.find(token.key_id(), algorithm).ok_or_else(|| {
                refuse("names no key of the identity provider, or could mean several (kid)")
            })?;
            token
                .signed_with(key)?
                .user(&provider.issuer, &provider.audience, now)
        }
        _ => Err(refuse("is signed with an algorithm that is not taken here")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    #[test]
    fn a_user_who_was_found_before_is_not_looked_for_again() {
        let (mut parts, ()) = http::Request::new(()).into_parts();
        let alice = User {
            id: "alice".parse().unwrap(),
            email: None,
            zone: Zone::utc(),
            says_zone: false,
        };
        parts.extensions.insert(alice.clone());
        let found =
            pin!(User::from_request_parts(&mut parts, &())).poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(found, Poll::Ready(Ok(user)) if user == alice));
    }
}
