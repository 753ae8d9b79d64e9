//! How refused input is quoted in error messages.

/// Characters of a refused text that an error message repeats.
const QUOTED_CHARS: usize = 60;

/// `text` as an error message may show it: control characters escaped, cut after 60 characters, so that a message
/// stays one short line whatever was sent.
pub(crate) fn quoted(text: &str) -> String {
    let mut escaped = text.chars().flat_map(char::escape_debug);
    let mut shown: String = escaped.by_ref().take(QUOTED_CHARS).collect();
    if escaped.next().is_some() {
        shown.push('…');
    }
    shown
}
