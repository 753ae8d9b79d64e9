use jiff::Timestamp;
use nudge_domain::reminder::{Reminder, ReminderStatus, ReminderWhen};
use nudge_domain::series::{
    CompletedOccurrence, NextOccurrence, RecurrenceFrom, copy_reminders, next_occurrence,
};
use nudge_domain::{Due, Rule};
use uuid::Uuid;

use crate::given::{due, instant, rule};

const ZONE: &str = "Europe/Berlin";

/// A series in Berlin that is first due on Monday, 2 March 2026 at nine, unless a test says otherwise.
struct Series {
    rule: Rule,
    first_due: Due,
    counts_from: RecurrenceFrom,
}

fn series(rule_text: &str) -> Series {
    Series {
        rule: rule(rule_text),
        first_due: due("2026-03-02T09:00", ZONE),
        counts_from: RecurrenceFrom::Due,
    }
}

impl Series {
    fn counted_from_completion(self) -> Self {
        Self {
            counts_from: RecurrenceFrom::Completion,
            ..self
        }
    }

    fn next(&self, occurrence: u32, due_text: &str, completed_at: &str) -> Option<NextOccurrence> {
        next_occurrence(&CompletedOccurrence {
            series_id: Uuid::from_u128(7).into(),
            occurrence,
            rule: &self.rule,
            first_due: &self.first_due,
            due: &due(due_text, ZONE),
            counts_from: self.counts_from,
            completed_at: due(completed_at, ZONE).at(),
        })
    }

    /// Local due and number of what comes next.
    fn check(&self, occurrence: u32, due_text: &str, completed_at: &str, expected: Option<(&str, u32)>) {
        let next = self.next(occurrence, due_text, completed_at);
        let next = next.map(|next| (next.due.local().to_string(), next.occurrence));
        let expected = expected.map(|(local, number)| (format!("{local}:00"), number));
        assert_eq!(next, expected, "due {due_text}, completed {completed_at}");
    }
}

#[test]
fn completing_in_time_or_early_gives_the_one_after_the_due() {
    let series = series("FREQ=WEEKLY;BYDAY=MO");
    series.check(
        1,
        "2026-03-02T09:00",
        "2026-03-02T08:00",
        Some(("2026-03-09T09:00", 2)),
    );
    series.check(
        1,
        "2026-03-02T09:00",
        "2026-02-01T08:00",
        Some(("2026-03-09T09:00", 2)),
    );
    series.check(
        2,
        "2026-03-09T09:00",
        "2026-03-02T09:05",
        Some(("2026-03-16T09:00", 3)),
    );
}

#[test]
fn completing_late_continues_at_the_first_occurrence_in_the_future() {
    let series = series("FREQ=DAILY");
    series.check(
        1,
        "2026-03-02T09:00",
        "2026-03-05T08:59",
        Some(("2026-03-05T09:00", 4)),
    );
    series.check(
        1,
        "2026-03-02T09:00",
        "2026-03-05T09:00",
        Some(("2026-03-06T09:00", 5)),
    );
}

#[test]
fn keeps_the_local_time_through_daylight_saving() {
    series("FREQ=WEEKLY;BYDAY=MO").check(
        4,
        "2026-03-23T09:00",
        "2026-03-23T10:00",
        Some(("2026-03-30T09:00", 5)),
    );
}

#[test]
fn count_ends_the_series_on_the_same_day_however_late_its_tasks_are_done() {
    let series = series("FREQ=DAILY;COUNT=5");
    series.check(
        4,
        "2026-03-05T09:00",
        "2026-03-05T10:00",
        Some(("2026-03-06T09:00", 5)),
    );
    series.check(
        1,
        "2026-03-02T09:00",
        "2026-03-06T08:00",
        Some(("2026-03-06T09:00", 5)),
    );
    series.check(5, "2026-03-06T09:00", "2026-03-06T08:00", None);
    series.check(1, "2026-03-02T09:00", "2026-03-06T09:00", None);
}

#[test]
fn until_ends_the_series() {
    let series = series("FREQ=DAILY;UNTIL=20260304");
    series.check(
        2,
        "2026-03-03T09:00",
        "2026-03-03T09:00",
        Some(("2026-03-04T09:00", 3)),
    );
    series.check(3, "2026-03-04T09:00", "2026-03-04T09:00", None);
}

#[test]
fn a_first_due_that_the_rule_does_not_name_is_the_first_occurrence_all_the_same() {
    let mut series = series("FREQ=WEEKLY;BYDAY=MO;COUNT=3");
    series.first_due = due("2026-03-04T09:00", ZONE);
    series.check(
        1,
        "2026-03-04T09:00",
        "2026-03-04T10:00",
        Some(("2026-03-09T09:00", 2)),
    );
    series.check(
        2,
        "2026-03-09T09:00",
        "2026-03-09T10:00",
        Some(("2026-03-16T09:00", 3)),
    );
    series.check(3, "2026-03-16T09:00", "2026-03-16T10:00", None);
}

