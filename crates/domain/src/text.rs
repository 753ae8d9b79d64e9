//! Normalizes input before it is parsed, and quotes refused input in error messages.

use std::borrow::Cow;

use crate::characters::is_invisible;

/// Maximum number of characters of a refused text in an error message.
const QUOTED_CHARS: usize = 60;

/// `text` quoted for an error message: control and invisible characters are escaped, and it is truncated to 60 characters, so that
/// a message is always one short line.
pub(crate) fn quoted(text: &str) -> String {
    let mut shown = String::new();
    let mut room = QUOTED_CHARS;
    for character in text.chars() {
        let escaped = character.is_control() || is_invisible(character);
        let length = if escaped {
            character.escape_debug().count()
        } else {
            1
        };
        if length > room {
            shown.push('…');
            return shown;
        }
        room -= length;
        if escaped {
            shown.extend(character.escape_debug());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Whether a character is a dash that editors and phones substitute for a hyphen: U+2010 to U+2015, and the minus sign.
pub(crate) fn is_dash(character: char) -> bool {
    matches!(character, '\u{2010}'..='\u{2015}' | '\u{2212}')
}

/// `text` with typographic dashes and minus signs as hyphens, and without the zero-width characters that are often copied along
/// with text.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    let has_no_width = |character| matches!(character, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}');
    if !text.contains(|character| is_dash(character) || has_no_width(character)) {
        return Cow::Borrowed(text);
    }
    let kept = text.chars().filter(|character| !has_no_width(*character));
    Cow::Owned(
        kept.map(|character| if is_dash(character) { '-' } else { character })
            .collect(),
    )
}
