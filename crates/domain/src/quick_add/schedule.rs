//! One due date and one recurrence out of the spans of a line.

use std::ops::Range;

use jiff::Timestamp;
use jiff::civil::Date;

use super::dates::{Found, Says};
use super::line::Line;
use super::questions;
use super::{PartKind, Question};
use crate::due::phrase::is_time_alone;
use crate::due::{Due, DueError};
use crate::phrase::{parse_recurrence, parse_recurrence_for};
use crate::recurrence::{Rule, RuleError};
use crate::zone::Zone;

/// When a task is due, and how it repeats.
#[derive(Default)]
pub(super) struct Schedule {
    pub(super) due: Option<Due>,
    pub(super) rule: Option<Rule>,
    pub(super) questions: Vec<Question>,
    /// The line names a due date, though it may be unclear which.
    pub(super) has_due: bool,
}

/// A due phrase, and which words of the line it consists of.
pub(super) struct Phrase {
    pub(super) text: String,
    pub(super) words: Vec<usize>,
    starts: bool,
}

pub(super) fn of(line: &Line<'_>, found: &[Found], zone: &Zone, now: Timestamp) -> Schedule {
    let mut schedule = Schedule::default();
    let rules: Vec<&Found> = found.iter().filter(|span| span.says != Says::Due).collect();
    let due_spans: Vec<&Found> = found.iter().filter(|span| span.says == Says::Due).collect();
    schedule.has_due = !found.is_empty();

    let rule = match rules.as_slice() {
        [] => None,
        [span] if span.says == Says::Days => {
            schedule
                .questions
                .push(questions::once_or_again(line, span, zone, now));
            return schedule;
        }
        [span] => match parse_recurrence(&span.text) {
            Ok(rule) => Some((*span, rule)),
            Err(error) => {
                schedule.questions.push(questions::of_rule(line, span, &error));
                return schedule;
            }
        },
        several => {
            schedule
                .questions
                .push(questions::which(line, several, PartKind::Recurrence));
            return schedule;
        }
    };
    let phrase = match join(
        line,
        &due_spans,
        rule.as_ref().and_then(|(span, _)| span.part),
        zone,
        now,
    ) {
        Ok(phrase) => phrase,
        Err(question) => {
            schedule.questions.push(question);
            return schedule;
        }
    };
    let due = match phrase
        .as_ref()
        .map(|phrase| Due::parse_or_phrase(&phrase.text, zone, now))
    {
        None => None,
        Some(Ok(due)) => Some(due),
        Some(Err(error)) => {
            let phrase = phrase.as_ref();
            schedule
                .questions
                .extend(phrase.map(|phrase| questions::of_due(line, phrase, &error, zone, now)));
            return schedule;
        }
    };
    let Some((span, rule)) = rule else {
        schedule.due = due;
        return schedule;
    };
    match begin(&span.text, &rule, due, phrase.as_ref(), zone, now) {
        Ok(Begun::At(due, rule)) => {
            schedule.due = Some(due);
            schedule.rule = Some(rule);
        }
        Ok(Begun::Apart { named, first }) => {
            let question = phrase.map(|phrase| questions::first_date(line, &phrase, &named, &first));
            schedule.questions.extend(question);
        }
        Err(error) => schedule
            .questions
            .push(questions::unschedulable(line, span, &error)),
    }
    schedule
}

/// How a recurrence begins.
enum Begun {
    At(Due, Rule),
    /// The named date is not one of the recurrence, whose first date is another.
    Apart {
        named: Due,
        first: Due,
    },
}

/// Why a recurrence has no first date.
pub(super) enum Unscheduled {
    Rule(RuleError),
    Due(DueError),
    /// It ends before it begins.
    Over,
}

