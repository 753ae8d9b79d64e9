//! When a task is due.

pub mod phrase;

use std::borrow::Cow;
use std::fmt;

use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::temporal::SpanParser;
use jiff::tz::Offset;
use jiff::{Span, Timestamp};
use serde::{Serialize, Serializer};

use crate::local_instant::LocalInstant;
use crate::recurrence::words::{month_name, weekday};
use crate::text::quoted;
use crate::zone::{END_OF_DAY, Zone};

/// Reads only ISO 8601, not the friendly format of jiff.
static SPANS: SpanParser = SpanParser::new();

/// An instant, to the second, and the zone in which its owner reads it.
///
/// The local year is within 1970 to 2199, which also bounds every search through a recurrence. The text form (and the
/// JSON form) is RFC 3339 with the zone's offset at that instant, without the zone's name: `2026-12-01T09:00:00+01:00`.
/// Where the zone's offset then had odd seconds (Africa/Monrovia before 1972), which RFC 3339 cannot write, it is in
/// UTC.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Due {
    at: Timestamp,
    zone: Zone,
}

impl Due {
    /// First year, in the zone's calendar, in which something may be due.
    pub const FIRST_YEAR: i16 = 1970;
    /// Last year, in the zone's calendar, in which something may be due.
    pub const LAST_YEAR: i16 = 2199;
    /// Maximum length of a duration that [`moved_by`](Self::moved_by) reads, in characters.
    pub const MAX_SPAN_CHARS: usize = 40;

    /// The due date at `at`, truncated to the second, in `zone`.
    ///
    /// # Errors
    ///
    /// [`DueError::YearOutOfRange`] if the local year is before 1970 or after 2199.
    pub fn new(at: Timestamp, zone: Zone) -> Result<Self, DueError> {
        check_year(zone.time_zone().to_datetime(at).year())?;
        // A subsecond can only be dropped; the arithmetic cannot leave the range that was just checked.
        let at = Timestamp::new(at.as_second(), 0).unwrap_or(at);
        Ok(Self { at, zone })
    }

    /// Parses a due date as people and programs write it.
    ///
    /// | text | means |
    /// | --- | --- |
    /// | `2026-12-01T09:00:00+01:00`, `…Z` | that instant (RFC 3339); seconds may be left out |
    /// | `2026-12-01T09:00`, `2026-12-01T09:00:30` | that local time in `zone` |
    /// | `2026-12-01` | the end of that day in `zone`: its last second, usually 23:59:59 |
    ///
    /// A space may replace the `T`, and fractions of a second are dropped. A local time that the zone skips when
    /// clocks go forward moves forward by the length of the gap; one that happens twice when clocks go back means the
    /// first (RFC 5545, section 3.3.5). 23:59:59 is neither: it is the last second of its day.
    ///
    /// # Errors
    ///
    /// Text of another form, dates and times that do not exist (30 February, 24:00, leap seconds), years out of range.
    pub fn parse(text: &str, zone: &Zone) -> Result<Self, DueError> {
        Self::parse_written(text, zone).map(|(due, _)| due)
    }

    /// Like [`parse`](Self::parse), with the day if the text is only a day.
    fn parse_written(text: &str, zone: &Zone) -> Result<(Self, Option<Date>), DueError> {
        let unreadable = || DueError::Unreadable { text: quoted(text) };
        let no_such = |source| DueError::NoSuchTime {
            text: quoted(text),
            source,
        };
        let written = Written::read(text.trim()).ok_or_else(unreadable)?;

        let (year, month, day) = written.date;
        let date = Date::new(year, month, day).map_err(no_such)?;
        check_year(year)?;
        let time = match written.time {
            Some((hour, minute, second)) => Time::new(hour, minute, second, 0).map_err(no_such)?,
            None => END_OF_DAY,
        };
        let local = date.to_datetime(time);
        let at = match written.offset_seconds {
            Some(seconds) => Offset::from_seconds(seconds).and_then(|offset| offset.to_timestamp(local)),
            None => zone.instant(local),
        };
        let due = Self::new(at.map_err(no_such)?, zone.clone())?;
        Ok((due, written.time.is_none().then_some(date)))
    }

