//! Tokens of users: what the api that accepts them and the program that makes them must agree on.

use jiff::Timestamp;
use nudge_domain::id::UserId;
use serde::{Deserialize, Serialize};

/// Maximum lifetime in hours of a token that is signed with the secret `jwt-key`, unless the variable `token_max_hours` says otherwise.
pub const DEFAULT_MAX_HOURS: u32 = 30 * 24;

/// Largest value of `token_max_hours`: a year. Revocations are kept for longer than that.
pub const LARGEST_MAX_HOURS: u32 = 366 * 24;

/// Reads the value of the variable `token_max_hours`.
///
/// # Errors
///
/// A sentence that says which numbers are allowed.
pub fn max_hours(value: &str) -> Result<u32, String> {
    value
        .parse()
        .ok()
        .filter(|hours| (1..=LARGEST_MAX_HOURS).contains(hours))
        .ok_or_else(|| {
            format!("token_max_hours is `{value}`: set a whole number from 1 to {LARGEST_MAX_HOURS}")
        })
}

/// Body of [`TOKEN_REVOCATIONS`](crate::names::route::TOKEN_REVOCATIONS): which tokens are refused from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RevokeTokens {
    /// Whose tokens.
    pub user: UserId,
    /// The claim `jti` of one token; none for all tokens of the user that were issued until now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// Response of [`TOKEN_REVOCATIONS`](crate::names::route::TOKEN_REVOCATIONS).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TokensRevoked {
    /// When; tokens that were issued in this second are revoked, too.
    pub revoked_at: Timestamp,
}
