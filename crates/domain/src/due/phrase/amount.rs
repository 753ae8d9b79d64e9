//! Amounts of time: `in 3 hours`, `a week from friday`.

use jiff::civil::Date;
use jiff::{Span, Timestamp};

use super::super::{Due, DueError};
use crate::english;
use crate::zone::Zone;

/// Maximum number of quantities per amount: each unit once.
const MAX_QUANTITIES: usize = 7;

/// Five digits: more years than the calendar has.
const TOO_LATE: DueError = DueError::YearOutOfRange { year: i16::MAX };

/// An amount of time in several units.
#[derive(Debug)]
pub(super) struct Amount {
    quantities: Vec<Quantity>,
}

#[derive(Debug, Clone, Copy)]
struct Quantity {
    count: i32,
    unit: Unit,
    /// The unit is a single `m`: minutes, unless the units before it make it months.
    letter_m: bool,
}

/// From the shortest to the longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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

    /// `3 hours`, `an hour`, `half an hour`, `1h30m`, `1 day and 2 hours`: each unit once, longer ones first.
    pub(super) fn read(words: &[&str]) -> Option<Self> {
        let mut quantities = Vec::new();
        let mut rest = words;
        while !rest.is_empty() {
            if let ["and", after @ ..] = rest
                && !quantities.is_empty()
            {
                rest = after;
            }
            rest = quantity(rest, &mut quantities)?;
            if quantities.len() > MAX_QUANTITIES {
                return None;
            }
        }
        let in_order = quantities.is_sorted_by(|longer, shorter| longer.unit > shorter.unit);
        (in_order && !quantities.is_empty()).then_some(Self { quantities })
    }

    /// The number before an `m` that can be months or minutes: right after a year, a month or a week, as in `1y 6m`.
    pub(super) fn months_or_minutes(&self) -> Option<i32> {
        let pairs = self.quantities.windows(2);
        pairs
            .filter_map(|pair| match pair {
                [before, after] => (after.letter_m && before.unit >= Unit::Week).then_some(after.count),
                _ => None,
            })
            .next()
    }

    /// The instant that is this amount after `now`: days and longer units keep the local time of day, shorter units are elapsed time.
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
            Err(_) => Err(TOO_LATE),
        }
    }

    /// The date that is this amount after `date`; `None` if there are units shorter than a day.
    ///
    /// # Errors
    ///
    /// Years out of range.
    pub(super) fn after_day(&self, date: Date) -> Result<Option<Date>, DueError> {
        if self.quantities.iter().any(|quantity| quantity.unit < Unit::Day) {
            return Ok(None);
        }
        let later = self.span().and_then(|span| date.checked_add(span));
        later.map(Some).map_err(|_| TOO_LATE)
    }

    /// Whole minutes, if every unit has a length and is at least a minute.
    pub(super) fn minutes(&self) -> Option<u32> {
        self.quantities.iter().try_fold(0_u32, |sum, quantity| {
            let each = match quantity.unit {
                Unit::Minute => 1,
                Unit::Hour => 60,
                Unit::Day => 24 * 60,
                Unit::Week => 7 * 24 * 60,
                Unit::Second | Unit::Month | Unit::Year => return None,
            };
            let count = u32::try_from(quantity.count).ok()?;
            sum.checked_add(count.checked_mul(each)?)
        })
    }

    fn span(&self) -> Result<Span, jiff::Error> {
        let of = |wanted: Unit| -> i64 {
            let counts = self.quantities.iter().filter(|quantity| quantity.unit == wanted);
            counts.map(|quantity| i64::from(quantity.count)).sum()
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

/// Reads one quantity from the beginning of the words, or several without spaces; also returns the words after it.
fn quantity<'a>(words: &'a [&'a str], quantities: &mut Vec<Quantity>) -> Option<&'a [&'a str]> {
    let (quantity, rest) = match words {
        ["half", "an" | "a", "hour", rest @ ..] | ["half", "hour", rest @ ..] => {
            (counted(30, "minutes")?, rest)
        }
        ["a", "couple", "of", unit, rest @ ..]
        | ["a", "couple", unit, rest @ ..]
        | ["couple", "of", unit, rest @ ..]
        | ["couple", unit, rest @ ..] => (counted(2, unit)?, rest),
        ["a" | "an", unit, rest @ ..] => (counted(1, unit)?, rest),
        [count, unit, rest @ ..] if number(count).is_some() => (counted(number(count)?, unit)?, rest),
        [glued, rest @ ..] => {
            let before = quantities.len();
            unglue(glued, quantities)?;
            // `1h30m` is complete, `1h` may be followed by more.
            let several = quantities.len() > before + 1;
            return (!several || (before == 0 && rest.is_empty())).then_some(rest);
        }
        [] => return None,
    };
    quantities.push(quantity);
    Some(rest)
}

/// A number of units, at least one.
fn counted(count: i32, unit: &str) -> Option<Quantity> {
    let letter_m = unit == "m";
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
    let count = count.checked_mul(each).filter(|count| *count > 0)?;
    Some(Quantity {
        count,
        unit,
        letter_m,
    })
}

/// Numbers in words up to twelve, and those that are common for minutes.
fn number(word: &str) -> Option<i32> {
    let of_minutes = match word {
        "fifteen" => 15,
        "twenty" => 20,
        "thirty" => 30,
        "forty" => 40,
        "fifty" => 50,
        "sixty" => 60,
        "ninety" => 90,
        word => return english::number(word),
    };
    Some(of_minutes)
}

/// `2h`, `1h30m`.
fn unglue(word: &str, quantities: &mut Vec<Quantity>) -> Option<()> {
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
