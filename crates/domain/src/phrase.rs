//! English phrases for recurrences, each a shorthand for a rule.
//!
//! | phrase | rule |
//! | --- | --- |
//! | `daily`, `weekly`, `biweekly`, `fortnightly`, `monthly`, `quarterly`, `half-yearly`, `yearly`, `annually` | the frequency |
//! | `every day`, `each week`, `once a month`, `every other week`, `every 3 days`, `every two years` | with an interval |
//! | `weekdays`, `every workday`, `weekends`, `monday to friday` | `BYDAY` |
//! | `mondays`, `every monday and thursday`, `monday, wednesday and friday`, `every other tuesday` | `BYDAY` |
//! | `weekly on friday`, `every 2 weeks on monday` | `BYDAY` |
//! | `first monday of the month`, `1st and 3rd tuesday of every month` | `BYDAY` with numbers |
//! | `first weekday of the month`, `last workday of the month` | `BYDAY`, `BYSETPOS` |
//! | `end of month`, `start of every month`, `end of year`, `first day of the year` | `BYMONTHDAY`, `BYMONTH` |
//! | `last day of the month`, `on the 15th`, `every month on the 1st and 15th`, `every 2 months on day 3` | `BYMONTHDAY` |
//! | `every january 1`, `december 25th`, `every year on the 1st of may`, `fourth thursday of november` | `BYMONTH` |
//! | … `until 2026-12-31`, … `for 10 times` | `UNTIL`, `COUNT` |
//!
//! Case and spacing do not matter, the words `the`, `on`, `of`, `in` and `a` are only there to be read, and names of
//! weekdays and months may be cut down to three letters.

use std::borrow::Cow;

use crate::english::{month, number, numeral, position, weekday};
use crate::recurrence::{Rule, RuleError};
use crate::text::quoted;

const WORKDAYS: &str = "MO,TU,WE,TH,FR";
const WEEKDAY_CODES: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
/// Reads a recurrence as `RRULE` text or as one of the [phrases](self).
///
/// ```
/// use nudge_domain::parse_recurrence;
///
/// assert_eq!(parse_recurrence("Every Monday and Thursday")?.to_string(), "FREQ=WEEKLY;BYDAY=MO,TH");
/// assert_eq!(parse_recurrence("RRULE:FREQ=DAILY;COUNT=3")?.to_string(), "FREQ=DAILY;COUNT=3");
/// # Ok::<(), nudge_domain::RuleError>(())
/// ```
///
/// # Errors
///
/// What the parser of [`Rule`] refuses, phrases that are not understood (the message shows some that are), and phrases
/// that people read in two ways, such as `bimonthly`.
pub fn parse_recurrence(text: &str) -> Result<Rule, RuleError> {
    let text = text.trim();
    if text.is_empty() || text.contains('=') || text.chars().nth(Rule::MAX_TEXT_CHARS).is_some() {
        return text.parse();
    }
    let phrase = text
        .strip_suffix('.')
        .unwrap_or(text)
        .to_lowercase()
        .replace([',', '/'], " and ");
    let words: Vec<&str> = phrase
        .split_whitespace()
        .filter(|word| !["the", "on", "of", "in", "a"].contains(word))
        .flat_map(|word| match word {
            "each" => ["every", ""],
            "everyday" => ["every", "day"],
            word => [word, ""],
        })
        .filter(|word| !word.is_empty())
        .collect();
    if let Some(instead) = ambiguous(&words) {
        return Err(RuleError::AmbiguousPhrase {
            text: quoted(text),
            instead,
        });
    }
    if let Some(frequency) = under_a_day(&words) {
        return Err(RuleError::UnsupportedFrequency { frequency });
    }
    let (words, end) = split_end(&words);
    if let Some(at) = words.iter().position(|word| *word == "at")
        && words.get(..at).and_then(repetition).is_some()
    {
        return Err(RuleError::TimeInPhrase { text: quoted(text) });
    }
    let body = repetition(words).ok_or_else(|| RuleError::UnknownPhrase { text: quoted(text) })?;
    format!("{body}{end}").parse()
}

/// What to say instead of a phrase with two common readings.
fn ambiguous(words: &[&str]) -> Option<&'static str> {
    match words {
        ["bimonthly" | "bi-monthly", ..] => Some("`every 2 months`, or `on the 1st and 15th`"),
        ["biannually" | "bi-annually" | "biannual", ..] => Some("`every 2 years`, or `every 6 months`"),
        ["twice", .., "month"] | ["semimonthly" | "semi-monthly", ..] => {
            Some("`on the 1st and 15th`, or `every 2 weeks`")
        }
        ["twice", .., "week"] => Some("`every monday and thursday`, or other days"),
        ["twice", .., "year"] => Some("`every 6 months`, or two dates as two tasks"),
        ["every", nth, day] if position(nth).is_some_and(|nth| nth > 1) && weekday(day).is_some() => {
            Some("`every other tuesday`, or `second tuesday of the month`")
        }
        _ => None,
    }
}

