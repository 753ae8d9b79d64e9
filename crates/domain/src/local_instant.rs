//! An instant with the offset of a zone.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::fmt::temporal::{Pieces, PiecesOffset};
use jiff::tz::Offset;
use serde::{Deserialize, Serialize, Serializer};

use crate::instant;
use crate::text::quoted;

/// An instant, and the UTC offset with which its text is written.
///
/// The text form (and the JSON form) is RFC 3339: `2026-12-01T09:00:00+01:00`, or `2026-12-01T08:00:00Z` without an offset.
/// Text that this type wrote is read and written again without a change. Two values are equal if both instant and offset are;
/// compare [`at`](Self::at) where only the instant matters.
///
/// ```
/// use nudge_domain::LocalInstant;
///
/// let local: LocalInstant = "2026-12-01T09:00:00+01:00".parse()?;
/// assert_eq!(local.at().to_string(), "2026-12-01T08:00:00Z");
/// assert_eq!(local.to_string(), "2026-12-01T09:00:00+01:00");
/// # Ok::<(), nudge_domain::LocalInstantError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct LocalInstant {
    at: Timestamp,
    /// None is written as `Z`.
    offset: Option<Offset>,
}

impl LocalInstant {
    /// `at`, written with `offset`. RFC 3339 has no seconds in offsets: with such an offset the text is in UTC.
    pub fn new(at: Timestamp, offset: Offset) -> Self {
        Self {
            at,
            offset: Some(offset).filter(|offset| offset.seconds() % 60 == 0),
        }
    }

    /// The instant.
    pub fn at(&self) -> Timestamp {
        self.at
    }
}

/// Written in UTC, with a `Z`.
impl From<Timestamp> for LocalInstant {
    fn from(at: Timestamp) -> Self {
        Self { at, offset: None }
    }
}

impl FromStr for LocalInstant {
    type Err = LocalInstantError;

    fn from_str(text: &str) -> Result<Self, LocalInstantError> {
        let refused = |source| LocalInstantError {
            text: quoted(text),
            source,
        };
        // In a browser only what the API writes: Jiff's parser is too large there.
        if cfg!(all(target_family = "wasm", target_os = "unknown")) {
            return match instant::written(text) {
                Some((at, Some(offset))) => Ok(Self::new(at, offset)),
                Some((at, None)) => Ok(at.into()),
                None => Err(refused(jiff::Error::from_args(format_args!(
                    "not in the form of RFC 3339"
                )))),
            };
        }
        let at: Timestamp = text.parse().map_err(refused)?;
        Ok(match Pieces::parse(text).map_err(refused)?.offset() {
            Some(PiecesOffset::Numeric(offset)) => Self::new(at, offset.offset()),
            _ => at.into(),
        })
    }
}

impl TryFrom<String> for LocalInstant {
    type Error = LocalInstantError;

    fn try_from(text: String) -> Result<Self, LocalInstantError> {
        text.parse()
    }
}

impl fmt::Display for LocalInstant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.offset {
            Some(offset) => write!(f, "{}", self.at.display_with_offset(offset)),
            None => write!(f, "{}", self.at),
        }
    }
}

impl Serialize for LocalInstant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The text is not an instant.
#[derive(Debug, Clone, thiserror::Error)]
#[error("`{text}` is not a timestamp: write date, time and offset, such as 2026-12-01T09:00:00+01:00")]
pub struct LocalInstantError {
    text: String,
    source: jiff::Error,
}

impl LocalInstantError {
    /// Stable code for programs: `invalid_instant`.
    pub fn code(&self) -> &'static str {
        "invalid_instant"
    }
}
