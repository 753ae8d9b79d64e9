//! Quiet hours, in which no reminders are sent.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{self, DateTime};
use serde::{Deserialize, Serialize};

use crate::text::quoted;
use crate::zone::Zone;

/// Maximum number of steps in a search for the end of quiet hours: several times what the current zone database needs, so that
/// the search ends with any later one.
const MAX_STEPS: usize = 8;

/// A local time of day to the minute: `HH:MM`, 00:00 to 23:59. As JSON it is its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay(civil::Time);

impl FromStr for TimeOfDay {
    type Err = QuietHoursError;

    fn from_str(text: &str) -> Result<Self, QuietHoursError> {
        let two_digits = |text: &str| {
            let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse::<i8>().ok()).flatten()
        };
        text.split_once(':')
            .and_then(|(hour, minute)| civil::Time::new(two_digits(hour)?, two_digits(minute)?, 0, 0).ok())
            .map(Self)
            .ok_or_else(|| QuietHoursError::NotATime { text: quoted(text) })
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = QuietHoursError;

    fn try_from(text: String) -> Result<Self, QuietHoursError> {
        text.parse()
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        time.to_string()
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0.hour(), self.0.minute())
    }
}

/// The part of every day in which reminders wait: `{"from":"22:00","until":"07:00"}` in JSON.
///
/// They begin at `from` and end before `until`, in the user's local time, on the same day or, if
/// `until` is the earlier time, on the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct QuietHours {
    from: TimeOfDay,
    until: TimeOfDay,
}

impl QuietHours {
    /// Quiet hours from `from`, included, to `until`, excluded.
    ///
    /// # Errors
    ///
    /// [`QuietHoursError::Empty`] if both are the same, which could mean none or all of the day.
    pub fn new(from: TimeOfDay, until: TimeOfDay) -> Result<Self, QuietHoursError> {
        if from == until {
            Err(QuietHoursError::Empty { time: from })
        } else {
            Ok(Self { from, until })
        }
    }

    /// The first quiet minute.
    pub fn from(&self) -> TimeOfDay {
        self.from
    }

    /// The first minute that is no longer quiet.
    pub fn until(&self) -> TimeOfDay {
        self.until
    }

    /// When the quiet hours that `at` is in end; `None` when it is in none.
    ///
    /// The end is after `at` and not quiet itself. Local time in `zone` counts: quiet hours are an hour shorter or longer when
    /// clocks change in them, an end that clocks skip is the moment they go forward, and a repeated local time is quiet
    /// twice.
    pub fn end_if_inside(&self, at: Timestamp, zone: &Zone) -> Option<Timestamp> {
        let rules = zone.time_zone();
        if !self.contains(rules.to_datetime(at)) {
            return None;
        }
        // Each step ends at `until` or where clocks change; quiet hours that contain a change take two.
        let mut end = at;
        for _ in 0..MAX_STEPS {
            end = self.next_step(end, zone)?;
            if !self.contains(rules.to_datetime(end)) {
                return Some(end);
            }
        }
        None
    }

    /// `until` by the offset that holds at `at`, or the change of clocks if that comes first.
    fn next_step(&self, at: Timestamp, zone: &Zone) -> Option<Timestamp> {
        let rules = zone.time_zone();
        let offset = rules.to_offset(at);
        let local = offset.to_datetime(at);
        let today = local.date().to_datetime(self.until.0);
        let end = if today > local {
            today
        } else {
            local.date().tomorrow().ok()?.to_datetime(self.until.0)
        };
        let end = offset.to_timestamp(end).ok()?;
        let change = rules.following(at).next().map(|change| change.timestamp());
        Some(change.map_or(end, |change| change.min(end)))
    }

    fn contains(&self, local: DateTime) -> bool {
        let time = local.time();
        if self.from < self.until {
            self.from.0 <= time && time < self.until.0
        } else {
            self.from.0 <= time || time < self.until.0
        }
    }
}

/// The JSON form, before both times are compared.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    from: TimeOfDay,
    until: TimeOfDay,
}

impl TryFrom<Written> for QuietHours {
    type Error = QuietHoursError;

    fn try_from(written: Written) -> Result<Self, QuietHoursError> {
        Self::new(written.from, written.until)
    }
}

impl From<QuietHours> for Written {
    fn from(QuietHours { from, until }: QuietHours) -> Self {
        Self { from, until }
    }
}

/// Why quiet hours were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QuietHoursError {
    /// Not `HH:MM`.
    #[error("`{text}` is not a time of day: write 00:00 to 23:59, such as 22:00")]
    NotATime {
        /// The refused text, shortened.
        text: String,
    },
    /// Both times are the same.
    #[error(
        "quiet hours from {time} until {time} are none or all: give two different times, or leave them out"
    )]
    Empty {
        /// The time that was given twice.
        time: TimeOfDay,
    },
}

impl QuietHoursError {
    /// Stable code for programs: `invalid_time` or `invalid_quiet_hours`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotATime { .. } => "invalid_time",
            Self::Empty { .. } => "invalid_quiet_hours",
        }
    }
}
