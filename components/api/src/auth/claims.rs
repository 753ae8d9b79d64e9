//! The claims of a token with a valid signature (RFC 7519, section 4.1; OpenID Connect Core 1.0, section 5.1).

use jiff::Timestamp;
use nudge_component::Problem;
use nudge_domain::{MailAddress, Zone};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::User;
use super::refusal::{refuse, seldom};

/// Maximum difference between the clocks of issuer and api, in seconds.
pub(super) const LEEWAY: i64 = 60;

/// The claims used here that the library does not know.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Custom {
    sub: String,
    #[serde(default)]
    iss: Option<String>,
    #[serde(default)]
    aud: Option<Audience>,
    #[serde(default)]
    jti: Option<Value>,
    #[serde(default)]
    email: Option<Value>,
    #[serde(default)]
    email_verified: Option<Value>,
    #[serde(default)]
    zoneinfo: Option<String>,
}

/// One or several (RFC 7519, section 4.1.3).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// The claims of a token; times in seconds since 1970.
pub(super) struct Claims {
    expires: Option<i64>,
    not_before: Option<i64>,
    issued_at: Option<i64>,
    custom: Custom,
}

/// What identifies a token among those of its user, as far as it says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// `jti`.
    pub(super) id: Option<String>,
    /// `iat`, in seconds since 1970.
    pub(super) issued_at: Option<i64>,
}

impl Claims {
    /// Adds the claims that the library has read.
    pub(super) fn new(claims: &jwt_compact::Claims<Custom>) -> Self {
        Self {
            expires: claims.expiration.map(|at| at.timestamp()),
            not_before: claims.not_before.map(|at| at.timestamp()),
            issued_at: claims.issued_at.map(|at| at.timestamp()),
            custom: claims.custom.clone(),
        }
    }

    /// What identifies the token.
    pub(super) fn token(&self) -> Token {
        let id = self.custom.jti.as_ref().and_then(Value::as_str);
        Token {
            id: id.filter(|id| !id.is_empty()).map(str::to_owned),
            issued_at: self.issued_at,
        }
    }

    /// 401 if the token is valid for longer than `max_hours`, or issued in the future: then it could not be revoked. Without `iat`, what
    /// counts is the time that is left.
    pub(super) fn check_lifetime(&self, max_hours: Option<u32>, now: Timestamp) -> Result<(), Problem> {
        let now = now.as_second();
        let issued_at = self.issued_at.unwrap_or(now);
        if issued_at > now.saturating_add(LEEWAY) {
            return Err(refuse("is issued in the future (iat)"));
        }
        let lifetime = self.expires.map(|expires| expires.saturating_sub(issued_at));
        match max_hours {
            Some(hours) if lifetime > Some(i64::from(hours) * 3_600 + LEEWAY) => Err(refuse(format!(
                "is valid for more than {hours} hours, the maximum here (exp, iat): get one that expires sooner"
            ))),
            _ => Ok(()),
        }
    }

    /// The caller, if the token is of `issuer`, for one of `audiences`, and valid now. `vouched` is whether the address of a token that does
    /// not say whether it is verified counts: the operator trusts the issuer.
    pub(super) fn user(
        self,
        issuer: &str,
        audiences: &[String],
        vouched: bool,
        now: Timestamp,
    ) -> Result<User, Problem> {
        let now = now.as_second();
        let expires = self.expires.ok_or_else(|| refuse("has no exp claim"))?;
        if now > expires.saturating_add(LEEWAY) {
            return Err(refuse("has expired: get a new one"));
        }
        if self
            .not_before
            .is_some_and(|from| now < from.saturating_sub(LEEWAY))
        {
            return Err(refuse("is not valid yet"));
        }
        let custom = self.custom;
        let for_us = match &custom.aud {
            Some(Audience::One(one)) => audiences.contains(one),
            Some(Audience::Several(several)) => several.iter().any(|one| audiences.contains(one)),
            None => false,
        };
        if custom.iss.as_deref() != Some(issuer) || !for_us {
            return Err(
                refuse("is not issued by and for this server (iss, aud)").logged(format!(
                    "iss {:?} and aud {:?} where {issuer:?} and one of {audiences:?} count",
                    custom.iss, custom.aud
                )),
            );
        }
        let id = custom
            .sub
            .parse()
            .map_err(|error| refuse("has no usable sub claim").logged(error))?;
        let zone = match &custom.zoneinfo {
            Some(name) => name.parse().map_err(|error| {
                refuse("has a zoneinfo claim that is not an IANA time zone").logged(error)
            })?,
            None => Zone::utc(),
        };
        let email = custom
            .email
            .filter(|_| is_verified(custom.email_verified.as_ref(), vouched))
            .and_then(|claim| usable(&claim));
        Ok(User {
            id,
            email,
            says_zone: custom.zoneinfo.is_some(),
            zone,
            agent: None,
        })
    }
}