fn under_a_day(words: &[&str]) -> Option<&'static str> {
    words.iter().find_map(|word| match *word {
        "hourly" | "hour" | "hours" => Some("HOURLY"),
        "minutely" | "minute" | "minutes" => Some("MINUTELY"),
        "secondly" | "seconds" => Some("SECONDLY"),
        _ => None,
    })
}

/// `until 2026-12-31` or `for 10 times` at the end of a phrase, as the part of a rule.
fn split_end<'p, 'w>(words: &'p [&'w str]) -> (&'p [&'w str], String) {
    match words {
        [body @ .., "until", date] => (body, format!(";UNTIL={}", date.replace('-', "").to_uppercase())),
        [body @ .., "for", count, "times"] | [body @ .., count, "times"] => match number(count) {
            Some(count) => (body, format!(";COUNT={count}")),
            None => (words, String::new()),
        },
        _ => (words, String::new()),
    }
}

/// A phrase without its end, as the parts of a rule.
fn repetition(words: &[&str]) -> Option<String> {
    match words {
        ["once", "per", rest @ ..] => period(1, rest),
        ["once", rest @ ..] if rest.first() != Some(&"once") => period(1, rest).or_else(|| repetition(rest)),
        ["alternate", "days"] => period(2, &["day"]),
        ["every", "single", rest @ ..] => period(1, rest),
        ["every", "other" | "alternate", rest @ ..] => period(2, rest).or_else(|| weekly_on(2, rest)),
        ["every", nth, rest @ ..]
            if position(nth).is_some_and(|nth| nth > 1) && period(1, rest).is_some() =>
        {
            period(position(nth)?, rest)
        }
        ["every", interval, rest @ ..] if number(interval).is_some_and(|_| period(1, rest).is_some()) => {
            period(number(interval)?, rest)
        }
        ["every", rest @ ..] => period(1, rest).or_else(|| calendar(rest)),
        [adverb, detail @ ..] => match *adverb {
            "daily" => period_with(1, "day", detail),
            "weekly" => period_with(1, "week", detail),
            "biweekly" | "bi-weekly" | "fortnightly" => period_with(2, "week", detail),
            "monthly" => period_with(1, "month", detail),
            "quarterly" => period_with(3, "month", detail),
            "half-yearly" | "semiannually" | "semi-annually" => period_with(6, "month", detail),
            "yearly" | "annually" => period_with(1, "year", detail),
            _ => calendar(words),
        },
        [] => None,
    }
}

/// `weeks on monday`: a unit of time and what narrows it.
fn period(interval: i32, words: &[&str]) -> Option<String> {
    let (unit, detail) = words.split_first()?;
    match unit.strip_suffix('s').unwrap_or(unit) {
        "fortnight" => period_with(interval.checked_mul(2)?, "week", detail),
        "quarter" => period_with(interval.checked_mul(3)?, "month", detail),
        unit => period_with(interval, unit, detail),
    }
}

fn period_with(interval: i32, unit: &str, detail: &[&str]) -> Option<String> {
    let every = |frequency: &str| format!("FREQ={frequency};INTERVAL={interval}");
    match (unit, detail) {
        ("day", [] | ["week"]) => Some(every("DAILY")),
        ("week", []) => Some(every("WEEKLY")),
        ("week", days) => weekly_on(interval, days),
        ("month", []) => Some(every("MONTHLY")),
        ("month", days) => Some(format!("{};{}", every("MONTHLY"), in_month(days, true)?)),
        ("year", []) => Some(every("YEARLY")),
        ("year", date) => Some(format!("{};{}", every("YEARLY"), in_year(date)?)),
        _ => None,
    }
}

/// A phrase that names days without a unit: weekdays, days of the month, days of the year.
fn calendar(words: &[&str]) -> Option<String> {
    if let Some(rule) = weekly_on(1, words) {
        return Some(rule);
    }
    if let Some(rule) = edge(words) {
        return Some(rule);
    }
    if let Some(parts) = in_year(words) {
        return Some(format!("FREQ=YEARLY;{parts}"));
    }
    let days = match words {
        [days @ .., "every", "month"] | [days @ .., "month"] => days,
        days => days,
    };
    Some(format!("FREQ=MONTHLY;{}", in_month(days, false)?))
}

