//! The emails of the local mail server, as text.

use std::path::Path;

use anyhow::{Context, Result};
use mail_parser::{MessageParser, MimeHeaders as _};

/// One email.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// The first recipient's address.
    pub to: String,
    /// The subject, decoded.
    pub subject: String,
    /// The media type of the message, such as `text/html`.
    pub content_type: String,
    /// The HTML body, decoded.
    pub html: String,
}

impl Email {
    /// Reads a message as it is stored (RFC 5322).
    pub fn parse(message: &[u8]) -> Result<Self> {
        let message = MessageParser::new().parse(message).context("not an email")?;
        let kind = message.content_type().context("no Content-Type")?;
        Ok(Self {
            to: message
                .to()
                .and_then(|to| to.first()?.address())
                .unwrap_or_default()
                .to_owned(),
            subject: message.subject().unwrap_or_default().to_owned(),
            content_type: format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default()),
            html: message.body_html(0).unwrap_or_default().into_owned(),
        })
    }

    /// The HTML body without its markup.
    pub fn text(&self) -> String {
        html_to_text(&self.html)
    }
}

/// The emails in a folder, oldest first.
pub fn emails(folder: &Path) -> Result<Vec<Email>> {
    let files = mail_sink::emails_in(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let read = |file: &std::path::PathBuf| Email::parse(&std::fs::read(file)?);
    files
        .iter()
        .map(|file| read(file).with_context(|| format!("cannot read {}", file.display())))
        .collect()
}

/// The body of an HTML document without its tags, and without empty lines.
///
/// The address of a link follows its text. It removes tags and decodes the character references that the template of an email writes, and that is all: a template reads
/// well this way only if its source has line breaks where its layout has them.
pub fn html_to_text(html: &str) -> String {
    let body = html.split_once("<body").map_or(html, |(_, body)| body);
    let text: String = body
        .split('<')
        .map(|part| match part.split_once('>') {
            None => part.to_owned(),
            Some((tag, text)) => match link(tag) {
                Some(link) => format!("{text}: {link}"),
                None => text.to_owned(),
            },
        })
        .collect();
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    // The ampersand comes last, so that nothing is decoded twice.
    [
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#38;", "&"),
    ]
    .iter()
    .fold(lines.join("\n"), |text, (reference, character)| {
        text.replace(reference, character)
    })
}

/// The address in the tag of a link.
fn link(tag: &str) -> Option<&str> {
    let (_, rest) = tag.strip_prefix("a ")?.split_once("href=\"")?;
    rest.split_once('"').map(|(link, _)| link)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_recipient_subject_and_text_of_an_email_as_dapr_sends_it() {
        let message = "Return-Path: <nudge@example.com>\r\nMime-Version: 1.0\r\nFrom: nudge@example.com\r\n\
            To: alice@example.com\r\nSubject: =?UTF-8?Q?Reminder:_Gr=C3=BC=C3=9Fe?=\r\nContent-Type: text/html; charset=UTF-8\r\n\
            Content-Transfer-Encoding: quoted-printable\r\n\r\n<html><head><title>x</title></head>\r\n<body style=3D\"a\">\r\n\
            <h1>Gr=C3=BC=C3=9Fe</h1>\r\n<p>&#38;#60; so=\r\nft</p>\r\n\r\n<p>  <strong>b</strong></p>\r\n</body></html>";
        let email = Email::parse(message.as_bytes()).unwrap();
        assert_eq!(
            (
                email.to.as_str(),
                email.subject.as_str(),
                email.content_type.as_str()
            ),
            ("alice@example.com", "Reminder: Grüße", "text/html")
        );
        assert_eq!(email.text(), "Grüße\n&#60; soft\n  b");
    }

    #[test]
    fn an_email_that_cannot_be_read_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("1.eml"), "").unwrap();
        let error = emails(folder.path()).unwrap_err();
        assert!(format!("{error:#}").contains("1.eml"), "{error:#}");
        assert!(emails(&folder.path().join("none")).is_err());
    }
}
