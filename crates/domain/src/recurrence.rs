//! Recurrence rules: RFC 5545 `RRULE`, expanded in the owner's local time.
//!
//! A [`Rule`] defines the dates on which something recurs; the time of day, and whatever else the text leaves open, comes from
//! the first due date (`DTSTART`). So "every Monday" first due at 09:00 in Berlin stays at 09:00 there while its
//! instant moves by an hour with daylight saving.
//!
//! # Supported parts
//!
//! `FREQ` (`DAILY`, `WEEKLY`, `MONTHLY`, `YEARLY`), `INTERVAL`, `COUNT`, `UNTIL`, `BYMONTH`, `BYWEEKNO`, `BYYEARDAY`,
//! `BYMONTHDAY`, `BYDAY`, `BYSETPOS` and `WKST`, with the restrictions of section 3.3.10 and its table. Frequencies shorter
//! than a day, `BYHOUR`, `BYMINUTE` and `BYSECOND` are refused, and so is a rule that no date can match.
//!
//! # Where implementations differ
//!
//! * Only dates that match the rule occur; `DTSTART` counts as the first occurrence if it matches (section 3.8.5.3 leaves
//!   the other case open; python-dateutil and the `rrule` crate decide likewise).
//! * A date that a month lacks is skipped, not moved: monthly from 31 January is next due on 31 March (section 3.3.10). Rules
//!   of [phrases](crate::phrase) name the last day as well, so they skip no month.
//! * A local time that a zone skips moves forward by the gap; one that happens twice means the first (section 3.3.5). An
//!   occurrence that thereby falls on the one before (Samoa skipped a whole day) is one occurrence. A task that is due at
//!   the end of a day recurs at the ends of days, also where clocks skip 23:59:59 or show it twice.
//! * `UNTIL` may be a date (that whole local day counts) or a local time, although section 3.3.10 asks for UTC.
//! * `BYWEEKNO` alone means the weekday of `DTSTART` in those weeks, as section 3.3.10 says of missing parts;
//!   python-dateutil and `rrule` take all seven days.
//! * The last week of a year has seven days, as in ISO 8601; python-dateutil and `rrule` lose the January days of some.
//! * `BYDAY=MO,1FR` means every Monday and the first Friday; python-dateutil and `rrule` want a day to be both.
//! * `BYSETPOS` counts in the whole period, also in the one `DTSTART` is in; python-dateutil and `rrule` start a week's
//!   set at `DTSTART`.
//!
//! # Bounded work
//!
//! A loop in a component is never interrupted, so every search here is bounded: nothing is due after 2199, each period of a
//! rule is examined once, and [`Occurrences`] ends after [`MAX_DAYS_EXAMINED`] days.

mod anchor;
mod error;
mod expand;
mod occurrences;
mod parse;
pub(crate) mod words;

use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Weekday};
use serde::{Deserialize, Serialize};

use crate::due::Due;

pub use error::RuleError;
pub use occurrences::{MAX_DAYS_EXAMINED, Occurrences};

/// A checked recurrence rule.
///
/// Its text form (and JSON form) is canonical `RRULE` text without the `RRULE:` prefix: parts in one order, lists sorted
/// and without duplicates, `INTERVAL=1` and `WKST=MO` left out. Equal texts mean equal rules. Parsing accepts any order,
/// any case, the prefix, spaces between values, folded lines and a semicolon at the end, as calendar programs write them.
///
/// ```
/// use nudge_domain::{Due, Rule, Zone};
///
/// let zone: Zone = "Europe/Berlin".parse()?;
/// let rule: Rule = "RRULE:FREQ=WEEKLY;BYDAY=MO".parse()?;
/// let start = Due::parse("2026-03-23T09:00", &zone)?;
/// let next = rule.next_after(&start, start.at()).ok_or("it recurs for ever")?;
/// // Still nine in the morning, an hour nearer to UTC: daylight saving began on the Sunday between.
/// assert_eq!(next.to_string(), "2026-03-30T07:00:00Z");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rule {
    frequency: Frequency,
    interval: u16,
    end: End,
    by_month: Vec<i16>,
    by_week_no: Vec<i16>,
    by_year_day: Vec<i16>,
    by_month_day: Vec<i16>,
    by_day: Vec<ByDay>,
    by_set_pos: Vec<i16>,
    week_start: Weekday,
}

