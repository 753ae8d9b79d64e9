//! The meaning of a phrase, and its rule text.

use std::fmt;

use crate::recurrence::RuleError;

const WEEKDAY_CODES: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
const WORKDAYS: &str = "MO,TU,WE,TH,FR";
/// Maximum number of days of each month.
const MONTH_DAYS: [i32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// How often, and on which days. `every` is in units of the rhythm; weekdays are numbered from Monday, 0; positions from 1, or
/// from the end from -1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Rhythm {
    Days {
        every: i32,
    },
    /// On the weekday of the due date if `on` is empty.
    Weeks {
        every: i32,
        on: Vec<usize>,
    },
    Months {
        every: i32,
        on: InMonth,
    },
    /// On the day and month of the due date if there is none.
    Years {
        every: i32,
        on: Option<(usize, InMonth)>,
    },
}

/// Days of a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum InMonth {
    /// The day of the due date.
    Open,
    Days(Vec<i32>),
    Weekdays(Vec<(i32, usize)>),
    /// Positions among the days from Monday to Friday.
    Workdays(Vec<i32>),
}

impl Rhythm {
    /// Refuses each day that never occurs; the parser of rules detects only whether *all* days of a list never occur.
    pub(super) fn check(&self) -> Result<(), RuleError> {
        let (month, on) = match self {
            Self::Days { .. } | Self::Weeks { .. } | Self::Years { on: None, .. } => return Ok(()),
            Self::Months { on, .. } => (None, on),
            Self::Years {
                on: Some((month, on)),
                ..
            } => (month.checked_sub(1), on),
        };
        let longest = month.and_then(|month| MONTH_DAYS.get(month)).unwrap_or(&31);
        let comes = match on {
            InMonth::Open => true,
            // A day that no month has is out of range; the parser of rules has the better message.
            InMonth::Days(days) => days.iter().all(|day| day <= longest || *day > 31),
            InMonth::Weekdays(days) => days.iter().all(|(place, _)| *place <= 5),
            InMonth::Workdays(places) => places.iter().all(|place| *place <= 23),
        };
        if comes {
            Ok(())
        } else {
            Err(RuleError::NeverMatches)
        }
    }
}

/// The rule text, not yet checked.
impl fmt::Display for Rhythm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Days { every } => write!(f, "FREQ=DAILY;INTERVAL={every}"),
            Self::Weeks { every, on } => {
                write!(f, "FREQ=WEEKLY;INTERVAL={every}")?;
                if on.is_empty() {
                    return Ok(());
                }
                write!(f, ";BYDAY={}", joined(on.iter().map(|day| code(*day))))
            }
            Self::Months { every, on } => {
                write!(f, "FREQ=MONTHLY;INTERVAL={every}")?;
                on.write(f, 28)
            }
            Self::Years { every, on } => {
                write!(f, "FREQ=YEARLY;INTERVAL={every}")?;
                let Some((month, days)) = on else { return Ok(()) };
                write!(f, ";BYMONTH={month}")?;
                let has_always = if *month == 2 { 28 } else { 31 };
                days.write(f, has_always)
            }
        }
    }
}

impl InMonth {
    /// Writes the days; `has_always` is the last day that the month, or each of the months, always has.
    fn write(&self, f: &mut fmt::Formatter<'_>, has_always: i32) -> fmt::Result {
        match self {
            Self::Open => Ok(()),
            Self::Days(days) => write_days(days, has_always, f),
            Self::Weekdays(days) => {
                let named = days.iter().map(|(place, day)| format!("{place}{}", code(*day)));
                write!(f, ";BYDAY={}", joined(named))
            }
            Self::Workdays(places) => write!(f, ";BYDAY={WORKDAYS};BYSETPOS={}", joined(places)),
        }
    }
}

/// Days of the month, with the last day instead in a month that lacks one.
///
/// The rule names every day from the 28th on and selects them by position: the last position is the last of these days that
/// the month has. A list that contains the last day anyway does not need this.
fn write_days(days: &[i32], has_always: i32, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut wanted = days.to_vec();
    wanted.sort_unstable();
    wanted.dedup();
    let highest = wanted.last().copied().unwrap_or_default();
    let from_end = wanted.first().is_some_and(|day| *day < 1);
    if from_end || highest <= has_always || highest > 31 {
        return write!(f, ";BYMONTHDAY={}", joined(&wanted));
    }
    let mut named: Vec<i32> = wanted.iter().copied().filter(|day| *day < 28).collect();
    named.extend(28..=highest);
    let places = (1..)
        .zip(&named)
        .filter(|(_, day)| wanted.contains(day))
        .map(|(place, day)| if *day == highest { -1 } else { place });
    write!(f, ";BYMONTHDAY={};BYSETPOS={}", joined(&named), joined(places))
}

fn code(weekday: usize) -> &'static str {
    WEEKDAY_CODES.get(weekday).copied().unwrap_or_default()
}

fn joined<T: ToString>(values: impl IntoIterator<Item = T>) -> String {
    let texts: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
    texts.join(",")
}
