//! The provider's metadata (OpenID Connect Discovery 1.0, section 3; RFC 8414, section 2).

use serde::Deserialize;

use crate::Error;

/// Where the provider's endpoints are.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Metadata {
    pub(crate) issuer: String,
    pub(crate) authorization_endpoint: String,
    token_endpoint: String,
    #[serde(default)]
    pub(crate) end_session_endpoint: Option<String>,
    #[serde(default)]
    revocation_endpoint: Option<String>,
    #[serde(default)]
    response_types_supported: Option<Vec<String>>,
    #[serde(default)]
    code_challenge_methods_supported: Option<Vec<String>>,
    /// RFC 9207, section 3.
    #[serde(default)]
    pub(crate) authorization_response_iss_parameter_supported: bool,
}

impl Metadata {
    /// Where the metadata of an issuer is.
    pub fn url(issuer: &str) -> String {
        format!(
            "{}/.well-known/openid-configuration",
            issuer.trim_end_matches('/')
        )
    }

    /// Reads and checks the metadata of an issuer.
    ///
    /// # Errors
    ///
    /// It is that of another issuer (section 4.3 of Discovery), an endpoint is missing or not protected by TLS, or the provider does not
    /// support the code flow with S256.
    pub fn parse(issuer: &str, text: &str) -> Result<Self, Error> {
        let metadata: Self = serde_json::from_str(text).map_err(|error| {
            Error::setup(format!(
                "{} is not the metadata of a provider: {error}; check oidc_issuer",
                Self::url(issuer)
            ))
        })?;
        if metadata.issuer != issuer {
            return Err(Error::setup(format!(
                "the provider calls itself {:?}; set oidc_issuer to exactly that",
                metadata.issuer
            )));
        }
        let endpoints = [
            ("authorization_endpoint", Some(&metadata.authorization_endpoint)),
            ("token_endpoint", Some(&metadata.token_endpoint)),
            ("end_session_endpoint", metadata.end_session_endpoint.as_ref()),
            ("revocation_endpoint", metadata.revocation_endpoint.as_ref()),
        ];
        for (name, url) in endpoints {
            if url.is_some_and(|url| origin(url).is_none()) {
                return Err(Error::setup(format!("the provider's {name} is not an https URL")));
            }
        }
        let lacks = |list: &Option<Vec<String>>, wanted: &str| {
            list.as_ref()
                .is_some_and(|list| !list.iter().any(|one| one == wanted))
        };
        if lacks(&metadata.response_types_supported, "code") {
            return Err(Error::setup(
                "the provider does not support the authorization code flow",
            ));
        }
        if lacks(&metadata.code_challenge_methods_supported, "S256") {
            return Err(Error::setup("the provider does not support PKCE with S256"));
        }
        Ok(metadata)
    }

    /// Where codes and refresh tokens are exchanged.
    pub fn token_endpoint(&self) -> &str {
        &self.token_endpoint
    }

    /// Where a refresh token is revoked, if the provider supports it (RFC 7009).
    pub fn revocation_endpoint(&self) -> Option<&str> {
        self.revocation_endpoint.as_deref()
    }
}

/// The origin of a URL that is safe for secrets: `https`, or `http` on loopback, for tests.
pub(crate) fn origin(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    };
    let plain = authority
        .chars()
        .all(|character| character.is_ascii_alphanumeric() || "-.:[]_".contains(character));
    let safe = match scheme {
        "https" => true,
        "http" => matches!(host, "localhost" | "::1") || host.starts_with("127."),
        _ => false,
    };
    let end = scheme.len() + "://".len() + authority.len();
    (safe && plain && !host.is_empty())
        .then(|| url.get(..end))
        .flatten()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use serde_json::{Value, json};

    pub(crate) const ISSUER: &str = "https://id.example.com";

    fn document() -> Value {
        json!({
            "issuer": ISSUER,
            "authorization_endpoint": "https://id.example.com/authorize",
            "token_endpoint": "https://id.example.com/token",
            "end_session_endpoint": "https://id.example.com/logout",
            "response_types_supported": ["code", "code id_token"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
            "claims_supported": ["sub"],
        })
    }

    pub(crate) fn metadata() -> Metadata {
        Metadata::parse(ISSUER, &document().to_string()).unwrap()
    }

    fn refused(name: &str, value: Value) -> String {
        let mut document = document();
        document[name] = value;
        Metadata::parse(ISSUER, &document.to_string())
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn the_metadata_of_the_issuer_is_accepted() {
        assert_eq!(metadata().token_endpoint(), "https://id.example.com/token");
        let few = json!({ "issuer": ISSUER, "authorization_endpoint": "https://a.example", "token_endpoint": "http://127.0.0.1:9/t" });
        Metadata::parse(ISSUER, &few.to_string()).unwrap();
    }

    #[test]
    fn other_metadata_is_refused_with_what_to_change() {
        for (name, value, words) in [
            (
                "issuer",
                json!("https://id.example.com/"),
                "set oidc_issuer to exactly that",
            ),
            ("issuer", json!("https://evil.example"), "https://evil.example"),
            ("issuer", json!(7), "check oidc_issuer"),
            (
                "token_endpoint",
                json!("http://id.example.com/token"),
                "token_endpoint is not an https URL",
            ),
            (
                "authorization_endpoint",
                json!("javascript:alert(1)"),
                "authorization_endpoint",
            ),
            (
                "end_session_endpoint",
                json!("javascript://https://x"),
                "end_session_endpoint",
            ),
            ("response_types_supported", json!(["id_token"]), "code flow"),
            ("code_challenge_methods_supported", json!(["plain"]), "S256"),
        ] {
            let error = refused(name, value.clone());
            assert!(error.contains(words), "{name} {value}: {error}");
        }
        assert!(
            Metadata::parse(ISSUER, "<html>")
                .unwrap_err()
                .to_string()
                .contains("oidc_issuer")
        );
    }

    #[test]
    fn the_url_of_the_metadata_follows_the_path_of_the_issuer() {
        for issuer in ["https://a.example/realms/x", "https://a.example/realms/x/"] {
            assert_eq!(
                Metadata::url(issuer),
                "https://a.example/realms/x/.well-known/openid-configuration"
            );
        }
    }

    #[test]
    fn an_origin_is_https_or_loopback() {
        for (url, expected) in [
            (
                "https://id.example.com/realms/x?y#z",
                Some("https://id.example.com"),
            ),
            ("https://id.example.com:8443", Some("https://id.example.com:8443")),
            ("http://127.0.0.1:9000/x", Some("http://127.0.0.1:9000")),
            ("http://[::1]:9000/x", Some("http://[::1]:9000")),
            ("http://localhost/x", Some("http://localhost")),
            ("http://id.example.com", None),
            ("http://localhost.example.com", None),
            ("https://user@id.example.com/", None),
            ("https://a.example;script-src *", None),
            ("https:///x", None),
            ("ftp://a.example", None),
            ("id.example.com", None),
        ] {
            assert_eq!(origin(url), expected, "{url}");
        }
    }
}