impl Rule {
    /// Maximum length of a rule text or phrase, in characters.
    pub const MAX_TEXT_CHARS: usize = 500;
    /// Maximum `INTERVAL`.
    pub const MAX_INTERVAL: u16 = 1000;
    /// Maximum `COUNT`.
    pub const MAX_COUNT: u32 = 10_000;
    /// Maximum number of values per list, such as `BYMONTHDAY`.
    pub const MAX_VALUES: usize = 62;

    /// How often, before the `BY…` parts narrow or widen it.
    pub fn frequency(&self) -> Frequency {
        self.frequency
    }

    /// Every how many days, weeks, months or years; 1 to 1000.
    pub fn interval(&self) -> u16 {
        self.interval
    }

    /// When the recurrence ends.
    pub fn end(&self) -> End {
        self.end
    }

    /// The first occurrence strictly after `after` of a recurrence that begins at `start` (`DTSTART`).
    ///
    /// `None` if the rule has ended by then (`COUNT`, `UNTIL`), or if nothing matches until the end of 2199. Without
    /// `COUNT` the cost does not depend on how long ago `start` was.
    pub fn next_after(&self, start: &Due, after: Timestamp) -> Option<Timestamp> {
        self.occurrences_after(start, after).next()
    }

    /// All occurrences from `start` (`DTSTART`) on, in order. They are finite: see [`Occurrences`].
    pub fn occurrences<'r>(&'r self, start: &'r Due) -> Occurrences<'r> {
        Occurrences::new(self, start)
    }

    /// Those [occurrences](Self::occurrences) that are strictly after `after`. Without `COUNT`, the periods before it are
    /// skipped, not searched.
    pub fn occurrences_after<'r>(&'r self, start: &'r Due, after: Timestamp) -> Occurrences<'r> {
        Occurrences::after(self, start, after)
    }

    /// The same rule from `start` on, but a month that lacks that day has its last one instead; rules that name days, or
    /// several months of a year, are unchanged. For series that measure a distance and name no date.
    pub(crate) fn clamped_to_months(&self, start: Date) -> Self {
        let names_days = [&self.by_week_no, &self.by_year_day, &self.by_month_day];
        let one_set_a_month = match self.frequency {
            Frequency::Daily | Frequency::Weekly => false,
            Frequency::Monthly => true,
            // The places of a set count in the whole year.
            Frequency::Yearly => self.by_month.len() <= 1,
        };
        let mut rule = self.clone();
        if one_set_a_month && self.by_day.is_empty() && names_days.iter().all(|days| days.is_empty()) {
            if self.frequency == Frequency::Yearly && self.by_month.is_empty() {
                rule.by_month = vec![start.month().into()];
            }
            // The last of these days that the month has.
            rule.by_month_day = (start.day().min(28)..=start.day()).map(i16::from).collect();
            rule.by_set_pos = vec![-1];
        }
        rule
    }

    /// The first date from `start` on that this rule names, as an instant, for a series that has no beginning yet: whatever its interval
    /// is, it may begin in the first week, month or year that has such a date.
    pub fn first_from(&self, start: &Due) -> Option<Timestamp> {
        let every_period = Self {
            interval: 1,
            ..self.uncounted()
        };
        every_period.occurrences(start).next()
    }

    /// The same rule without its `COUNT`, for callers that count themselves.
    pub(crate) fn uncounted(&self) -> Self {
        let mut rule = self.clone();
        if let End::Count(_) = rule.end {
            rule.end = End::Never;
        }
        rule
    }
}

