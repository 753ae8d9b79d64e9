//! One type per kind of id, so that the compiler rejects the wrong kind.
//!
//! The ids are UUIDs, usually of version 7, created by the caller (creating one needs a clock); only the next occurrence of
//! a series and its reminders have derived ids ([`crate::series`]). As text and as JSON an id is
//! the hyphenated lower-case UUID.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::text::quoted;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// The bare UUID.
            pub const fn as_uuid(&self) -> &Uuid {
                &self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Uuid::parse_str(text)
                    .map(Self)
                    .map_err(|source| IdError::NotAUuid { kind: $what, text: quoted(text), source })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

uuid_id!(
    /// A task. Each occurrence of a recurring task is a task of its own.
    TaskId,
    "task"
);
uuid_id!(
    /// A reminder of a task.
    ReminderId,
    "reminder"
);
uuid_id!(
    /// Shared by all occurrences of one recurring task.
    SeriesId,
    "series"
);
uuid_id!(
    /// A category.
    CategoryId,
    "category"
);
uuid_id!(
    /// A tag.
    TagId,
    "tag"
);
uuid_id!(
    /// A lease of due reminders, which one request made. Later leases have greater ids.
    LeaseId,
    "lease"
);

/// The subject of a user's token: 1 to 128 characters, no control characters, otherwise opaque.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UserId(String);

impl UserId {
    /// Maximum length of a user id, in characters.
    pub const MAX_CHARS: usize = 128;

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for UserId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        let length = text.chars().take(Self::MAX_CHARS + 1).count();
        if length == 0 || length > Self::MAX_CHARS || text.contains(char::is_control) {
            return Err(IdError::NotAUserId { text: quoted(&text) });
        }
        Ok(Self(text))
    }
}

impl FromStr for UserId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        text.to_owned().try_into()
    }
}

impl From<UserId> for String {
    fn from(id: UserId) -> Self {
        id.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is not a valid id.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// Not a UUID.
    #[error("`{text}` is not a {kind} id: give the UUID that was returned when it was created")]
    NotAUuid {
        /// The kind of id, such as `task`.
        kind: &'static str,
        /// The refused text, shortened.
        text: String,
        /// The error of the UUID parser.
        source: uuid::Error,
    },
    /// Empty, too long or with control characters.
    #[error(
        "`{text}` is not a user id: it must have 1 to {} characters and no control characters",
        UserId::MAX_CHARS
    )]
    NotAUserId {
        /// The refused text, shortened.
        text: String,
    },
}

impl IdError {
    /// Stable code for programs: `invalid_id` or `invalid_user_id`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAUuid { .. } => "invalid_id",
            Self::NotAUserId { .. } => "invalid_user_id",
        }
    }
}
