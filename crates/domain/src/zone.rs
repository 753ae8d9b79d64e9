//! The time zone of a user.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use jiff::civil::{DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::text::quoted;

/// A time zone by its IANA name, such as `Europe/Berlin`.
///
/// Names are looked up, whatever their case, in the database built into the program, never in that of the machine, so
/// that all replicas and components agree; the name is kept in the database's spelling. Fixed offsets
/// (`+01:00`), POSIX rules (`CET-1CEST`), `Etc/Unknown` and `Factory` are refused: they do not say when clocks change. A
/// link (`Asia/Calcutta`) stays the name that was given.
///
/// As JSON a zone is its name.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone {
    name: String,
    rules: TimeZone,
}

impl Zone {
    /// Coordinated Universal Time, the default of users who have not chosen a zone.
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

    /// The instant at which clocks here show `local`.
    ///
    /// A time that they skip moves forward by the length of the gap, and one that they show twice means the first (RFC
    /// 5545, section 3.3.5). [`END_OF_DAY`] is the exception: it is the last second of its day, also where clocks skip
    /// that second or show it twice, so that a day never ends on another day or an hour early.
    ///
    /// # Errors
    ///
    /// Dates at the ends of jiff's calendar, thousands of years away.
    pub(crate) fn instant(&self, local: DateTime) -> Result<Timestamp, jiff::Error> {
        if local.time() == END_OF_DAY {
            self.last_second(local)
        } else {
            self.rules.to_timestamp(local)
        }
    }

    /// The last second that belongs to the day of `local`.
    fn last_second(&self, local: DateTime) -> Result<Timestamp, jiff::Error> {
        let midnight = local.date().tomorrow()?.to_datetime(Time::midnight());
        let midnight = self.rules.to_ambiguous_timestamp(midnight);
        // Where clocks skip midnight, the day ends when they go forward.
        if let AmbiguousOffset::Gap { .. } = midnight.offset()
            && let Some(change) = self.rules.following(midnight.earlier()?).next()
        {
            return second_before(change.timestamp());
        }
        // Where midnight comes twice, the day comes back before the second one, unless clocks go back to midnight itself.
        for midnight in [midnight.later()?, midnight.earlier()?] {
            let end = second_before(midnight)?;
            if self.rules.to_datetime(end).date() == local.date() {
                return Ok(end);
            }
        }
        // The day is skipped as a whole (Pacific/Apia, 30 December 2011).
        self.rules.to_timestamp(local)
    }
}

fn second_before(instant: Timestamp) -> Result<Timestamp, jiff::Error> {
    instant.checked_sub(SignedDuration::from_secs(1))
}

/// The time of day of due dates without a time.
pub(crate) const END_OF_DAY: Time = Time::constant(23, 59, 59, 0);

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
            // A placeholder of the database: "the time zone must be set".
            Some("Factory") | None => Err(unknown(None)),
            Some(name) => Ok(Self {
                name: name.to_owned(),
                rules,
            }),
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
    /// Stable code for programs: `invalid_time_zone`.
    pub fn code(&self) -> &'static str {
        "invalid_time_zone"
    }
}
