//! Calendar dates: `dec 24 2027`, `the 15th`, `2027-12-24`, `13/1/2027`.

use std::borrow::Cow;

use jiff::Span;
use jiff::civil::Date;

use super::super::{DueError, Written, check_year};
use super::day::{Calendar, Day, one_weekday};
use crate::english::{MONTHS, WEEKDAYS, month, number, numeral, ordinal};
use crate::text::quoted;

/// Number of years in which every date occurs: 29 February is missing in 1900 and 2100, so eight.
pub(super) const YEARS_AHEAD: i16 = 8;
/// Number of months in which every day of the month occurs: no two successive months lack it.
const MONTHS_AHEAD: i32 = 2;
/// Years from now from which on `dec 24 2059` is more likely a time of day.
const FAR_AHEAD: i16 = 20;
/// A leap year, which has every date.
const LEAP_YEAR: i16 = 2024;

/// The date that the words name, possibly with its weekday before it.
///
/// # Errors
///
/// Dates that do not exist or are ambiguous, years out of range, a weekday that does not match the date.
pub(super) fn read(calendar: &Calendar<'_>, words: &[&str]) -> Result<Option<Day>, DueError> {
    let [name, date @ ..] = words else { return Ok(None) };
    let Some(index) = one_weekday(name) else {
        return unnamed(calendar, words);
    };
    let date = match date {
        ["the", date @ ..] | date => date,
    };
    let Some(day) = unnamed(calendar, date)? else {
        return Ok(None);
    };
    let actual = usize::from(day.last.weekday().to_monday_zero_offset().unsigned_abs());
    if actual == index {
        return Ok(Some(day));
    }
    Err(DueError::OtherWeekday {
        text: quoted(calendar.text),
        date: day.last,
        weekday: WEEKDAYS.get(actual).copied().unwrap_or_default(),
    })
}

fn unnamed(calendar: &Calendar<'_>, words: &[&str]) -> Result<Option<Day>, DueError> {
    match words {
        [text] => {
            if let Some(Written {
                date: (year, month, day),
                time: None,
                ..
            }) = Written::read(text)
            {
                return in_year(calendar, year, month, day).map(Some);
            }
            match numeral(text) {
                Some(day) => of_a_month(calendar, day).map(Some),
                None => numeric(calendar, text),
            }
        }
        [day, "of", "month"] | [day, "of", "the", "month"] => {
            ordinal(day).map(|day| of_a_month(calendar, day)).transpose()
        }
        [day, "of", which @ ("this" | "next"), "month"] | [day, which @ ("this" | "next"), "month"] => {
            let Some(day) = ordinal(day) else { return Ok(None) };
            let months = Span::new().try_months(i32::from(*which == "next"));
            let Some(month) = months
                .ok()
                .and_then(|months| calendar.today.first_of_month().checked_add(months).ok())
            else {
                return Ok(None);
            };
            let date = existing(calendar, month.year(), month.month(), small(day))?;
            Ok(Some(Day::one(date)))
        }
        [name, "the", rest @ ..] if month(name).is_some() => with_month(calendar, name, rest),
        [name, rest @ ..] if month(name).is_some() => with_month(calendar, name, rest),
        [day, "of", name, year @ ..] | [day, name, year @ ..] if month(name).is_some() => match year {
            [] => with_month(calendar, name, &[day]),
            [year] => with_month(calendar, name, &[day, year]),
            _ => Ok(None),
        },
        _ => Ok(None),
    }
}

/// The month `name`, and its day, with or without the year.
fn with_month(calendar: &Calendar<'_>, name: &str, words: &[&str]) -> Result<Option<Day>, DueError> {
    let month = month(name).and_then(|month| i8::try_from(month).ok());
    let (day, year) = match words {
        [day] => (day, None),
        [day, year] => match four_digits(year) {
            Some(year) => (day, Some(year)),
            None => return Ok(None),
        },
        _ => return Ok(None),
    };
    // `december 2027` names no day.
    let day = ordinal(day).or_else(|| number(day).filter(|_| four_digits(day).is_none()));
    let (Some(month), Some(day)) = (month, day) else {
        return Ok(None);
    };
    match year {
        Some(year) => {
            check_not_a_time(calendar, year, month, small(day))?;
            in_year(calendar, year, month, small(day)).map(Some)
        }
        None => in_some_year(calendar, month, small(day)),
    }
}

/// Refuses a number after day and month that is more likely a time of day than a year: `dec 24 1800`, `dec 24 2015`.
///
/// # Errors
///
/// A number that is not a possible year, or a year far in the past or future. With a comma before it, or with a separate time of day,
/// it is a year.
fn check_not_a_time(calendar: &Calendar<'_>, year: i16, month: i8, day: i8) -> Result<(), DueError> {
    let (hour, minute) = (year / 100, year % 100);
    let this = calendar.today.year();
    if hour > 23 || minute > 59 || calendar.timed || comma_before(calendar.text, year) {
        return Ok(());
    }
    let time = format!("{hour:02}:{minute:02}");
    if check_year(year).is_err() {
        return Err(DueError::TimeWithoutColon {
            text: quoted(calendar.text),
            time,
        });
    }
    if (this..=this.saturating_add(FAR_AHEAD)).contains(&year) {
        return Ok(());
    }
    let date = existing(calendar, year, month, day)?;
    let instead = format!("{date} or {} {day} {time}", short_month(month));
    Err(ambiguous(calendar, instead.into()))
}