/// `end of every month`, `first day of the year`.
fn edge(words: &[&str]) -> Option<String> {
    let (last, period) = match words {
        ["end", period @ ..] | ["last", "day", period @ ..] => (true, period),
        ["start" | "beginning", period @ ..] | ["first", "day", period @ ..] | ["first", period @ ..] => {
            (false, period)
        }
        _ => return None,
    };
    let rule = match (period, last) {
        (["month"] | ["every", "month"], true) => "FREQ=MONTHLY;BYMONTHDAY=-1",
        (["month"] | ["every", "month"], false) => "FREQ=MONTHLY;BYMONTHDAY=1",
        (["year"] | ["every", "year"], true) => "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=31",
        (["year"] | ["every", "year"], false) => "FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=1",
        _ => return None,
    };
    Some(rule.to_owned())
}

fn weekly_on(interval: i32, words: &[&str]) -> Option<String> {
    let days = weekday_set(words)?;
    // "Every other weekday" is no rule of weeks.
    (interval == 1 || !is_workday(words)).then(|| format!("FREQ=WEEKLY;INTERVAL={interval};BYDAY={days}"))
}

fn weekday_set(words: &[&str]) -> Option<Cow<'static, str>> {
    if is_workday(words) {
        return Some(WORKDAYS.into());
    }
    match words {
        ["weekend" | "weekends"] => Some("SA,SU".into()),
        [from, "to" | "through" | "-", to] => weekday_range(from, to),
        [range] if range.contains('-') => range
            .split_once('-')
            .and_then(|(from, to)| weekday_range(from, to)),
        days => {
            let code = |day: &&str| WEEKDAY_CODES.get(weekday(day)?).copied();
            joined(days, code).map(Cow::Owned)
        }
    }
}

fn weekday_range(from: &str, to: &str) -> Option<Cow<'static, str>> {
    let days = WEEKDAY_CODES.get(weekday(from)?..=weekday(to)?)?;
    Some(days.join(",").into())
}

fn is_workday(words: &[&str]) -> bool {
    matches!(
        words,
        ["weekday" | "weekdays" | "workday" | "workdays"] | ["working" | "business", "day" | "days"]
    )
}

/// `january 1`, `1st may`, `fourth thursday november`, `march`.
fn in_year(words: &[&str]) -> Option<String> {
    let (month, days) = match words {
        [name, days @ ..] if month(name).is_some() => (month(name)?, days),
        [days @ .., name] => (month(name)?, days),
        [] => return None,
    };
    if days.is_empty() {
        return Some(format!("BYMONTH={month}"));
    }
    Some(format!("BYMONTH={month};{}", in_month(days, true)?))
}

/// Days within a month. Bare numbers are days only where a month was named (`every month on the 15`).
fn in_month(words: &[&str], bare: bool) -> Option<String> {
    match words {
        ["last", "day"] => return Some("BYMONTHDAY=-1".to_owned()),
        ["first", "day"] => return Some("BYMONTHDAY=1".to_owned()),
        ["end"] if bare => return Some("BYMONTHDAY=-1".to_owned()),
        ["start"] if bare => return Some("BYMONTHDAY=1".to_owned()),
        ["day", day] => return Some(format!("BYMONTHDAY={}", number(day)?)),
        _ => {}
    }
    let day = |word: &&str| {
        if bare {
            numeral(word).or_else(|| number(word))
        } else {
            numeral(word)
        }
    };
    if let Some(days) = joined(words, day) {
        return Some(format!("BYMONTHDAY={days}"));
    }
    let split = words
        .iter()
        .position(|word| *word != "and" && position(word).is_none())?;
    let (positions, days) = words.split_at_checked(split)?;
    if is_workday(days) {
        let positions = joined(positions, |word| position(word))?;
        return Some(format!("BYDAY={WORKDAYS};BYSETPOS={positions}"));
    }
    let [day] = days else { return None };
    let code = WEEKDAY_CODES.get(weekday(day)?)?;
    joined(positions, |word| Some(format!("{}{code}", position(word)?))).map(|days| format!("BYDAY={days}"))
}

/// Reads every word but `and`, and joins what they mean with commas; `None` if there is none or one means nothing.
fn joined<T: ToString>(words: &[&str], read: impl Fn(&&str) -> Option<T>) -> Option<String> {
    let values: Option<Vec<String>> = words
        .iter()
        .filter(|word| **word != "and")
        .map(|word| read(word).map(|value| value.to_string()))
        .collect();
    values
        .filter(|values| !values.is_empty())
        .map(|values| values.join(","))
}
