//! How input is tidied before it is read, and quoted in error messages when it is refused.

use std::borrow::Cow;

use crate::characters::is_invisible;

/// Characters of a refused text that an error message repeats.
const QUOTED_CHARS: usize = 60;

/// `text` as an error message may show it: control characters and those that show nothing escaped, cut after 60 characters, so that a
/// message stays one short line whatever was sent.
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

/// Whether a character is a dash that editors and phones write for a hyphen: U+2010 to U+2015, and the minus sign.
pub(crate) fn is_dash(character: char) -> bool {
    matches!(character, '\u{2010}'..='\u{2015}' | '\u{2212}')
}

/// `text` with the dashes and minus signs of typography as hyphens, and without the characters of no width that come along when text is
/// copied.
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
