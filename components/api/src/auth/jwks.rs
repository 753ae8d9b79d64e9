//! The keys of a JSON Web Key Set (RFC 7517) that tokens can be checked with.
//!
//! A key is used if it is public, strong and meant for signatures; each is for one algorithm (RFC 8725, section 3.1).
//! Other keys are ignored, as RFC 7517, section 5, requires: sets contain keys for encryption, too.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_compact::Algorithm;
use jwt_compact::alg::{Ed25519, Es256, RsaPublicKey};
use jwt_compact::jwk::JsonWebKey;
use serde::Deserialize;
use serde_json::Value;

/// Maximum number of keys per set: real sets have two or three.
const MAX_KEYS: usize = 100;

/// RFC 7518, section 3.3: 2048 bits or more. More than 4096 bits are slow and not accepted.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// A key that can check signatures.
pub(super) enum PublicKey {
    /// `EdDSA` (RFC 8037)
    Ed25519(<Ed25519 as Algorithm>::VerifyingKey),
    /// `ES256` (RFC 7518, section 3.4)
    P256(<Es256 as Algorithm>::VerifyingKey),
    /// `RS256` (RFC 7518, section 3.3)
    Rsa(RsaPublicKey),
}

impl PublicKey {
    /// The only algorithm of this key, as in `alg`.
    pub(super) fn algorithm(&self) -> &'static str {
        match self {
            Self::Ed25519(_) => "EdDSA",
            Self::P256(_) => "ES256",
            Self::Rsa(_) => "RS256",
        }
    }
}

struct Named {
    kid: Option<String>,
    key: PublicKey,
}

/// The usable keys of a set.
pub(super) struct KeySet {
    keys: Vec<Named>,
    left_out: Vec<String>,
}

/// A key of the set. Other members are ignored (RFC 7517, section 4).
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    alg: Option<String>,
    #[serde(default, rename = "use")]
    usage: Option<String>,
    #[serde(default)]
    key_ops: Option<Vec<String>>,
    #[serde(default)]
    crv: Option<String>,
    #[serde(default)]
    x: Option<String>,
    #[serde(default)]
    y: Option<String>,
    #[serde(default)]
    n: Option<String>,
    #[serde(default)]
    e: Option<String>,
    #[serde(default)]
    d: Option<Value>,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl KeySet {
    /// Reads a set. It is refused as a whole only if it is not a set or has too many keys.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let document: Document =
            serde_json::from_str(text).map_err(|error| format!("it is not a JSON Web Key Set: {error}"))?;
        if document.keys.len() > MAX_KEYS {
            return Err(format!(
                "it has {} keys, at most {MAX_KEYS} are accepted",
                document.keys.len()
            ));
        }
        let (mut keys, mut left_out) = (Vec::new(), Vec::new());
        for (index, value) in document.keys.into_iter().enumerate() {
            match serde_json::from_value::<Jwk>(value) {
                Ok(jwk) => match jwk.read() {
                    Ok(key) => keys.push(Named { kid: jwk.kid, key }),
                    Err(reason) => left_out.push(format!("key {index}, kid {:?}: {reason}", jwk.kid)),
                },
                Err(error) => left_out.push(format!("key {index}: {error}")),
            }
        }
        Ok(Self { keys, left_out })
    }

    /// The ignored keys, with the reasons, for the log.
    pub(super) fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// The one key with this `kid` and algorithm; without a `kid`, the one key of that algorithm. None if there are
    /// several, since the choice would be ambiguous.
    pub(super) fn find(&self, kid: Option<&str>, algorithm: &str) -> Option<&PublicKey> {
        let mut matching = self.keys.iter().filter(|named| {
            named.key.algorithm() == algorithm && kid.is_none_or(|kid| named.kid.as_deref() == Some(kid))
        });
        let first = matching.next()?;
        matching.next().is_none().then_some(&first.key)
    }
}

