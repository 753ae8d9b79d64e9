//! The values a task is made of: titles, names, colours, priorities.
//!
//! Lengths are counted in Unicode scalar values, of the text as it was written: nothing is normalized. Titles and names are what
//! a person reads on one line: they are trimmed, show at least one character, and have neither line breaks nor control characters
//! (they end up in email headers). Joiners, which Persian, Indic scripts and emoji need, and marks of direction, which keyboards and
//! clipboards put around numbers in right-to-left text, are kept as they are; who shows a title isolates it. As JSON every value is
//! its plain text, and reading it checks it again.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::characters::{ends_line, shows_something, trimmed};
use crate::text::quoted;
use crate::word::words;

/// Maximum number of tags per task.
pub const MAX_TAGS: usize = 10;

/// The JSON and text conversions of a value that `fn check(&str) -> Result<String, ValueError>` guards.
macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The checked text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// A text that was checked when it was stored, perhaps under older rules. It stays valid.
            pub fn stored(text: impl Into<String>) -> Self {
                Self(text.into())
            }
        }

        impl FromStr for $name {
            type Err = ValueError;

            fn from_str(text: &str) -> Result<Self, ValueError> {
                let check: fn(&str) -> Result<String, ValueError> = $check;
                check(text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = ValueError;

            fn try_from(text: String) -> Result<Self, ValueError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

checked_text!(
    /// What is to be done: 1 to 200 characters on one line.
    Title,
    |text| one_line(Field::Title, text, 200)
);
checked_text!(
    /// More about it: up to 10,000 characters, possibly none. Kept as written; of the control characters only tab,
    /// line feed and carriage return are allowed.
    Description,
    |text| {
        let field = Field::Description;
        if text.chars().nth(10_000).is_some() {
            return Err(ValueError::TooLong { field, max: 10_000 });
        }
        if text.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            return Err(ValueError::ControlCharacter { field });
        }
        Ok(text.to_owned())
    }
);
checked_text!(
    /// Name of a category: 1 to 50 characters on one line.
    CategoryName,
    |text| one_line(Field::CategoryName, text, 50)
);
checked_text!(
    /// Name of a tag: 1 to 30 characters on one line.
    TagName,
    |text| one_line(Field::TagName, text, 30)
);
checked_text!(
    /// What a user calls an agent: 1 to 50 characters on one line.
    AgentName,
    |text| one_line(Field::AgentName, text, 50)
);
checked_text!(
    /// A colour as `#rrggbb`; stored in lower case.
    Color,
    |text| match text.strip_prefix('#') {
        Some(digits) if digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
            Ok(text.to_ascii_lowercase()),
        _ => Err(ValueError::NotAColor { text: quoted(text) }),
    }
);

fn one_line(field: Field, text: &str, max: usize) -> Result<String, ValueError> {
    let text = trimmed(text);
    if !shows_something(text) {
        Err(ValueError::Empty { field })
    } else if text.chars().nth(max).is_some() {
        Err(ValueError::TooLong { field, max })
    } else if text.contains(ends_line) {
        Err(ValueError::LineBreak { field })
    } else if text.contains(char::is_control) {
        Err(ValueError::ControlCharacter { field })
    } else {
        Ok(text.to_owned())
    }
}

/// How much a task matters. In order: a higher one is greater.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// When there is time.
    Low,
    /// The default of a new task.
    #[default]
    Medium,
    /// Before the others.
    High,
    /// Now.
    Urgent,
}

words!(Priority: "priority", "invalid_priority", "low, medium, high or urgent",
    Low = "low", Medium = "medium", High = "high", Urgent = "urgent");

/// Whether a task is done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Still to do.
    #[default]
    Pending,
    /// Done.
    Completed,
}

words!(Status: "status", "invalid_status", "pending or completed",
    Pending = "pending", Completed = "completed");

/// A text value that was refused, as messages and codes name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// [`Title`].
    Title,
    /// [`Description`].
    Description,
    /// [`CategoryName`].
    CategoryName,
    /// [`TagName`].
    TagName,
    /// [`AgentName`].
    AgentName,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Title => "title",
            Self::Description => "description",
            Self::CategoryName => "category name",
            Self::TagName => "tag name",
            Self::AgentName => "agent name",
        })
    }
}

/// Why a value was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// Nothing that could be seen: white space, characters of no width, marks alone.
    #[error("the {field} is empty: give at least one visible character")]
    Empty {
        /// Which value.
        field: Field,
    },
    /// Over the limit.
    #[error("the {field} is too long: at most {max} characters are allowed")]
    TooLong {
        /// Which value.
        field: Field,
        /// The limit, in characters.
        max: usize,
    },
    /// More than one line, by whatever character.
    #[error("the {field} has a line break: put it on one line")]
    LineBreak {
        /// Which value.
        field: Field,
    },
    /// A character that is not text.
    #[error("the {field} contains a control character: remove it")]
    ControlCharacter {
        /// Which value.
        field: Field,
    },
    /// Not `#rrggbb`.
    #[error("`{text}` is not a colour: write # and six hexadecimal digits, such as #1e90ff")]
    NotAColor {
        /// The refused text, shortened.
        text: String,
    },
}

impl ValueError {
    /// Stable code for machines: `invalid_` and the value's name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty { field }
            | Self::TooLong { field, .. }
            | Self::LineBreak { field }
            | Self::ControlCharacter { field } => match field {
                Field::Title => "invalid_title",
                Field::Description => "invalid_description",
                Field::CategoryName => "invalid_category_name",
                Field::TagName => "invalid_tag_name",
                Field::AgentName => "invalid_agent_name",
            },
            Self::NotAColor { .. } => "invalid_color",
        }
    }
}
