//! Email addresses.

use std::fmt;
use std::str::FromStr;

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use serde::{Deserialize, Serialize};

use crate::characters::is_invisible;
use crate::text::quoted;

/// One plain email address, such as `alice@example.com`.
///
/// The part before the `@` is a dot-atom of RFC 5322, section 3.2.3, of at most 64 octets. It is ASCII: Dapr's smtp binding
/// has no SMTPUTF8 (RFC 6531). Quoted local parts are not supported. The part after it is a domain name (RFC 5321, section
/// 4.1.2): one or more labels of at most 63 octets, made of letters, digits and hyphens. Address literals, a trailing dot and
/// a last label of digits only, which would be an IP address, are refused. Other letters are converted by UTS 46,
/// non-transitional. The whole address has at most 254 octets as it is sent (what fits a path of RFC 5321, section
/// 4.5.3.1.3). Whether the address accepts email is not checked.
///
/// It is stored, displayed and written to JSON as it was given; [`MailAddress::to_ascii`] is the form for sending.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MailAddress {
    written: String,
    /// The form for sending, if it differs.
    sent: Option<String>,
}

impl MailAddress {
    /// Maximum length of an address, in octets of the form for sending.
    pub const MAX_BYTES: usize = 254;

    /// Maximum length of the part before the `@`, in octets.
    pub const MAX_LOCAL_BYTES: usize = 64;

    /// Maximum length of a label of the domain, in octets of the form for sending.
    pub const MAX_LABEL_BYTES: usize = 63;

    /// The checked text, as written.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// The form for sending, by SMTP without extensions: `user@bücher.example` is `user@xn--bcher-kva.example`.
    pub fn to_ascii(&self) -> &str {
        self.sent.as_deref().unwrap_or(&self.written)
    }
}

impl FromStr for MailAddress {
    type Err = MailAddressError;

    fn from_str(text: &str) -> Result<Self, MailAddressError> {
        match checked(text) {
            Ok(sent) => Ok(Self {
                written: text.to_owned(),
                sent,
            }),
            Err(fault) => Err(MailAddressError {
                text: quoted(text),
                fault,
            }),
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
        address.written
    }
}

impl fmt::Display for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

/// The form for sending, if it differs from the address as written.
fn checked(text: &str) -> Result<Option<String>, Fault> {
    if text.is_empty() {
        return Err(Fault::Empty);
    }
    if text.chars().count() > MailAddress::MAX_BYTES {
        return Err(Fault::TooLong);
    }
    if let Some(hidden) = text.chars().find(|&c| c.is_control() || is_invisible(c)) {
        return Err(Fault::Invisible(hidden));
    }
    if text.contains(char::is_whitespace) {
        return Err(Fault::Space);
    }
    if text.contains(['<', '>']) {
        return Err(Fault::Brackets);
    }
    if text.contains([',', ';']) {
        return Err(Fault::Several);
    }
    let (local, domain) = text.split_once('@').ok_or(Fault::NoAt)?;
    check_local(local)?;
    if domain.contains('@') {
        return Err(Fault::Several);
    }
    let sent = domain_in_ascii(domain)?.map(|domain| format!("{local}@{domain}"));
    if sent.as_deref().unwrap_or(text).len() > MailAddress::MAX_BYTES {
        return Err(Fault::TooLong);
    }
    Ok(sent)
}

/// A dot-atom (RFC 5322, section 3.2.3), in ASCII.
fn check_local(local: &str) -> Result<(), Fault> {
    if local.is_empty() {
        return Err(Fault::NoLocal);
    }
    for character in local.chars() {
        match character {
            '"' => return Err(Fault::Quoted),
            '(' | ')' => return Err(Fault::Comment),
            '.' | '!' | '#'..='\'' | '*' | '+' | '-' | '/' | '=' | '?' | '^'..='`' | '{'..='~' => {}
            other if other.is_ascii_alphanumeric() => {}
            other if other.is_ascii() => return Err(Fault::LocalCharacter(other)),
            other => return Err(Fault::LocalNotAscii(other)),
        }
    }
    if local.split('.').any(str::is_empty) {
        return Err(Fault::LocalDots);
    }
    if local.len() > MailAddress::MAX_LOCAL_BYTES {
        return Err(Fault::LocalTooLong);
    }
    Ok(())
}

/// The domain in ASCII, if it was written differently. A domain in ASCII is sent as written, except for labels that begin
/// with `xn--`: those are checked, and sent in lower case.
fn domain_in_ascii(domain: &str) -> Result<Option<String>, Fault> {
    if domain.is_empty() {
        return Err(Fault::NoDomain);
    }
    for character in domain.chars() {
        match character {
            '[' | ']' | ':' => return Err(Fault::Literal),
            '(' | ')' => return Err(Fault::Comment),
            '.' | '-' => {}
            other if other.is_ascii_alphanumeric() || !other.is_ascii() => {}
            other => return Err(Fault::DomainCharacter(other)),
        }
    }
    let encoded = |label: &str| {
        label
            .get(..4)
            .is_some_and(|start| start.eq_ignore_ascii_case("xn--"))
    };
    if domain.is_ascii() && !domain.split('.').any(encoded) {
        check_labels(domain)?;
        return Ok(None);
    }
    let hyphen = |label: &str| label.starts_with('-') || label.ends_with('-');
    if domain
        .split(['.', '\u{3002}', '\u{ff0e}', '\u{ff61}'])
        .any(hyphen)
    {
        return Err(Fault::LabelHyphen);
    }
    let ascii = Uts46::new()
        .to_ascii(
            domain.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::CheckFirstLast,
            DnsLength::Ignore,
        )
        .map_err(|_| Fault::NotInternational)?;
    // Normalization may compose forbidden characters, so the result is checked again.
    check_labels(&ascii)?;
    Ok((ascii != domain).then(|| ascii.into_owned()))
}

fn check_labels(domain: &str) -> Result<(), Fault> {
    for label in domain.split('.') {
        if label.is_empty() {
            return Err(Fault::DomainDots);
        }
        if label.len() > MailAddress::MAX_LABEL_BYTES {
            return Err(Fault::LabelTooLong);
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err(Fault::LabelHyphen);
        }
    }
    let last = domain.rsplit('.').next().unwrap_or_default();
    if last.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Fault::Number);
    }
    Ok(())
}

