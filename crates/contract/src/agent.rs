//! Agents of a user: programs with a token of their own.

use jiff::Timestamp;
use nudge_domain::instant;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What every token of an agent begins with, for scanners of secrets. 43 characters of Base64url follow: 256 random bits.
pub const TOKEN_PREFIX: &str = "nudge_";

/// How long a token of an agent is valid, in days, unless the user says it.
pub const DEFAULT_DAYS: u32 = 90;

/// The longest that a token of an agent may be valid, in days.
pub const MAX_DAYS: u32 = 366;

/// What an agent may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Read tasks, categories and tags.
    Read,
    /// Change them, too.
    Write,
}

impl Scope {
    /// Its name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        match text {
            "read" => Ok(Self::Read),
            "write" => Ok(Self::Write),
            _ => Err(UnknownScope),
        }
    }
}

/// A text that is not the name of a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a scope is read or write")]
pub struct UnknownScope;

/// An agent, without its token: that is shown once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Agent {
    /// Its id.
    pub id: Uuid,
    /// What the user calls it.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// When it was created.
    #[serde(deserialize_with = "instant::read")]
    pub created_at: Timestamp,
    /// When its token expires, or expired.
    #[serde(deserialize_with = "instant::read")]
    pub expires_at: Timestamp,
    /// When its token was last used, to the minute; none if it never was.
    #[serde(default, deserialize_with = "instant::read_some")]
    pub last_used_at: Option<Timestamp>,
}

/// Response to the creation of an agent, the only one that has the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreatedAgent {
    /// The agent.
    #[serde(flatten)]
    pub agent: Agent,
    /// Its token.
    pub token: String,
}

/// Body of a request that creates an agent. Give at most one of `expires_at` and `days`; without both, the token is valid for
/// [`DEFAULT_DAYS`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewAgent {
    /// What the user calls it.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// When its token expires.
    #[serde(
        default,
        deserialize_with = "instant::read_some",
        skip_serializing_if = "Option::is_none"
    )]
    pub expires_at: Option<Timestamp>,
    /// For how many days from now its token is valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
}
