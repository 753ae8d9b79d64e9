//! Reminders of a line: `remind 30m before`, `remind me 1 hour before and the day before`, `remind at 8am`.

use std::ops::Range;

use jiff::{SignedDuration, Timestamp};

use super::line::Line;
use super::schedule::Schedule;
use super::vocabulary::may_be_in_a_phrase;
use super::{Choice, PartKind, Question, questions, readings};
use crate::due::phrase::{is_time_alone, minutes};
use crate::due::{Due, DueError};
use crate::reminder::{MAX_MINUTES_BEFORE, ReminderError, ReminderWhen};
use crate::zone::Zone;

/// Maximum number of words in the time of a reminder.
const MAX_WORDS: usize = 12;

/// A reminder of a line.
pub(super) struct Asked {
    /// The words of its time.
    time: Range<usize>,
    /// All of its words.
    span: Range<usize>,
    when: When,
}

enum When {
    Before(u32),
    /// An amount without `before`.
    Amount(String),
    At(String),
}

/// Takes the reminders of a line.
pub(super) fn take(line: &mut Line<'_>, zone: &Zone, now: Timestamp) -> Vec<Asked> {
    let mut asked = Vec::new();
    let mut first = 0;
    while first < line.len() {
        let is_word = |index: usize, words: &[&str]| {
            line.free(index)
                .is_some_and(|word| words.contains(&word.lower.as_str()))
        };
        if !is_word(first, &["remind", "reminder", "reminders"]) {
            first += 1;
            continue;
        }
        let mut next = first + 1 + usize::from(is_word(first + 1, &["me"]));
        let mut begin = first;
        // `with a reminder 30m before`
        if begin >= 2 && is_word(begin - 1, &["a"]) && is_word(begin - 2, &["with"]) {
            begin -= 2;
        } else if begin >= 1 && is_word(begin - 1, &["with"]) {
            begin -= 1;
        }
        let mut items = Vec::new();
        while let Some((time, when)) = item(line, next, zone, now) {
            let joined = line
                .words
                .get(time.end - 1)
                .is_some_and(|word| word.tail.starts_with(','));
            next = time.end;
            items.push((time, when));
            if line
                .free(next)
                .is_some_and(|word| word.lower == "and" || word.lower == "&")
            {
                if item(line, next + 1, zone, now).is_none() {
                    break;
                }
                next += 1;
            } else if !joined {
                break;
            }
        }
        // `remind me in 20 minutes to check the oven`
        let leads = begin == 0 && is_word(next, &["to"]);
        let count = items.len();
        for (index, (time, when)) in items.into_iter().enumerate() {
            let last = leads && index + 1 == count;
            let span = begin..time.end + usize::from(last);
            line.take(span.clone(), PartKind::Reminder);
            begin = time.end;
            next = next.max(span.end);
            asked.push(Asked { time, span, when });
        }
        first = next.max(first + 1);
    }
    asked
}

/// Takes `Remind me to` at the beginning of a line, if the task is due at a time: it reminds then.
pub(super) fn take_opening(line: &mut Line<'_>, due: Option<&Due>) -> Option<ReminderWhen> {
    due.filter(|due| !due.is_end_of_day())?;
    let says = |index: usize, word: &str| line.free(index).is_some_and(|free| free.lower == word);
    if !(says(0, "remind") && says(1, "me") && says(2, "to") && line.free(3).is_some()) {
        return None;
    }
    line.take(0..3, PartKind::Reminder);
    Some(ReminderWhen::MinutesBefore(0))
}

/// The longest time of a reminder from a word on.
fn item(line: &Line<'_>, first: usize, zone: &Zone, now: Timestamp) -> Option<(Range<usize>, When)> {
    let mut end = first;
    while end < line.len().min(first + MAX_WORDS)
        && line.free(end).is_some_and(|word| {
            may_be_in_a_phrase(&word.lower)
                || matches!(
                    word.lower.as_str(),
                    "when" | "before" | "earlier" | "early" | "ahead" | "it’s" | "it's" | "beforehand"
                )
        })
    {
        end += 1;
        if line.words.get(end - 1).is_some_and(|word| !word.tail.is_empty()) {
            break;
        }
    }
    (first + 1..=end).rev().find_map(|end| {
        let text = line.phrase(first..end);
        Some((first..end, time(&text, zone, now)?))
    })
}

