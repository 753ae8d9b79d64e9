//! What is asked about a line. Each choice is the whole line, said clearly; the last one leaves the words in the title.

use std::ops::Range;

use jiff::Timestamp;
use jiff::civil::{Date, Time};

use super::dates::Found;
use super::line::Line;
use super::readings::{self, Reading};
use super::schedule::{Phrase, Unscheduled, spans};
use super::{Choice, PartKind, Question};
use crate::due::{Due, DueError};
use crate::phrase::parse_recurrence;
use crate::recurrence::RuleError;
use crate::zone::Zone;

/// A due phrase that is refused.
pub(super) fn of_due(
    line: &Line<'_>,
    phrase: &Phrase,
    error: &DueError,
    zone: &Zone,
    now: Timestamp,
) -> Question {
    let words: Vec<&str> = phrase
        .text
        .split([' ', ','])
        .filter(|word| !word.is_empty())
        .collect();
    let readings = readings::of_due(&words, error, |text| readings::is_due(text, zone, now));
    let mut choices = replacements(line, &phrase.words, &words, readings);
    choices.push(left_in_title(line, &spans(&phrase.words)));
    Question {
        about: PartKind::Due,
        message: error.to_string(),
        choices,
    }
}

/// A recurrence phrase that is refused.
pub(super) fn of_rule(line: &Line<'_>, span: &Found, error: &RuleError) -> Question {
    let words: Vec<&str> = span
        .text
        .split([' ', ','])
        .filter(|word| !word.is_empty())
        .collect();
    let of_line: Vec<usize> = span.span.clone().collect();
    let readings = readings::of_rule(&words, error);
    let mut choices = replacements(line, &of_line, &words, readings);
    choices.push(left_in_title(line, std::slice::from_ref(&span.span)));
    Question {
        about: PartKind::Recurrence,
        message: error.to_string(),
        choices,
    }
}

/// Readings as lines. The words of the phrase are those of the line, one for one, unless a word of the line has several.
fn replacements(line: &Line<'_>, of_line: &[usize], words: &[&str], readings: Vec<Reading>) -> Vec<Choice> {
    let mut choices: Vec<Choice> = Vec::new();
    for reading in readings {
        let side_by_side = |part: &[usize]| spans(part).len() == 1;
        let part = of_line
            .get(reading.first..reading.first + reading.count)
            .filter(|part| of_line.len() == words.len() && side_by_side(part));
        let (span, with) = match part {
            Some(part) => (spans(part), reading.with.as_str()),
            None if side_by_side(of_line) => (spans(of_line), reading.phrase.as_str()),
            None => continue,
        };
        let Some(span) = span.into_iter().next() else {
            continue;
        };
        let text = line.replaced(span, with);
        if choices.iter().all(|other| other.text != text) {
            choices.push(Choice {
                label: reading.phrase,
                text,
            });
        }
    }
    choices
}

fn left_in_title(line: &Line<'_>, spans: &[Range<usize>]) -> Choice {
    let words: Vec<&str> = spans.iter().map(|span| line.written(span.clone())).collect();
    Choice {
        label: format!("keep “{}” in the title", words.join(" … ")),
        text: line.kept(spans),
    }
}

/// Several due dates or recurrences. Each choice leaves the others in the title.
pub(super) fn which(line: &Line<'_>, several: &[&Found], about: PartKind) -> Question {
    let what = match about {
        PartKind::Recurrence => "recurrence",
        _ => "due date",
    };
    let choices = several.iter().map(|kept| {
        let others: Vec<Range<usize>> = several
            .iter()
            .filter(|other| other.span != kept.span)
            .map(|other| other.span.clone())
            .collect();
        Choice {
            label: line.written(kept.span.clone()).to_owned(),
            text: line.kept(&others),
        }
    });
    Question {
        about,
        message: format!("a task has one {what}: choose which, the others stay in the title"),
        choices: choices.collect(),
    }
}

/// Days without `every`: a recurrence, or the first of them alone?
pub(super) fn once_or_again(line: &Line<'_>, span: &Found, zone: &Zone, now: Timestamp) -> Question {
    let written = line.written(span.span.clone());
    let days = ["on the ", "on ", "the "]
        .iter()
        .find_map(|before| span.text.strip_prefix(before))
        .unwrap_or(&span.text);
    let mut choices = Vec::new();
    let repeated = format!("every {days}");
    if parse_recurrence(&repeated).is_ok() {
        choices.push(Choice {
            text: line.replaced(span.span.clone(), &repeated),
            label: repeated,
        });
    }
    let today = zone.time_zone().to_datetime(now).date();
    let first = Due::parse(&today.to_string(), zone).ok().and_then(|start| {
        let at = parse_recurrence(&span.text).ok()?.first_from(&start)?;
        Due::new(at, zone.clone()).ok()
    });
    if let Some(first) = first {
        let date = first.local().date().to_string();
        choices.push(Choice {
            label: format!("once, on {}", first.in_words()),
            text: line.replaced(span.span.clone(), &date),
        });
    }
    choices.push(left_in_title(line, std::slice::from_ref(&span.span)));
    Question {
        about: PartKind::Recurrence,
        message: format!("“{written}” can be every week or month, or once: choose which"),
        choices,
    }
}

/// A named date on which the recurrence does not occur.
pub(super) fn first_date(line: &Line<'_>, phrase: &Phrase, named: &Due, first: &Due) -> Question {
    let spans = spans(&phrase.words);
    let on = |due: &Due| -> Option<String> {
        let span = spans.first().filter(|_| spans.len() == 1)?;
        let local = due.local();
        let with = if due.is_end_of_day() {
            local.date().to_string()
        } else {
            moment(local.date(), local.time())
        };
        Some(line.replaced(span.clone(), &with))
    };
    let mut choices = Vec::new();
    for (due, label) in [
        (
            first,
            format!("first on {}, as the recurrence says", first.in_words()),
        ),
        (
            named,
            format!("first on {}, then as the recurrence says", named.in_words()),
        ),
    ] {
        choices.extend(on(due).map(|text| Choice { label, text }));
    }
    choices.push(left_in_title(line, &spans));
    Question {
        about: PartKind::Due,
        message: format!(
            "{} is not a date of the recurrence: choose the first date",
            named.in_words()
        ),
        choices,
    }
}

/// A recurrence without a first date.
pub(super) fn unschedulable(line: &Line<'_>, span: &Found, error: &Unscheduled) -> Question {
    let message = match error {
        Unscheduled::Over => {
            "the recurrence names no date from now on: move its end (until), or the due date".to_owned()
        }
        Unscheduled::Rule(error) => error.to_string(),
        Unscheduled::Due(error) => error.to_string(),
    };
    Question {
        about: PartKind::Recurrence,
        message,
        choices: vec![left_in_title(line, std::slice::from_ref(&span.span))],
    }
}

/// A reminder that is not clear.
pub(super) fn kept(line: &Line<'_>, span: Range<usize>, message: String) -> Question {
    Question {
        about: PartKind::Reminder,
        message,
        choices: vec![left_in_title(line, &[span])],
    }
}

/// `2026-12-01 09:00`, as a due phrase.
pub(super) fn moment(date: Date, time: Time) -> String {
    match time.second() {
        0 => format!("{date} {:02}:{:02}", time.hour(), time.minute()),
        _ => format!("{date} {time}"),
    }
}
