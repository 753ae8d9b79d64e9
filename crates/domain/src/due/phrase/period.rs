//! Weeks, months, quarters and years, and their ends and beginnings: `end of next month`, `start of june`, `this week`.

use jiff::Span;
use jiff::civil::Date;

use super::date::{YEARS_AHEAD, four_digits};
use super::day::{Calendar, Day, Kind, in_days};
use crate::english::month;

/// First and last day of a period.
struct Period {
    first: Date,
    last: Date,
    absolute: bool,
}

/// Which side of a period was named.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    /// `start of`, `first day of`.
    Start,
    /// `last day of`.
    LastDay,
    /// `end of`.
    End,
}

/// The days, if the words name exactly a period or a side of one.
pub(super) fn read(calendar: &Calendar<'_>, words: &[&str]) -> Option<Day> {
    let abbreviated;
    let (side, period) = match words {
        ["this", unit @ ("week" | "month" | "quarter" | "year")] => {
            let Period { first, last, .. } = unit_from_now(calendar, unit, 0)?;
            return Some(Day {
                first,
                last,
                kind: Kind::Span,
                absolute: false,
            });
        }
        [short @ ("eow" | "eom" | "eoq" | "eoy")] => {
            abbreviated = [match *short {
                "eow" => "week",
                "eom" => "month",
                "eoq" => "quarter",
                _ => "year",
            }];
            (Side::End, abbreviated.as_slice())
        }
        ["end", period @ ..] => (Side::End, after_of(period)),
        ["last", "day", period @ ..] => (Side::LastDay, after_of(period)),
        ["start" | "beginning", period @ ..] | ["first", "day", period @ ..] => {
            (Side::Start, after_of(period))
        }
        _ => return None,
    };
    if side == Side::End
        && let Some(date) = calendar.with_an_end(period)
    {
        return Some(Day {
            kind: Kind::End,
            ..Day::one(date)
        });
    }
    let Period {
        first,
        last,
        absolute,
    } = named(calendar, period, side)?;
    let date = if side == Side::Start { first } else { last };
    Some(Day {
        kind: if side == Side::End { Kind::End } else { Kind::Day },
        absolute,
        ..Day::one(date)
    })
}

/// The words without `of`, `the` or `of the` at the beginning.
fn after_of<'a>(words: &'a [&'a str]) -> &'a [&'a str] {
    match words {
        ["of", "the", words @ ..] | ["of", words @ ..] | ["the", words @ ..] | words => words,
    }
}

fn named(calendar: &Calendar<'_>, words: &[&str], side: Side) -> Option<Period> {
    match words {
        ["next", unit] => unit_from_now(calendar, unit, 1),
        ["this", unit] => unit_from_now(calendar, unit, 0),
        [year] if four_digits(year).is_some() => {
            let first = Date::new(four_digits(year)?, 1, 1).ok()?;
            Some(absolute(first, first.last_of_year()))
        }
        [name, year] => {
            let first = Date::new(four_digits(year)?, i8::try_from(month(name)?).ok()?, 1).ok()?;
            Some(absolute(first, first.last_of_month()))
        }
        [name] if month(name).is_some() => {
            let number = i8::try_from(month(name)?).ok()?;
            let year = calendar.earliest.year();
            (0..=YEARS_AHEAD)
                .filter_map(|years| Date::new(year.checked_add(years)?, number, 1).ok())
                .map(|first| relative(first, first.last_of_month()))
                .find(|period| match side {
                    Side::Start => period.first >= calendar.earliest,
                    Side::LastDay | Side::End => period.last >= calendar.earliest,
                })
        }
        [unit] => unit_from_now(calendar, unit, 0),
        _ => None,
    }
}

/// The current unit, or the next one.
fn unit_from_now(calendar: &Calendar<'_>, unit: &str, ahead: i32) -> Option<Period> {
    let today = calendar.today;
    let months = |first: Date, count: i32| first.checked_add(Span::new().try_months(count).ok()?).ok();
    let (first, length) = match unit {
        "week" => {
            let first = calendar.of_week(i64::from(ahead), 0)?;
            return Some(relative(first, in_days(first, 6)?));
        }
        "weekend" => {
            let first = calendar.of_week(i64::from(ahead), 5)?;
            return Some(relative(first, in_days(first, 1)?));
        }
        "month" => (today.first_of_month(), 1),
        "quarter" => {
            let into = i32::from((today.month() - 1) % 3);
            (months(today.first_of_month(), -into)?, 3)
        }
        "year" => (today.first_of_year(), 12),
        _ => return None,
    };
    let first = months(first, ahead * length)?;
    Some(relative(first, months(first, length)?.yesterday().ok()?))
}

fn relative(first: Date, last: Date) -> Period {
    Period {
        first,
        last,
        absolute: false,
    }
}

fn absolute(first: Date, last: Date) -> Period {
    Period {
        absolute: true,
        ..relative(first, last)
    }
}
