//! An email as Dapr's smtp binding writes it: always HTML, quoted-printable, each header value unchanged if it is ASCII and Q-encoded
//! otherwise, and folded at spaces. Recorded from components-contrib 1.16.0 and 1.18.4, with its defects: the first line of a value
//! may be longer than RFC 2047 allows, and text that looks like an encoded word is unchanged. Callers must encode what must
//! arrive unchanged.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;

/// Longest encoded word (RFC 2047 section 2).
const LONGEST_WORD: usize = 75;

/// The column at which the binding folds a header.
const WIDTH: usize = 76;

/// The bytes of an email. A line end in a value is encoded, so that no value can become a header.
pub(crate) fn compose(fields: &BTreeMap<String, String>, html: &str, now: Timestamp) -> Vec<u8> {
    let field = |name: &str| fields.get(name).map_or("", String::as_str);
    let mut head = String::from("Mime-Version: 1.0\r\n");
    let date = now.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string();
    header(&mut head, "Date", [date.as_str()]);
    header(&mut head, "From", [field("emailFrom")]);
    header(&mut head, "To", addresses(field("emailTo")));
    if !field("emailCC").is_empty() {
        header(&mut head, "Cc", addresses(field("emailCC")));
    }
    header(&mut head, "Subject", [field("subject")]);
    header(&mut head, "X-priority", [field("priority")]);
    head.push_str(
        "Content-Type: text/html; charset=UTF-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
    );
    let mut email = head.into_bytes();
    // The encoder keeps CRLF as line ends and would encode a bare LF.
    let html = html.replace("\r\n", "\n").replace('\n', "\r\n");
    email.extend(quoted_printable::encode(html));
    email
}

/// Addresses, which Dapr splits at semicolons and does not trim.
pub(crate) fn addresses(field: &str) -> impl Iterator<Item = &str> {
    field.split(';')
}

/// Writes a header with its values, which are encoded and folded one by one.
fn header<'a>(head: &mut String, name: &str, values: impl IntoIterator<Item = &'a str>) {
    let _ = write!(head, "{name}: ");
    // The room on the line as the binding counts it; negative if a comma was too much.
    let mut left = WIDTH as isize - name.len() as isize - 2;
    for (number, value) in values.into_iter().enumerate() {
        let comma = if number == 0 { "" } else { "," };
        head.push_str(comma);
        if left < 1 {
            head.push_str("\r\n ");
            left = WIDTH as isize - 1;
        } else if number != 0 {
            head.push(' ');
            left -= 2;
        }
        let encoded = words(value);
        let mut rest = encoded.as_str();
        while rest.len() as isize > left {
            rest = match fold(rest, left) {
                Some((line, after)) => {
                    let _ = write!(head, "{line}\r\n ");
                    after
                }
                // The binding continues as if it were on a new line.
                None => {
                    head.push_str(rest);
                    ""
                }
            };
            left = WIDTH as isize - 1;
        }
        head.push_str(rest);
        left -= rest.len() as isize;
    }
    head.push_str("\r\n");
}

/// Splits a value at the last space that keeps the line within its limit, or else at the first one from column 75 on.
fn fold(value: &str, limit: isize) -> Option<(&str, &str)> {
    let within = usize::try_from(limit).unwrap_or(0);
    let near = value.get(..within).and_then(|start| start.rfind(' '));
    let far = || value.get(WIDTH - 1..)?.find(' ').map(|at| at + WIDTH - 1);
    let at = near.or_else(far)?;
    Some((value.get(..at)?, value.get(at + 1..)?))
}

