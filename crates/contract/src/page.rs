//! What the page reads at `/config.json` before it can sign a user in.

use serde::{Deserialize, Serialize};

/// How users sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageConfig {
    /// With this identity provider; without one, with a link of `nudge up`, or not at all.
    pub oidc: Option<OidcConfig>,
    /// Whether the page accepts a token in the fragment of its URL. Elsewhere, such a link could sign a user in as someone else.
    #[serde(default)]
    pub local: bool,
}

/// The page at an identity provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OidcConfig {
    /// The issuer identifier (OpenID Connect Core 1.0, section 2).
    pub issuer: String,
    /// The id of the page, a public client.
    pub client_id: String,
    /// The scopes, separated by spaces.
    pub scope: String,
    /// For which API the access token is, if the provider has to be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
}
