//! Dapr's smtp binding: <https://docs.dapr.io/reference/components-reference/supported-bindings/smtp/>.
//!
//! The binding keeps the metadata of one request for the next, so an email that omits a field would be sent with the value of
//! another email. Every email therefore sets every field, and Cc and Bcc, which could not be cleared again, are never used.

use nudge_component::dapr::bindings;
use nudge_component::dapr::types::Error;
use nudge_component::publish::describe;
use nudge_component::settings::variable;
use nudge_contract::api::RecipientFault;
use nudge_domain::{MailAddress, MailAddressError};

use crate::header;
use crate::mail::Mail;

/// Prefix of the binding's error if sending fails after it has connected to the mail server and logged in.
const NOT_SENT: &str = "gomail: could not send email 1: ";

/// The reason that an address is invalid, sender or recipient; the address follows in quotation marks.
const INVALID_ADDRESS: &str = "gomail: invalid address ";

/// The binding's error if a field is missing or has an invalid value.
const INVALID_FIELD: &str = ": smtp binding error:";

/// Why an email was not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It can never be sent; the text is for its owner. It becomes part of an event, so it contains no address.
    Permanent(String),
    /// No email can be sent to its recipient; the text is as in [`Failure::Permanent`].
    Recipient(RecipientFault, String),
    /// A later attempt may succeed; the text is for the log.
    Passing(String),
}

/// Sends an email through a component of type `bindings.smtp`. An address that was stored before the current checks may be invalid.
pub(crate) async fn send(component: &str, to: &str, mail: &Mail) -> Result<(), Failure> {
    let to: MailAddress = to.parse().map_err(|error: MailAddressError| {
        Failure::Recipient(
            RecipientFault::Invalid,
            format!(
                "the address in your profile cannot receive email: {}",
                error.reason()
            ),
        )
    })?;
    let from = match variable("mail_from").await {
        Ok(Some(from)) => from,
        Ok(None) => return Err(Failure::Passing("the variable mail_from is empty".to_owned())),
        Err(error) => return Err(Failure::Passing(error)),
    };
    let metadata = vec![
        ("emailFrom".to_owned(), header::sender(&from)),
        ("emailTo".to_owned(), to.to_ascii().to_owned()),
        ("subject".to_owned(), mail.subject.clone()),
        ("priority".to_owned(), mail.x_priority.to_string()),
    ];
    // The binding takes a JSON string, and writing a string as JSON cannot fail.
    let data = serde_json::to_string(&mail.html).unwrap_or_default();
    match bindings::invoke(component.to_owned(), "create".to_owned(), metadata, data).await {
        Ok(_) => Ok(()),
        Err(error) => Err(sort(&error, &to)),
    }
}

/// Classifies an error of the binding. If an operator has to fix it, it is logged as an error, and the email waits.
fn sort(error: &Error, to: &MailAddress) -> Failure {
    let message = match error {
        Error::Other(failure) | Error::InvalidArgument(failure) => &failure.message,
        _ => return Failure::Passing(describe(error)),
    };
    let meaning = meaning(message, to);
    if let Meaning::Setup(what) = meaning {
        tracing::error!("no email is sent until {what}: {}", describe(error));
    }
    match meaning {
        Meaning::Recipient => Failure::Recipient(
            RecipientFault::Invalid,
            "Dapr's mail binding cannot send to the address in your profile".to_owned(),
        ),
        Meaning::Refused(code) if is_about_recipient(message) => Failure::Recipient(
            RecipientFault::Refused { code },
            format!("the mail server refused it with {code}"),
        ),
        Meaning::Refused(code) => Failure::Permanent(format!("the mail server refused it with {code}")),
        Meaning::Setup(_) | Meaning::Passing => Failure::Passing(describe(error)),
    }
}

/// The meaning of the binding's message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// The recipient is not a valid address.
    Recipient,
    /// The mail server refuses the email with this reply code.
    Refused(u16),
    /// The setup is wrong; the text says what must become true.
    Setup(&'static str),
    /// Anything that may succeed later.
    Passing,
}

fn meaning(message: &str, to: &MailAddress) -> Meaning {
    if message.contains(INVALID_FIELD) {
        return Meaning::Setup("the smtp component and the variable mail_from are complete");
    }
    let Some((_, reason)) = message.split_once(NOT_SENT) else {
        return match reply_code(message) {
            Some(500..) => Meaning::Setup("the mail server lets the smtp component in"),
            _ => Meaning::Passing,
        };
    };
    if let Some(address) = reason.strip_prefix(INVALID_ADDRESS) {
        // The binding checks the sender first, with the same error.
        return if address.starts_with(&format!("\"{}\"", to.to_ascii())) {
            Meaning::Recipient
        } else {
            Meaning::Setup("the variable mail_from is an address")
        };
    }
    match reply_code(reason) {
        // Not logged in (RFC 4954, section 6).
        Some(530 | 534 | 535 | 538) => Meaning::Setup("the smtp component can log in to the mail server"),
        Some(code @ 500..) => Meaning::Refused(code),
        _ => Meaning::Passing,
    }
}