/// The text is not one plain email address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an address that email can be sent to: {fault}")]
pub struct MailAddressError {
    text: String,
    fault: Fault,
}

impl MailAddressError {
    /// Stable code for programs: `invalid_email`.
    pub fn code(&self) -> &'static str {
        "invalid_email"
    }

    /// What is wrong and how to fix it, without the address, for places that must not contain one.
    pub fn reason(&self) -> String {
        self.fault.to_string()
    }
}

/// What is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Fault {
    #[error("it is empty; give one such as alice@example.com")]
    Empty,
    #[error("it has no @; give one such as alice@example.com")]
    NoAt,
    #[error("it looks like more than one; give a single address such as alice@example.com")]
    Several,
    #[error("give the address alone, such as alice@example.com, without a name and without < and >")]
    Brackets,
    #[error("it contains white space; remove it")]
    Space,
    #[error("it contains the invisible character {}; remove it", code_point(.0))]
    Invisible(char),
    #[error("it contains a comment in parentheses; remove it")]
    Comment,
    #[error("it has more than {} octets; give a shorter one", MailAddress::MAX_BYTES)]
    TooLong,
    #[error("there is nothing before the @; give one such as alice@example.com")]
    NoLocal,
    #[error("a quoted part before the @ is not supported; give an address without quotation marks")]
    Quoted,
    #[error("a dot before the @ must have another character on each side; remove the extra one")]
    LocalDots,
    #[error("`{0}` is not allowed before the @; remove it")]
    LocalCharacter(char),
    #[error(
        "`{0}` is before the @, and email is sent without SMTPUTF8; give an address that has only ASCII characters there"
    )]
    LocalNotAscii(char),
    #[error(
        "the part before the @ has more than {} octets; give a shorter one",
        MailAddress::MAX_LOCAL_BYTES
    )]
    LocalTooLong,
    #[error("there is nothing after the @; give one such as alice@example.com")]
    NoDomain,
    #[error("an IP address after the @ is not supported; give a domain name")]
    Literal,
    #[error("its domain ends with a number, as an IP address does; give a domain name")]
    Number,
    #[error("a dot after the @ must have a name on each side, as in example.com; remove the extra one")]
    DomainDots,
    #[error("`{0}` is not allowed after the @; a domain name has letters, digits, hyphens and dots")]
    DomainCharacter(char),
    #[error("a label of its domain begins or ends with a hyphen; remove it")]
    LabelHyphen,
    #[error(
        "a label of its domain has more than {} octets as it is sent; give a shorter one",
        MailAddress::MAX_LABEL_BYTES
    )]
    LabelTooLong,
    #[error("its domain is not a valid international domain name (UTS 46); check how it is spelled")]
    NotInternational,
}

fn code_point(character: &char) -> String {
    format!("U+{:04X}", u32::from(*character))
}
