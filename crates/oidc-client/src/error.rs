//! Why a sign-in fails, in words for the person at the page.

use crate::form;

/// Maximum number of characters of a provider's description that are shown.
const MAX_DESCRIPTION: usize = 200;

/// Why a user is not signed in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// An authorization request with `prompt=none` needs the user.
    #[error("you are not signed in")]
    LoginRequired,
    /// The user, or a rule of the provider, denied it.
    #[error("the sign-in was cancelled")]
    Cancelled,
    /// The code or the refresh token is no longer valid (RFC 6749, section 5.2: `invalid_grant`).
    #[error("your session has ended")]
    SessionEnded,
    /// The provider, or the way to it, is down.
    #[error("the sign-in provider cannot be reached at the moment; try again")]
    Unavailable {
        /// For the operator.
        detail: String,
    },
    /// The answer belongs to no request of this tab, or is an old one.
    #[error("this sign-in was not started in this tab, or has been used; sign in again")]
    UnknownState,
    /// The provider refuses the page, or answers what the standards do not allow.
    #[error(
        "the sign-in is not set up correctly, and only the operator of this server can correct it: {detail}"
    )]
    Setup {
        /// What is wrong, and how to correct it.
        detail: String,
    },
}

/// Who can do something about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The user signs in.
    User,
    /// The user tries again later.
    Passing,
    /// The operator changes a setting.
    Operator,
}

impl Error {
    /// Who can do something about it.
    pub fn fault(&self) -> Fault {
        match self {
            Self::LoginRequired | Self::Cancelled | Self::SessionEnded | Self::UnknownState => Fault::User,
            Self::Unavailable { .. } => Fault::Passing,
            Self::Setup { .. } => Fault::Operator,
        }
    }

    pub(crate) fn setup(detail: impl Into<String>) -> Self {
        Self::Setup {
            detail: detail.into(),
        }
    }

    /// An error response of the authorization endpoint (RFC 6749, section 4.1.2.1; OpenID Connect Core 1.0, section 3.1.2.6) or of the
    /// token endpoint (RFC 6749, section 5.2).
    pub(crate) fn from_response(code: &str, description: Option<&str>) -> Self {
        let fix = match code {
            "login_required" | "interaction_required" | "consent_required" | "account_selection_required" => {
                return Self::LoginRequired;
            }
            "access_denied" => return Self::Cancelled,
            "invalid_grant" => return Self::SessionEnded,
            "server_error" | "temporarily_unavailable" => {
                return Self::Unavailable {
                    detail: said(code, description),
                };
            }
            "invalid_client" | "unauthorized_client" => {
                "register a public client with the authorization code flow and PKCE, and set oidc_client_id to its id"
            }
            "invalid_scope" => "set oidc_scope to scopes that the provider allows this client",
            "invalid_target" => {
                "set oidc_audience to an API that the provider knows, and allow it to this client"
            }
            "invalid_request" => {
                "check the redirect URI that is registered for oidc_client_id, and oidc_audience"
            }
            _ => "check the registration of oidc_client_id at the provider",
        };
        Self::setup(format!("{} ({fix})", said(code, description)))
    }
}

/// What the provider said, as plain text on one line.
fn said(code: &str, description: Option<&str>) -> String {
    let plain = |text: &str| -> String {
        text.chars()
            .filter(|character| !character.is_control())
            .take(MAX_DESCRIPTION)
            .collect()
    };
    match description.map(plain).filter(|text| !text.is_empty()) {
        Some(description) => format!("the provider answered {}: {description}", plain(code)),
        None => format!("the provider answered {}", plain(code)),
    }
}

/// The error in a query of the redirect URI.
pub(crate) fn of_query(query: &str) -> Option<Error> {
    let value = |wanted: &str| {
        form::read(query)
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value)
    };
    let code = value("error")?;
    Some(Error::from_response(&code, value("error_description").as_deref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_is_for_one_who_can_act() {
        for (code, fault) in [
            ("login_required", Fault::User),
            ("interaction_required", Fault::User),
            ("access_denied", Fault::User),
            ("invalid_grant", Fault::User),
            ("server_error", Fault::Passing),
            ("temporarily_unavailable", Fault::Passing),
            ("invalid_client", Fault::Operator),
            ("invalid_scope", Fault::Operator),
            ("something_else", Fault::Operator),
        ] {
            assert_eq!(Error::from_response(code, None).fault(), fault, "{code}");
        }
    }

    #[test]
    fn the_operator_learns_what_the_provider_said_and_which_variable_to_set() {
        let error =
            of_query("error=invalid_scope&error_description=unknown+scope%0A%E2%80%98x%E2%80%99").unwrap();
        let text = error.to_string();
        assert!(text.contains("invalid_scope: unknown scope‘x’"), "{text}");
        assert!(text.contains("oidc_scope"), "{text}");
        let long = Error::from_response("x", Some(&"y".repeat(9_000))).to_string();
        assert!(long.len() < 600, "{}", long.len());
    }
}
