//! Explains why a phrase is not understood, and suggests an alternative. It never changes what a phrase means.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use super::months::{months, nth_day, some_months};
use super::parser::{DAY, OTHER, each, every, rhythm, weekdays, weekend, workday};
use super::tokens::{Cursor, Token};
use crate::english::{self, MONTHS};
use crate::recurrence::RuleError;
use crate::text::quoted;

/// Why `words`, a phrase without its end, are not understood. The error quotes `phrase`.
pub(super) fn refusal(words: &[Token<'_>], phrase: &str) -> RuleError {
    let text = quoted(phrase);
    let cursor = Cursor::new(words);
    if let Some(instead) = ambiguous(cursor)
        .map(Cow::Borrowed)
        .or_else(|| nth_day_within(cursor).map(Cow::Owned))
        .or_else(|| comma_number(words).map(Cow::Borrowed))
        .or_else(|| counted(words).map(Cow::Owned))
        .or_else(|| {
            slashed(words, 1..=12, 31)
                .map(|()| "`every month on the 1st and 15th`, or `every january 15`".into())
        })
    {
        return RuleError::AmbiguousPhrase { text, instead };
    }
    if slashed(words, 13..=31, 12).is_some() {
        let instead = "the month in words, such as `every december 25`";
        return RuleError::OtherForm { text, instead };
    }
    if let Some(frequency) = under_a_day(words) {
        return RuleError::UnsupportedFrequency { frequency };
    }
    if let Some(instead) = how_often(cursor) {
        return RuleError::DaysMissing { text, instead };
    }
    if names_a_time(words) {
        return RuleError::TimeInPhrase { text };
    }
    RuleError::UnknownPhrase { text }
}

/// Whether one of the words is two numbers, one in `first` and one up to `second`: `1/15` can be two days of the month or a date;
/// `25/12` is not likely two days.
fn slashed(words: &[Token<'_>], first: RangeInclusive<i32>, second: i32) -> Option<()> {
    words.iter().find_map(|word| {
        let (day, month) = word.text.split_once('/')?;
        let number = |text: &str| text.parse::<i32>().ok();
        let among = first.contains(&number(day)?) && (1..=second).contains(&number(month)?);
        among.then_some(())
    })
}

/// Whether the words are a rhythm with a time of day: `every monday at 9am`, `9am every monday`, `every morning`.
fn names_a_time(words: &[Token<'_>]) -> bool {
    let found = words.iter().enumerate().find_map(|(at, _)| {
        let (before, rest) = words.split_at_checked(at)?;
        let mut after = Cursor::new(rest);
        time(&mut after).map(|time| (before, time, after))
    });
    match found {
        Some(([], _, mut after)) => {
            after.skip(&[","]);
            rhythm(after).is_some()
        }
        Some((before, time, _)) => {
            let mut every_part = Cursor::new(before);
            rhythm(every_part).is_some()
                || matches!(time, Time::Part) && each(&mut every_part).is_some() && every_part.is_at_end()
        }
        None => false,
    }
}

/// How a time of day is named.
pub(super) enum Time {
    /// `9am`, `at nine`, `noon`.
    Clock,
    /// `morning`, `in the evening`.
    Part,
}

pub(super) fn time(words: &mut Cursor<'_>) -> Option<Time> {
    let part = words.maybe(|words| {
        words.skip(&["at", "in"]);
        words.skip(&["the"]);
        words.next(|word| {
            let part = word.strip_suffix('s').unwrap_or(word);
            ["morning", "afternoon", "evening", "night"]
                .contains(&part)
                .then_some(())
        })
    });
    if part.is_some() {
        return Some(Time::Part);
    }
    words.maybe(|words| {
        let at = words.one_of(&["at", "@"]).is_some();
        let clear = words.next(|word| {
            let digit = word.starts_with(|first: char| first.is_ascii_digit());
            let clock = digit && (word.contains(':') || word.ends_with("am") || word.ends_with("pm"));
            if clock || ["noon", "midday", "midnight"].contains(&word) {
                return Some(true);
            }
            let hour = digit && english::numeral(word).is_none() || english::number(word).is_some();
            hour.then_some(false)
        })?;
        let half = words.one_of(&["am", "pm", "a.m", "a.m.", "p.m", "p.m.", "o'clock", "o’clock"]);
        (at || clear || half.is_some()).then_some(Time::Clock)
    })
}

/// Alternatives to a phrase with two common readings.
fn ambiguous(words: Cursor<'_>) -> Option<&'static str> {
    by_its_name(words)
        .or_else(|| nth_of_days(words))
        .or_else(|| nth_month(words))
        .or_else(|| month_on_weekday(words))
        .or_else(|| edge_of_something(words))
}

/// `bimonthly` and similar words.
fn by_its_name(mut words: Cursor<'_>) -> Option<&'static str> {
    words.skip(&["once"]);
    let mut named = |whole: &str, halves: [&str; 2]| {
        words.one_of(&[whole]).or_else(|| {
            let [first, second] = halves;
            words.words(&[first, "-", second])
        })
    };
    if named("bimonthly", ["bi", "monthly"]).is_some() {
        return Some("`every 2 months`, or `on the 1st and 15th`");
    }
    if named("semimonthly", ["semi", "monthly"]).is_some() {
        return Some("`on the 1st and 15th`, or `every 2 weeks`");
    }
    if named("biannually", ["bi", "annually"]).is_some() || named("biannual", ["bi", "annual"]).is_some() {
        return Some("`every 2 years`, or `every 6 months`");
    }
    words.one_of(&["twice"])?;
    if words.one_of(&["a", "per"]).is_none() {
        let _ = every(&mut words);
    }
    words.next(|unit| match unit {
        "month" | "monthly" => Some("`on the 1st and 15th`, or `every 2 weeks`"),
        "week" | "weekly" => Some("`every monday and thursday`, or other days"),
        "year" | "yearly" => Some("`every 6 months`, or two dates as two tasks"),
        _ => None,
    })
}

/// `every 2nd friday`, `every third workday`, `every other weekday`.
fn nth_of_days(mut words: Cursor<'_>) -> Option<&'static str> {
    words.skip(&["on"]);
    each(&mut words)?;
    if words.one_of(OTHER).is_some() {
        return words
            .all(workday)
            .map(|()| "`every weekday`, or `every other day`");
    }
    words.ordinal().filter(|nth| *nth > 1)?;
    if words.all(weekdays).is_some() {
        return Some("`every other tuesday`, or `second tuesday of the month`");
    }
    if words.all(weekend).is_some() {
        return Some("`every other weekend`, or `second saturday of the month`");
    }
    let workday = words.all(workday);
    workday.map(|()| "`every weekday`, `every other day`, or `second weekday of the month`")
}

/// `every second day in december`, `every 2nd day in the month`: every other day, or the 2nd?
fn nth_day_within(words: Cursor<'_>) -> Option<String> {
    words.all(|words| {
        words.skip(&["on", "in", "at"]);
        each(words)?;
        let nth = nth_day(words).filter(|nth| *nth <= 31)?;
        let within = words.one_of(&["in"]).is_some();
        if !within {
            words.one_of(&["of"])?;
        }
        let month = words.month().and_then(|month| MONTHS.get(month.checked_sub(1)?));
        let of = match month {
            Some(month) => month,
            None => some_months(words).filter(|_| within).map(|_| "the month")?,
        };
        Some(format!("`every {nth} days`, or `day {nth} of {of}`"))
    })
}

/// `every january 1, 27`: two days, or a year?
fn comma_number(words: &[Token<'_>]) -> Option<&'static str> {
    let [date @ .., comma, number] = words else {
        return None;
    };
    let numbers = [date.last()?.text, number.text]
        .iter()
        .all(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
    let named = date.iter().any(|word| english::month(word.text).is_some());
    let date = numbers && named && comma.text == "," && rhythm(Cursor::new(date)).is_some();
    date.then_some("`every january 1 and 15`, or `every january 1`")
}

/// `every 2nd january`.
fn nth_month(words: Cursor<'_>) -> Option<&'static str> {
    words.all(|words| {
        each(words)?;
        words.ordinal().filter(|nth| *nth > 1)?;
        words
            .month()
            .map(|_| "`every 2 years in january`, or `every 2nd of january`")
    })
}

/// `monthly on friday`.
fn month_on_weekday(words: Cursor<'_>) -> Option<&'static str> {
    words.all(|words| {
        months(words)?;
        words.skip(&[","]);
        words.skip(&["on"]);
        weekdays(words).map(|_| "`every monday`, or `monthly on the first monday`")
    })
}

/// `every first day`, `the last day`.
fn edge_of_something(words: Cursor<'_>) -> Option<&'static str> {
    words.all(|words| {
        words.skip(&["on"]);
        if words.maybe(each).is_none() {
            words.skip(&["the"]);
        }
        let instead = words.next(|word| match word {
            "first" => Some("`first day of the month`, or `first day of the year`"),
            "last" => Some("`last day of the month`, or `last day of the year`"),
            _ => None,
        })?;
        words.one_of(DAY).map(|()| instead)
    })
}

/// `every day 3 times`: three times on each day, or on three days?
fn counted(words: &[Token<'_>]) -> Option<String> {
    let (body, count) = match words {
        [body @ .., twice] if twice.text == "twice" => (body, 2),
        [body @ .., thrice] if thrice.text == "thrice" => (body, 3),
        [body @ .., count, times] if ["time", "times"].contains(&times.text) => {
            (body, english::number(count.text)?)
        }
        _ => return None,
    };
    let body = match body {
        [body @ .., comma] if comma.text == "," => body,
        body => body,
    };
    rhythm(Cursor::new(body))?;
    if count == 1 {
        return Some("`for 1 time` to end after one, or leave the number out".to_owned());
    }
    Some(format!(
        "`for {count} times` to end after {count}, or make {count} tasks that recur"
    ))
}

fn under_a_day(words: &[Token<'_>]) -> Option<&'static str> {
    words.iter().find_map(|word| {
        let unit = word.text.trim_start_matches(|first: char| first.is_ascii_digit());
        match unit {
            "hourly" | "hour" | "hours" | "hr" | "hrs" | "h" => Some("HOURLY"),
            "minutely" | "minute" | "minutes" | "min" | "mins" => Some("MINUTELY"),
            "secondly" | "seconds" | "sec" | "secs" => Some("SECONDLY"),
            _ => None,
        }
    })
}

/// The unit in a frequency such as `3 times a week`.
#[derive(Clone, Copy)]
enum Unit {
    Day,
    Week,
    Month,
    Year,
}

/// `3 days a week`, `twice daily`, `3 times a month`: how often, without days.
fn how_often(words: Cursor<'_>) -> Option<&'static str> {
    words.all(|words| {
        let twice = words.next(|word| match word {
            "twice" => Some(2),
            "thrice" => Some(3),
            _ => None,
        });
        let count = match twice {
            Some(count) => count,
            None => {
                let _ = words.maybe(each);
                let count = words.number()?;
                if words.one_of(&["time", "times"]).is_none() {
                    let counted = words.next(unit)?;
                    return per_unit(words).map(|per| match (count, counted, per) {
                        (7, Unit::Day, Unit::Week) => "`daily`",
                        _ => instead_of(None, per),
                    });
                }
                count
            }
        };
        let adverb = |words: &mut Cursor<'_>| {
            words.next(|word| match word {
                "daily" => Some(Unit::Day),
                "weekly" => Some(Unit::Week),
                "monthly" => Some(Unit::Month),
                "yearly" => Some(Unit::Year),
                _ => None,
            })
        };
        let per = words.maybe(per_unit).or_else(|| adverb(words))?;
        Some(instead_of(Some(count), per))
    })
}

/// `a week`, `of every month`.
fn per_unit(words: &mut Cursor<'_>) -> Option<Unit> {
    let of = words.one_of(&["of", "in"]).is_some();
    let per = if of {
        &["the", "a", "every", "each"]
    } else {
        &["a", "per", "every", "each"]
    };
    if words.one_of(per).is_none() && !of {
        return None;
    }
    words.next(unit)
}

fn unit(word: &str) -> Option<Unit> {
    match word {
        "day" | "days" => Some(Unit::Day),
        "week" | "weeks" => Some(Unit::Week),
        "month" | "months" => Some(Unit::Month),
        "year" | "years" => Some(Unit::Year),
        _ => None,
    }
}

/// Alternatives to a frequency, such as `3 times a week` or `3 days a week`.
fn instead_of(times: Option<i32>, per: Unit) -> &'static str {
    match (per, times) {
        (Unit::Day, Some(1)) => "`daily`",
        (Unit::Week, Some(1)) => "`weekly`, or `every monday`",
        (Unit::Month, Some(1)) => "`monthly`, or `every month on the 15th`",
        (Unit::Year, Some(1)) => "`yearly`, or `every january 15`",
        (Unit::Day, _) => "`daily`, in a task for each time of the day",
        (Unit::Week, _) => "`every monday and thursday`, or a distance, such as `every 2 days`",
        (Unit::Month, _) => "`on the 1st and 15th`, or a distance, such as `every 2 weeks`",
        (Unit::Year, Some(2)) => "`every 6 months`, or each date in a task of its own",
        (Unit::Year, Some(3)) => "`every 4 months`, or each date in a task of its own",
        (Unit::Year, Some(4)) => "`every 3 months`, or each date in a task of its own",
        (Unit::Year, Some(6)) => "`every 2 months`, or each date in a task of its own",
        (Unit::Year, _) => "a distance, such as `every 2 months`, or each date in a task of its own",
    }
}
