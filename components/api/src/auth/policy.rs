//! Which tokens are accepted: the variables `jwks_url`, `jwt_issuer`, `jwt_audience`, `jwt_hs256` and `token_max_hours`; and whose
//! addresses count although they do not say that they are verified: `email_trusted_issuers`.
//!
//! A forgotten shared secret must not give access if there is an identity provider. So setting `jwks_url` disables HS256, and
//! only `jwt_hs256 = "true"` enables it again.

use std::sync::OnceLock;

use http::Uri;
use nudge_component::Problem;
use nudge_component::settings::variable;
use nudge_contract::token;

/// Issuer and audience of the tokens that `nudge token` makes, and the default of others.
pub(super) const NUDGE: &str = "nudge";

/// Which tokens are accepted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Policy {
    /// Whether tokens signed with HS256 and the secret `jwt-key` are accepted.
    pub(super) hs256: bool,
    /// Maximum lifetime of those tokens, in hours.
    pub(super) max_hours: u32,
    /// The provider whose tokens are accepted; none without `jwks_url`.
    pub(super) provider: Option<Provider>,
}

/// An identity provider.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Provider {
    /// Where its keys are: `https`, or `http` on this machine.
    pub(super) jwks_url: String,
    /// `iss` of its tokens.
    pub(super) issuer: String,
    /// The value that `aud` of its tokens must contain.
    pub(super) audience: String,
    /// Maximum lifetime of its tokens, in hours; none if the provider decides.
    pub(super) max_hours: Option<u32>,
    /// Whether the address of a token without the claim `email_verified` counts.
    pub(super) vouched: bool,
}

impl Policy {
    /// Whether every accepted token has a maximum lifetime.
    pub(super) fn bounds_every_lifetime(&self) -> bool {
        self.provider
            .as_ref()
            .is_none_or(|provider| provider.max_hours.is_some())
    }
}

/// The policy of this instance, read once. 503 while the variables cannot be read or contradict each other.
pub(super) async fn policy() -> Result<&'static Policy, Problem> {
    static POLICY: OnceLock<Policy> = OnceLock::new();
    if let Some(policy) = POLICY.get() {
        return Ok(policy);
    }
    let read = async {
        let [url, issuer, audience, hs256, max_hours, trusted] = [
            variable("jwks_url").await?,
            variable("jwt_issuer").await?,
            variable("jwt_audience").await?,
            variable("jwt_hs256").await?,
            variable("token_max_hours").await?,
            variable("email_trusted_issuers").await?,
        ];
        decide(
            url,
            issuer,
            audience,
            hs256.as_deref(),
            max_hours.as_deref(),
            trusted.as_deref().unwrap_or_default(),
        )
    };
    let policy = read
        .await
        .map_err(|log| Problem::unavailable("the configuration", log))?;
    Ok(POLICY.get_or_init(|| policy))
}

fn decide(
    jwks_url: Option<String>,
    issuer: Option<String>,
    audience: Option<String>,
    hs256: Option<&str>,
    max_hours: Option<&str>,
    trusted_issuers: &str,
) -> Result<Policy, String> {
    let max_hours = max_hours.map(token::max_hours).transpose()?;
    let hs256 = match (hs256, &jwks_url) {
        (Some("true"), _) | (None, None) => true,
        (Some("false") | None, Some(_)) => false,
        (Some("false"), None) => {
            return Err(
                "no token can count: jwt_hs256 is false and jwks_url is empty, set one of them".to_owned(),
            );
        }
        (Some(other), _) => return Err(format!("jwt_hs256 is `{other}`: set true, false, or nothing")),
    };
    let provider = match jwks_url {
        None => None,
        Some(jwks_url) => {
            check_url(&jwks_url)?;
            let issuer = issuer.unwrap_or_else(|| NUDGE.to_owned());
            Some(Provider {
                jwks_url,
                vouched: trusted_issuers.split(',').any(|trusted| trusted.trim() == issuer),
                issuer,
                audience: audience.unwrap_or_else(|| NUDGE.to_owned()),
                max_hours,
            })
        }
    };
    Ok(Policy {
        hs256,
        max_hours: max_hours.unwrap_or(token::DEFAULT_MAX_HOURS),
        provider,
    })
}

