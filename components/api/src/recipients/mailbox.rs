//! Which addresses are the same mailbox.

use std::fmt::Write as _;

use nudge_domain::MailAddress;
use sha2::{Digest, Sha256};

use crate::db::Value;

/// A mailbox: the SHA-256 of an address as it is sent, in lower case and without a subaddress, in hexadecimal digits.
///
/// Mail servers rarely distinguish case before the `@`, and many deliver `alice+list@` to `alice@` (RFC 5233). If each of these counted
/// by itself, limits and stops could be passed by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Mailbox(String);

impl Mailbox {
    /// The mailbox of an address. One that was stored under older rules, and is not valid any more, counts as it is written.
    pub(crate) fn of(address: &str) -> Self {
        let sent = match address.parse::<MailAddress>() {
            Ok(address) => address.to_ascii().to_ascii_lowercase(),
            Err(_) => address.to_lowercase(),
        };
        let plain = match sent.split_once('@') {
            Some((local, domain)) => match local.split_once('+') {
                Some((before, _)) if !before.is_empty() => format!("{before}@{domain}"),
                _ => sent,
            },
            None => sent,
        };
        let mut digits = String::with_capacity(64);
        for byte in Sha256::digest(plain.as_bytes()) {
            // Writing to a string cannot fail.
            let _ = write!(digits, "{byte:02x}");
        }
        Self(digits)
    }

    /// The stored form.
    pub(crate) fn stored(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<&Mailbox> for Value {
    fn from(mailbox: &Mailbox) -> Self {
        mailbox.0.as_str().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_subaddress_and_script_make_no_other_mailbox() {
        let alice = Mailbox::of("alice@example.com");
        for same in [
            "Alice@EXAMPLE.com",
            "alice+nudge@example.com",
            "alice+a+b@example.com",
        ] {
            assert_eq!(Mailbox::of(same), alice, "{same}");
        }
        assert_eq!(
            Mailbox::of("a@bücher.example"),
            Mailbox::of("a@xn--bcher-kva.example")
        );
        for other in [
            "alicia@example.com",
            "alice@example.org",
            "+alice@example.com",
            "a..b@example.com",
            "alice",
        ] {
            assert_ne!(Mailbox::of(other), alice, "{other}");
        }
    }

    #[test]
    fn an_address_cannot_be_read_from_what_is_stored() {
        let Value::Text(stored) = Value::from(&Mailbox::of("alice@example.com")) else {
            panic!("it is text");
        };
        assert_eq!(stored.len(), 64);
        assert!(stored.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}
