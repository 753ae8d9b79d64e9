//! Days, as people name them.

use jiff::civil::{Date, Weekday};
use jiff::{Span, ToSpan};

use super::super::{DueError, Written, check_year};
use super::amount::Amount;
use super::clock::Part;
use crate::english::{WEEKDAYS, month, number, numeral, weekday};
use crate::text::quoted;

/// Years in which a date comes once: 29 February is missing in 1900 and 2100, so eight.
const YEARS_AHEAD: i16 = 8;
/// Months in which a day of the month comes once: two in a row never lack it.
const MONTHS_AHEAD: i32 = 2;

/// A named day, and the part of it, if one was named.
#[derive(Debug, Clone, Copy)]
pub(super) struct Day {
    pub(super) date: Date,
    pub(super) part: Option<Part>,
}

/// What days are counted from.
pub(super) struct Calendar<'a> {
    /// The phrase, for errors.
    pub(super) text: &'a str,
    pub(super) today: Date,
    /// The first day that "the first from today on" may be: today, or tomorrow once the time of day has passed.
    pub(super) earliest: Date,
}

impl Calendar<'_> {
    /// The day that the words name, if they name one and nothing else.
    ///
    /// # Errors
    ///
    /// Dates that do not exist, years out of range, a weekday that is not the date's.
    pub(super) fn day(&self, words: &[&str]) -> Result<Option<Day>, DueError> {
        let (date, part) = match words {
            ["tonight"] => (Some(self.today), Some(Part::Night)),
            ["this", part] if Part::named(part).is_some() => (Some(self.today), Part::named(part)),
            ["in", part] | [part] if Part::named(part).is_some() => (Some(self.earliest), Part::named(part)),
            [day @ .., "in", part] | [day @ .., part] if Part::named(part).is_some() => {
                (self.date(day)?, Part::named(part))
            }
            day => (self.date(day)?, None),
        };
        Ok(date.map(|date| Day { date, part }))
    }

    fn date(&self, words: &[&str]) -> Result<Option<Date>, DueError> {
        let today = self.today;
        if let Some(from) = words.iter().position(|word| *word == "from") {
            let amount = words.get(..from).and_then(Amount::read);
            let day = words
                .get(from + 1..)
                .map(|day| self.relative(day))
                .unwrap_or_default();
            return Ok(amount.zip(day).and_then(|(amount, day)| amount.after_day(day)));
        }
        if let ["in", amount @ ..] = words {
            return Ok(Amount::read(amount).and_then(|amount| amount.after_day(today)));
        }
        if let Some(date) = self.relative(words) {
            return Ok(Some(date));
        }
        if let [name, day @ ..] = words
            && let Some(index) = weekday(name)
            && let Some(date) = self.calendar_date(day)?
        {
            return self.must_be(index, date).map(Some);
        }
        self.calendar_date(words)
    }

    /// Days that are counted from today.
    fn relative(&self, words: &[&str]) -> Option<Date> {
        let today = self.today;
        match words {
            ["today"] => Some(today),
            ["tomorrow" | "tmr" | "tmrw"] => today.tomorrow().ok(),
            ["day", "after", "tomorrow"] => in_days(today, 2),
            ["next", "week"] => in_days(today, 7),
            ["next", "month"] => today.checked_add(1.month()).ok(),
            ["next", "year"] => today.checked_add(1.year()).ok(),
            ["weekend"] | ["this", "weekend"] => Some(self.week_day(0, 5)?.max(today)),
            ["next", "weekend"] => self.week_day(1, 5),
            ["this", period @ ("week" | "month" | "year")] => self.last_of(&[period]),
            ["eow"] => self.last_of(&["week"]),
            ["eom"] => self.last_of(&["month"]),
            ["eoy"] => self.last_of(&["year"]),
            ["end", period @ ..] | ["last", "day", period @ ..] => self.last_of(period),
            ["start" | "beginning", period @ ..] | ["first", "day", period @ ..] => self.first_of(period),
            [day] => Some(first_named(today.tomorrow().ok()?, weekday(day)?)),
            ["this", day] => Some(first_named(self.earliest, weekday(day)?)),
            ["next", day] | ["next", "week", day] | [day, "next", "week"] => self.week_day(1, weekday(day)?),
            _ => None,
        }
    }

    /// The day of a week that is `weeks` after this one; Monday has index 0.
    fn week_day(&self, weeks: i64, index: usize) -> Option<Date> {
        let monday = -i64::from(self.today.weekday().to_monday_zero_offset());
        in_days(self.today, monday + 7 * weeks + i64::try_from(index).ok()?)
    }

    fn last_of(&self, period: &[&str]) -> Option<Date> {
        match period {
            ["week"] | ["this", "week"] => self.week_day(0, 6),
            ["next", "week"] => self.week_day(1, 6),
            ["month"] | ["this", "month"] => Some(self.today.last_of_month()),
            ["next", "month"] => Some(
                self.today
                    .first_of_month()
                    .checked_add(1.month())
                    .ok()?
                    .last_of_month(),
            ),
            ["year"] | ["this", "year"] => Some(self.today.last_of_year()),
            ["next", "year"] => Some(self.today.checked_add(1.year()).ok()?.last_of_year()),
            [name] => {
                let month = i8::try_from(month(name)?).ok()?;
                (0..=YEARS_AHEAD)
                    .filter_map(|years| Date::new(self.earliest.year().checked_add(years)?, month, 1).ok())
                    .map(Date::last_of_month)
                    .find(|last| *last >= self.earliest)
            }
            _ => None,
        }
    }

    fn first_of(&self, period: &[&str]) -> Option<Date> {
        match period {
            ["next", "week"] => self.week_day(1, 0),
            ["next", "month"] => self.today.first_of_month().checked_add(1.month()).ok(),
            ["next", "year"] => self.today.first_of_year().checked_add(1.year()).ok(),
            [name] => self.first_from_today(i8::try_from(month(name)?).ok()?, 1),
            _ => None,
        }
    }

    /// Days that the calendar names: `dec 24 2027`, `the 15th`, `2027-12-24`.
    fn calendar_date(&self, words: &[&str]) -> Result<Option<Date>, DueError> {
        match words {
            [text] => {
                if let Some(Written {
                    date: (year, month, day),
                    time: None,
                    ..
                }) = Written::read(text)
                {
                    return self.existing(year, month, day).map(Some);
                }
                let Some(day) = numeral(text) else { return Ok(None) };
                let day = i8::try_from(day).unwrap_or(i8::MAX);
                // December has every day, so this refuses the 32nd.
                self.existing(self.today.year(), 12, day)?;
                Ok((0..=MONTHS_AHEAD).find_map(|months| {
                    let first = self.earliest.first_of_month();
                    let in_month = first.checked_add(Span::new().try_months(months).ok()?).ok()?;
                    let date = Date::new(in_month.year(), in_month.month(), day).ok()?;
                    (date >= self.earliest).then_some(date)
                }))
            }
            [day, which @ ("this" | "next"), "month"] => {
                let (Some(day), Ok(months)) =
                    (numeral(day), Span::new().try_months(i32::from(*which == "next")))
                else {
                    return Ok(None);
                };
                let Ok(in_month) = self.today.first_of_month().checked_add(months) else {
                    return Ok(None);
                };
                let day = i8::try_from(day).unwrap_or(i8::MAX);
                self.existing(in_month.year(), in_month.month(), day).map(Some)
            }
            [first, second] => {
                let Some((month, day)) = month_and_day(first, second) else {
                    return Ok(None);
                };
                // A leap year has every day that some year has.
                self.existing(2024, month, day)?;
                Ok(self.first_from_today(month, day))
            }
            [first, second, year] => {
                let four_digits = year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit());
                match (month_and_day(first, second), year.parse()) {
                    (Some((month, day)), Ok(year)) if four_digits => {
                        self.existing(year, month, day).map(Some)
                    }
                    _ => Ok(None),
                }
            }
            _ => Ok(None),
        }
    }

    fn first_from_today(&self, month: i8, day: i8) -> Option<Date> {
        (0..=YEARS_AHEAD)
            .filter_map(|years| Date::new(self.earliest.year().checked_add(years)?, month, day).ok())
            .find(|date| *date >= self.earliest)
    }

    fn existing(&self, year: i16, month: i8, day: i8) -> Result<Date, DueError> {
        check_year(year)?;
        Date::new(year, month, day).map_err(|source| DueError::NoSuchTime {
            text: quoted(self.text),
            source,
        })
    }

    /// `date`, which was called that weekday.
    fn must_be(&self, index: usize, date: Date) -> Result<Date, DueError> {
        let actual = usize::from(date.weekday().to_monday_zero_offset().unsigned_abs());
        if actual == index {
            return Ok(date);
        }
        Err(DueError::OtherWeekday {
            text: quoted(self.text),
            date,
            weekday: WEEKDAYS.get(actual).copied().unwrap_or_default(),
        })
    }
}

/// The first day from `earliest` on that is that weekday; Monday has index 0.
fn first_named(earliest: Date, index: usize) -> Date {
    let offset = i8::try_from(index).unwrap_or_default();
    let wanted = Weekday::from_monday_zero_offset(offset).unwrap_or(Weekday::Monday);
    let days = i64::from(wanted.since(earliest.weekday()));
    in_days(earliest, days).unwrap_or(earliest)
}

fn in_days(date: Date, days: i64) -> Option<Date> {
    date.checked_add(Span::new().try_days(days).ok()?).ok()
}

/// `dec 24`, `24th december`. Numbers too great for any month become 127.
fn month_and_day(first: &str, second: &str) -> Option<(i8, i8)> {
    let (month, day) = match (month(first), month(second)) {
        (Some(month), None) => (month, second),
        (None, Some(month)) => (month, first),
        _ => return None,
    };
    let day = numeral(day).or_else(|| number(day))?;
    Some((i8::try_from(month).ok()?, i8::try_from(day).unwrap_or(i8::MAX)))
}