/// A caller who can change the keys in transit can impersonate any user, so the connection is encrypted or stays on this machine.
fn check_url(url: &str) -> Result<(), String> {
    let parsed: Uri = url
        .parse()
        .map_err(|error| format!("jwks_url is not a valid URL: {error}"))?;
    let authority = parsed
        .authority()
        .filter(|authority| !authority.as_str().contains('@'))
        .ok_or("jwks_url must be https:// with a host and without a user")?;
    let here = matches!(authority.host(), "localhost" | "127.0.0.1" | "[::1]");
    match parsed.scheme_str() {
        Some("https") => Ok(()),
        Some("http") if here => Ok(()),
        _ => Err("jwks_url must be https: only on this machine keys may come over http".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(url: Option<&str>, hs256: Option<&str>) -> Result<(bool, bool), String> {
        decide(url.map(str::to_owned), None, None, hs256, None, "")
            .map(|policy| (policy.hs256, policy.provider.is_some()))
    }

    #[test]
    fn a_key_set_ends_hs256_unless_both_are_wanted() {
        let url = Some("https://login.example.com/keys");
        for (url, hs256, counts) in [
            (None, None, (true, false)),
            (None, Some("true"), (true, false)),
            (url, None, (false, true)),
            (url, Some("false"), (false, true)),
            (url, Some("true"), (true, true)),
        ] {
            assert_eq!(decided(url, hs256), Ok(counts), "{url:?} {hs256:?}");
        }
    }

    #[test]
    fn only_a_trusted_issuer_need_not_say_that_an_address_is_verified() {
        let url = || Some("https://login.example.com/keys".to_owned());
        let vouched = |issuer: &str, trusted: &str| {
            let policy = decide(url(), Some(issuer.to_owned()), None, None, None, trusted).unwrap();
            policy.provider.unwrap().vouched
        };
        let ours = "https://login.example.com";
        assert!(vouched(ours, ours));
        assert!(vouched(ours, &format!("https://other.example.com, {ours}")));
        for trusted in ["", "nudge", "https://login.example.com/", "https://login"] {
            assert!(!vouched(ours, trusted), "{trusted}");
        }
    }

    #[test]
    fn settings_that_accept_no_token_or_are_invalid_are_refused() {
        assert!(
            decided(None, Some("false"))
                .unwrap_err()
                .contains("no token can count")
        );
        for word in ["yes", "TRUE", "1"] {
            assert!(decided(None, Some(word)).unwrap_err().contains(word));
        }
    }

    #[test]
    fn keys_come_encrypted_or_from_this_machine() {
        for url in [
            "https://login.example.com/keys",
            "http://127.0.0.1:8080/keys",
            "http://[::1]/keys",
            "http://localhost/keys",
        ] {
            assert!(decided(Some(url), None).is_ok(), "{url}");
        }
        for url in [
            "http://login.example.com/keys",
            "http://127.0.0.1.example.com/keys",
            "https://127.0.0.1@login.example.com/keys",
            "ftp://login.example.com/keys",
            "login.example.com",
            "/keys",
            "https://",
            "not a url",
        ] {
            assert!(decided(Some(url), None).is_err(), "{url}");
        }
    }

    #[test]
    fn issuer_and_audience_are_nudge_unless_said_otherwise() {
        let url = || Some("https://login.example.com/keys".to_owned());
        let provider = decide(url(), None, None, None, None, "")
            .unwrap()
            .provider
            .unwrap();
        assert_eq!(
            (provider.issuer.as_str(), provider.audience.as_str()),
            (NUDGE, NUDGE)
        );
        let named = |text: &str| Some(text.to_owned());
        let provider = decide(
            url(),
            named("https://login.example.com"),
            named("tasks"),
            None,
            None,
            "",
        )
        .unwrap()
        .provider
        .unwrap();
        assert_eq!(
            (provider.issuer.as_str(), provider.audience.as_str()),
            ("https://login.example.com", "tasks")
        );
    }

    #[test]
    fn lifetimes_have_a_maximum_a_providers_only_if_it_is_set() {
        let decided = |url: Option<&str>, hours: Option<&str>| {
            decide(url.map(str::to_owned), None, None, Some("true"), hours, "").map(|policy| {
                let bounded = policy.bounds_every_lifetime();
                let provider = policy.provider.and_then(|provider| provider.max_hours);
                (policy.max_hours, provider, bounded)
            })
        };
        let url = Some("https://login.example.com/keys");
        assert_eq!(decided(None, None), Ok((720, None, true)));
        assert_eq!(decided(url, None), Ok((720, None, false)));
        assert_eq!(decided(url, Some("8784")), Ok((8784, Some(8784), true)));
        for hours in ["0", "8785", "-1", "1.5", "1h"] {
            assert!(decided(None, Some(hours)).unwrap_err().contains(hours));
        }
    }
}