/// A header value, as encoded words (RFC 2047 section 4.2) if the binding encodes it.
pub(crate) fn words(text: &str) -> String {
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
    all.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(subject: &str, html: &str) -> String {
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
    fn writes_the_recorded_email() {
        assert_eq!(
            email("Hi äö", "<h1>Hello</h1>"),
            "Mime-Version: 1.0\r\nDate: Sat, 21 Nov 2026 21:12:59 +0000\r\nFrom: me@example.com\r\n\
             To: a@example.com, b@example.com\r\nCc: c@example.com\r\nSubject: =?UTF-8?q?Hi_=C3=A4=C3=B6?=\r\n\
             X-priority: 3\r\nContent-Type: text/html; charset=UTF-8\r\n\
             Content-Transfer-Encoding: quoted-printable\r\n\r\n<h1>Hello</h1>"
        );
    }

    /// The lines of the subject's header.
    fn subject(text: &str) -> Vec<String> {
        let email = email(text, "");
        let (_, from) = email.split_once("Subject: ").expect("a subject");
        let (subject, _) = from.split_once("\r\nX-priority").expect("the next header");
        format!("Subject: {subject}")
            .split("\r\n")
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn a_value_cannot_add_a_header() {
        assert_eq!(
            subject("a\r\nBcc: evil@example.com"),
            ["Subject: =?UTF-8?q?a=0D=0ABcc:_evil@example.com?="]
        );
    }

    /// Recorded from the binding.
    #[test]
    fn values_are_encoded_and_folded_as_recorded() {
        for unchanged in [
            "plain",
            "=?UTF-8?B?SGVsbG8=?= world",
            "a\tb",
            "  lead",
            "trail  ",
            "a   b",
        ] {
            assert_eq!(subject(unchanged), [format!("Subject: {unchanged}")]);
        }
        assert_eq!(subject("a\r\n b"), ["Subject: =?UTF-8?q?a=0D=0A_b?="]);
        assert_eq!(subject("a\u{7f}b"), ["Subject: =?UTF-8?q?a=7Fb?="]);
        assert_eq!(
            subject("é =?UTF-8?B?SGVsbG8=?="),
            ["Subject: =?UTF-8?q?=C3=A9_=3D=3FUTF-8=3FB=3FSGVsbG8=3D=3F=3D?="]
        );
        let lengths = |text: &str| -> Vec<usize> { subject(text).iter().map(String::len).collect() };
        assert_eq!(lengths(&"w ".repeat(100)), [74, 74, 61]);
        assert_eq!(lengths(&"a  ".repeat(60)), [74, 75, 40]);
        assert_eq!(lengths(&"x".repeat(200)), [209]);
        assert_eq!(lengths(&format!("short {} end", "x".repeat(300))), [14, 301, 4]);
        let long = format!("{} {} {} q", "x".repeat(70), "y".repeat(80), "z".repeat(75));
        assert_eq!(lengths(&long), [160, 76, 2]);
        assert_eq!(
            lengths(&"Привет ".repeat(20)),
            [157, 75, 74, 75, 75, 74, 75, 75, 74, 75, 75]
        );
        assert_eq!(
            lengths(&"日本".repeat(40)),
            [vec![84], vec![76; 10], vec![40]].concat()
        );
        assert_eq!(lengths(&"ä".repeat(100)), [vec![154], vec![73; 8]].concat());
        let word = |letters: usize| format!("=?UTF-8?q?{}?=", "b".repeat(letters));
        let fitting = [word(54), word(63), word(63)].join(" ");
        assert_eq!(lengths(&fitting), [75, 76, 76]);
        assert_eq!(lengths(&[word(63), word(63)].join(" ")), [84, 76]);
    }

    #[test]
    fn recipients_are_split_at_semicolons() {
        let to = |text: &str| {
            let mut head = String::new();
            header(&mut head, "To", addresses(text));
            head
        };
        assert_eq!(
            to("a@example.com; b@example.com"),
            "To: a@example.com,  b@example.com\r\n"
        );
        // An address has no space to fold at, and the binding does not fold between two.
        let many = ["an.address@example.com"; 7].join(", ");
        assert_eq!(to(&many.replace(", ", ";")), format!("To: {many}\r\n"));
    }

    #[test]
    fn a_body_keeps_its_lines_and_its_letters() {
        let email = email("x", "line1\nline \"2\" =ä");
        assert!(
            email.ends_with("\r\n\r\nline1\r\nline \"2\" =3D=C3=A4"),
            "{email}"
        );
    }
}
