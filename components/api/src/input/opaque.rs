//! Cursors as clients see them: text without meaning, so that no one builds one by hand.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The opaque form of a text.
pub(crate) fn encode(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// The text of an opaque form; `None` if it was not made by [`encode`].
pub(crate) fn decode(opaque: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(opaque).ok()?).ok()
}
