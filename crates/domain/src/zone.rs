//! The time zone a person lives in.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Serialize};

use crate::text::quoted;

/// A time zone by its IANA name, such as `Europe/Berlin`.
///
/// Names are looked up, whatever their case, in the database built into the program, never in the machine's, so that
/// every replica and every component agrees; the name is kept in the database's spelling. Fixed offsets
/// (`+01:00`), POSIX rules (`CET-1CEST`) and `Etc/Unknown` are refused: they do not say when clocks change. A link
/// (`Asia/Calcutta`) stays the name that was given.
///
/// As JSON a zone is its name.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone {
    name: String,
    rules: TimeZone,
}

impl Zone {
    /// Coordinated Universal Time, for whoever never chose a zone.
    pub fn utc() -> Self {
        Self {
            name: "UTC".to_owned(),
            rules: TimeZone::UTC,
        }
    }

    /// The IANA name, in the database's spelling.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The zone's offsets, for calculations with `jiff`.
    pub fn time_zone(&self) -> &TimeZone {
        &self.rules
    }
}

impl FromStr for Zone {
    type Err = ZoneError;

    fn from_str(text: &str) -> Result<Self, ZoneError> {
        let unknown = |source| ZoneError {
            name: quoted(text),
            source,
        };
        let rules = TimeZoneDatabase::bundled()
            .get(text)
            .map_err(|error| unknown(Some(error)))?;
        match rules.iana_name() {
            Some(name) => Ok(Self {
                name: name.to_owned(),
                rules,
            }),
            None => Err(unknown(None)),
        }
    }
}

impl TryFrom<String> for Zone {
    type Error = ZoneError;

    fn try_from(text: String) -> Result<Self, ZoneError> {
        text.parse()
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name)
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Zone {}

impl Hash for Zone {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

/// The name is not a zone of the IANA database.
#[derive(Debug, Clone, thiserror::Error)]
#[error("`{name}` is not a time zone: give an IANA name such as Europe/Berlin or America/New_York, or UTC")]
pub struct ZoneError {
    name: String,
    source: Option<jiff::Error>,
}

impl ZoneError {
    /// Stable code for machines: `invalid_time_zone`.
    pub fn code(&self) -> &'static str {
        "invalid_time_zone"
    }
}