    /// The due date moved by a duration: later, or earlier with a leading minus.
    ///
    /// `span_text` is an ISO 8601 duration of at most [`MAX_SPAN_CHARS`](Self::MAX_SPAN_CHARS) characters: `P1D`, `P2W`, `P1M`,
    /// `PT30M`, `P1DT12H`, `-P1D`. Years, months, weeks and days are counted in the zone's calendar and keep the local time
    /// of day across clock changes; a day that a month lacks becomes its last day. Hours, minutes and seconds are elapsed
    /// time.
    /// A local time that clocks skip or show twice is read as in [`parse`](Self::parse), and the end of a day stays one.
    ///
    /// # Errors
    ///
    /// [`DueError::NotADuration`], [`DueError::NotMoved`] if the due date does not change, and years out of range.
    pub fn moved_by(&self, span_text: &str) -> Result<Self, DueError> {
        let refused = |source| DueError::NotADuration {
            text: quoted(span_text),
            source,
        };
        let text = span_text.trim();
        if text.chars().nth(Self::MAX_SPAN_CHARS).is_some() {
            return Err(refused(None));
        }
        let span = SPANS.parse_span(text).map_err(|error| refused(Some(error)))?;
        // jiff fails only for dates thousands of years away.
        let at = self.later_by(span).map_err(|error| refused(Some(error)))?;
        let moved = Self::new(at, self.zone.clone())?;
        if moved.at == self.at {
            return Err(DueError::NotMoved { text: quoted(text) });
        }
        Ok(moved)
    }

    fn later_by(&self, span: Span) -> Result<Timestamp, jiff::Error> {
        if self.is_end_of_day() && is_of_days(&span) {
            let date = self.local().date().checked_add(span)?;
            return self.zone.instant(date.to_datetime(END_OF_DAY));
        }
        let zoned = self.at.to_zoned(self.zone.time_zone().clone());
        Ok(zoned.checked_add(span)?.timestamp())
    }

    /// The instant, always a whole second.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Its time zone.
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// Local date and time in its zone.
    pub fn local(&self) -> DateTime {
        self.zone.time_zone().to_datetime(self.at)
    }

    /// The local date and time in English: `Tuesday, 1 December 2026, 09:00`. The end of a day is the day alone.
    pub fn in_words(&self) -> String {
        let local = self.local();
        let (weekday, month) = (weekday(local.weekday()), month_name(local.month().into()));
        let day = format!(
            "{weekday}, {} {} {}",
            local.day(),
            month.unwrap_or_default(),
            local.year()
        );
        let (hour, minute, second) = (local.hour(), local.minute(), local.second());
        match second {
            _ if self.is_end_of_day() => day,
            0 => format!("{day}, {hour:02}:{minute:02}"),
            second => format!("{day}, {hour:02}:{minute:02}:{second:02}"),
        }
    }

    /// Whether it is the last second of its day, as a date without a time of day is. Nearly always that is 23:59:59; where
    /// clocks go forward at 23:00 (America/Nuuk) it is 22:59:59.
    pub fn is_end_of_day(&self) -> bool {
        let end = self.local().date().to_datetime(END_OF_DAY);
        self.zone.instant(end).is_ok_and(|end| end == self.at)
    }

    /// The time of day at which it recurs: always 23:59:59 for the end of a day.
    pub(crate) fn time_of_day(&self) -> Time {
        if self.is_end_of_day() {
            END_OF_DAY
        } else {
            self.local().time()
        }
    }
}