/// `FREQ`: the period a rule repeats in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Frequency {
    /// Days.
    Daily,
    /// Weeks, beginning with `WKST`.
    Weekly,
    /// Calendar months.
    Monthly,
    /// Calendar years.
    Yearly,
}

/// When a recurrence ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// It goes on.
    Never,
    /// After that many occurrences, the first included; 1 to 10,000.
    Count(u32),
    /// With the last occurrence at or before a moment.
    Until(Until),
}

/// `UNTIL`: the last moment at which something may occur, itself included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Until {
    /// That whole day, in the zone of the recurrence: `20261231`.
    Date(Date),
    /// That time in the zone of the recurrence: `20261231T090000`.
    Local(DateTime),
    /// That instant: `20261231T090000Z`.
    Utc(DateTime),
}

/// A value of `BYDAY`, such as `MO`, `1MO` or `-1FR`. Every one has `ordinal` 0; the first is 1, the last -1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct ByDay {
    ordinal: i16,
    weekday: Weekday,
}

/// Two-letter names (section 3.3.10), Monday first.
const WEEKDAYS: [(&str, Weekday); 7] = [
    ("MO", Weekday::Monday),
    ("TU", Weekday::Tuesday),
    ("WE", Weekday::Wednesday),
    ("TH", Weekday::Thursday),
    ("FR", Weekday::Friday),
    ("SA", Weekday::Saturday),
    ("SU", Weekday::Sunday),
];

fn weekday_name(weekday: Weekday) -> &'static str {
    WEEKDAYS
        .iter()
        .find(|(_, day)| *day == weekday)
        .map_or("", |(name, _)| name)
}

impl fmt::Display for Frequency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Daily => "DAILY",
            Self::Weekly => "WEEKLY",
            Self::Monthly => "MONTHLY",
            Self::Yearly => "YEARLY",
        })
    }
}

impl fmt::Display for ByDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ordinal != 0 {
            write!(f, "{}", self.ordinal)?;
        }
        f.write_str(weekday_name(self.weekday))
    }
}

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (date, time) = match self {
            Self::Date(date) => (*date, None),
            Self::Local(local) => (local.date(), Some((local.time(), ""))),
            Self::Utc(utc) => (utc.date(), Some((utc.time(), "Z"))),
        };
        write!(f, "{:04}{:02}{:02}", date.year(), date.month(), date.day())?;
        match time {
            Some((time, suffix)) => {
                write!(
                    f,
                    "T{:02}{:02}{:02}{suffix}",
                    time.hour(),
                    time.minute(),
                    time.second()
                )
            }
            None => Ok(()),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FREQ={}", self.frequency)?;
        if self.interval > 1 {
            write!(f, ";INTERVAL={}", self.interval)?;
        }
        match self.end {
            End::Never => {}
            End::Count(count) => write!(f, ";COUNT={count}")?,
            End::Until(until) => write!(f, ";UNTIL={until}")?,
        }
        list(f, "BYMONTH", &self.by_month)?;
        list(f, "BYWEEKNO", &self.by_week_no)?;
        list(f, "BYYEARDAY", &self.by_year_day)?;
        list(f, "BYMONTHDAY", &self.by_month_day)?;
        list(f, "BYDAY", &self.by_day)?;
        list(f, "BYSETPOS", &self.by_set_pos)?;
        if self.week_start != Weekday::Monday {
            write!(f, ";WKST={}", weekday_name(self.week_start))?;
        }
        Ok(())
    }
}

fn list(f: &mut fmt::Formatter<'_>, name: &str, values: &[impl fmt::Display]) -> fmt::Result {
    for (index, value) in values.iter().enumerate() {
        if index == 0 {
            write!(f, ";{name}={value}")?;
        } else {
            write!(f, ",{value}")?;
        }
    }
    Ok(())
}

impl TryFrom<String> for Rule {
    type Error = RuleError;

    fn try_from(text: String) -> Result<Self, RuleError> {
        text.parse()
    }
}

impl From<Rule> for String {
    fn from(rule: Rule) -> Self {
        rule.to_string()
    }
}