/// Finds the first date of a recurrence: the named one if it matches, otherwise the first of the rule from now on, or from the named
/// day on.
fn begin(
    text: &str,
    rule: &Rule,
    due: Option<Due>,
    phrase: Option<&Phrase>,
    zone: &Zone,
    now: Timestamp,
) -> Result<Begun, Unscheduled> {
    let first_from = |start: &Due| -> Result<Due, Unscheduled> {
        let at = rule.first_from(start).ok_or(Unscheduled::Over)?;
        Due::new(at, zone.clone()).map_err(Unscheduled::Due)
    };
    let anchored = |due: Due| -> Result<Begun, Unscheduled> {
        let rule = parse_recurrence_for(text, &due, None).map_err(Unscheduled::Rule)?;
        Ok(Begun::At(due, rule))
    };
    let (Some(due), Some(phrase)) = (due, phrase) else {
        let today = zone.time_zone().to_datetime(now).date();
        let start = Due::parse(&today.to_string(), zone).map_err(Unscheduled::Due)?;
        return anchored(first_from(&start)?);
    };
    let first = first_from(&due)?;
    if first == due || phrase.starts || is_time_alone(&phrase.text) {
        return anchored(first);
    }
    if names_its_year(&phrase.text) {
        return anchored(due);
    }
    Ok(Begun::Apart { named: due, first })
}

/// `2026-12-05 09:00`: such a date is meant as it is.
fn names_its_year(text: &str) -> bool {
    let date = text
        .split([' ', 't'])
        .find(|word| word.len() == 10 && word.contains('-'));
    date.is_some_and(|date| date.parse::<Date>().is_ok())
}

/// One phrase out of all due spans: `tomorrow`, and further on `at 9am`.
fn join(
    line: &Line<'_>,
    due_spans: &[&Found],
    part: Option<&'static str>,
    zone: &Zone,
    now: Timestamp,
) -> Result<Option<Phrase>, Question> {
    let words_of = |span: &Found| -> Vec<usize> { span.span.clone().collect() };
    let starts = due_spans.iter().any(|span| span.starts);
    let phrase = |spans: &[&Found]| Phrase {
        text: spans
            .iter()
            .map(|span| span.text.as_str())
            .collect::<Vec<_>>()
            .join(" "),
        words: spans.iter().flat_map(|span| words_of(span)).collect(),
        starts,
    };
    // `every morning at 7`: the part says which half of the day.
    let with_part = |phrase: Phrase| match part {
        Some(part) => Phrase {
            text: format!("{} {part}", phrase.text).trim().to_owned(),
            ..phrase
        },
        None => phrase,
    };
    let joined = match due_spans {
        [] if part.is_none() => return Ok(None),
        [first, second] => {
            let orders = [[*first, *second], [*second, *first]];
            let texts = orders.map(|order| phrase(&order));
            let understood = |phrase: &&Phrase| match Due::parse_or_phrase(&phrase.text, zone, now) {
                Ok(_) => true,
                Err(
                    DueError::AmbiguousPhrase { .. } | DueError::Passed { .. } | DueError::OtherPart { .. },
                ) => true,
                Err(_) => false,
            };
            let Some(order) = texts.iter().position(|phrase| understood(&phrase)) else {
                return Err(questions::which(line, due_spans, PartKind::Due));
            };
            let [in_order, reversed] = texts;
            if order == 0 { in_order } else { reversed }
        }
        [] | [_] => phrase(due_spans),
        _ => return Err(questions::which(line, due_spans, PartKind::Due)),
    };
    Ok(Some(with_part(joined)))
}

/// The words of a phrase that stand side by side, as spans of the line.
pub(super) fn spans(words: &[usize]) -> Vec<Range<usize>> {
    let mut spans: Vec<Range<usize>> = Vec::new();
    let mut sorted = words.to_vec();
    sorted.sort_unstable();
    for word in sorted {
        match spans.last_mut() {
            Some(last) if last.end == word => last.end = word + 1,
            _ => spans.push(word..word + 1),
        }
    }
    spans
}
