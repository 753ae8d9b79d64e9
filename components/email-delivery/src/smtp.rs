//! Dapr's smtp binding: <https://docs.dapr.io/reference/components-reference/supported-bindings/smtp/>.
//!
//! The binding keeps the metadata of one request for the next, so a mail that leaves a field out would go out with
//! somebody else's. Every mail therefore carries every field, and Cc and Bcc, which could not be taken back, are
//! never used.

use nudge_component::dapr::bindings;
use nudge_component::dapr::types::Error;
use nudge_component::publish::describe;
use nudge_component::settings::variable;
use nudge_contract::names::component::SMTP;

use crate::mail::Mail;

/// Why a mail did not go out.
pub(crate) enum Failure {
    /// The mail server refuses it for good; the text is for its owner.
    Permanent(String),
    /// Later it may work; the text is for the log.
    Passing(String),
}

/// Sends a mail.
pub(crate) async fn send(to: &str, mail: &Mail) -> Result<(), Failure> {
    let from = match variable("mail_from").await {
        Ok(Some(from)) => from,
        Ok(None) => return Err(Failure::Passing("the variable mail_from is empty".to_owned())),
        Err(error) => return Err(Failure::Passing(error)),
    };
    let metadata = vec![
        ("emailFrom".to_owned(), from),
        ("emailTo".to_owned(), to.to_owned()),
        ("subject".to_owned(), mail.subject.clone()),
        ("priority".to_owned(), mail.x_priority.to_string()),
    ];
    // The binding takes a JSON text, and a text cannot fail to be one.
    let data = serde_json::to_string(&mail.html).unwrap_or_default();
    match bindings::invoke(SMTP.to_owned(), "create".to_owned(), metadata, data).await {
        Ok(_) => Ok(()),
        Err(error) => Err(sort(&error)),
    }
}

fn sort(error: &Error) -> Failure {
    let message = match error {
        Error::Other(failure) | Error::InvalidArgument(failure) => &failure.message,
        _ => return Failure::Passing(describe(error)),
    };
    match reply_code(message) {
        Some(code) if is_about_the_mail(code) => {
            Failure::Permanent(format!("the mail server refused it with {code}"))
        }
        _ => Failure::Passing(describe(error)),
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

/// 5yz is for good, but for those that say that we are not logged in (RFC 4954, section 6): that is our own matter.
fn is_about_the_mail(code: u16) -> bool {
    (500..600).contains(&code) && !matches!(code, 530 | 534 | 535 | 538)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refusal_of_the_mail_itself_is_permanent() {
        let recorded = |reply: &str| {
            format!(
                "error invoking output binding smtp: error from smtp binding, sending email failed: gomail: could not send email 1: {reply}"
            )
        };
        assert_eq!(reply_code(&recorded(r#"550 "5.1.1 no such user""#)), Some(550));
        assert_eq!(reply_code(&recorded("550 5.1.1 no such user")), Some(550));
        assert_eq!(reply_code(&recorded(r#"451 "4.3.0 try later""#)), Some(451));
        assert_eq!(
            reply_code(
                "error invoking output binding smtp: dial tcp 127.0.0.1:587: connect: connection refused"
            ),
            None
        );
        assert!(is_about_the_mail(550) && !is_about_the_mail(451) && !is_about_the_mail(535));
    }
}
