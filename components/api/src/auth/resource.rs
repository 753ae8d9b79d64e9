//! Which protected resource this is (RFC 9728), and so what the tokens of its authorization server may be for (RFC 8707).
//!
//! | resource | is | tokens for it are accepted |
//! | --- | --- | --- |
//! | `{public_url}` | the REST API, and all else | everywhere, as those for `jwt_audience` are |
//! | `{public_url}/mcp` | MCP | at `/mcp` only: a client that was let in to use tools does not get the account |

use nudge_component::Problem;
use nudge_component::settings::variable;

use crate::public_url;

/// Path of MCP.
const MCP: &str = "/mcp";

/// A part of this application that has tokens of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// MCP.
    Mcp,
    /// All else.
    Rest,
}

impl Part {
    /// The part that a request with this path is for.
    pub(crate) fn at(path: &str) -> Self {
        if path == MCP { Self::Mcp } else { Self::Rest }
    }

    /// What follows the address of the application.
    fn path(self) -> &'static str {
        match self {
            Self::Mcp => MCP,
            Self::Rest => "",
        }
    }
}

/// This application as a protected resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resource {
    /// `public_url`.
    url: String,
    /// The identifier of the authorization server: `oidc_issuer`.
    pub(crate) issuer: String,
}

impl Resource {
    /// The resource identifier of a part.
    pub(crate) fn id(&self, part: Part) -> String {
        format!("{}{}", self.url, part.path())
    }

    /// Where the metadata of a part is (RFC 9728, section 3.1).
    pub(crate) fn metadata(&self, part: Part) -> String {
        format!("{}/.well-known/oauth-protected-resource{}", self.url, part.path())
    }

    /// The values of `aud` that are accepted there. Clients often write a URL without a path with a slash at its end.
    pub(super) fn audiences(&self, part: Part) -> Vec<String> {
        let whole = self.id(Part::Rest);
        let mut audiences = vec![format!("{whole}/"), whole];
        if part == Part::Mcp {
            audiences.push(self.id(part));
        }
        audiences
    }
}

/// The variables `oidc_issuer` and `public_url`. None unless both are set: then clients are not told where to get a token.
///
/// # Errors
///
/// 503 while they cannot be read, or if `public_url` is not valid.
pub(crate) async fn resource() -> Result<Option<Resource>, Problem> {
    let unavailable = |log| Problem::unavailable("the configuration", log);
    let Some(issuer) = variable("oidc_issuer").await.map_err(unavailable)? else {
        return Ok(None);
    };
    let url = public_url::read().await.map_err(unavailable)?;
    Ok(url.map(|url| Resource { url, issuer }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_for_mcp_are_for_nothing_else() {
        let resource = Resource {
            url: "https://nudge.example.com".to_owned(),
            issuer: "https://login.example.com".to_owned(),
        };
        let mcp = "https://nudge.example.com/mcp".to_owned();
        assert_eq!(resource.id(Part::at("/mcp")), mcp);
        assert!(resource.audiences(Part::at("/mcp")).contains(&mcp));
        for path in ["/api/v1/tasks", "/mcp/", "/mcp/x", "/"] {
            assert!(!resource.audiences(Part::at(path)).contains(&mcp), "{path}");
        }
        for audience in ["https://nudge.example.com", "https://nudge.example.com/"] {
            for part in [Part::Mcp, Part::Rest] {
                assert!(
                    resource.audiences(part).contains(&audience.to_owned()),
                    "{audience}"
                );
            }
        }
    }
}