/// Whether a duration has only days and longer units: no hours, minutes or seconds.
fn is_of_days(span: &Span) -> bool {
    let parts = [
        i64::from(span.get_hours()),
        span.get_minutes(),
        span.get_seconds(),
        span.get_milliseconds(),
        span.get_microseconds(),
        span.get_nanoseconds(),
    ];
    parts.iter().all(|part| *part == 0)
}

impl fmt::Display for Due {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        LocalInstant::from(self).fmt(f)
    }
}

/// Written with the zone's offset at that instant.
impl From<&Due> for LocalInstant {
    fn from(due: &Due) -> Self {
        Self::new(due.at, due.zone.time_zone().to_offset(due.at))
    }
}

impl Serialize for Due {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn check_year(year: i16) -> Result<(), DueError> {
    if (Due::FIRST_YEAR..=Due::LAST_YEAR).contains(&year) {
        Ok(())
    } else {
        Err(DueError::YearOutOfRange { year })
    }
}

/// The first instant of a day: midnight, or the first instant after it if clocks skip midnight.
fn first_instant(date: Date, zone: &Zone) -> Result<Timestamp, jiff::Error> {
    zone.time_zone().to_timestamp(date.to_datetime(Time::midnight()))
}

/// The last second of a day; see [`Due::parse`].
fn last_second(date: Date, zone: &Zone) -> Result<Timestamp, jiff::Error> {
    zone.instant(date.to_datetime(END_OF_DAY))
}

/// The numbers as written, not yet checked for existence.
struct Written {
    date: (i16, i8, i8),
    time: Option<(i8, i8, i8)>,
    offset_seconds: Option<i32>,
}

impl Written {
    fn read(text: &str) -> Option<Self> {
        let mut rest = Rest(text);
        let year = i16::try_from(rest.digits(4)?).ok()?;
        let month = rest.after('-')?.two_digits()?;
        let day = rest.after('-')?.two_digits()?;
        let mut written = Self {
            date: (year, month, day),
            time: None,
            offset_seconds: None,
        };
        if rest.0.is_empty() {
            return Some(written);
        }
        rest.0 = rest.0.strip_prefix(['T', 't', ' '])?;
        let hour = rest.two_digits()?;
        let minute = rest.after(':')?.two_digits()?;
        let mut second = 0;
        if rest.0.starts_with(':') {
            second = rest.after(':')?.two_digits()?;
            if let Some(fraction) = rest.0.strip_prefix('.') {
                rest.0 = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
                (rest.0.len() < fraction.len()).then_some(())?;
            }
        }
        written.time = Some((hour, minute, second));
        written.offset_seconds = match rest.0 {
            "" => None,
            "Z" | "z" => Some(0),
            _ => Some(rest.offset_seconds()?),
        };
        Some(written)
    }
}

/// The rest of the text.
struct Rest<'a>(&'a str);

impl Rest<'_> {
    fn digits(&mut self, count: usize) -> Option<u16> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| digits.parse().ok())?
    }

    fn two_digits(&mut self) -> Option<i8> {
        i8::try_from(self.digits(2)?).ok()
    }

    fn after(&mut self, separator: char) -> Option<&mut Self> {
        self.0 = self.0.strip_prefix(separator)?;
        Some(self)
    }

    /// `+HH:MM` or `-HH:MM` up to 23:59, and nothing after it.
    fn offset_seconds(&mut self) -> Option<i32> {
        let sign = if self.0.starts_with('-') { -1 } else { 1 };
        self.0 = self.0.strip_prefix(['+', '-'])?;
        let hours = i32::from(self.two_digits()?);
        let minutes = i32::from(self.after(':')?.two_digits()?);
        (self.0.is_empty() && hours <= 23 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
    }
}

