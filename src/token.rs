//! User tokens: what `nudge token` prints and the api accepts.

use anyhow::{Context, Result};
use jwt_compact::alg::{Hs256, Hs256Key};
use jwt_compact::{AlgorithmExt, Claims, Header};
use nudge_domain::id::UserId;
use nudge_domain::{MailAddress, Zone};
use serde::Serialize;
use uuid::Uuid;

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
    jti: String,
    iat: i64,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zoneinfo: Option<String>,
}

/// A signed token.
#[derive(Debug, Clone)]
pub struct Minted {
    /// The token, in the compact form of RFC 7515, section 7.1.
    pub token: String,
    /// Its claim `jti`, which identifies it when it is revoked.
    pub id: String,
}

/// Signs a token (HS256) with the key of the data folder. `now` is in seconds since 1970. The api refuses one that is valid for longer
/// than its variable `token_max_hours`; that is not checked here.
///
/// # Errors
///
/// An invalid user, address or zone; the message names the option.
pub fn mint(data: &DataDir, request: &TokenRequest, now: i64) -> Result<String> {
    Ok(mint_with_id(data, request, now)?.token)
}

/// The same, with the id of the token.
///
/// # Errors
///
/// Those of [`mint`].
pub fn mint_with_id(data: &DataDir, request: &TokenRequest, now: i64) -> Result<Minted> {
    let id = Uuid::now_v7().to_string();
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
        jti: id.clone(),
        iat: now,
        exp: now.saturating_add(i64::from(request.hours.max(1)) * 3_600),
        email: email.map(String::from),
        zoneinfo: zone.map(String::from),
    };
    let key = Hs256Key::new(data.jwt_key()?);
    let token = Hs256
        .token(&Header::empty(), &Claims::new(custom), &key)
        .context("the token cannot be signed")?;
    Ok(Minted { token, id })
}
