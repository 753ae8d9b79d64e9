//! Texts for logs, without the email addresses in them.
//!
//! An address is personal data, and reaches logs in ways that no call site can foresee: in the text of a mail server's refusal, in
//! that of a database's error, as the subject of a token. So the writers of logs mask each line.

use std::borrow::Cow;
use std::io::{self, Write};

/// What stands in the place of a local part.
const MASK: &str = "***";

/// The text with `***` for what is before the `@` of each email address; the domain stays, since it tells which mail server is
/// concerned. A password in a URL (`postgres://user:password@host`) is masked by the same rule.
///
/// The text may be JSON, which stays valid. It is borrowed if it has no address.
///
/// ```
/// use nudge_domain::masked::masked;
///
/// assert_eq!(masked("550 <alice@example.com>: no such user"), "550 <***@example.com>: no such user");
/// ```
pub fn masked(text: &str) -> Cow<'_, str> {
    let mut result = String::new();
    let mut copied = 0;
    for (at, _) in text.match_indices('@') {
        let (Some(before), Some(after)) = (text.get(copied..at), text.get(at + 1..)) else {
            continue;
        };
        let start = local_part(before);
        if start == before.len() || !after.starts_with(is_domain) {
            continue;
        }
        result.push_str(before.get(..start).unwrap_or_default());
        result.push_str(MASK);
        copied = at;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    result.push_str(text.get(copied..).unwrap_or_default());
    Cow::Owned(result)
}

/// A writer that passes lines on to another one as [`masked`] texts. Each call of `write` must have whole lines, as those of a
/// subscriber of `tracing` have: an address that is split between two calls would not be found.
#[derive(Debug)]
pub struct Masked<W>(pub W);

impl<W: Write> Write for Masked<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        self.0.write_all(masked(&text).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn is_domain(character: char) -> bool {
    character.is_alphanumeric() || character == '['
}

/// Where the local part begins that a text ends with; its length if it ends with none.
fn local_part(text: &str) -> usize {
    if let Some(rest) = text.strip_suffix('"') {
        // A quoted local part (RFC 5321, section 4.1.2); in JSON its quotation marks are escaped. One without content, or with a
        // separator of JSON, is no local part: the text is JSON and a string in it begins with @.
        let (rest, mark) = match rest.strip_suffix('\\') {
            Some(rest) => (rest, "\\\""),
            None => (rest, "\""),
        };
        let start = rest.rfind(mark).map(|at| at + mark.len());
        return start
            .filter(|start| {
                let content = rest.get(*start..).unwrap_or_default();
                !content.is_empty() && !content.contains([':', ',', '{', '['])
            })
            .unwrap_or(text.len());
    }
    let Some((at, delimiter)) = text.char_indices().rev().find(|(_, c)| is_delimiter(*c)) else {
        return 0;
    };
    let start = at + delimiter.len_utf8();
    let rest = text.get(start..).unwrap_or_default();
    let escape = match rest.chars().next() {
        // The rest of an escape of JSON: \n, or \u and four digits.
        Some('u') if delimiter == '\\' => 5,
        Some(_) if delimiter == '\\' => 1,
        _ => 0,
    };
    start + rest.chars().take(escape).map(char::len_utf8).sum::<usize>()
}

/// Whether a character cannot be part of an unquoted local part.
fn is_delimiter(character: char) -> bool {
    character.is_whitespace() || character.is_control() || "@\"<>()[],;:\\".contains(character)
}
