//! The spans of a line that are due dates and recurrences: from the left, the longest that a grammar accepts, or refuses as something
//! that it understands, and that is [meant](super::context) as one.

use std::ops::Range;

use jiff::Timestamp;

use super::PartKind;
use super::context::{Weight, is_meant, weight_of_due, weight_of_rule};
use super::line::Line;
use super::marks::is_taken;
use super::vocabulary::may_be_in_a_phrase;
use crate::due::{Due, DueError};
use crate::english;
use crate::phrase::parse_recurrence;
use crate::recurrence::RuleError;
use crate::zone::Zone;

/// Maximum number of words in a span.
const MAX_WORDS: usize = 18;

/// What a span says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    /// When it is due, or that this is unclear.
    Due,
    /// How it repeats, or that this is unclear.
    Rule,
    /// Days that are either a recurrence or one occasion: `monday and thursday`.
    Days,
}

/// A span of a line.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) says: Says,
    /// Its words.
    pub(super) span: Range<usize>,
    /// The phrase, for the parsers.
    pub(super) text: String,
    /// It says from when on a recurrence counts: `starting monday`.
    pub(super) starts: bool,
    /// The part of the day of `every morning`, as a phrase of its own.
    pub(super) part: Option<&'static str>,
}

/// Takes the spans of a line.
pub(super) fn take(line: &mut Line<'_>, zone: &Zone, now: Timestamp) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    let mut first = 0;
    while first < line.len() {
        let rule = found.iter_mut().rfind(|span| span.says == Says::Rule);
        if let Some(rule) = rule
            && let Some((end, text)) = ended(line, first, &rule.text, zone, now)
        {
            line.take(first..end, PartKind::Recurrence);
            rule.text = text;
            first = end;
            continue;
        }
        let Some(span) = longest(line, first, zone, now) else {
            first += 1;
            continue;
        };
        let end = span.span.end;
        let after_rule = found
            .iter()
            .rfind(|before| before.says == Says::Rule && before.part.is_none());
        if let Some(span) = meant(line, span, after_rule, zone, now) {
            let kind = match span.says {
                Says::Due => PartKind::Due,
                Says::Rule | Says::Days => PartKind::Recurrence,
            };
            let end = span.span.end;
            line.take(span.span.clone(), kind);
            found.push(span);
            first = end;
        } else {
            // A part of it would have its neighbours as an excuse.
            first = end;
        }
    }
    found
}

/// The span as it is meant, with the word that connects it to what is before it.
fn meant(
    line: &Line<'_>,
    mut span: Found,
    after_rule: Option<&Found>,
    zone: &Zone,
    now: Timestamp,
) -> Option<Found> {
    let Range { start: first, end } = span.span.clone();
    let words: Vec<&str> = span
        .text
        .split([' ', ','])
        .filter(|word| !word.is_empty())
        .collect();
    let connecting = first.checked_sub(1).filter(|index| line.free(*index).is_some());
    let word_before = connecting
        .and_then(|index| line.free(index))
        .map(|word| word.lower.as_str());
    if let (Says::Rule, Some(index), Some("due")) = (span.says, connecting, word_before) {
        // `Rent due every month`
        span.span.start = index;
        return Some(span);
    }
    if span.says == Says::Due {
        if let (Some(index), Some("starting" | "from" | "beginning")) = (connecting, word_before)
            && after_rule.is_some()
            && index.checked_sub(1).is_some_and(|before| is_taken(line, before))
        {
            span.span.start = index;
            span.starts = true;
            return Some(span);
        }
        let follows_rule = after_rule.is_some_and(|rule| rule.span.end == first);
        // `every monday morning`, `every day at noon`
        if follows_rule && is_part_alone(&words) {
            let part = words.last()?;
            span.text = match *part {
                "night" => "at night".to_owned(),
                part => format!("in the {part}"),
            };
            return Some(span);
        }
    }
    let (weight, is_rule) = match span.says {
        Says::Due => (weight_of_due(&words), false),
        Says::Rule => (weight_of_rule(&words), true),
        Says::Days => (Weight::Clear, true),
    };
    let phrase_at = |index| line.free(index).is_some() && longest(line, index, zone, now).is_some();
    if let (Some(index), Some("around" | "about")) = (connecting, word_before)
        && span.says == Says::Due
        && weight != Weight::None
        && crate::due::phrase::is_time_alone(&span.text)
    {
        // `around 5pm`
        span.span.start = index;
        return is_meant(line, index, end, weight, is_rule, phrase_at).then_some(span);
    }
    is_meant(line, first, end, weight, is_rule, phrase_at).then_some(span)
}