impl Jwk {
    fn read(&self) -> Result<PublicKey, String> {
        if self.d.is_some() {
            return Err("its private part is published, so anyone can sign with it".to_owned());
        }
        let curve = self.crv.as_deref();
        let key = match (self.kty.as_str(), curve) {
            ("OKP", Some("Ed25519")) => self.ed25519()?,
            ("EC", Some("P-256")) => self.p256()?,
            ("RSA", _) => self.rsa()?,
            (kty, _) => {
                return Err(format!(
                    "keys of type {kty} ({}) are not accepted",
                    curve.unwrap_or("no curve")
                ));
            }
        };
        let algorithm = key.algorithm();
        match &self.alg {
            Some(named) if named != algorithm => return Err(format!("it is for {named}, not {algorithm}")),
            _ => {}
        }
        if self.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return Err("its use is not sig".to_owned());
        }
        match &self.key_ops {
            Some(operations) if !operations.iter().any(|operation| operation == "verify") => {
                Err("its key_ops have no verify".to_owned())
            }
            _ => Ok(key),
        }
    }

    fn ed25519(&self) -> Result<PublicKey, String> {
        let jwk = JsonWebKey::KeyPair {
            curve: "Ed25519".into(),
            x: bytes("x", &self.x)?.into(),
            secret: None,
        };
        let key = <Ed25519 as Algorithm>::VerifyingKey::try_from(&jwk).map_err(|error| error.to_string())?;
        // With a point of small order, signatures can be valid without any private key.
        if key.is_weak() {
            return Err("it is a weak Ed25519 key".to_owned());
        }
        Ok(PublicKey::Ed25519(key))
    }

    fn p256(&self) -> Result<PublicKey, String> {
        let jwk = JsonWebKey::EllipticCurve {
            curve: "P-256".into(),
            x: bytes("x", &self.x)?.into(),
            y: bytes("y", &self.y)?.into(),
            secret: None,
        };
        <Es256 as Algorithm>::VerifyingKey::try_from(&jwk)
            .map(PublicKey::P256)
            .map_err(|error| error.to_string())
    }

    fn rsa(&self) -> Result<PublicKey, String> {
        let (modulus, exponent) = (bytes("n", &self.n)?, bytes("e", &self.e)?);
        let bits = bit_length(&modulus);
        if !RSA_BITS.contains(&bits) {
            return Err(format!(
                "an RSA key has {} to {} bits, this one {bits}",
                RSA_BITS.start(),
                RSA_BITS.end()
            ));
        }
        // An even number is neither a product of two odd primes nor an invertible exponent.
        let odd = |number: &[u8]| number.last().is_some_and(|byte| byte % 2 == 1);
        if !odd(&modulus) || !odd(&exponent) || bit_length(&exponent) < 2 {
            return Err("it is not a valid RSA key: check n and e".to_owned());
        }
        let jwk = JsonWebKey::Rsa {
            modulus: modulus.into(),
            public_exponent: exponent.into(),
            private_parts: None,
        };
        RsaPublicKey::try_from(&jwk)
            .map(PublicKey::Rsa)
            .map_err(|error| error.to_string())
    }
}

fn bytes(name: &str, text: &Option<String>) -> Result<Vec<u8>, String> {
    let text = text.as_deref().ok_or_else(|| format!("it has no {name}"))?;
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|error| format!("its {name} is not base64url: {error}"))
}

