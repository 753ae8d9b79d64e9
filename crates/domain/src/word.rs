//! Enums whose values are one word, the same in JSON, in the database and in errors.

use crate::text::quoted;

/// `as_str`, `Display` and `FromStr` of an enum whose values are words. Its serde names must be the same words.
macro_rules! words {
    ($name:ident: $what:literal, $code:literal, $expected:literal, $($variant:ident = $word:literal),+) => {
        impl $name {
            /// Its word in JSON and in the database.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::word::WordError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(crate::word::WordError::new($what, $code, $expected, text)),
                }
            }
        }
    };
}
pub(crate) use words;

/// A word that is not a value of the enum.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {what}: use {expected}")]
pub struct WordError {
    what: &'static str,
    code: &'static str,
    expected: &'static str,
    text: String,
}

impl WordError {
    pub(crate) fn new(what: &'static str, code: &'static str, expected: &'static str, text: &str) -> Self {
        Self {
            what,
            code,
            expected,
            text: quoted(text),
        }
    }

    /// Stable code for programs: `invalid_` and the value's name, such as `invalid_priority`.
    pub fn code(&self) -> &'static str {
        self.code
    }
}