#[test]
fn a_task_that_its_owner_moved_neither_comes_again_nor_ends_the_series() {
    let series = series("FREQ=WEEKLY;BYDAY=MO");
    // Occurrence 2, Monday the 9th, moved ahead to Friday and back to Wednesday week.
    series.check(
        2,
        "2026-03-06T09:00",
        "2026-03-06T09:00",
        Some(("2026-03-16T09:00", 3)),
    );
    series.check(
        2,
        "2026-03-18T09:00",
        "2026-03-18T09:00",
        Some(("2026-03-23T09:00", 4)),
    );
}

#[test]
fn counting_from_completion_starts_on_the_day_of_completion_at_the_time_of_day_of_the_due_date() {
    let series = series("FREQ=DAILY;INTERVAL=3").counted_from_completion();
    series.check(
        1,
        "2026-03-02T09:00",
        "2026-03-02T08:00",
        Some(("2026-03-05T09:00", 2)),
    );
    series.check(
        1,
        "2026-03-02T09:00",
        "2026-03-10T23:30",
        Some(("2026-03-13T09:00", 2)),
    );
    // Across the change of clocks on 29 March.
    series.check(
        9,
        "2026-03-20T09:00",
        "2026-03-28T12:00",
        Some(("2026-03-31T09:00", 10)),
    );
}

#[test]
fn counting_from_completion_never_comes_back_to_the_due_that_was_done_early() {
    let series = series("FREQ=DAILY").counted_from_completion();
    series.check(
        1,
        "2026-03-02T09:00",
        "2026-03-01T12:00",
        Some(("2026-03-03T09:00", 2)),
    );
    series.check(
        1,
        "2026-03-02T09:00",
        "2026-02-20T12:00",
        Some(("2026-03-03T09:00", 2)),
    );
}

#[test]
fn counting_from_completion_ends_with_count_and_until_too() {
    let counted = series("FREQ=DAILY;COUNT=3").counted_from_completion();
    counted.check(
        2,
        "2026-03-03T09:00",
        "2026-03-20T12:00",
        Some(("2026-03-21T09:00", 3)),
    );
    counted.check(3, "2026-03-21T09:00", "2026-03-21T12:00", None);
    let until = series("FREQ=DAILY;UNTIL=20260305").counted_from_completion();
    until.check(
        1,
        "2026-03-02T09:00",
        "2026-03-04T12:00",
        Some(("2026-03-05T09:00", 2)),
    );
    until.check(2, "2026-03-05T09:00", "2026-03-05T12:00", None);
}

#[test]
fn creating_the_next_occurrence_twice_gives_the_same_task() {
    let series = series("FREQ=WEEKLY;BYDAY=MO");
    let once = series
        .next(1, "2026-03-02T09:00", "2026-03-02T10:00")
        .expect("it goes on");
    let again = series
        .next(1, "2026-03-02T09:00", "2026-03-03T11:00")
        .expect("it goes on");
    assert_eq!(once, again);
    // Stored ids depend on it: this one must never change.
    assert_eq!(once.task_id.to_string(), "783a8fe8-72f2-5570-a86b-6b7ed7b752da");
    let later = series
        .next(2, "2026-03-09T09:00", "2026-03-09T10:00")
        .expect("it goes on");
    assert_ne!(once.task_id, later.task_id);
}

#[test]
fn the_number_after_the_greatest_is_not_an_occurrence() {
    series("FREQ=DAILY").counted_from_completion().check(
        u32::MAX,
        "2026-03-02T09:00",
        "2026-03-02T09:00",
        None,
    );
    series("FREQ=DAILY").check(u32::MAX, "2026-03-02T09:00", "2026-03-02T09:00", None);
}

#[test]
fn copies_relative_reminders_whatever_became_of_them_and_leaves_absolute_ones() {
    let now: Timestamp = instant("2026-03-02T10:00:00Z");
    let next = series("FREQ=WEEKLY")
        .next(1, "2026-03-02T09:00", "2026-03-02T11:00")
        .expect("it goes on");
    let old = |number: u128, when, status| Reminder {
        id: Uuid::from_u128(number).into(),
        when,
        remind_at: instant("2026-03-02T07:00:00Z"),
        status,
    };
    let copies = copy_reminders(
        &[
            old(1, ReminderWhen::MinutesBefore(60), ReminderStatus::Sent),
            old(
                2,
                ReminderWhen::At(instant("2026-03-02T07:00:00Z")),
                ReminderStatus::Sent,
            ),
            old(3, ReminderWhen::MinutesBefore(10), ReminderStatus::Cancelled),
        ],
        &next,
        now,
    );
    let told: Vec<_> = copies
        .iter()
        .map(|copy| (copy.remind_at.to_string(), copy.status))
        .collect();
    assert_eq!(
        told,
        [
            ("2026-03-09T07:00:00Z".to_owned(), ReminderStatus::Scheduled),
            ("2026-03-09T07:50:00Z".to_owned(), ReminderStatus::Scheduled),
        ]
    );
    let again = copy_reminders(
        &[old(9, ReminderWhen::MinutesBefore(60), ReminderStatus::Scheduled)],
        &next,
        now,
    );
    assert_eq!(
        again[0].id, copies[0].id,
        "the id follows from the task and the minutes"
    );
    assert_ne!(copies[0].id, copies[1].id);
}