/// Why a due date was refused.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum DueError {
    /// The text has another form.
    #[error(
        "`{text}` is not a date or time: write 2026-12-01, 2026-12-01T09:00 (your time zone) \
         or 2026-12-01T09:00:00+01:00"
    )]
    Unreadable {
        /// The refused text, shortened.
        text: String,
    },
    /// The form is right, but there is no such date or time.
    #[error("`{text}` does not exist: check the day of the month and the time of day (00:00:00 to 23:59:59)")]
    NoSuchTime {
        /// The refused text, shortened.
        text: String,
        /// What is out of range.
        source: jiff::Error,
    },
    /// Nothing is due in that year.
    #[error(
        "the year {year} is out of range: give a year from {} to {}",
        Due::FIRST_YEAR,
        Due::LAST_YEAR
    )]
    YearOutOfRange {
        /// The refused year, in the zone's calendar.
        year: i16,
    },
    /// Neither a date nor a known phrase.
    #[error(
        "`{text}` is not understood as a due date: try `tomorrow 9am`, `in 3 hours`, `next friday`, \
         or write 2026-12-01T09:00"
    )]
    UnknownPhrase {
        /// The refused text, shortened.
        text: String,
    },
    /// A time of day behind a date, written so that it looks like a year in which nothing is due: `dec 24 1800`.
    #[error("`{text}` is not understood as a due date: write the time of day as {time}")]
    TimeWithoutColon {
        /// The refused text, shortened.
        text: String,
        /// The time of day that it looks like: `18:00`.
        time: String,
    },
    /// A phrase with two common readings.
    #[error("`{text}` can mean two things: say {instead}")]
    AmbiguousPhrase {
        /// The refused text, shortened.
        text: String,
        /// Unambiguous forms of both readings.
        instead: Cow<'static, str>,
    },
    /// A part of the day and an hour that is not in it: `tonight at 9am`.
    #[error("`{text}` contradicts itself: {hour} is not {part}, so leave one of them out or change it")]
    OtherPart {
        /// The refused text, shortened.
        text: String,
        /// The time of day that was said: `09:00`, or `9` if it could be either half of the day.
        hour: String,
        /// The part of the day that was said: `in the morning`.
        part: &'static str,
    },
    /// A phrase whose time has passed, such as `today at 9am` in the afternoon.
    #[error(
        "`{text}` has passed: name a time ahead, or write the date, such as 2026-12-01T09:00, if you mean it"
    )]
    Passed {
        /// The refused text, shortened.
        text: String,
    },
    /// A weekday with a date that falls on another weekday.
    #[error("`{text}` does not fit: {date} is a {weekday}, so leave the weekday out or change one of them")]
    OtherWeekday {
        /// The refused text, shortened.
        text: String,
        /// The date in it.
        date: Date,
        /// The day of the week that this date falls on, in lower case.
        weekday: &'static str,
    },
    /// The text is not a valid ISO 8601 duration, or it is too long.
    #[error(
        "`{text}` is not a duration: write P1D (a day), P1W (a week), P1M (a month), PT2H (two hours), -P1D (a day \
         earlier)"
    )]
    NotADuration {
        /// The refused text, shortened.
        text: String,
        /// What is wrong with it; none if it is too long.
        source: Option<jiff::Error>,
    },
    /// A duration that does not change the instant.
    #[error("`{text}` moves nothing: give a duration such as P1D or -PT2H")]
    NotMoved {
        /// The refused text, shortened.
        text: String,
    },
}

impl DueError {
    /// Stable code for programs: `invalid_duration` for what [`Due::moved_by`] cannot read, `ambiguous_due`, and
    /// `invalid_due` for everything else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotADuration { .. } | Self::NotMoved { .. } => "invalid_duration",
            Self::AmbiguousPhrase { .. } => "ambiguous_due",
            Self::Unreadable { .. }
            | Self::UnknownPhrase { .. }
            | Self::TimeWithoutColon { .. }
            | Self::OtherWeekday { .. }
            | Self::OtherPart { .. }
            | Self::Passed { .. }
            | Self::NoSuchTime { .. }
            | Self::YearOutOfRange { .. } => "invalid_due",
        }
    }
}
