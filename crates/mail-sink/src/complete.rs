//! What a submission server may repair in a message before it is stored (RFC 6409 section 8).

use mail_builder::headers::content_type::ContentType;
use mail_builder::mime::{BodyPart, MimePart};
use mail_parser::{HeaderName, Message, MessageParser, MimeHeaders, PartType};

use crate::text;

/// Completes a message: `Message-ID` and `Date` when missing, and for a message that is HTML alone a
/// `multipart/alternative` of its text and itself (RFC 2046 section 5.1.4). Every other header stays as it is.
/// Bytes that are no message at all come back unchanged.
pub(crate) fn complete(raw: &[u8], now: &jiff::Zoned) -> Vec<u8> {
    let Some(message) = MessageParser::new().parse(raw) else {
        return raw.to_vec();
    };
    let mut out = Vec::with_capacity(raw.len() * 2);
    if message.message_id().is_none() {
        out.extend(format!("Message-ID: <{}@mail-sink.localhost>\r\n", uuid::Uuid::now_v7()).into_bytes());
    }
    if message.date().is_none() {
        out.extend(format!("Date: {}\r\n", now.strftime("%a, %d %b %Y %H:%M:%S %z")).into_bytes());
    }
    match html_alone(&message).and_then(alternatives) {
        Some(body) => {
            let multipart = [
                HeaderName::ContentType,
                HeaderName::ContentTransferEncoding,
                HeaderName::MimeVersion,
            ];
            for header in message
                .headers()
                .iter()
                .filter(|header| !multipart.contains(&header.name))
            {
                let line = raw.get(header.offset_field as usize..header.offset_end as usize);
                out.extend_from_slice(line.unwrap_or_default());
            }
            out.extend_from_slice(b"MIME-Version: 1.0\r\n");
            out.extend_from_slice(&body);
        }
        None => out.extend_from_slice(raw),
    }
    out
}

/// The HTML of a message whose only content it is.
fn html_alone<'m>(message: &'m Message<'_>) -> Option<&'m str> {
    let root = message.parts.first()?;
    match &root.body {
        PartType::Html(html) if root.is_content_type("text", "html") => Some(html),
        _ => None,
    }
}

/// Text first, then the HTML: the last alternative is the richest. `None` if no text can be had.
fn alternatives(html: &str) -> Option<Vec<u8>> {
    let text = match text::of_html(html) {
        Ok(text) => text,
        Err(error) => {
            tracing::warn!(%error, "an HTML mail is stored without a text part");
            return None;
        }
    };
    let part = MimePart::new(
        ContentType::new("multipart/alternative"),
        BodyPart::Multipart(vec![
            MimePart::new(ContentType::new("text/plain").attribute("charset", "utf-8"), text),
            MimePart::new(ContentType::new("text/html").attribute("charset", "utf-8"), html),
        ]),
    );
    let mut out = Vec::new();
    part.write_part(&mut out).ok()?;
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HTML: &[u8] = b"From: a@example.com\r\nTo: b@example.com\r\nX-Priority: 3\r\n\
        Subject: =?UTF-8?q?Gr=C3=BC=C3=9Fe?=\r\nContent-Type: text/html; charset=UTF-8\r\n\
        Content-Transfer-Encoding: quoted-printable\r\n\r\n<h1>Hello</h1><p>Gr=C3=BC=C3=9Fe</p>\r\n";

    fn completed(raw: &[u8]) -> Vec<u8> {
        let now = "2026-11-21T21:12:59+00:00[UTC]"
            .parse()
            .expect("a literal zoned time");
        complete(raw, &now)
    }

    #[test]
    fn gives_an_html_mail_a_text_part_and_keeps_its_html_and_headers() {
        let out = completed(HTML);
        let message = MessageParser::new()
            .parse(&out)
            .expect("what was written is a message");
        assert!(message.is_content_type("multipart", "alternative"));
        assert_eq!(message.text_body.len(), 1);
        assert!(message.body_text(0).expect("a text part").contains("Grüße"));
        assert!(!message.body_text(0).expect("a text part").contains('<'));
        assert_eq!(
            message.body_html(0).expect("the html part").trim(),
            "<h1>Hello</h1><p>Grüße</p>"
        );
        assert_eq!(message.subject(), Some("Grüße"));
        assert_eq!(message.header_raw("X-Priority").map(str::trim), Some("3"));
        assert_eq!(String::from_utf8_lossy(&out).matches("MIME-Version").count(), 1);
    }

    #[test]
    fn adds_an_id_and_a_date_only_when_they_are_missing() {
        let out = completed(HTML);
        let message = MessageParser::new()
            .parse(&out)
            .expect("what was written is a message");
        assert_eq!(
            message.date().expect("a date").to_rfc3339(),
            "2026-11-21T21:12:59Z"
        );
        assert!(message.message_id().is_some());
        let own = b"Message-ID: <1@example.com>\r\nDate: Sat, 21 Nov 2026 21:12:59 +0000\r\n\r\nhi\r\n";
        assert_eq!(completed(own), own);
    }

    #[test]
    fn leaves_text_and_multipart_mails_as_they_are() {
        for kind in ["text/plain", "multipart/mixed; boundary=b"] {
            let raw = format!(
                "Message-ID: <1@example.com>\r\nDate: Sat, 21 Nov 2026 21:12:59 +0000\r\n\
                 Content-Type: {kind}\r\n\r\n--b\r\n\r\nhello\r\n--b--\r\n"
            );
            assert_eq!(completed(raw.as_bytes()), raw.as_bytes(), "{kind}");
        }
    }
}
