//! The authorization request and its response (OpenID Connect Core 1.0, section 3.1.2).

use serde::{Deserialize, Serialize};

use crate::error::of_query;
use crate::form;
use crate::metadata::Metadata;
use crate::pkce::text;
use crate::{Error, Verifier};

/// How long a user may take to sign in, in seconds. A provider's own limit is usually shorter.
const MAX_AGE: i64 = 3_600;

/// This application at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// The issuer identifier of the provider.
    pub issuer: String,
    /// The id of the application.
    pub client_id: String,
    /// The scopes, separated by spaces; with `openid`.
    pub scope: String,
    /// For which API the access token is: an identifier of the provider, or a URI (RFC 8707).
    pub audience: Option<String>,
    /// Where the provider sends the user back to.
    pub redirect_uri: String,
}

/// Whether the provider may ask the user something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Prompt {
    /// It asks what it needs to.
    Login,
    /// It asks nothing, and answers with an error if it would have to.
    None,
}

/// A request whose response is awaited. It is stored while the browser is at the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    issuer: String,
    state: String,
    nonce: String,
    verifier: Verifier,
    prompt: Prompt,
    address: String,
    began: i64,
}

/// The response of the provider: the query of the redirect URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    state: String,
    code: Option<String>,
    issuer: Option<String>,
    error: Option<Error>,
}

impl Client {
    /// The scopes that are asked for. Without `prompt=consent`, some providers ignore `offline_access`; they are not asked for it again.
    pub fn authorization_url(&self, metadata: &Metadata, pending: &Pending) -> String {
        let audience = self.audience.as_deref().unwrap_or_default();
        let challenge = pending.verifier.challenge();
        let prompt = match pending.prompt {
            Prompt::Login => "",
            Prompt::None => "none",
        };
        form::add(
            &metadata.authorization_endpoint,
            &[
                ("response_type", "code"),
                ("client_id", &self.client_id),
                ("redirect_uri", &self.redirect_uri),
                ("scope", &self.scope),
                ("state", &pending.state),
                ("nonce", &pending.nonce),
                ("code_challenge", &challenge),
                ("code_challenge_method", "S256"),
                ("prompt", prompt),
                ("resource", self.resource()),
                ("audience", audience),
            ],
        )
    }

    /// The audience, if it can be a resource of RFC 8707: an absolute URI without a fragment.
    pub(crate) fn resource(&self) -> &str {
        self.audience
            .as_deref()
            .filter(|audience| audience.contains(':') && !audience.contains('#'))
            .unwrap_or_default()
    }
}

impl Pending {
    /// A request, from three times 32 random bytes. `address` is what the page shows afterwards; `now` is in seconds since 1970.
    pub fn new(client: &Client, random: [[u8; 32]; 3], prompt: Prompt, address: &str, now: i64) -> Self {
        let [state, nonce, verifier] = random;
        Self {
            issuer: client.issuer.clone(),
            state: text(state),
            nonce: text(nonce),
            verifier: Verifier::new(verifier),
            prompt,
            address: address.to_owned(),
            began: now,
        }
    }

    /// Identifies the request.
    pub fn state(&self) -> &str {
        &self.state
    }

    /// Whether the provider may ask the user something.
    pub fn prompt(&self) -> Prompt {
        self.prompt
    }

    /// What the page shows afterwards: a path with its query.
    pub fn address(&self) -> &str {
        // Not another site, even if another script of this origin wrote it.
        match self.address.starts_with('/') && !self.address.starts_with("//") {
            true => &self.address,
            false => "/",
        }
    }

    pub(crate) fn nonce(&self) -> &str {
        &self.nonce
    }

    pub(crate) fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// The code of the response to this request.
    ///
    /// # Errors
    ///
    /// The response is that of another request or of another provider (RFC 9207, section 2.4), or it is an error.
    pub fn accept(&self, callback: Callback, metadata: &Metadata, now: i64) -> Result<String, Error> {
        let age = now.saturating_sub(self.began);
        if callback.state != self.state || self.issuer != metadata.issuer || !(0..=MAX_AGE).contains(&age) {
            return Err(Error::UnknownState);
        }
        match &callback.issuer {
            Some(issuer) if *issuer != metadata.issuer => return Err(Error::UnknownState),
            None if metadata.authorization_response_iss_parameter_supported => {
                return Err(Error::UnknownState);
            }
            _ => {}
        }
        match (callback.error, callback.code) {
            (Some(error), _) => Err(error),
            (None, Some(code)) => Ok(code),
            (None, None) => Err(Error::setup("the provider answered neither a code nor an error")),
        }
    }
}

impl Callback {
    /// Reads the query of the page's address, without the `?`. `None` if it is not a response of a provider.
    pub fn parse(query: &str) -> Option<Self> {
        let mut callback = Self {
            state: String::new(),
            code: None,
            issuer: None,
            error: of_query(query),
        };
        for (name, value) in form::read(query) {
            match name.as_str() {
                "state" => callback.state = value,
                "code" => callback.code = Some(value),
                "iss" => callback.issuer = Some(value),
                _ => {}
            }
        }
        let response = callback.code.is_some() || callback.error.is_some();
        (!callback.state.is_empty() && response).then_some(callback)
    }

