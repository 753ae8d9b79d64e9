//! What can be meant by a phrase that is refused: phrases in its place.

use crate::due::{Due, DueError};
use crate::english::{MONTHS, WEEKDAYS, month, number, ordinal, weekday};
use crate::phrase::parse_recurrence;
use crate::recurrence::RuleError;

/// A phrase with some of its words replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reading {
    /// The first of the words.
    pub(super) first: usize,
    /// How many words are replaced.
    pub(super) count: usize,
    /// What stands in their place; nothing if they are left out.
    pub(super) with: String,
    /// The whole phrase.
    pub(super) phrase: String,
}

/// Readings of a due phrase. `understood` says whether a phrase is understood.
pub(super) fn of_due(words: &[&str], error: &DueError, understood: impl Fn(&str) -> bool) -> Vec<Reading> {
    match error {
        DueError::AmbiguousPhrase { instead, .. } => instead
            .split(" or ")
            .map(str::to_owned)
            .chain(words.iter().filter_map(|word| with_century(word)))
            .filter_map(|reading| replaced(words, &reading, &understood))
            .collect(),
        DueError::TimeWithoutColon { time, .. } => replaced(words, time, &understood).into_iter().collect(),
        DueError::Passed { .. } => ["tomorrow", "tomorrow night"]
            .into_iter()
            .filter_map(|day| replaced(words, day, &understood))
            .take(1)
            .collect(),
        DueError::OtherWeekday { date, .. } => {
            let without = replaced(words, "", &understood);
            let dated = |reading: &Reading| !reading.phrase.is_empty();
            without
                .filter(dated)
                .or_else(|| replaced(words, &date.to_string(), &understood))
                .into_iter()
                .collect()
        }
        DueError::OtherPart { .. } => (1..words.len())
            .flat_map(|at| [cut(words, 0, at), cut(words, at, words.len() - at)])
            .flatten()
            .filter(|reading| understood(&reading.phrase))
            .take(2)
            .collect(),
        _ => Vec::new(),
    }
}

/// `13/1/2027` for `13/1/27`.
fn with_century(word: &str) -> Option<String> {
    let (date, year) = word.rsplit_once(['/', '.', '-'])?;
    let separator = word.get(date.len()..date.len() + 1)?;
    let two_digits = year.len() == 2 && year.bytes().all(|byte| byte.is_ascii_digit());
    (two_digits && date.contains(separator)).then(|| format!("{date}{separator}20{year}"))
}

/// Readings of a recurrence phrase.
pub(super) fn of_rule(words: &[&str], error: &RuleError) -> Vec<Reading> {
    let understood = |phrase: &str| parse_recurrence(phrase).is_ok();
    let phrases: Vec<String> = match error {
        RuleError::AmbiguousPhrase { instead, .. } => {
            nth_weekday(words).unwrap_or_else(|| said_as_examples(words, instead))
        }
        RuleError::DaysMissing { instead, .. } => quoted(instead).map(str::to_owned).collect(),
        RuleError::UnsupportedFrequency { .. } => vec!["every day".to_owned()],
        _ => Vec::new(),
    };
    phrases
        .iter()
        .filter_map(|reading| replaced(words, reading, understood))
        .collect()
}

/// The phrase with the fewest words replaced that is understood then.
fn replaced(words: &[&str], reading: &str, understood: impl Fn(&str) -> bool) -> Option<Reading> {
    (1..=words.len())
        .flat_map(|count| (0..=words.len() - count).map(move |first| (first, count)))
        .filter_map(|(first, count)| with(words, first, count, reading))
        .find(|reading| understood(&reading.phrase))
}

fn cut(words: &[&str], first: usize, count: usize) -> Option<Reading> {
    with(words, first, count, "")
}

fn with(words: &[&str], first: usize, count: usize, reading: &str) -> Option<Reading> {
    let before = words.get(..first)?.iter().copied();
    let after = words.get(first + count..)?.iter().copied();
    let said = (!reading.is_empty()).then_some(reading);
    let phrase: Vec<&str> = before.chain(said).chain(after).collect();
    Some(Reading {
        first,
        count,
        with: reading.to_owned(),
        phrase: phrase.join(" "),
    })
}

/// `every 2nd friday`: the examples of the refusal have another weekday and another number.
fn nth_weekday(words: &[&str]) -> Option<Vec<String>> {
    let (nth, days) = match words {
        ["on", "every" | "each", nth, days @ ..] | ["every" | "each", nth, days @ ..] => {
            (ordinal(nth)?, days)
        }
        _ => return None,
    };
    let days = days.join(" ");
    parse_recurrence(&format!("every {days}")).ok()?;
    let place = words.iter().find(|word| ordinal(word) == Some(nth))?;
    Some(vec![
        format!("every {nth} weeks on {days}"),
        format!("every month on the {place} {days}"),
    ])
}

/// The examples of a refusal, with the weekday of the phrase, if they say no other numbers and months than the phrase.
fn said_as_examples(words: &[&str], instead: &str) -> Vec<String> {
    let said: Vec<usize> = words.iter().filter_map(|word| weekday(word)).collect();
    let adapted = |example: &str| -> Option<String> {
        let words_of: Option<Vec<&str>> = example
            .split(' ')
            .map(|word| {
                let other_day = weekday(word).is_some();
                let other_month = month(word).and_then(|number| MONTHS.get(number - 1));
                match (other_day, other_month) {
                    (true, _) => said.first().map_or(Some(word), |day| WEEKDAYS.get(*day).copied()),
                    (_, Some(name)) => words
                        .iter()
                        .any(|other| month(other).is_some() && name.starts_with(other))
                        .then_some(word),
                    _ => Some(word),
                }
            })
            .collect();
        let example = words_of?.join(" ");
        let invented = example.split(' ').any(|word| {
            let large = number(word)
                .or_else(|| ordinal(word))
                .is_some_and(|number| number > 2);
            large
                && !words
                    .iter()
                    .any(|said| said.contains(word.trim_end_matches(char::is_alphabetic)))
        });
        let listed = example == "on the 1st and 15th";
        (!invented || listed).then_some(example)
    };
    quoted(instead).filter_map(adapted).collect()
}

/// What a message has between backticks.
fn quoted(message: &str) -> impl Iterator<Item = &str> {
    message.split('`').skip(1).step_by(2)
}

/// Whether a due phrase is understood.
pub(super) fn is_due(phrase: &str, zone: &crate::zone::Zone, now: jiff::Timestamp) -> bool {
    !phrase.is_empty() && Due::parse_or_phrase(phrase, zone, now).is_ok()
}
