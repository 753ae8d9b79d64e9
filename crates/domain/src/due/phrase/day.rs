//! Phrases for days.

use jiff::civil::{Date, Weekday};
use jiff::{Span, ToSpan};

use super::super::DueError;
use super::amount::Amount;
use super::{date, period};
use crate::english::{WEEKDAYS, weekday};

/// One or several successive days.
#[derive(Debug, Clone, Copy)]
pub(super) struct Day {
    pub(super) first: Date,
    pub(super) last: Date,
    pub(super) kind: Kind,
    /// Given with its year, so it may be in the past.
    pub(super) absolute: bool,
}

/// Which part of the days is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A day, which may have a time of day.
    Day,
    /// A whole week, month, quarter or year, without a time of day.
    Span,
    /// The end of the last day: `end of month`. It may have a time of day.
    End,
}

impl Day {
    pub(super) fn one(date: Date) -> Self {
        Self {
            first: date,
            last: date,
            kind: Kind::Day,
            absolute: false,
        }
    }
}

/// The reference for relative days.
pub(super) struct Calendar<'a> {
    /// The phrase, for errors.
    pub(super) text: &'a str,
    pub(super) today: Date,
    /// The earliest day for "the first from today on": today, or tomorrow if the time of day has passed.
    pub(super) earliest: Date,
    /// A time or a part of the day was given separately, so no number in these words can be one.
    pub(super) timed: bool,
}

impl Calendar<'_> {
    /// The day, if the words name exactly one.
    ///
    /// # Errors
    ///
    /// Dates that do not exist or are ambiguous, years out of range, a weekday that does not match the date.
    pub(super) fn day(&self, words: &[&str]) -> Result<Option<Day>, DueError> {
        if let ["in", amount @ ..] | [amount @ .., "from", "now"] = words {
            let date = Amount::read(amount).map(|amount| amount.after_day(self.today));
            return Ok(date.transpose()?.flatten().map(Day::one));
        }
        let words = match words {
            ["by" | "on", words @ ..] | words => words,
        };
        let Some(from) = words.iter().position(|word| *word == "from") else {
            return self.named(words);
        };
        let (Some(amount), Some(base)) = (words.get(..from).and_then(Amount::read), words.get(from + 1..))
        else {
            return Ok(None);
        };
        let Some(base) = self.named(base)?.filter(|base| base.kind != Kind::Span) else {
            return Ok(None);
        };
        let later = amount.after_day(base.last)?;
        Ok(later.map(|date| Day {
            absolute: base.absolute,
            ..Day::one(date)
        }))
    }

    fn named(&self, words: &[&str]) -> Result<Option<Day>, DueError> {
        let words = match words {
            [
                "the",
                "today" | "tomorrow" | "tmr" | "tmrw" | "yesterday" | "this",
                ..,
            ] => return Ok(None),
            ["the", words @ ..] | words => words,
        };
        if let Some(date) = self.relative(words) {
            return Ok(Some(Day::one(date)));
        }
        if let Some(period) = period::read(self, words) {
            return Ok(Some(period));
        }
        date::read(self, words)
    }

    /// Days relative to today.
    fn relative(&self, words: &[&str]) -> Option<Date> {
        let today = self.today;
        match words {
            ["today"] => Some(today),
            ["tomorrow" | "tmr" | "tmrw"] => today.tomorrow().ok(),
            ["yesterday"] => today.yesterday().ok(),
            ["day", "after", "tomorrow"] => in_days(today, 2),
            ["next", "week"] => in_days(today, 7),
            ["next", "month"] => today.checked_add(1.month()).ok(),
            ["next", "year"] => today.checked_add(1.year()).ok(),
            ["weekend"] | ["this", "weekend"] => {
                Some(self.of_week(0, 5)?.max(self.earliest).min(self.of_week(0, 6)?))
            }
            ["next", "weekend"] => self.of_week(1, 5),
            [name] => Some(first_named(today.tomorrow().ok()?, one_weekday(name)?)),
            ["this", name] => Some(first_named(self.earliest, one_weekday(name)?)),
            ["last", name] => Some(first_named(in_days(today, -7)?, one_weekday(name)?)),
            ["next", name] => self.of_week(1, one_weekday(name)?),
            [which @ ("this" | "next"), "week", "on", name]
            | [which @ ("this" | "next"), "week", name]
            | [name, "of", which @ ("this" | "next"), "week"]
            | [name, which @ ("this" | "next"), "week"] => {
                self.of_week(i64::from(*which == "next"), one_weekday(name)?)
            }
            _ => None,
        }
    }

    /// A day whose end can be named: `end of tomorrow`, `end of friday`.
    pub(super) fn with_an_end(&self, words: &[&str]) -> Option<Date> {
        match words {
            ["today" | "tomorrow"] => self.relative(words),
            [name] | ["this" | "next", name] if one_weekday(name).is_some() => self.relative(words),
            _ => None,
        }
    }

    /// The day of a week that is `weeks` after this one; Monday has index 0.
    pub(super) fn of_week(&self, weeks: i64, index: usize) -> Option<Date> {
        let monday = -i64::from(self.today.weekday().to_monday_zero_offset());
        in_days(self.today, monday + 7 * weeks + i64::try_from(index).ok()?)
    }
}

/// Index of the weekday, Monday 0, that a word names. The plural `mondays` is refused; `weds` is not a plural.
pub(super) fn one_weekday(word: &str) -> Option<usize> {
    weekday(word)
        .filter(|index| word == "weds" || WEEKDAYS.get(*index).is_some_and(|name| name.starts_with(word)))
}

/// The first day from `earliest` on that is that weekday; Monday has index 0.
fn first_named(earliest: Date, index: usize) -> Date {
    let offset = i8::try_from(index).unwrap_or_default();
    let wanted = Weekday::from_monday_zero_offset(offset).unwrap_or(Weekday::Monday);
    let days = i64::from(wanted.since(earliest.weekday()));
    in_days(earliest, days).unwrap_or(earliest)
}

pub(super) fn in_days(date: Date, days: i64) -> Option<Date> {
    date.checked_add(Span::new().try_days(days).ok()?).ok()
}
