//! Why the user is not signed in, in words.

use oidc_client::Error;

/// The command that prints another link.
pub(super) const COMMAND: &str = "cargo run -q -- sign-in --open";

/// Why the user is not signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Notice {
    /// They have not signed in, or have signed out.
    Nothing,
    /// The server cannot be reached.
    Unreachable,
    /// The server has no way to sign in, or a wrong one: what it says.
    NotSetUp(String),
    /// The link of `nudge up` is not valid any more.
    LinkExpired,
    /// The api does not accept the provider's tokens.
    Refused,
    /// The provider.
    Provider(Error),
}

/// A notice as sentences. None if there is nothing to say.
pub(super) fn words(notice: &Notice) -> Option<String> {
    Some(match notice {
        Notice::Nothing => return None,
        Notice::Unreachable => "Nudge cannot be reached. Check the connection, and try again.".to_owned(),
        Notice::NotSetUp(what) => {
            format!("Signing in is not set up, and only the operator of this server can change that: {what}.")
        }
        Notice::LinkExpired => "This link is no longer valid.".to_owned(),
        Notice::Refused => "The API does not accept the provider's access token. Only the operator of this server can change that: jwks_url, \
                            jwt_issuer and jwt_audience must be those of the provider's access tokens."
            .to_owned(),
        Notice::Provider(error) => format!("{}.", sentence(&error.to_string())),
    })
}

fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}