fn is_part_alone(words: &[&str]) -> bool {
    let is_part = |word: &str| matches!(word, "morning" | "afternoon" | "evening" | "night");
    matches!(words, [part] | ["in", "the", part] | ["at", part @ "night"] if is_part(part))
}

/// The longest span from a word on that a grammar has something to say about.
fn longest(line: &Line<'_>, first: usize, zone: &Zone, now: Timestamp) -> Option<Found> {
    let mut end = first;
    while end < line.len().min(first + MAX_WORDS) {
        let Some(word) = line.free(end).filter(|word| may_be_in_a_phrase(&word.lower)) else {
            break;
        };
        end += 1;
        if word.tail.contains([';', ':', '!', '?', ')', '…']) {
            break;
        }
    }
    (first + 1..=end)
        .rev()
        .find_map(|end| understood(line, first..end, zone, now))
}

fn understood(line: &Line<'_>, span: Range<usize>, zone: &Zone, now: Timestamp) -> Option<Found> {
    let text = line.phrase(span.clone());
    let words: Vec<&str> = text.split([' ', ',']).filter(|word| !word.is_empty()).collect();
    let found = |says, text| Found {
        says,
        span: span.clone(),
        text,
        starts: false,
        part: None,
    };
    if let ["every" | "each", part] = words.as_slice()
        && let Some(part) = part_of_each_day(part)
    {
        return Some(Found {
            part: Some(part),
            ..found(Says::Rule, "every day".to_owned())
        });
    }
    if !repeats(&words) {
        return match Due::parse_or_phrase(&text, zone, now) {
            Ok(_) => Some(found(Says::Due, text)),
            Err(error) if is_about_a_date(&error, &words) => Some(found(Says::Due, text)),
            Err(_) if names_several_days(&words) && parse_recurrence(&text).is_ok() => {
                Some(found(Says::Days, text))
            }
            Err(_) => None,
        };
    }
    match parse_recurrence(&text) {
        Ok(_) => Some(found(Says::Rule, text)),
        Err(error) => match except(&words) {
            Some(text) => Some(found(Says::Rule, text)),
            None => is_about_a_rule(&error, &words).then(|| found(Says::Rule, text)),
        },
    }
}

fn part_of_each_day(word: &str) -> Option<&'static str> {
    match word {
        "morning" => Some("in the morning"),
        "afternoon" => Some("in the afternoon"),
        "evening" => Some("in the evening"),
        "night" => Some("at night"),
        _ => None,
    }
}

/// Whether a phrase says by itself that something repeats.
fn repeats(words: &[&str]) -> bool {
    words.iter().any(|word| {
        let plural = english::weekday(word).is_some() && word.ends_with("days");
        plural
            || word.contains('=')
            || matches!(
                *word,
                "every"
                    | "each"
                    | "everyday"
                    | "daily"
                    | "weekly"
                    | "biweekly"
                    | "bi-weekly"
                    | "fortnightly"
                    | "monthly"
                    | "bimonthly"
                    | "bi-monthly"
                    | "semimonthly"
                    | "semi-monthly"
                    | "quarterly"
                    | "half-yearly"
                    | "semiannually"
                    | "semi-annually"
                    | "biannually"
                    | "bi-annually"
                    | "biannual"
                    | "yearly"
                    | "annually"
                    | "hourly"
                    | "weekdays"
                    | "weekends"
                    | "workdays"
                    | "twice"
                    | "thrice"
                    | "once"
                    | "alternate"
            )
    }) || matches!(
        words,
        [_, "time" | "times", ..] | [_, "days", "a" | "per", "week", ..]
    )
}

