//! Proof Key for Code Exchange (RFC 7636).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A code verifier: a secret of the page for one authorization request.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verifier(String);

impl Verifier {
    /// A verifier of 43 characters, from 32 random bytes (section 4.1).
    pub fn new(random: [u8; 32]) -> Self {
        Self(text(random))
    }

    /// The verifier, for the token request.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The code challenge of the method S256 (section 4.2), for the authorization request.
    pub fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(&self.0))
    }
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Verifier")
    }
}

/// 32 bytes as 43 characters that need no encoding in a URL.
pub(crate) fn text(random: [u8; 32]) -> String {
    URL_SAFE_NO_PAD.encode(random)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636, appendix B.
    #[test]
    fn the_example_of_the_standard() {
        let verifier = Verifier::new([
            116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212, 37, 77, 105,
            214, 191, 240, 91, 88, 5, 88, 83, 132, 141, 121,
        ]);
        assert_eq!(verifier.as_str(), "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(
            verifier.challenge(),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }
}
