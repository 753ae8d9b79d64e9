//! A mail as Dapr's smtp binding writes it: always HTML, quoted-printable, the subject Q-encoded.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;

/// Longest encoded word (RFC 2047 section 2).
const LONGEST_WORD: usize = 75;

/// The bytes of a mail. Line ends in header values are taken out, so that no value can become a header.
pub(crate) fn compose(fields: &BTreeMap<String, String>, html: &str, now: Timestamp) -> Vec<u8> {
    let field = |name: &str| {
        fields
            .get(name)
            .map(|text| text.replace(['\r', '\n'], " "))
            .unwrap_or_default()
    };
    let mut head = String::from("Mime-Version: 1.0\r\n");
    let date = now.strftime("%a, %d %b %Y %H:%M:%S +0000");
    // Writing to a string cannot fail.
    let _ = write!(
        head,
        "Date: {date}\r\nFrom: {}\r\nTo: {}\r\n",
        field("emailFrom"),
        list(&field("emailTo"))
    );
    if !field("emailCC").is_empty() {
        let _ = write!(head, "Cc: {}\r\n", list(&field("emailCC")));
    }
    let _ = write!(
        head,
        "Subject: {}\r\nX-priority: {}\r\n",
        words(&field("subject")),
        field("priority")
    );
    head.push_str(
        "Content-Type: text/html; charset=UTF-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
    );
    let mut mail = head.into_bytes();
    // The encoder keeps CRLF as line ends and would encode a bare LF.
    let html = html.replace("\r\n", "\n").replace('\n', "\r\n");
    mail.extend(quoted_printable::encode(html));
    mail
}

/// Addresses, which Dapr separates by semicolons, as a header has them.
pub(crate) fn addresses(field: &str) -> impl Iterator<Item = &str> {
    field
        .split(';')
        .map(str::trim)
        .filter(|address| !address.is_empty())
}

fn list(field: &str) -> String {
    addresses(field).collect::<Vec<_>>().join(", ")
}

/// A header value as encoded words (RFC 2047 section 4.2), if it needs to be.
fn words(text: &str) -> String {
    if text.bytes().all(|b| (b' '..=b'~').contains(&b) || b == b'\t') {
        return text.to_owned();
    }
    const OPEN: &str = "=?UTF-8?q?";
    let (mut all, mut word) = (Vec::new(), String::from(OPEN));
    for c in text.chars() {
        let mut encoded = String::new();
        match c {
            ' ' => encoded.push('_'),
            '!'..='~' if !matches!(c, '=' | '?' | '_') => encoded.push(c),
            _ => {
                for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                    let _ = write!(encoded, "={byte:02X}");
                }
            }
        }
        if word.len() + encoded.len() + 2 > LONGEST_WORD {
            all.push(std::mem::replace(&mut word, OPEN.to_owned()) + "?=");
        }
        word.push_str(&encoded);
    }
    all.push(word + "?=");
    all.join("\r\n ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(subject: &str, html: &str) -> String {
        let fields = [
            ("emailFrom", "me@example.com"),
            ("emailTo", "a@example.com;b@example.com"),
            ("emailCC", "c@example.com"),
            ("subject", subject),
            ("priority", "3"),
        ];
        let fields = fields
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        let now = "2026-11-21T21:12:59Z".parse().expect("a literal instant");
        String::from_utf8(compose(&fields, html, now)).expect("seven bits")
    }

    #[test]
    fn writes_the_recorded_mail() {
        assert_eq!(
            mail("Hi äö", "<h1>Hello</h1>"),
            "Mime-Version: 1.0\r\nDate: Sat, 21 Nov 2026 21:12:59 +0000\r\nFrom: me@example.com\r\n\
             To: a@example.com, b@example.com\r\nCc: c@example.com\r\nSubject: =?UTF-8?q?Hi_=C3=A4=C3=B6?=\r\n\
             X-priority: 3\r\nContent-Type: text/html; charset=UTF-8\r\n\
             Content-Transfer-Encoding: quoted-printable\r\n\r\n<h1>Hello</h1>"
        );
    }

    #[test]
    fn a_subject_cannot_add_a_header_and_a_long_one_is_folded() {
        assert!(!mail("x\r\nBcc: evil@example.com", "").contains("\r\nBcc"));
        let long = mail(&"ä".repeat(60), "");
        assert!(
            long.lines()
                .all(|line| line.len() <= LONGEST_WORD + "Subject: ".len()),
            "{long}"
        );
    }

    #[test]
    fn a_body_keeps_its_lines_and_its_letters() {
        let mail = mail("x", "line1\nline \"2\" =ä");
        assert!(mail.ends_with("\r\n\r\nline1\r\nline \"2\" =3D=C3=A4"), "{mail}");
    }
}
