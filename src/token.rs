//! User tokens: what `nudge token` prints and the api accepts.

use anyhow::{Context, Result};
use jwt_compact::alg::{Hs256, Hs256Key};
use jwt_compact::{AlgorithmExt, Claims, Header};
use nudge_domain::id::UserId;
use nudge_domain::{MailAddress, Zone};
use serde::Serialize;

use crate::DataDir;

/// The contents of a token.
#[derive(Debug, Clone)]
pub struct TokenRequest {
    /// The user, who is the subject of the token.
    pub user: String,
    /// The address for reminders; without one, no emails are sent.
    pub email: Option<String>,
    /// IANA name of the user's time zone; the default is UTC.
    pub time_zone: Option<String>,
    /// Hours until the token expires, at least 1.
    pub hours: u32,
}

#[derive(Serialize)]
struct Custom {
    sub: String,
    iss: &'static str,
    aud: &'static str,
    iat: i64,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zoneinfo: Option<String>,
}

/// Signs a token (HS256) with the key of the data folder. `now` is in seconds since 1970.
///
/// # Errors
///
/// An invalid user, address or zone; the message names the option.
pub fn mint(data: &DataDir, request: &TokenRequest, now: i64) -> Result<String> {
    let user: UserId = request.user.parse().context("USER is not a user id")?;
    let zone: Option<Zone> = request
        .time_zone
        .as_deref()
        .map(str::parse)
        .transpose()
        .context("--time-zone")?;
    let email: Option<MailAddress> = request
        .email
        .as_deref()
        .map(str::parse)
        .transpose()
        .context("--email")?;
    let custom = Custom {
        sub: user.into(),
        iss: "nudge",
        aud: "nudge",
        iat: now,
        exp: now.saturating_add(i64::from(request.hours.max(1)) * 3_600),
        email: email.map(String::from),
        zoneinfo: zone.map(String::from),
    };
    let key = Hs256Key::new(data.jwt_key()?);
    Hs256
        .token(&Header::empty(), &Claims::new(custom), &key)
        .context("the token cannot be signed")
}