/// Bits of a number, most significant byte first.
fn bit_length(number: &[u8]) -> usize {
    let mut significant = number.iter().skip_while(|byte| **byte == 0);
    match significant.next() {
        Some(first) => significant.count() * 8 + (8 - first.leading_zeros() as usize),
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The Ed25519 key of RFC 8037, appendix A.2.
    fn ed25519() -> Value {
        json!({ "kty": "OKP", "crv": "Ed25519", "kid": "a", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" })
    }

    /// The P-256 key of RFC 7515, appendix A.3.
    fn p256() -> Value {
        json!({
            "kty": "EC", "crv": "P-256", "kid": "a",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        })
    }

    /// An RSA key of that many bytes.
    fn rsa(bytes: usize) -> Value {
        let modulus: Vec<u8> = (0..bytes)
            .map(|index| if index == 0 { 0x80 } else { 0xfb })
            .collect();
        json!({ "kty": "RSA", "kid": "a", "n": URL_SAFE_NO_PAD.encode(modulus), "e": "AQAB" })
    }

    fn set(keys: &[Value]) -> KeySet {
        KeySet::parse(&json!({ "keys": keys }).to_string()).unwrap()
    }

    fn with(mut key: Value, name: &str, value: Value) -> Value {
        key[name] = value;
        key
    }

    #[test]
    fn a_key_is_found_by_kid_and_algorithm() {
        let keys = set(&[ed25519(), p256(), rsa(256)]);
        for algorithm in ["EdDSA", "ES256", "RS256"] {
            assert_eq!(
                keys.find(Some("a"), algorithm).map(PublicKey::algorithm),
                Some(algorithm)
            );
            assert!(
                keys.find(None, algorithm).is_some(),
                "{algorithm}: it is the only one"
            );
            assert!(keys.find(Some("b"), algorithm).is_none());
        }
        for algorithm in ["HS256", "RS384", "none", ""] {
            assert!(keys.find(Some("a"), algorithm).is_none(), "{algorithm}");
        }
    }

    #[test]
    fn of_two_keys_that_could_be_meant_none_is() {
        let keys = set(&[ed25519(), with(ed25519(), "kid", json!("b"))]);
        assert!(keys.find(Some("b"), "EdDSA").is_some());
        assert!(keys.find(None, "EdDSA").is_none());
        assert!(set(&[ed25519(), ed25519()]).find(Some("a"), "EdDSA").is_none());
    }

    #[test]
    fn a_key_that_does_not_count_is_left_out_and_the_others_stay() {
        for (why, key) in [
            (
                "a symmetric key",
                json!({ "kty": "oct", "kid": "a", "k": "c2VjcmV0" }),
            ),
            ("a published private key", with(ed25519(), "d", json!("x"))),
            ("another algorithm", with(ed25519(), "alg", json!("ES256"))),
            ("RSA with another hash", with(rsa(256), "alg", json!("RS512"))),
            ("for encryption", with(rsa(256), "use", json!("enc"))),
            ("for signing only", with(ed25519(), "key_ops", json!(["sign"]))),
            ("another curve", with(ed25519(), "crv", json!("X25519"))),
            ("an Edwards curve of type EC", with(ed25519(), "kty", json!("EC"))),
            ("a P-256 point of type OKP", with(p256(), "kty", json!("OKP"))),
            ("a short point", with(ed25519(), "x", json!("11qYAYKx"))),
            (
                "a point of small order",
                with(
                    ed25519(),
                    "x",
                    json!("AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
                ),
            ),
            (
                "a point that is not on the curve",
                with(p256(), "y", json!("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU")),
            ),
            ("no base64url", with(ed25519(), "x", json!("+/+/"))),
            ("a weak RSA key", rsa(255)),
            ("a huge RSA key", rsa(513)),
            (
                "an even modulus",
                with(rsa(256), "n", json!(URL_SAFE_NO_PAD.encode([0x80; 256]))),
            ),
            ("an exponent of 1", with(rsa(256), "e", json!("AQ"))),
            ("no exponent", with(rsa(256), "e", Value::Null)),
            ("no key", json!("key")),
        ] {
            let keys = set(&[key, with(ed25519(), "kid", json!("good"))]);
            assert_eq!((keys.keys.len(), keys.left_out().len()), (1, 1), "{why}");
            assert!(keys.find(Some("good"), "EdDSA").is_some(), "{why}");
        }
    }

    #[test]
    fn a_key_may_say_what_it_is_for() {
        let key = with(
            with(
                with(ed25519(), "alg", json!("EdDSA")),
                "key_ops",
                json!(["verify"]),
            ),
            "use",
            json!("sig"),
        );
        assert!(set(&[key]).find(Some("a"), "EdDSA").is_some());
        assert!(set(&[rsa(512)]).find(Some("a"), "RS256").is_some());
    }

    #[test]
    fn what_is_no_set_is_refused_as_a_whole() {
        for text in ["", "[]", "{}", r#"{"keys":{}}"#] {
            assert!(KeySet::parse(text).is_err(), "{text}");
        }
        let many = json!({ "keys": vec![ed25519(); MAX_KEYS + 1] });
        assert!(KeySet::parse(&many.to_string()).is_err());
    }

    #[test]
    fn the_length_of_a_number_does_not_count_leading_zeros() {
        for (number, bits) in [
            (&[][..], 0),
            (&[0, 0], 0),
            (&[1], 1),
            (&[0, 0xff], 8),
            (&[1, 0], 9),
        ] {
            assert_eq!(bit_length(number), bits, "{number:?}");
        }
    }
}