fn time(text: &str, zone: &Zone, now: Timestamp) -> Option<When> {
    let before = [
        "before",
        "earlier",
        "early",
        "ahead",
        "beforehand",
        "before it's due",
        "before it’s due",
        "before due",
    ]
    .iter()
    .find_map(|word| text.strip_suffix(word)?.strip_suffix(' '));
    if let Some(amount) = before {
        let amount = match amount {
            "the day" => "a day",
            "the week" => "a week",
            "an hour" | "the hour" => "1 hour",
            amount => amount,
        };
        return minutes(amount).map(When::Before);
    }
    match text {
        "when due" | "when it's due" | "on time" => return Some(When::Before(0)),
        _ => {}
    }
    match Due::parse_or_phrase(text, zone, now) {
        Ok(_) => Some(When::At(text.to_owned())),
        Err(DueError::AmbiguousPhrase { .. } | DueError::Passed { .. } | DueError::OtherPart { .. }) => {
            Some(When::At(text.to_owned()))
        }
        Err(_) => minutes(text).map(|_| When::Amount(text.to_owned())),
    }
}

/// The reminders of a task with this schedule, each once, and what is unclear about them.
pub(super) fn resolve(
    line: &Line<'_>,
    asked: &[Asked],
    schedule: &Schedule,
    zone: &Zone,
    now: Timestamp,
) -> (Vec<ReminderWhen>, Vec<Question>) {
    let mut reminders = Vec::new();
    let mut questions = Vec::new();
    for reminder in asked {
        match of(line, reminder, schedule, zone, now) {
            Ok(when) if !reminders.contains(&when) => reminders.push(when),
            Ok(_) => {}
            Err(question) => questions.push(question),
        }
    }
    (reminders, questions)
}

fn of(
    line: &Line<'_>,
    asked: &Asked,
    schedule: &Schedule,
    zone: &Zone,
    now: Timestamp,
) -> Result<ReminderWhen, Question> {
    match &asked.when {
        When::Before(minutes) if *minutes > MAX_MINUTES_BEFORE => Err(without(
            line,
            asked,
            ReminderError::TooEarly { minutes: *minutes }.to_string(),
        )),
        When::Before(_) if !schedule.has_due => Err(without(line, asked, ReminderError::NoDue.to_string())),
        When::Before(minutes) => Ok(ReminderWhen::MinutesBefore(*minutes)),
        When::Amount(amount) => {
            let mut question = without(
                line,
                asked,
                format!("`{amount}` can be before the due date, or from now: choose which"),
            );
            let readings = [format!("{amount} before"), format!("in {amount}")];
            let choices = readings.into_iter().map(|reading| Choice {
                text: line.replaced(asked.time.clone(), &reading),
                label: reading,
            });
            question.choices.splice(0..0, choices);
            Err(question)
        }
        When::At(text) => at(line, asked, text, schedule, zone, now),
    }
}

/// A reminder at a time. A time of day without a day is on the day of the due date.
fn at(
    line: &Line<'_>,
    asked: &Asked,
    text: &str,
    schedule: &Schedule,
    zone: &Zone,
    now: Timestamp,
) -> Result<ReminderWhen, Question> {
    let at = Due::parse_or_phrase(text, zone, now).map_err(|error| {
        let words: Vec<&str> = text.split([' ', ',']).filter(|word| !word.is_empty()).collect();
        let readings = readings::of_due(&words, &error, |text| readings::is_due(text, zone, now));
        let mut question = without(line, asked, error.to_string());
        let choices = readings.into_iter().map(|reading| Choice {
            text: line.replaced(asked.time.clone(), &reading.phrase),
            label: reading.phrase,
        });
        question.choices.splice(0..0, choices);
        question
    })?;
    let Some(due) = schedule.due.as_ref().filter(|_| is_time_alone(text)) else {
        return Ok(ReminderWhen::At(at.at()));
    };
    let local = due.local().date().to_datetime(at.local().time());
    let on_the_day = zone.instant(local).unwrap_or(at.at());
    if on_the_day > due.at() {
        let mut question = without(
            line,
            asked,
            format!("`{text}` is after the task is due on that day: choose when to be reminded"),
        );
        let days = [due.local().date().yesterday().ok(), Some(due.local().date())];
        let choices = days.into_iter().flatten().map(|date| {
            let moment = questions::moment(date, at.local().time());
            Choice {
                text: line.replaced(asked.time.clone(), &moment),
                label: moment,
            }
        });
        question.choices.splice(0..0, choices);
        return Err(question);
    }
    if schedule.rule.is_some() {
        // It is to come with every occurrence.
        let before: SignedDuration = due.at().duration_since(on_the_day);
        if let Ok(minutes) = u32::try_from(before.as_mins()) {
            return Ok(ReminderWhen::MinutesBefore(minutes));
        }
    }
    if on_the_day.as_second() < now.as_second() {
        return Err(without(
            line,
            asked,
            ReminderError::InThePast { at: on_the_day }.to_string(),
        ));
    }
    Ok(ReminderWhen::At(on_the_day))
}

fn without(line: &Line<'_>, asked: &Asked, message: String) -> Question {
    let mut question = questions::kept(line, asked.span.clone(), message);
    question.choices.push(Choice {
        label: "no reminder".to_owned(),
        text: line.replaced(asked.span.clone(), ""),
    });
    question
}