/// Whether a reply that refuses an email is about its recipient, and would refuse the next one, too.
///
/// An enhanced status code (RFC 3463) says so: `5.1.0` to `5.1.6` and `5.1.10` are about the recipient's address, `5.2.1` is a disabled
/// mailbox. A full mailbox (`5.2.2`), content (`5.6`) and policy (`5.7`) are not: a mail server that lists the operator refuses every
/// recipient with `5.7.1`. Without one, the reply codes 550, 551 and 553 are (RFC 5321, section 4.2.3).
fn is_about_recipient(message: &str) -> bool {
    let Some((_, reply)) = message.split_once(NOT_SENT) else {
        return false;
    };
    let mut words = reply
        .split([' ', '-', '"', ':', ','])
        .filter(|word| !word.is_empty());
    let code = words.next();
    let enhanced = words
        .next()
        .map(|word| word.split('.').collect::<Vec<_>>())
        .filter(|parts| parts.len() == 3 && parts.iter().all(|part| part.parse::<u16>().is_ok()));
    match enhanced.as_deref() {
        Some([_, "1", detail]) => matches!(*detail, "0" | "1" | "2" | "3" | "4" | "5" | "6" | "10"),
        Some([_, "2", detail]) => *detail == "1",
        Some(_) => false,
        None => matches!(code, Some("550" | "551" | "553")),
    }
}

/// The reply code of the mail server (RFC 5321, section 4.2) in the binding's message, such as
/// `… could not send email 1: 550 5.1.1 no such user`, or with the text in quotes when a newer Go built daprd.
fn reply_code(message: &str) -> Option<u16> {
    message
        .split(": ")
        .filter_map(|part| part.split([' ', '-', '"']).next())
        .filter(|word| word.len() == 3)
        .filter_map(|word| word.parse().ok())
        .find(|code| (400..600).contains(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What daprd says, with the binding's words as they were recorded from components-contrib 1.16.0 and 1.18.4.
    fn recorded(words: &str) -> String {
        format!("error invoking output binding smtp: {words}")
    }

    fn gomail(words: &str) -> String {
        recorded(&format!(
            "error from smtp binding, sending email failed: gomail: could not send email 1: {words}"
        ))
    }

    fn meaning(message: &str) -> Meaning {
        let to = "alice@example.com".parse().unwrap();
        super::meaning(message, &to)
    }

    #[test]
    fn only_a_refusal_of_the_mail_itself_is_permanent() {
        for (reply, expected) in [
            (r#"550 "5.1.1 no such user""#, Meaning::Refused(550)),
            ("550 5.1.1 no such user", Meaning::Refused(550)),
            ("552-5.2.2 mailbox full", Meaning::Refused(552)),
            ("553 5.1.3 bad address: 451 is its number", Meaning::Refused(553)),
            (r#"451 "4.3.0 try later""#, Meaning::Passing),
            ("451 4.3.0: 550 will follow", Meaning::Passing),
            (
                "550 gomail: invalid address is a text of the server",
                Meaning::Refused(550),
            ),
            ("EOF", Meaning::Passing),
        ] {
            assert_eq!(meaning(&gomail(reply)), expected, "{reply}");
        }
        let refused = "dial tcp 127.0.0.1:587: connect: connection refused";
        assert_eq!(
            meaning(&recorded(&format!(
                "error from smtp binding, sending email failed: {refused}"
            ))),
            Meaning::Passing
        );
    }

    #[test]
    fn only_a_reply_about_the_recipient_stops_emails_there() {
        for (reply, stops) in [
            (r#"550 "5.1.1 no such user""#, true),
            ("550 5.1.1 no such user", true),
            (
                "550-5.1.1 The email account that you tried to reach does not exist",
                true,
            ),
            ("550 5.1.10 RecipientNotFound", true),
            ("550 5.2.1 mailbox disabled", true),
            ("550 no such user here", true),
            ("551 user not local", true),
            ("553 mailbox name not allowed", true),
            ("550 5.7.1 your address is on a list", false),
            ("550 5.1.8 bad sender's system address", false),
            ("550 5.1.7 bad sender's mailbox address", false),
            ("552 5.2.2 mailbox full", false),
            ("554 5.6.0 message content rejected", false),
            ("554 transaction failed", false),
            ("552 mailbox full", false),
        ] {
            assert_eq!(is_about_recipient(&gomail(reply)), stops, "{reply}");
        }
        assert!(!is_about_recipient(&recorded("550 5.1.1 before it was sent")));
    }

    #[test]
    fn an_address_that_the_binding_calls_invalid_is_permanent_if_it_is_the_recipients() {
        for words in [
            "mail: missing '@' or angle-addr",
            "mail: no angle-addr",
            "mail: missing word in phrase: mail: invalid string",
            "mail: expected single address, got \"550 \"",
        ] {
            let said = |address: &str| gomail(&format!("gomail: invalid address \"{address}\": {words}"));
            assert_eq!(meaning(&said("alice@example.com")), Meaning::Recipient, "{words}");
            assert!(
                matches!(meaning(&said("nudge..x@example.com")), Meaning::Setup(_)),
                "the sender is nothing that the recipient can fix: {words}"
            );
        }
    }

    #[test]
    fn what_the_setup_lacks_is_not_the_fault_of_the_mail() {
        for message in [
            recorded(
                "smtp binding error: emailFrom property not supplied in configuration- or request-metadata",
            ),
            recorded("smtp binding error:  priority value must be between 1 (highest) and 5 (lowest)"),
            gomail(r#"535 "5.7.8 authentication failed""#),
            recorded(r#"error from smtp binding, sending email failed: 535 "5.7.8 no""#),
            recorded("error from smtp binding, sending email failed: 554 5.7.1 your address is on a list"),
            gomail("530 5.7.0 authentication required"),
        ] {
            assert!(matches!(meaning(&message), Meaning::Setup(_)), "{message}");
        }
    }
}
