//! A JSON Web Token before its signature is checked, and the check of its header and signature.

use jwt_compact::alg::{Ed25519, Es256, Hs256, Hs256Key, Rsa};
use jwt_compact::{Algorithm, AlgorithmExt, UntrustedToken, ValidationError};
use nudge_component::Problem;
use serde::de::{Deserialize, Deserializer, IgnoredAny};

use super::claims::Claims;
use super::jwks::PublicKey;
use super::refusal::refuse;

/// Maximum length of a token, in bytes. Longer ones are refused unread.
const LONGEST: usize = 8 * 1024;

/// Accepted types of tokens (RFC 8725, section 3.11): those of OpenID Connect and RFC 9068. Tokens of other types, such as logout
/// tokens, are not meant to give access.
const TYPES: [&str; 2] = ["jwt", "at+jwt"];

/// Members of the header that the library does not know. `jwk`, `jku`, `x5u` and `x5c` are not among them: a token must not
/// bring its own key.
#[derive(Debug, Clone, serde::Deserialize)]
struct Extensions {
    #[serde(default)]
    crit: Given,
}

/// Whether a member is present, whatever its value.
#[derive(Debug, Clone, Default)]
struct Given(bool);

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self(true))
    }
}

/// A token whose signature is not checked yet.
pub(super) struct Unchecked<'a>(UntrustedToken<'a, Extensions>);

impl<'a> Unchecked<'a> {
    /// Parses a token. 401 if it is malformed, or has critical extensions.
    pub(super) fn read(token: &'a str) -> Result<Self, Problem> {
        if token.len() > LONGEST {
            return Err(refuse(format!("is longer than {} KiB", LONGEST / 1024)));
        }
        let token: UntrustedToken<'_, Extensions> =
            UntrustedToken::try_from(token).map_err(|error| refuse("is not a JWT").logged(error))?;
        let header = token.header();
        // RFC 7515, section 4.1.11: unknown critical extensions must be refused, and none is known here.
        if header.other_fields.crit.0 {
            return Err(refuse("has a crit header, which is not accepted"));
        }
        if let Some(kind) = &header.token_type {
            let kind = kind.to_ascii_lowercase();
            if !TYPES.contains(&kind.strip_prefix("application/").unwrap_or(&kind)) {
                return Err(refuse("is of another type than JWT (typ)"));
            }
        }
        Ok(Self(token))
    }

    /// Its `alg`, which is only compared.
    pub(super) fn algorithm(&self) -> &str {
        self.0.algorithm()
    }

    /// Its `kid`.
    pub(super) fn key_id(&self) -> Option<&str> {
        self.0.header().key_id.as_deref()
    }

    /// Its claims, if it is signed with HS256 and this secret.
    pub(super) fn signed_with_secret(&self, key: &Hs256Key) -> Result<Claims, Problem> {
        self.signed(&Hs256, key)
    }

    /// Its claims, if it is signed with this key. The algorithm is the key's, whatever the header says.
    pub(super) fn signed_with(&self, key: &PublicKey) -> Result<Claims, Problem> {
        match key {
            PublicKey::Ed25519(key) => self.signed(&Ed25519, key),
            PublicKey::P256(key) => self.signed(&Es256, key),
            PublicKey::Rsa(key) => self.signed(&Rsa::rs256(), key),
        }
    }

    fn signed<A: Algorithm>(&self, algorithm: &A, key: &A::VerifyingKey) -> Result<Claims, Problem> {
        let token = algorithm
            .validator(key)
            .validate(&self.0)
            .map_err(|error| match error {
                ValidationError::MalformedClaims(_) => {
                    refuse("lacks a claim, or has one of another type").logged(error)
                }
                error => refuse("is not signed with a key of this server").logged(error),
            })?;
        Ok(Claims::new(token.claims()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

    fn read(header: &str) -> Result<(), String> {
        let token = format!("{}.e30.AAAA", BASE64.encode(header));
        Unchecked::read(&token)
            .map(drop)
            .map_err(|problem| problem.detail().to_owned())
    }

    #[test]
    fn a_critical_extension_is_refused_whatever_it_is() {
        for crit in [r#"["b64"]"#, r#"["exp"]"#, "[]", "null", "1"] {
            let detail = read(&format!(r#"{{"alg":"EdDSA","crit":{crit}}}"#)).unwrap_err();
            assert!(detail.contains("crit"), "{crit}: {detail}");
        }
    }

    #[test]
    fn a_token_of_another_type_is_refused() {
        for kind in ["JWT", "jwt", "at+jwt", "application/at+jwt"] {
            assert_eq!(
                read(&format!(r#"{{"alg":"EdDSA","typ":"{kind}"}}"#)),
                Ok(()),
                "{kind}"
            );
        }
        assert_eq!(read(r#"{"alg":"EdDSA"}"#), Ok(()));
        for kind in ["logout+jwt", "dpop+jwt", "secevent+jwt", ""] {
            let detail = read(&format!(r#"{{"alg":"EdDSA","typ":"{kind}"}}"#)).unwrap_err();
            assert!(detail.contains("typ"), "{kind}: {detail}");
        }
    }

    #[test]
    fn a_key_in_the_token_changes_nothing() {
        let header = r#"{"alg":"EdDSA","kid":"a","jwk":{"kty":"oct","k":"AAAA"},"jku":"https://example.com","x5u":"https://example.com","x5c":["AAAA"]}"#;
        assert_eq!(read(header), Ok(()));
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for token in [
            "",
            ".",
            "..",
            "a.b",
            "e30.e30.",
            "e30.e30.AAAA",
            "e30.e30.AAAA.AAAA",
        ] {
            assert!(Unchecked::read(token).is_err(), "{token}");
        }
        for header in [
            "",
            "[]",
            r#"{"alg":1}"#,
            r#"{"alg":"EdDSA","alg":"none"}"#,
            r#"{"alg":"EdDSA","kid":1}"#,
        ] {
            assert!(read(header).is_err(), "{header}");
        }
    }

    #[test]
    fn a_token_over_the_limit_is_not_read() {
        let token = "a".repeat(LONGEST + 1);
        let problem = Unchecked::read(&token).err().unwrap();
        assert!(problem.detail().contains("8 KiB"), "{}", problem.detail());
        let problem = Unchecked::read(&token[1..]).err().unwrap();
        assert!(
            problem.detail().contains("not a JWT"),
            "the limit itself is not over it"
        );
    }
}