/// `monday and thursday`, `mon-fri`, `first monday of the month`: a rule without `every`.
fn names_several_days(words: &[&str]) -> bool {
    let weekdays = words
        .iter()
        .flat_map(|word| word.split(['/', '-', '–', '&']))
        .filter(|word| english::weekday(word).is_some())
        .count();
    weekdays > 1 || weekdays == 1 && matches!(words, [.., "of", "the" | "a", "month"])
}

/// Whether a due phrase was understood and refused for what it says.
fn is_about_a_date(error: &DueError, words: &[&str]) -> bool {
    match error {
        DueError::AmbiguousPhrase { .. } | DueError::OtherWeekday { .. } | DueError::OtherPart { .. } => true,
        DueError::Passed { .. } => !matches!(
            words,
            ["yesterday" | "last", ..] | ["the", "last", ..] | [.., "ago"]
        ),
        DueError::TimeWithoutColon { .. } => true,
        // `24:00`, but not `2026-02-30`, may be no date at all.
        DueError::NoSuchTime { .. } | DueError::YearOutOfRange { .. } => {
            words.len() > 1 || words.iter().any(|word| word.len() >= 8)
        }
        _ => false,
    }
}

/// Whether a recurrence phrase was understood and refused for what it says.
fn is_about_a_rule(error: &RuleError, words: &[&str]) -> bool {
    match error {
        RuleError::AmbiguousPhrase { .. } | RuleError::DaysMissing { .. } | RuleError::NeverMatches => true,
        RuleError::UnsupportedFrequency { .. } => {
            matches!(words, ["hourly"] | ["every" | "each", _] | ["every", _, _])
        }
        RuleError::OtherForm { .. } => matches!(words.first(), Some(&("every" | "each"))),
        RuleError::UnknownPart { .. } | RuleError::MalformedPart { .. } => false,
        // The date is found by itself.
        RuleError::InvalidValue { name, .. } => *name != "UNTIL",
        _ => words.first().is_some_and(|word| word.contains('=')),
    }
}

/// `every day except sunday`: the other days. The grammar of recurrences has no exceptions.
fn except(words: &[&str]) -> Option<String> {
    let at = words.iter().position(|word| *word == "except")?;
    let days = match words.get(..at)? {
        ["every" | "each", "day"] | ["daily"] | ["everyday"] => 0..7,
        ["every" | "each", "weekday" | "workday"] | ["weekdays"] => 0..5,
        _ => return None,
    };
    let excluded = words
        .get(at + 1..)?
        .iter()
        .filter(|word| !matches!(**word, "on" | "and"));
    let excluded: Option<Vec<usize>> = excluded.map(|word| english::weekday(word)).collect();
    let excluded = excluded.filter(|excluded| !excluded.is_empty())?;
    let rest: Vec<&str> = days
        .filter(|day| !excluded.contains(day))
        .filter_map(|day| english::WEEKDAYS.get(day).copied())
        .collect();
    (!rest.is_empty()).then(|| format!("every {}", rest.join(", ")))
}

/// The end of a recurrence behind what was taken, which may be apart from it: `every day at 9am for 10 times`. The grammar of recurrences has
/// no clock, so in a rule `until friday` and `until dec 31` need the date that they mean.
fn ended(line: &Line<'_>, first: usize, rule: &str, zone: &Zone, now: Timestamp) -> Option<(usize, String)> {
    let word = line.free(first)?.lower.as_str();
    if !matches!(word, "until" | "till" | "for")
        || first.checked_sub(1).is_none_or(|before| !is_taken(line, before))
    {
        return None;
    }
    let last = (first + 1..line.len().min(first + MAX_WORDS))
        .take_while(|index| {
            line.free(*index)
                .is_some_and(|word| may_be_in_a_phrase(&word.lower))
        })
        .last()?;
    (first + 2..=last + 1).rev().find_map(|end| {
        let text = format!("{rule} {}", line.phrase(first..end));
        if parse_recurrence(&text).is_ok() {
            return Some((end, text));
        }
        let day = Due::parse_or_phrase(&line.phrase(first + 1..end), zone, now).ok();
        let day = day.filter(|day| word != "for" && day.is_end_of_day())?;
        let text = format!("{rule} until {}", day.local().date());
        parse_recurrence(&text).is_ok().then_some((end, text))
    })
}
