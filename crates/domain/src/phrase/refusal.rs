//! Why a phrase is not understood, with what to say instead. Nothing here makes a phrase mean something.

use super::months::months;
use super::parser::{DAY, OTHER, each, every, rhythm, weekdays, weekend, workday};
use super::tokens::{Cursor, Token};
use crate::recurrence::RuleError;
use crate::text::quoted;

const UNITS: &[&str] = &["day", "days", "week", "weeks", "month", "months", "year", "years"];

/// Why `words`, a phrase without its end, are not understood. `phrase` is what the error quotes.
pub(super) fn refusal(words: &[Token<'_>], phrase: &str) -> RuleError {
    let text = quoted(phrase);
    let cursor = Cursor::new(words);
    if let Some(instead) = ambiguous(cursor)
        .or_else(|| counted(words))
        .or_else(|| slashed(words))
    {
        return RuleError::AmbiguousPhrase { text, instead };
    }
    if let Some(frequency) = under_a_day(words) {
        return RuleError::UnsupportedFrequency { frequency };
    }
    if let Some(instead) = how_often(cursor) {
        return RuleError::DaysMissing { text, instead };
    }
    let at = words.iter().position(|word| is_time(word.text));
    if let Some((body, _)) = at.and_then(|at| words.split_at_checked(at))
        && rhythm(Cursor::new(body)).is_some()
    {
        return RuleError::TimeInPhrase { text };
    }
    RuleError::UnknownPhrase { text }
}

/// `1/15`: two days, or a date, and of which country?
pub(super) fn is_slashed(word: &str) -> bool {
    word.contains('/') && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'/')
}

/// Whether a time of day begins with the word: `at`, `9am`, `17:00`.
fn is_time(word: &str) -> bool {
    let digit = word.starts_with(|first: char| first.is_ascii_digit());
    word == "at" || digit && (word.contains(':') || word.ends_with("am") || word.ends_with("pm"))
}

fn slashed(words: &[Token<'_>]) -> Option<&'static str> {
    words
        .iter()
        .any(|word| is_slashed(word.text))
        .then_some("`every month on the 1st and 15th`, or `every january 15`")
}

/// What to say instead of a phrase with two common readings.
fn ambiguous(words: Cursor<'_>) -> Option<&'static str> {
    by_its_name(words)
        .or_else(|| nth_day(words))
        .or_else(|| nth_month(words))
        .or_else(|| month_on_weekday(words))
        .or_else(|| edge_of_something(words))
}

/// `bimonthly` and its like.
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
fn nth_day(mut words: Cursor<'_>) -> Option<&'static str> {
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
        words.one_of(&["first", "last"])?;
        words
            .one_of(DAY)
            .map(|()| "`last day of the month`, or `last day of the year`")
    })
}

/// `every day 3 times`: three times on each day, or on three days?
fn counted(words: &[Token<'_>]) -> Option<&'static str> {
    let [body @ .., count, times] = words else {
        return None;
    };
    let counted = ["time", "times"].contains(&times.text) && crate::english::number(count.text).is_some();
    let understood = counted && rhythm(Cursor::new(body)).is_some();
    understood.then_some("`for 3 times` to end after three, or make a task for each time of the day")
}

fn under_a_day(words: &[Token<'_>]) -> Option<&'static str> {
    words.iter().find_map(|word| match word.text {
        "hourly" | "hour" | "hours" => Some("HOURLY"),
        "minutely" | "minute" | "minutes" => Some("MINUTELY"),
        "secondly" | "seconds" => Some("SECONDLY"),
        _ => None,
    })
}

/// `3 days a week`, `twice daily`, `3 times a month`: how often, without days.
fn how_often(words: Cursor<'_>) -> Option<&'static str> {
    words.all(|words| {
        if words.one_of(&["twice", "thrice"]).is_none() {
            let _ = words.maybe(each);
            words.number()?;
            if words.one_of(&["time", "times"]).is_none() {
                words.one_of(UNITS)?;
                return per_unit(words).map(instead_of);
            }
        }
        let adverb = |words: &mut Cursor<'_>| {
            words.next(|word| match word {
                "daily" => Some(true),
                "weekly" | "monthly" | "yearly" => Some(false),
                _ => None,
            })
        };
        words.maybe(per_unit).or_else(|| adverb(words)).map(instead_of)
    })
}

/// `a week`, `of every month`; whether it is a day.
fn per_unit(words: &mut Cursor<'_>) -> Option<bool> {
    let of = words.one_of(&["of", "in"]).is_some();
    let per = if of {
        &["the", "a", "every", "each"]
    } else {
        &["a", "per", "every", "each"]
    };
    if words.one_of(per).is_none() && !of {
        return None;
    }
    words.next(|unit| UNITS.contains(&unit).then(|| DAY.contains(&unit)))
}

fn instead_of(a_day: bool) -> &'static str {
    if a_day {
        "`daily`, in a task for each time of the day"
    } else {
        "`every monday and thursday`, or a distance, such as `every 2 days`"
    }
}
