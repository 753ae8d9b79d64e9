//! Values of email headers as RFC 2047 encoded words.
//!
//! Dapr's smtp binding encodes a value that is not ASCII and passes everything else unchanged, even what a mail reader takes
//! for an encoded word: the title `=?UTF-8?B?SGVsbG8=?= world` would be shown as "Hello world". It also encodes `\r\n`,
//! so a value cannot contain line breaks. It folds at single spaces, and if each word fits its line, the lines are those that
//! RFC 2047 requires. So a value that is not plain is passed to it as encoded words separated by one space (decision 0033).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Maximum length of a word on the first line: `Subject: ` and the word have at most 76 octets, and the binding needs one more.
const FIRST: usize = 66;

/// Maximum length of a word on every other line, which begins with a space.
const OTHER: usize = 74;

const CLOSE: &str = "?=";

/// The encodings of an encoded word (RFC 2047, section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Base64,
    Quoted,
}

impl Encoding {
    const fn open(self) -> &'static str {
        match self {
            Self::Base64 => "=?UTF-8?B?",
            Self::Quoted => "=?UTF-8?Q?",
        }
    }

    fn encode(self, text: &str) -> String {
        match self {
            Self::Base64 => STANDARD.encode(text),
            Self::Quoted => quoted(text),
        }
    }
}

/// Encodes a text as the value of a `Subject` header that the binding neither encodes again nor folds incorrectly. Decoding it
/// gives exactly the text. The shorter of the two encodings is used.
pub(crate) fn subject(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let quoted = words(text, Encoding::Quoted);
    let base64 = words(text, Encoding::Base64);
    if base64.len() < quoted.len() {
        base64
    } else {
        quoted
    }
}

/// Encodes a sender, which is an address or a name with an address in angle brackets, as the value of a `From` header. The binding
/// would encode a non-ASCII name together with its address, and then find no address in it.
pub(crate) fn sender(text: &str) -> String {
    match text.rsplit_once('<') {
        // In a name only letters, digits and `!*+-/=_` may stand in an encoded word (RFC 2047, section 5, rule 3).
        Some((name, address)) if !name.is_ascii() && address.is_ascii() => {
            let name = name.trim().trim_matches('"');
            format!("{} <{address}", words(name, Encoding::Base64))
        }
        _ => text.to_owned(),
    }
}

/// Whether every reader shows a text unchanged, even if it is folded: printable ASCII, only single spaces and only between words,
/// no word longer than a line, and nothing that begins like an encoded word.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        && !text.contains("=?")
        && text
            .split(' ')
            .all(|word| !word.is_empty() && word.len() <= FIRST)
}

/// Encoded words separated by single spaces, which readers drop (RFC 2047, section 6.2). Each holds whole characters.
fn words(text: &str, encoding: Encoding) -> String {
    let (mut all, mut rest) = (String::new(), text);
    while !rest.is_empty() {
        let longest = if all.is_empty() { FIRST } else { OTHER } - encoding.open().len() - CLOSE.len();
        let (word, after) = rest.split_at(fitting(rest, encoding, longest));
        if !all.is_empty() {
            all.push(' ');
        }
        all.push_str(encoding.open());
        all.push_str(&encoding.encode(word));
        all.push_str(CLOSE);
        rest = after;
    }
    all
}

/// How many octets of a text fit into that many octets of an encoded word: whole characters, at least one.
fn fitting(text: &str, encoding: Encoding, longest: usize) -> usize {
    let (mut octets, mut length) = (0, 0);
    for character in text.chars() {
        let with_it = octets + character.len_utf8();
        length = match encoding {
            Encoding::Base64 => with_it.div_ceil(3) * 4,
            Encoding::Quoted => length + quoted_length(character),
        };
        if length > longest && octets > 0 {
            break;
        }
        octets = with_it;
    }
    octets
}

/// The `Q` encoding (RFC 2047, section 4.2).
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 3);
    for character in text.chars() {
        match character {
            ' ' => out.push('_'),
            plain if stands_for_itself(plain) => out.push(plain),
            other => {
                for byte in other.encode_utf8(&mut [0; 4]).bytes() {
                    out.push_str(&format!("={byte:02X}"));
                }
            }
        }
    }
    out
}

fn quoted_length(character: char) -> usize {
    if character == ' ' || stands_for_itself(character) {
        1
    } else {
        3 * character.len_utf8()
    }
}

/// Characters that need no encoding wherever an encoded word may be (RFC 2047, section 5, rule 3), and common punctuation.
fn stands_for_itself(character: char) -> bool {
    character.is_ascii_alphanumeric() || "!*+-/.,:;'&#%".contains(character)
}