/// Whether the year follows a comma, as in `dec 24, 2015`.
fn comma_before(text: &str, year: i16) -> bool {
    let year = format!("{year:04}");
    let mut before = text
        .split(year.as_str())
        .take(text.matches(year.as_str()).count());
    before.any(|before| before.trim_end().ends_with(','))
}

/// Three letters: `dec`.
fn short_month(month: i8) -> &'static str {
    let index = usize::try_from(month - 1).ok();
    let name = index.and_then(|index| MONTHS.get(index));
    name.and_then(|name| name.get(..3)).unwrap_or_default()
}

/// Numeric dates with the same separator between the numbers. Day and month may be in either order if only one is possible;
/// ambiguous dates are refused.
fn numeric(calendar: &Calendar<'_>, text: &str) -> Result<Option<Day>, DueError> {
    let Some(separator) = text.chars().find(|c| !c.is_ascii_digit()) else {
        return Ok(None);
    };
    if !['/', '.', '-'].contains(&separator) {
        return Ok(None);
    }
    let parts: Vec<&str> = text.split(separator).collect();
    match parts.as_slice() {
        [year, month, day] if four_digits(year).is_some() => {
            let (Some(year), Some(month), Some(day)) =
                (four_digits(year), two_digits(month), two_digits(day))
            else {
                return Ok(None);
            };
            in_year(calendar, year, month, day).map(Some)
        }
        [first, second, year] => {
            let (Some(first), Some(second)) = (two_digits(first), two_digits(second)) else {
                return Ok(None);
            };
            if let Some(year) = four_digits(year) {
                return day_and_month(calendar, first, second, Some(year));
            }
            match two_digits(year) {
                Some(_) => Err(ambiguous(
                    calendar,
                    "the year with four digits, such as 2026-12-24".into(),
                )),
                None => Ok(None),
            }
        }
        [first, second] if separator == '/' => match (two_digits(first), two_digits(second)) {
            (Some(first), Some(second)) => day_and_month(calendar, first, second, None),
            _ => Ok(None),
        },
        _ => Ok(None),
    }
}

fn day_and_month(
    calendar: &Calendar<'_>,
    first: i8,
    second: i8,
    year: Option<i16>,
) -> Result<Option<Day>, DueError> {
    let is_month = |number: i8| (1..=12).contains(&number);
    if is_month(first) && is_month(second) && first != second {
        let shown = |month: i8, day: i8| match year {
            Some(year) => format!("{year:04}-{month:02}-{day:02}"),
            None => format!("{} {day}", short_month(month)),
        };
        let instead = format!("{} or {}", shown(second, first), shown(first, second));
        return Err(ambiguous(calendar, instead.into()));
    }
    let (month, day) = if is_month(second) {
        (second, first)
    } else {
        (first, second)
    };
    match year {
        Some(year) => in_year(calendar, year, month, day).map(Some),
        None => in_some_year(calendar, month, day),
    }
}

fn ambiguous(calendar: &Calendar<'_>, instead: Cow<'static, str>) -> DueError {
    DueError::AmbiguousPhrase {
        text: quoted(calendar.text),
        instead,
    }
}

/// The first day with that number from today on.
fn of_a_month(calendar: &Calendar<'_>, day: i32) -> Result<Day, DueError> {
    let day = small(day);
    // December has every day, so this refuses the 32nd.
    let december = existing(calendar, calendar.today.year(), 12, day)?;
    let first = calendar.earliest.first_of_month();
    let found = (0..=MONTHS_AHEAD).find_map(|months| {
        let in_month = first.checked_add(Span::new().try_months(months).ok()?).ok()?;
        let date = Date::new(in_month.year(), in_month.month(), day).ok()?;
        (date >= calendar.earliest).then_some(date)
    });
    Ok(Day::one(found.unwrap_or(december)))
}

fn in_year(calendar: &Calendar<'_>, year: i16, month: i8, day: i8) -> Result<Day, DueError> {
    let date = existing(calendar, year, month, day)?;
    Ok(Day {
        absolute: true,
        ..Day::one(date)
    })
}

/// The first such date from today on.
fn in_some_year(calendar: &Calendar<'_>, month: i8, day: i8) -> Result<Option<Day>, DueError> {
    existing(calendar, LEAP_YEAR, month, day)?;
    let found = (0..=YEARS_AHEAD)
        .filter_map(|years| Date::new(calendar.earliest.year().checked_add(years)?, month, day).ok())
        .find(|date| *date >= calendar.earliest);
    Ok(found.map(Day::one))
}

fn existing(calendar: &Calendar<'_>, year: i16, month: i8, day: i8) -> Result<Date, DueError> {
    check_year(year)?;
    Date::new(year, month, day).map_err(|source| DueError::NoSuchTime {
        text: quoted(calendar.text),
        source,
    })
}

/// Numbers too large for any month become 127, which is never valid.
fn small(day: i32) -> i8 {
    i8::try_from(day).unwrap_or(i8::MAX)
}

/// A year of four digits.
pub(super) fn four_digits(text: &str) -> Option<i16> {
    let plain = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok())?
}

fn two_digits(text: &str) -> Option<i8> {
    let plain = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok())?
}