    /// Identifies the request that this responds to.
    pub fn state(&self) -> &str {
        &self.state
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::metadata::tests::{ISSUER, metadata};

    pub(crate) const NOW: i64 = 1_795_262_400;

    pub(crate) fn client() -> Client {
        Client {
            issuer: ISSUER.to_owned(),
            client_id: "page".to_owned(),
            scope: "openid offline_access".to_owned(),
            audience: Some("https://nudge.example.com/api".to_owned()),
            redirect_uri: "https://nudge.example.com/".to_owned(),
        }
    }

    pub(crate) fn pending(prompt: Prompt) -> Pending {
        Pending::new(
            &client(),
            [[1; 32], [2; 32], [3; 32]],
            prompt,
            "/all?sort=due",
            NOW,
        )
    }

    fn answer(query: &str) -> Result<String, Error> {
        let pending = pending(Prompt::Login);
        let query = query.replace("STATE", pending.state());
        pending.accept(Callback::parse(&query).unwrap(), &metadata(), NOW + 60)
    }

    #[test]
    fn the_request_has_all_that_protects_it() {
        let url = client().authorization_url(&metadata(), &pending(Prompt::None));
        let (endpoint, query) = url.split_once('?').unwrap();
        assert_eq!(endpoint, "https://id.example.com/authorize");
        let parameters: std::collections::BTreeMap<_, _> = form::read(query).collect();
        let pending = pending(Prompt::None);
        for (name, value) in [
            ("response_type", "code"),
            ("client_id", "page"),
            ("redirect_uri", "https://nudge.example.com/"),
            ("scope", "openid offline_access"),
            ("state", pending.state()),
            ("nonce", pending.nonce()),
            ("code_challenge", &pending.verifier().challenge()),
            ("code_challenge_method", "S256"),
            ("prompt", "none"),
            ("resource", "https://nudge.example.com/api"),
            ("audience", "https://nudge.example.com/api"),
        ] {
            assert_eq!(parameters.get(name).map(String::as_str), Some(value), "{name}");
        }
        assert!(!url.contains(pending.verifier().as_str()));
    }

    #[test]
    fn an_audience_that_is_no_uri_is_not_a_resource() {
        let mut client = client();
        client.audience = Some("nudge".to_owned());
        let url = client.authorization_url(&metadata(), &pending(Prompt::Login));
        assert!(
            url.contains("audience=nudge") && !url.contains("resource="),
            "{url}"
        );
        assert!(!url.contains("prompt="), "{url}");
    }

    #[test]
    fn the_code_of_the_request_is_accepted() {
        assert_eq!(
            answer("code=a%2Fb&state=STATE&iss=https%3A%2F%2Fid.example.com"),
            Ok("a/b".to_owned())
        );
    }

    #[test]
    fn the_response_of_another_is_refused() {
        for query in [
            "code=a&state=other&iss=https://id.example.com",
            "code=a&state=STATE&iss=https://evil.example",
            // The provider says in its metadata that it names itself.
            "code=a&state=STATE",
            "error=access_denied&state=other&iss=https://id.example.com",
        ] {
            assert_eq!(answer(query), Err(Error::UnknownState), "{query}");
        }
        let callback = Callback::parse(&format!("code=a&state={}", pending(Prompt::Login).state())).unwrap();
        let mut silent = metadata();
        silent.authorization_response_iss_parameter_supported = false;
        let accept = |at| pending(Prompt::Login).accept(callback.clone(), &silent, at);
        assert_eq!(accept(NOW + 3_600), Ok("a".to_owned()));
        assert_eq!(accept(NOW + 3_601), Err(Error::UnknownState));
    }

    #[test]
    fn an_error_is_said() {
        assert_eq!(
            answer("error=login_required&state=STATE&iss=https://id.example.com"),
            Err(Error::LoginRequired)
        );
        assert_eq!(
            answer("error=access_denied&state=STATE&iss=https://id.example.com&code=a"),
            Err(Error::Cancelled)
        );
    }

    #[test]
    fn other_queries_are_not_responses() {
        for query in ["", "sort=due&task=7", "code=a", "state=a", "q=code"] {
            assert_eq!(Callback::parse(query), None, "{query}");
        }
    }

    #[test]
    fn the_address_afterwards_is_on_this_site() {
        for (address, shown) in [
            ("/all?sort=due", "/all?sort=due"),
            ("//evil.example", "/"),
            ("https://evil.example", "/"),
            ("", "/"),
        ] {
            let pending = Pending::new(&client(), [[1; 32]; 3], Prompt::Login, address, NOW);
            assert_eq!(pending.address(), shown, "{address}");
        }
    }

    #[test]
    fn a_pending_request_survives_its_storage() {
        let pending = pending(Prompt::None);
        let text = serde_json::to_string(&pending).unwrap();
        assert_eq!(serde_json::from_str::<Pending>(&text).unwrap(), pending);
    }
}
