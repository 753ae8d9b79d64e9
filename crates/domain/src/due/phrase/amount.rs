//! Amounts of time: `in 3 hours`, `a week from friday`.

use jiff::civil::Date;
use jiff::{Span, Timestamp};

use super::super::{Due, DueError};
use crate::english::number;
use crate::zone::Zone;

/// Most quantities one amount has: `1 day 2 hours 30 minutes`.
const MAX_QUANTITIES: usize = 4;

/// So many of some units of time.
#[derive(Debug)]
pub(super) struct Amount {
    quantities: Vec<(i32, Unit)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

impl Amount {
    /// `in 3 hours`, `3 hours from now`.
    pub(super) fn from_now(words: &[&str]) -> Option<Self> {
        match words {
            ["in", amount @ ..] | [amount @ .., "from", "now"] => Self::read(amount),
            _ => None,
        }
    }

    /// `3 hours`, `an hour`, `half an hour`, `1h30m`, `1 day and 2 hours`.
    pub(super) fn read(words: &[&str]) -> Option<Self> {
        let mut quantities = Vec::new();
        let mut rest = words;
        while !rest.is_empty() {
            if quantities.len() == MAX_QUANTITIES {
                return None;
            }
            rest = match rest {
                ["and", rest @ ..] if !quantities.is_empty() => rest,
                rest => rest,
            };
            rest = match rest {
                ["half", "an" | "a", "hour", rest @ ..] | ["half", "hour", rest @ ..] => {
                    quantities.push((30, Unit::Minute));
                    rest
                }
                ["couple", unit, rest @ ..] | ["a", "couple", unit, rest @ ..] => {
                    quantities.push(counted(2, unit)?);
                    rest
                }
                [count, unit, rest @ ..] if number(count).is_some() => {
                    quantities.push(counted(number(count)?, unit)?);
                    rest
                }
                ["a" | "an", unit, rest @ ..] => {
                    quantities.push(counted(1, unit)?);
                    rest
                }
                [glued, rest @ ..] => {
                    unglue(glued, &mut quantities)?;
                    rest
                }
                [] => return None,
            };
        }
        (!quantities.is_empty()).then_some(Self { quantities })
    }

    /// That much after `now`: days and longer keep the local time of day, shorter units are time that passes.
    ///
    /// # Errors
    ///
    /// Years out of range.
    pub(super) fn after(&self, now: Timestamp, zone: &Zone) -> Result<Due, DueError> {
        let later = self
            .span()
            .and_then(|span| now.to_zoned(zone.time_zone().clone()).checked_add(span));
        match later {
            Ok(later) => Due::new(later.timestamp(), zone.clone()),
            // Five digits of years: more than the calendar can count, or an error could name.
            Err(_) => Err(DueError::YearOutOfRange { year: i16::MAX }),
        }
    }

    /// That many days, weeks, months or years after `date`; `None` with units under a day.
    pub(super) fn after_day(&self, date: Date) -> Option<Date> {
        let under_a_day = |(_, unit): &(i32, Unit)| matches!(unit, Unit::Second | Unit::Minute | Unit::Hour);
        if self.quantities.iter().any(under_a_day) {
            return None;
        }
        date.checked_add(self.span().ok()?).ok()
    }

    fn span(&self) -> Result<Span, jiff::Error> {
        let of = |wanted: Unit| -> i64 {
            let counts = self.quantities.iter().filter(|(_, unit)| *unit == wanted);
            counts.map(|(count, _)| i64::from(*count)).sum()
        };
        Span::new()
            .try_years(of(Unit::Year))?
            .try_months(of(Unit::Month))?
            .try_weeks(of(Unit::Week))?
            .try_days(of(Unit::Day))?
            .try_hours(of(Unit::Hour))?
            .try_minutes(of(Unit::Minute))?
            .try_seconds(of(Unit::Second))
    }
}

fn counted(count: i32, unit: &str) -> Option<(i32, Unit)> {
    let (each, unit) = match unit {
        "s" | "sec" | "secs" | "second" | "seconds" => (1, Unit::Second),
        "m" | "min" | "mins" | "minute" | "minutes" => (1, Unit::Minute),
        "h" | "hr" | "hrs" | "hour" | "hours" => (1, Unit::Hour),
        "d" | "day" | "days" => (1, Unit::Day),
        "w" | "wk" | "wks" | "week" | "weeks" => (1, Unit::Week),
        "fortnight" | "fortnights" => (2, Unit::Week),
        "month" | "months" => (1, Unit::Month),
        "quarter" | "quarters" => (3, Unit::Month),
        "y" | "yr" | "yrs" | "year" | "years" => (1, Unit::Year),
        _ => return None,
    };
    Some((count.checked_mul(each)?, unit))
}

/// `2h`, `1h30m`.
fn unglue(word: &str, quantities: &mut Vec<(i32, Unit)>) -> Option<()> {
    let mut rest = word;
    while !rest.is_empty() {
        if quantities.len() == MAX_QUANTITIES {
            return None;
        }
        let (digits, tail) = rest.split_at_checked(rest.find(|c: char| !c.is_ascii_digit())?)?;
        let (unit, tail) =
            tail.split_at_checked(tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len()))?;
        quantities.push(counted(number(digits)?, unit)?);
        rest = tail;
    }
    Some(())
}
