//! Keys of an identity provider: private keys that sign tokens, and the published key set.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jwt_compact::alg::{Ed25519, Es256, Rsa, RsaPrivateKey, SigningKey as FromBytes};
use jwt_compact::jwk::JsonWebKey;
use jwt_compact::{Algorithm, AlgorithmSignature};
use serde_json::{Value, json};

/// A private key. The same seed makes the same key.
pub enum SigningKey {
    /// `EdDSA`
    Ed25519(<Ed25519 as Algorithm>::SigningKey),
    /// `ES256`
    P256(<Es256 as Algorithm>::SigningKey),
    /// `RS256`
    Rsa(Box<RsaPrivateKey>),
}

impl SigningKey {
    /// An Ed25519 key.
    ///
    /// # Panics
    ///
    /// Never: any 32 bytes are a key.
    #[expect(clippy::expect_used, reason = "any 32 bytes are a key")]
    pub fn ed25519(seed: u8) -> Self {
        Self::Ed25519(FromBytes::<Ed25519>::from_slice(&[seed; 32]).expect("a key"))
    }

    /// A P-256 key.
    ///
    /// # Panics
    ///
    /// If the seed is 0 or 255, which are not valid keys.
    #[expect(clippy::expect_used, reason = "a test without its key has failed")]
    pub fn p256(seed: u8) -> Self {
        Self::P256(FromBytes::<Es256>::from_slice(&[seed; 32]).expect("a key"))
    }

    /// An RSA key of 2048 bits. It is stored as data, since generating one takes a debug build many seconds.
    pub fn rsa() -> Self {
        Self::rsa_from(include_str!("signing/rsa-2048-test-key.json"))
    }

    /// An RSA key of 1024 bits, which is too weak to be accepted.
    pub fn weak_rsa() -> Self {
        Self::rsa_from(include_str!("signing/rsa-1024-test-key.json"))
    }

    #[expect(clippy::expect_used, reason = "the files beside this one hold keys")]
    fn rsa_from(text: &str) -> Self {
        let jwk: JsonWebKey<'_> = serde_json::from_str(text).expect("a JSON Web Key");
        Self::Rsa(Box::new(RsaPrivateKey::try_from(&jwk).expect("an RSA key")))
    }

    /// The algorithm it signs with, as `alg` names it.
    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::Ed25519(_) => "EdDSA",
            Self::P256(_) => "ES256",
            Self::Rsa(_) => "RS256",
        }
    }

    /// The public key as an entry of a set.
    pub fn jwk(&self, kid: &str) -> Value {
        let jwk = match self {
            Self::Ed25519(key) => json!(JsonWebKey::from(&key.verifying_key())),
            Self::P256(key) => json!(JsonWebKey::from(key.verifying_key())),
            Self::Rsa(key) => json!(JsonWebKey::from(&key.to_public_key())),
        };
        let mut members = jwk.as_object().cloned().unwrap_or_default();
        for (name, value) in [("kid", kid), ("alg", self.algorithm()), ("use", "sig")] {
            members.insert(name.to_owned(), json!(value));
        }
        Value::Object(members)
    }

    /// A token with these claims, as the provider would issue it.
    pub fn token(&self, kid: &str, claims: &Value) -> String {
        self.signed(
            &json!({ "alg": self.algorithm(), "typ": "JWT", "kid": kid }),
            claims,
        )
    }

    /// A token with this header and these claims, valid or not, with a valid signature of this key.
    pub fn signed(&self, header: &Value, claims: &Value) -> String {
        let message = format!(
            "{}.{}",
            BASE64.encode(header.to_string()),
            BASE64.encode(claims.to_string())
        );
        let bytes = message.as_bytes();
        let signature = match self {
            Self::Ed25519(key) => Ed25519.sign(key, bytes).as_bytes().into_owned(),
            Self::P256(key) => Es256.sign(key, bytes).as_bytes().into_owned(),
            Self::Rsa(key) => Rsa::rs256().sign(key, bytes).as_bytes().into_owned(),
        };
        format!("{message}.{}", BASE64.encode(signature))
    }
}
