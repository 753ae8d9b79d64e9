//! Characters of any language: what can be seen, what stands on one line, what goes from right to left, which names look the same.
//!
//! The tables are of Unicode 17.0: `DerivedCoreProperties.txt` (Default_Ignorable_Code_Point) and
//! `extracted/DerivedGeneralCategory.txt` (Cf) of <https://www.unicode.org/Public/17.0.0/ucd/>. Both properties are stable enough
//! to be written down here: characters that become ignorable later are taken from ranges that are reserved for them.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Default_Ignorable_Code_Point: joiners, variation selectors, fillers, marks of direction.
const DEFAULT_IGNORABLE: [(char, char); 17] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{202a}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fff8}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

/// The other format characters (Cf), and signs and letters whose glyph is blank: of Braille, music and hieroglyphs.
const BLANK: [(char, char); 12] = [
    ('\u{600}', '\u{605}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{fff9}', '\u{fffb}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{13441}', '\u{13442}'),
    ('\u{1d159}', '\u{1d159}'),
];

fn is_in(ranges: &[(char, char)], character: char) -> bool {
    ranges
        .iter()
        .any(|(first, last)| (*first..=*last).contains(&character))
}

/// Whether a program shows nothing for a character that it does not know how to treat (Unicode, section 5.21): a zero width
/// space or joiner, a variation selector, a filler, a mark of direction.
pub fn is_default_ignorable(character: char) -> bool {
    is_in(&DEFAULT_IGNORABLE, character)
}

/// Whether nothing can be seen of a character, although it is there: a default ignorable one, another format character, a blank, the
/// end of a line or paragraph.
pub(crate) fn is_invisible(character: char) -> bool {
    is_default_ignorable(character) || is_in(&BLANK, character) || ends_line(character)
}

/// Whether there is something to be seen: a character that is no white space, no control or format character, no blank, no mark
/// without a letter below it.
pub fn shows_something(text: &str) -> bool {
    text.chars().any(|character| {
        // The last two of each plane, and 32 more, are no characters for ever (Unicode, section 23.7).
        let code = u32::from(character);
        let is_noncharacter = code & 0xfffe == 0xfffe || (0xfdd0..=0xfdef).contains(&code);
        !(character.is_whitespace()
            || character.is_control()
            || is_combining_mark(character)
            || is_noncharacter
            || is_default_ignorable(character)
            || is_in(&BLANK, character))
    })
}

/// `text` without white space around it (White_Space), nor the two characters of no width that are spaces by name and come along
/// when text is copied: U+200B and U+FEFF.
pub(crate) fn trimmed(text: &str) -> &str {
    text.trim_matches(|character: char| {
        character.is_whitespace() || matches!(character, '\u{200b}' | '\u{feff}')
    })
}

/// Whether a character ends a line wherever text is shown (UAX #14, classes BK, CR, LF and NL).
pub(crate) fn ends_line(character: char) -> bool {
    matches!(
        character,
        '\n' | '\u{b}' | '\u{c}' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// `text` for a line of plain text, so that no direction that it leaves open, or closes, has an effect on what stands around it
/// (UAX #9, section 6.3): between U+2068 and U+2069, as often as it takes. Text without such characters is as it was.
pub fn isolated(text: &str) -> Cow<'_, str> {
    if !text.contains(|character| matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')) {
        return Cow::Borrowed(text);
    }
    let (mut unopened, mut unclosed) = (1, 1);
    for character in text.chars() {
        match character {
            '\u{2066}'..='\u{2068}' => unclosed += 1,
            '\u{2069}' if unclosed > 1 => unclosed -= 1,
            '\u{2069}' => unopened += 1,
            _ => {}
        }
    }
    Cow::Owned(format!(
        "{}{text}{}",
        "\u{2068}".repeat(unopened),
        "\u{2069}".repeat(unclosed)
    ))
}

/// What names that look the same have in common: compatibility forms, however a letter is composed, case, characters that show
/// nothing, and how much white space there is make no difference. Accents do.
pub fn name_key(name: &str) -> String {
    let mut key = String::new();
    for letter in name.nfkc().filter(|letter| !is_default_ignorable(*letter)) {
        if letter.is_whitespace() {
            if !key.ends_with(' ') {
                key.push(' ');
            }
            continue;
        }
        for letter in letter.to_lowercase() {
            match letter {
                'ß' => key.push_str("ss"),
                'ς' => key.push('σ'),
                letter => key.push(letter),
            }
        }
    }
    // Lower case may be composed otherwise than upper case was.
    key.trim().nfkc().collect()
}
