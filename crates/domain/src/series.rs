//! The next occurrence of a recurring task.
//!
//! A series is the first due date, then the occurrences of its rule after it. Occurrences are numbered from 1, the first due
//! date; occurrences that are never created, because a task was completed late, count as well, so `COUNT` ends a series on
//! the same day however late its tasks are completed. When the rule, the first due date or its zone changes, begin a new
//! series: a new [`SeriesId`], the task's due date as first due date, occurrence 1.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::due::Due;
use crate::id::{ReminderId, SeriesId, TaskId};
use crate::recurrence::{End, Rule};
use crate::reminder::{Reminder, ReminderWhen};
use crate::word::words;

/// Where a recurrence counts from: `"due"` or `"completion"` in JSON.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecurrenceFrom {
    /// The dates are fixed: "every Monday" whenever the last one was completed.
    #[default]
    Due,
    /// The dates follow completion: "every 3 days" is three days after it was completed.
    Completion,
}

words!(RecurrenceFrom: "start to count a recurrence from", "invalid_recurrence_from", "due or completion",
    Due = "due", Completion = "completion");

/// A completed task of a series, and the definition of its series.
#[derive(Debug, Clone, Copy)]
pub struct CompletedOccurrence<'a> {
    /// The series.
    pub series_id: SeriesId,
    /// Its number in the series, from 1.
    pub occurrence: u32,
    /// The recurrence rule of the series.
    pub rule: &'a Rule,
    /// The due date of occurrence 1 (`DTSTART`); its zone is the zone of the series.
    pub first_due: &'a Due,
    /// The due date of the task when it was completed; its owner may have moved it.
    pub due: &'a Due,
    /// Where the series counts from.
    pub counts_from: RecurrenceFrom,
    /// When the task was completed.
    pub completed_at: Timestamp,
}

/// The task to create next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextOccurrence {
    /// Derived from the series and the instant, so creating it twice creates the same row.
    pub task_id: TaskId,
    /// When it is due, in the zone of the series.
    pub due: Due,
    /// Its number in the series.
    pub occurrence: u32,
}

/// The occurrence after a completed one; `None` if the series has ended.
///
/// Counting from the due date, it is the first occurrence of the rule that has a higher number than the completed one and
/// is after both its due date and its completion: late completion skips what has passed, early completion skips nothing, and
/// an occurrence that was moved to a later date is not repeated.
///
/// Counting from the completion, the rule restarts (its `DTSTART`) on the day of the completion, at the local time of day of
/// the due date, and the result is its first later instant that is also after the due date. Numbers increase by one. A rule of months
/// or years that names no day is a distance then: a month after the 31st is at most the last day of the next month. So is that of a
/// phrase that left the day to the due date, whose rule has the day of that date only for the sake of months that lack it. A month
/// that the rule names stays: `every april`, done on 31 March, is due on 30 April. A rule that names several months of a year
/// skips those that lack the day.
pub fn next_occurrence(completed: &CompletedOccurrence<'_>) -> Option<NextOccurrence> {
    let (occurrence, at) = match completed.counts_from {
        RecurrenceFrom::Due => after_due(completed)?,
        RecurrenceFrom::Completion => (completed.occurrence.checked_add(1)?, after_completion(completed)?),
    };
    created(completed, occurrence, at)
}

/// The occurrence of this number; none if the series has ended.
fn created(completed: &CompletedOccurrence<'_>, occurrence: u32, at: Timestamp) -> Option<NextOccurrence> {
    if matches!(completed.rule.end(), End::Count(count) if occurrence > count) {
        return None;
    }
    let task_id = Uuid::new_v5(completed.series_id.as_uuid(), at.to_string().as_bytes()).into();
    Some(NextOccurrence {
        task_id,
        due: Due::new(at, completed.first_due.zone().clone()).ok()?,
        occurrence,
    })
}

fn after_due(completed: &CompletedOccurrence<'_>) -> Option<(u32, Timestamp)> {
    all_after_due(completed, 1).pop()
}

/// At most so many numbers and instants of the rule.
fn all_after_due(completed: &CompletedOccurrence<'_>, most: usize) -> Vec<(u32, Timestamp)> {
    let after = completed.due.at().max(completed.completed_at);
    let first = completed.first_due.at();
    // A first due date that the rule does not match is an occurrence of the series, too.
    let rest = completed.rule.uncounted();
    let rest = rest.occurrences(completed.first_due).filter(|at| *at > first);
    (2..)
        .zip(rest)
        .filter(|(number, at)| *number > completed.occurrence && *at > after)
        .take(most)
        .collect()
}

/// At most `most` occurrences after a task of a series, as if each were completed when it is due, but not before `completed_at`: a preview.
/// The first of them is what [`next_occurrence`] says.
pub fn upcoming(completed: &CompletedOccurrence<'_>, most: usize) -> Vec<NextOccurrence> {
    if completed.counts_from == RecurrenceFrom::Due {
        let found = all_after_due(completed, most).into_iter();
        return found
            .map_while(|(occurrence, at)| created(completed, occurrence, at))
            .collect();
    }
    let mut items: Vec<NextOccurrence> = Vec::new();
    while items.len() < most {
        let next = match items.last() {
            None => next_occurrence(completed),
            Some(last) => next_occurrence(&CompletedOccurrence {
                occurrence: last.occurrence,
                due: &last.due,
                completed_at: last.due.at().max(completed.completed_at),
                ..*completed
            }),
        };
        match next {
            Some(next) => items.push(next),
            None => break,
        }
    }
    items
}

fn after_completion(completed: &CompletedOccurrence<'_>) -> Option<Timestamp> {
    let zone = completed.first_due.zone();
    let day = zone.time_zone().to_datetime(completed.completed_at).date();
    let due = completed.due.local();
    let usual = due.date().to_datetime(completed.first_due.time_of_day());
    // If clocks skipped the usual time, only this due date moved, not the following ones.
    let time = match zone.instant(usual) {
        Ok(at) if at == completed.due.at() => usual.time(),
        _ => completed.due.time_of_day(),
    };
    let start = Due::new(zone.instant(day.to_datetime(time)).ok()?, zone.clone()).ok()?;
    let rule = completed.rule.uncounted().without_anchor().clamped_to_months(day);
    let after = start.at().max(completed.due.at());
    rule.occurrences_after(&start, after).at_time(time).next()
}

/// The reminders of the next occurrence: the relative ones of the previous task, whatever their status there. Absolute
/// ones belong only to that task.
///
/// Ids are derived from the new task and the minutes, so copying twice creates the same rows.
pub fn copy_reminders(of: &[Reminder], next: &NextOccurrence, now: Timestamp) -> Vec<Reminder> {
    of.iter()
        .filter_map(|reminder| match reminder.when {
            ReminderWhen::At(_) => None,
            ReminderWhen::MinutesBefore(minutes) => {
                let name = format!("reminder:{minutes}");
                let id = ReminderId::from(Uuid::new_v5(next.task_id.as_uuid(), name.as_bytes()));
                Some(Reminder::relative(id, reminder.when, &next.due, now))
            }
        })
        .collect()
}
