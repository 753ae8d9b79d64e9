//! Properties of Unicode characters: visibility, line ends, direction, and which names look the same.
//!
//! The tables are of Unicode 17.0: `DerivedCoreProperties.txt` (Default_Ignorable_Code_Point) and
//! `extracted/DerivedGeneralCategory.txt` (Cf) of <https://www.unicode.org/Public/17.0.0/ucd/>. Both properties are stable enough
//! to be written down here: characters that become ignorable later are taken from ranges that are reserved for them.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Default_Ignorable_Code_Point: joiners, variation selectors, fillers, directional marks.
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

/// Whether a character is default ignorable: a program that does not support it shows nothing (Unicode, section 5.21), such as a
/// zero width space or joiner, a variation selector, a filler, a directional mark.
pub fn is_default_ignorable(character: char) -> bool {
    is_in(&DEFAULT_IGNORABLE, character)
}

/// Whether a character is invisible: a default ignorable one, another format character, a blank, a line or paragraph separator.
pub(crate) fn is_invisible(character: char) -> bool {
    is_default_ignorable(character) || is_in(&BLANK, character) || ends_line(character)
}

/// Whether a text is visible: it has a character that is not white space, a control or format character, a blank or a combining
/// mark without a base letter.
pub fn shows_something(text: &str) -> bool {
    text.chars().any(|character| {
        // The last two code points of each plane, and 32 more, are noncharacters (Unicode, section 23.7).
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

/// `text` without surrounding white space (White_Space), including the two zero-width spaces that are often copied along with
/// text: U+200B and U+FEFF.
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

/// Isolates `text` for a line of plain text, so that directional marks in it do not affect the text around it (UAX #9, section
/// 6.3): it is enclosed in as many pairs of U+2068 and U+2069 as necessary. Text without such marks is returned unchanged.
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

/// A key that is equal for names that look the same: compatibility forms, composition, case, invisible characters and the amount
/// of white space make no difference. Accents do.
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