#[cfg(test)]
mod tests {
    use mail_parser::MessageParser;
    use proptest::prelude::*;

    use super::*;

    /// What a reader decodes from a value that was folded at its spaces, as the binding folds it.
    fn decoded(value: &str) -> String {
        let mail = format!("Subject: {}\r\n\r\n", value.replace(' ', "\r\n "));
        let message = MessageParser::new().parse(&mail).expect("a message");
        message.subject().expect("a subject").to_owned()
    }

    #[test]
    fn plain_text_stays_as_it_is() {
        let longest = "w".repeat(FIRST);
        for text in [
            "Reminder: Pay <rent> & \"more\"",
            "a = b ? c",
            "50%",
            "?=",
            &longest,
        ] {
            assert_eq!(subject(text), text);
        }
    }

    #[test]
    fn whatever_a_reader_would_change_is_encoded_and_decodes_to_itself() {
        let long = "w".repeat(FIRST + 1);
        for text in [
            "=?UTF-8?B?SGVsbG8=?= world",
            "=?UTF-8?B?SGVsbG8=?=",
            "=?utf-8?q?a=?UTF-8?B?SGVsbG8=?=?=",
            "=?UTF-8?Q?broken",
            "a=?b",
            " leading",
            "trailing ",
            "two  spaces",
            "a\tb",
            "a\u{7f}b",
            "_ = ? _ä",
            "Grüße",
            "Привет, мир",
            "\u{202e}abc",
            "e\u{301}",
            "👩\u{200d}👩\u{200d}👧\u{200d}👦",
            "買い物　に行く",
            &long,
        ] {
            let value = subject(text);
            assert!(value.is_ascii() && value != text, "{text:?}: {value}");
            assert_eq!(decoded(&value), text, "{value}");
        }
    }

    #[test]
    fn the_name_of_a_sender_is_encoded_without_the_address() {
        for asis in [
            "nudge@example.com",
            "Nudge <nudge@example.com>",
            "Nüdge nudge@example.com",
            "a@bücher.example",
        ] {
            assert_eq!(sender(asis), asis);
        }
        let encoded = sender("\"Erinnerungen für dich\" <nudge@example.com>");
        assert!(
            encoded.is_ascii() && encoded.ends_with("?= <nudge@example.com>"),
            "{encoded}"
        );
        let mail = format!("From: {encoded}\r\n\r\n");
        let message = MessageParser::new().parse(&mail).expect("a message");
        let from = message.from().and_then(|from| from.first()).expect("a sender");
        assert_eq!(
            (from.name(), from.address()),
            (Some("Erinnerungen für dich"), Some("nudge@example.com"))
        );
    }

    #[test]
    fn the_shorter_encoding_is_taken() {
        assert_eq!(subject("Milch für morgen"), "=?UTF-8?Q?Milch_f=C3=BCr_morgen?=");
        assert_eq!(subject("Привет"), "=?UTF-8?B?0J/RgNC40LLQtdGC?=");
    }

    #[test]
    fn words_fit_their_lines_and_hold_whole_characters() {
        for (character, count) in [
            ('ä', 200),
            ('я', 200),
            ('日', 200),
            ('😀', 200),
            ('_', 900),
            ('x', 900),
        ] {
            let text: String = std::iter::repeat_n(character, count).collect();
            let value = subject(&text);
            for (number, word) in value.split(' ').enumerate() {
                let longest = if number == 0 { FIRST } else { OTHER };
                assert!(word.len() <= longest, "{word}");
                // A split character would not decode.
                assert!(decoded(word).chars().all(|c| c == character), "{word}");
            }
            assert_eq!(decoded(&value), text);
        }
    }

    proptest! {
        #[test]
        fn any_text_without_control_characters_decodes_to_itself(
            text in prop_oneof![r"\PC{1,200}", r"[a-z =?_\-]{1,200}", r"(=\?UTF-8\?[BQ]\?[A-Za-z0-9=]{0,9}\?=? ?\PC?){1,9}"]
        ) {
            let text = format!("Reminder: {}", text.trim());
            let value = subject(&text);
            prop_assert!(value.is_ascii());
            let fits = |(number, word): (usize, &str)| word.len() <= if number == 0 { FIRST } else { OTHER };
            prop_assert!(value.split(' ').enumerate().all(fits), "{value}");
            prop_assert_eq!(decoded(&value), text, "{}", value);
        }
    }
}
