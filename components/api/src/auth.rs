//! Authentication: a bearer token (RFC 6750) that is a JWT (RFC 7519), or one of an agent (`agent.rs`).
//!
//! | claim | meaning |
//! | --- | --- |
//! | `sub` | the user; no other claim identifies them |
//! | `iss`, `aud` | `nudge`, or the values of `jwt_issuer` and `jwt_audience` for a provider's tokens; with `oidc_issuer`, `aud` may be the resource (`resource.rs`) |
//! | `exp` | required; a minute of leeway |
//! | `iat` | not in the future, but for a minute of leeway; with `exp` it bounds the lifetime; required if tokens of the user were revoked |
//! | `jti` | identifies the token when it is revoked |
//! | `nbf` | checked if present; a minute of leeway |
//! | `email` | where reminders are sent, if `email_verified` is true; without that claim, if the operator vouches for the issuer |
//! | `zoneinfo` | IANA zone (OpenID Connect Core 1.0, section 5.1); UTC if absent |
//!
//! | file | holds |
//! | --- | --- |
//! | `policy.rs` | which tokens are accepted: HS256 with the secret, or a provider's keys |
//! | `token.rs` | parsing a token and checking its signature |
//! | `claims.rs` | its claims |
//! | `agent.rs` | tokens of agents |
//! | `resource.rs` | which protected resource this is (RFC 9728) |
//! | `refusal.rs` | the response to a refused token |
//! | `revocation.rs` | tokens that were revoked before they expire |
//! | `recent.rs` | what was read a moment ago |
//! | `secret.rs` | the HS256 secret |
//! | `jwks.rs` | the keys of a JSON Web Key Set |
//! | `keys.rs`, `shared.rs`, `fetch.rs` | caching, sharing and fetching key sets |

pub(crate) mod agent;
mod claims;
mod fetch;
mod jwks;
mod keys;
mod policy;
mod recent;
mod refusal;
pub(crate) mod resource;
pub(crate) mod revocation;
mod secret;
mod shared;
mod token;

use std::sync::Arc;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;
use jiff::Timestamp;
use nudge_component::Problem;
use nudge_contract::event::ChangedBy;
use nudge_domain::Zone;
use nudge_domain::id::UserId;

use agent::Agent;
use policy::{NUDGE, Provider};
use refusal::{logged_seldom, refuse};
use resource::Part;
use token::Unchecked;

/// The caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    /// The subject of the token.
    pub(crate) id: UserId,
    /// Where reminders are sent: one plain address.
    pub(crate) email: Option<String>,
    /// The user's time zone; UTC if the token has none.
    pub(crate) zone: Zone,
    /// Whether the token has a time zone.
    pub(crate) says_zone: bool,
    /// The agent that acts for the user; none if it is the user.
    pub(crate) agent: Option<Arc<Agent>>,
}

impl User {
    /// Who makes the changes that this caller asks for.
    pub(crate) fn by(&self) -> ChangedBy {
        match &self.agent {
            None => ChangedBy::User,
            Some(agent) => ChangedBy::Agent {
                agent_id: agent.id,
                name: Some(agent.name.clone()),
            },
        }
    }
}

/// The caller of a request; the token is checked once per request.
pub(crate) async fn user(parts: &mut Parts) -> Result<User, Problem> {
    if let Some(user) = parts.extensions.get::<User>() {
        return Ok(user.clone());
    }
    let now = Timestamp::now();
    let user = check(bearer(&parts.headers)?, Part::at(parts.uri.path()), now)
        .await
        .map_err(|problem| logged_seldom(problem, now))?;
    parts.extensions.insert(user.clone());
    Ok(user)
}

/// The token of an agent in these headers, for [`check_again`].
pub(crate) fn agent_token(headers: &HeaderMap) -> Option<String> {
    let token = bearer(headers).ok()?;
    agent::is_one(token).then(|| token.to_owned())
}

/// Whether the token of an agent still counts: what goes on after the response has begun ends with it.
pub(crate) async fn check_again(agent_token: &str) -> Result<(), Problem> {
    agent::check(agent_token, Timestamp::now()).await.map(drop)
}

fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let header = headers
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

/// The header only selects one of the accepted keys; each key has its own algorithm (RFC 8725, section 3.1).
async fn check(token: &str, part: Part, now: Timestamp) -> Result<User, Problem> {
    if agent::is_one(token) {
        return agent::check(token, now).await;
    }
    let token = Unchecked::read(token)?;
    let policy = policy::policy().await?;
    let (claims, issuer, audiences, vouched, max_hours) = match (token.algorithm(), &policy.provider) {
        ("HS256", _) if policy.hs256 => {
            let claims = token.signed_with_secret(secret::key().await?)?;
            // The operator signs these tokens.
            (
                claims,
                NUDGE,
                vec![NUDGE.to_owned()],
                true,
                Some(policy.max_hours),
            )
        }
        (algorithm @ ("EdDSA" | "ES256" | "RS256"), Some(provider)) => {
            let keys = keys::keys(provider, token.key_id(), algorithm, now).await?;
            let key = keys.find(token.key_id(), algorithm).ok_or_else(|| {
                refuse("names no key of the identity provider, or could mean several (kid)")
            })?;
            let claims = token.signed_with(key)?;
            let Provider {
                issuer,
                audience,
                vouched,
                max_hours,
                ..
            } = provider;
            let mut audiences = vec![audience.clone()];
            if let Some(resource) = resource::resource().await? {
                audiences.extend(resource.audiences(part));
            }
            (claims, issuer.as_str(), audiences, *vouched, *max_hours)
        }
        _ => return Err(refuse("is signed with an algorithm that is not accepted here")),
    };
    let token = claims.token();
    claims.check_lifetime(max_hours, now)?;
    let user = claims.user(issuer, &audiences, vouched, now)?;
    revocation::check(&user.id, &token, now).await?;
    Ok(user)
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
            agent: None,
        };
        parts.extensions.insert(alice.clone());
        let found = pin!(user(&mut parts)).poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(found, Poll::Ready(Ok(user)) if user == alice));
    }
}
