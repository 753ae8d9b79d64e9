//! Where a person gets mail.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::text::quoted;

/// One plain mail address, such as `alice@example.com`, kept as written.
///
/// It has at most 254 bytes (what fits a path of RFC 5321, section 4.5.3.1.3), one `@` with something on either side,
/// and none of the characters that would make it a list, a name with an address, a comment, a quoted local part or
/// the next SMTP command: white space, control characters and `; , < > " ( ) [ ] \ :`. Dapr's smtp binding takes `;` for
/// a list, SMTP a line break for the next command. Whether mail arrives there, only a mail can tell.
///
/// As JSON it is its text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MailAddress(String);

impl MailAddress {
    /// Longest address, in bytes.
    pub const MAX_BYTES: usize = 254;

    /// The checked text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MailAddress {
    type Err = MailAddressError;

    fn from_str(text: &str) -> Result<Self, MailAddressError> {
        let plain = text.len() <= Self::MAX_BYTES
            && !text.contains(|c: char| c.is_whitespace() || c.is_control() || ";,<>\"()[]\\:".contains(c));
        let two_sides = text
            .split_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !domain.contains('@'));
        if plain && two_sides {
            Ok(Self(text.to_owned()))
        } else {
            Err(MailAddressError { text: quoted(text) })
        }
    }
}

impl TryFrom<String> for MailAddress {
    type Error = MailAddressError;

    fn try_from(text: String) -> Result<Self, MailAddressError> {
        text.parse()
    }
}

impl From<MailAddress> for String {
    fn from(address: MailAddress) -> Self {
        address.0
    }
}

impl fmt::Display for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is not one plain mail address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not one plain mail address: give one such as alice@example.com")]
pub struct MailAddressError {
    text: String,
}

impl MailAddressError {
    /// Stable code for machines: `invalid_email`.
    pub fn code(&self) -> &'static str {
        "invalid_email"
    }
}