/// The address in an `email` claim, if email can be sent there. An invalid claim is treated as absent: the user cannot correct it,
/// needs the token, and can set an address under `/api/v1/me`.
fn usable(claim: &Value) -> Option<String> {
    let reason = match claim.as_str().map(str::parse::<MailAddress>) {
        Some(Ok(email)) => return Some(email.into()),
        Some(Err(error)) => error.reason(),
        None => "it is not a string".to_owned(),
    };
    seldom("email", Timestamp::now(), |others| {
        tracing::info!(others, "the email claim of a token is not used: {reason}");
    });
    None
}

/// Whether the address in a token belongs to its user. `email_verified` is a boolean (OpenID Connect Core 1.0, section 5.1); some
/// providers write it as a string. Without it, an address may be one that the user just typed.
fn is_verified(claim: Option<&Value>, vouched: bool) -> bool {
    match claim {
        None | Some(Value::Null) => vouched,
        Some(Value::Bool(verified)) => *verified,
        Some(Value::String(text)) => text == "true",
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: &str = "2026-11-21T12:00:00Z";

    /// A minute more is too late.
    const EXP: i64 = 1_795_262_340;

    fn good() -> Value {
        json!({ "sub": "alice", "iss": "nudge", "aud": "nudge", "exp": EXP })
    }

    fn with(name: &str, value: Value) -> Value {
        let mut claims = good();
        claims[name] = value;
        claims
    }

    fn outcome(claims: &Value) -> Result<User, String> {
        outcome_of(claims, true)
    }

    fn outcome_of(claims: &Value, vouched: bool) -> Result<User, String> {
        let claims: jwt_compact::Claims<Custom> =
            serde_json::from_value(claims.clone()).map_err(|error| error.to_string())?;
        Claims::new(&claims)
            .user("nudge", &["nudge".to_owned()], vouched, NOW.parse().unwrap())
            .map_err(|problem| problem.detail().to_owned())
    }

    #[test]
    fn a_good_token_says_who_is_calling() {
        let mut claims = good();
        claims["email"] = json!("alice@example.com");
        claims["zoneinfo"] = json!("Europe/Berlin");
        let user = outcome(&claims).unwrap();
        assert_eq!(user.id.as_str(), "alice");
        assert_eq!(user.zone.name(), "Europe/Berlin");
        assert_eq!(user.email.as_deref(), Some("alice@example.com"));
        let user = outcome(&with("aud", json!(["bank", "nudge"]))).unwrap();
        assert_eq!((user.email, user.zone), (None, Zone::utc()));
    }

    #[test]
    fn a_token_that_is_expired_or_foreign_is_refused() {
        for (claims, words) in [
            (with("exp", json!(EXP - 1)), "expired"),
            (with("exp", json!(0)), "expired"),
            (with("exp", json!(-1)), "expired"),
            (with("nbf", json!(EXP + 121)), "not valid yet"),
            (with("aud", json!("other")), "iss, aud"),
            (with("aud", json!([])), "iss, aud"),
            (with("aud", Value::Null), "iss, aud"),
            (with("iss", Value::Null), "iss, aud"),
            (with("iss", json!("nudge ")), "iss, aud"),
            (with("sub", json!("")), "sub claim"),
            (with("zoneinfo", json!("Mars/Base")), "zoneinfo"),
        ] {
            let detail = outcome(&claims).unwrap_err();
            assert!(detail.contains(words), "{claims}: {detail}");
        }
        let mut claims = good();
        claims.as_object_mut().unwrap().remove("exp");
        assert!(outcome(&claims).unwrap_err().contains("no exp"));
    }

    #[test]
    fn a_minute_of_leeway_is_given_and_no_more() {
        assert!(outcome(&with("exp", json!(EXP))).is_ok());
        assert!(outcome(&with("nbf", json!(EXP + 120))).is_ok());
    }

    #[test]
    fn times_that_no_calendar_has_are_refused_and_fractions_are_not() {
        for time in [
            json!(i64::MAX),
            json!(i64::MIN),
            json!(u64::MAX),
            json!(1e300),
            json!(-1e300),
            json!("soon"),
            json!(true),
            json!([]),
        ] {
            assert!(outcome(&with("exp", time.clone())).is_err(), "{time}");
            assert!(outcome(&with("nbf", time.clone())).is_err(), "{time}");
        }
        assert!(outcome(&with("exp", json!(EXP as f64 + 0.5))).is_ok());
    }

    #[test]
    fn an_invalid_email_claim_is_treated_as_absent_and_does_not_refuse_the_token() {
        for claim in [
            json!("a@example.com;b@example.com"),
            json!("a..b@example.com"),
            json!("grüße@example.com"),
            json!("alice"),
            json!(""),
            json!(7),
            json!(["alice@example.com"]),
            json!({}),
            Value::Null,
        ] {
            let user = outcome(&with("email", claim.clone())).unwrap();
            assert_eq!((user.id.as_str(), user.email), ("alice", None), "{claim}");
        }
        let user = outcome(&with("email", json!("alice@bücher.example"))).unwrap();
        assert_eq!(user.email.as_deref(), Some("alice@bücher.example"));
    }

    #[test]
    fn an_address_that_the_provider_has_not_verified_is_not_used() {
        let email = |verified: Value, vouched: bool| {
            let mut claims = with("email", json!("alice@example.com"));
            claims["email_verified"] = verified;
            outcome_of(&claims, vouched).unwrap().email
        };
        for vouched in [true, false] {
            for verified in [json!(true), json!("true")] {
                assert!(email(verified.clone(), vouched).is_some(), "{verified}");
            }
            for verified in [json!(false), json!("false"), json!("True"), json!(0), json!([])] {
                assert_eq!(email(verified.clone(), vouched), None, "{verified}");
            }
        }
        assert!(email(Value::Null, true).is_some());
        assert_eq!(email(Value::Null, false), None, "it may be any address");
    }

    /// The maximum is an hour.
    fn lifetime(claims: &Value) -> Result<(), String> {
        let claims: jwt_compact::Claims<Custom> = serde_json::from_value(claims.clone()).unwrap();
        Claims::new(&claims)
            .check_lifetime(Some(1), NOW.parse().unwrap())
            .map_err(|problem| problem.detail().to_owned())
    }

    #[test]
    fn a_token_that_lives_too_long_is_refused() {
        let now = NOW.parse::<Timestamp>().unwrap().as_second();
        let of = |iat: Option<Value>, exp: i64| {
            let mut claims = with("exp", json!(exp));
            if let Some(iat) = iat {
                claims["iat"] = iat;
            }
            lifetime(&claims)
        };
        assert_eq!(of(Some(json!(now)), now + 3_600), Ok(()));
        assert_eq!(of(Some(json!(now - 3_000)), now + 600), Ok(()));
        assert_eq!(
            of(Some(json!(now + 60)), now + 3_660),
            Ok(()),
            "a clock that is ahead"
        );
        assert_eq!(of(None, now + 3_660), Ok(()), "the leeway");
        for (iat, exp) in [
            (Some(json!(now)), now + 3_661),
            (Some(json!(now - 3_600)), now + 61),
            (Some(json!(0)), now + 1),
            (None, now + 3_661),
        ] {
            let detail = of(iat.clone(), exp).unwrap_err();
            assert!(detail.contains("more than 1 hours"), "{iat:?} {exp}: {detail}");
        }
        assert!(
            of(Some(json!(now + 61)), now + 62)
                .unwrap_err()
                .contains("future")
        );
        assert!(
            Claims::new(&serde_json::from_value(with("iat", json!(0))).unwrap())
                .check_lifetime(None, NOW.parse().unwrap())
                .is_ok(),
            "without a maximum"
        );
    }

    #[test]
    fn a_token_is_identified_by_its_jti_and_iat() {
        let of = |name: &str, value: Value| {
            let claims: jwt_compact::Claims<Custom> = serde_json::from_value(with(name, value)).unwrap();
            Claims::new(&claims).token()
        };
        assert_eq!(of("jti", json!("a")).id.as_deref(), Some("a"));
        for none in [json!(""), json!(7), Value::Null] {
            assert_eq!(of("jti", none).id, None);
        }
        assert_eq!(of("iat", json!(7.9)).issued_at, Some(7));
        assert_eq!(of("jti", json!("a")).issued_at, None);
    }
}
