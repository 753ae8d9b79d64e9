//! Series where the calendar or the clock is odd: ends of months, leap days, changes of clocks, ends of rules.

use jiff::SignedDuration;
use nudge_domain::Due;
use nudge_domain::reminder::{Reminder, ReminderStatus, ReminderWhen, cancel_all};
use nudge_domain::series::{
    CompletedOccurrence, NextOccurrence, RecurrenceFrom, copy_reminders, next_occurrence,
};
use uuid::Uuid;

use crate::given::{due, instant, rule};

const BERLIN: &str = "Europe/Berlin";

/// What follows the occurrence with that number.
fn next(
    rule_text: &str,
    counts_from: RecurrenceFrom,
    first_due: &Due,
    (occurrence, of): (u32, &Due),
    completed_at: &Due,
) -> Option<NextOccurrence> {
    next_occurrence(&CompletedOccurrence {
        series_id: Uuid::from_u128(7).into(),
        occurrence,
        rule: &rule(rule_text),
        first_due,
        due: of,
        counts_from,
        completed_at: completed_at.at(),
    })
}

/// The due dates of a series in which each task is completed the given number of hours after it was due, or before.
fn due_dates(
    rule_text: &str,
    counts_from: RecurrenceFrom,
    first_due: &Due,
    late_hours: i64,
    most: usize,
) -> Vec<String> {
    let mut current = (1, first_due.clone());
    let mut shown = Vec::new();
    while shown.len() < most {
        let completed = current.1.at() + SignedDuration::from_hours(late_hours);
        let completed = Due::new(completed, first_due.zone().clone()).expect("in range");
        let Some(following) = next(
            rule_text,
            counts_from,
            first_due,
            (current.0, &current.1),
            &completed,
        ) else {
            shown.push("end".to_owned());
            break;
        };
        shown.push(following.due.to_string());
        current = (following.occurrence, following.due);
    }
    shown
}

#[track_caller]
fn check(
    rule_text: &str,
    counts_from: RecurrenceFrom,
    (first, zone_name): (&str, &str),
    late_hours: i64,
    expected: &[&str],
) {
    let found = due_dates(
        rule_text,
        counts_from,
        &due(first, zone_name),
        late_hours,
        expected.len(),
    );
    assert_eq!(found, expected, "{rule_text} from {first} in {zone_name}");
}

#[test]
fn a_fixed_series_skips_months_and_years_that_lack_its_day() {
    let fixed = RecurrenceFrom::Due;
    check(
        "FREQ=MONTHLY",
        fixed,
        ("2026-01-31T09:00", "UTC"),
        1,
        &[
            "2026-03-31T09:00:00+00:00",
            "2026-05-31T09:00:00+00:00",
            "2026-07-31T09:00:00+00:00",
        ],
    );
    check(
        "FREQ=MONTHLY;BYMONTHDAY=-1",
        fixed,
        ("2028-01-31T09:00", "UTC"),
        1,
        &[
            "2028-02-29T09:00:00+00:00",
            "2028-03-31T09:00:00+00:00",
            "2028-04-30T09:00:00+00:00",
        ],
    );
    check(
        "FREQ=YEARLY",
        fixed,
        ("2028-02-29T09:00", "UTC"),
        1,
        &["2032-02-29T09:00:00+00:00", "2036-02-29T09:00:00+00:00"],
    );
    // Five years late: the leap day of 2032 has passed.
    check(
        "FREQ=YEARLY",
        fixed,
        ("2028-02-29T09:00", "UTC"),
        5 * 366 * 24,
        &["2036-02-29T09:00:00+00:00"],
    );
}

#[test]
fn a_phrase_skips_no_month_and_comes_back_to_its_day() {
    let fixed = RecurrenceFrom::Due;
    check(
        "FREQ=MONTHLY;BYMONTHDAY=-1,31;BYSETPOS=1",
        fixed,
        ("2027-01-31T09:00", BERLIN),
        1,
        &[
            "2027-02-28T09:00:00+01:00",
            "2027-03-31T09:00:00+02:00",
            "2027-04-30T09:00:00+02:00",
        ],
    );
    check(
        "FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=-1,29;BYSETPOS=1",
        fixed,
        ("2028-02-29T09:00", "UTC"),
        1,
        &[
            "2029-02-28T09:00:00+00:00",
            "2030-02-28T09:00:00+00:00",
            "2031-02-28T09:00:00+00:00",
            "2032-02-29T09:00:00+00:00",
        ],
    );
    // From the completion it is a distance, whatever day the first due date had: done on 10 February.
    check(
        "FREQ=MONTHLY;BYMONTHDAY=-1,31;BYSETPOS=1",
        RecurrenceFrom::Completion,
        ("2027-01-31T09:00", "UTC"),
        10 * 24,
        &["2027-03-10T09:00:00+00:00"],
    );
    check(
        "FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=-1,29;BYSETPOS=1",
        RecurrenceFrom::Completion,
        ("2028-02-29T09:00", "UTC"),
        10 * 24,
        &["2029-03-10T09:00:00+00:00"],
    );
    check(
        "FREQ=MONTHLY;BYMONTHDAY=-1,31;BYSETPOS=1",
        RecurrenceFrom::Completion,
        ("2027-01-31T09:00", "UTC"),
        1,
        &["2027-02-28T09:00:00+00:00"],
    );
}

#[test]
fn a_month_after_the_work_is_at_most_the_last_day_of_the_next_month() {
    let from_completion = RecurrenceFrom::Completion;
    check(
        "FREQ=MONTHLY",
        from_completion,
        ("2026-01-31T09:00", "UTC"),
        1,
        &["2026-02-28T09:00:00+00:00", "2026-03-28T09:00:00+00:00"],
    );
    check(
        "FREQ=MONTHLY;INTERVAL=3",
        from_completion,
        ("2026-08-31T09:00", "UTC"),
        1,
        &["2026-11-30T09:00:00+00:00"],
    );
    check(
        "FREQ=YEARLY",
        from_completion,
        ("2028-02-29T09:00", "UTC"),
        1,
        &["2029-02-28T09:00:00+00:00"],
    );
    check(
        "FREQ=YEARLY",
        from_completion,
        ("2026-12-31T09:00", "UTC"),
        1,
        &["2027-12-31T09:00:00+00:00"],
    );
    check(
        "FREQ=MONTHLY;UNTIL=20260227",
        from_completion,
        ("2026-01-31T09:00", "UTC"),
        1,
        &["end"],
    );
    // A rule that names days means these days.
    check(
        "FREQ=MONTHLY;BYMONTHDAY=31",
        from_completion,
        ("2026-01-31T09:00", "UTC"),
        1,
        &["2026-03-31T09:00:00+00:00"],
    );
}

#[test]
fn a_month_that_is_named_stays_when_the_work_is_done_on_a_day_that_it_lacks() {
    for (rule_text, first, done, expected) in [
        // `every april`, done early.
        ("FREQ=YEARLY;BYMONTH=4", "2027-04-10", "2027-03-31", "2027-04-30"),
        (
            "FREQ=YEARLY;INTERVAL=2;BYMONTH=4",
            "2027-04-10",
            "2027-05-31",
            "2029-04-30",
        ),
        ("FREQ=YEARLY;BYMONTH=2", "2027-02-10", "2027-03-29", "2028-02-29"),
        ("FREQ=YEARLY;BYMONTH=2", "2027-02-10", "2028-03-30", "2029-02-28"),
        // `every february`, first due on a 29th and on a 31st.
        (
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1,29;BYSETPOS=1",
            "2028-02-29",
            "2028-03-10",
            "2029-02-10",
        ),
        (
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1,29;BYSETPOS=1",
            "2028-02-29",
            "2028-02-29",
            "2029-02-28",
        ),
        (
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1,31;BYSETPOS=1",
            "2027-01-31",
            "2027-01-31",
            "2027-02-28",
        ),
        // A rule of months that names some of them.
        (
            "FREQ=MONTHLY;BYMONTH=4,6",
            "2027-04-10",
            "2027-05-31",
            "2027-06-30",
        ),
    ] {
        let at_nine = |day: &str| due(&format!("{day}T09:00"), "UTC");
        let first = at_nine(first);
        let found = next(
            rule_text,
            RecurrenceFrom::Completion,
            &first,
            (1, &first),
            &at_nine(done),
        );
        let found = found.map(|next| next.due.local().date().to_string());
        assert_eq!(found.as_deref(), Some(expected), "{rule_text}, done on {done}");
    }
}

#[test]
fn a_fixed_series_comes_back_to_its_time_after_a_gap_and_comes_once_in_a_fold() {
    let fixed = RecurrenceFrom::Due;
    check(
        "FREQ=DAILY",
        fixed,
        ("2026-03-28T02:30", BERLIN),
        0,
        &["2026-03-29T03:30:00+02:00", "2026-03-30T02:30:00+02:00"],
    );
    check(
        "FREQ=DAILY",
        fixed,
        ("2026-10-24T02:30", BERLIN),
        0,
        &["2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"],
    );
    // Done in the second of the two hours.
    check(
        "FREQ=DAILY",
        fixed,
        ("2026-10-25T02:30", BERLIN),
        1,
        &["2026-10-26T02:30:00+01:00"],
    );
    check(
        "FREQ=DAILY",
        fixed,
        ("2026-10-03T02:15", "Australia/Lord_Howe"),
        0,
        &["2026-10-04T02:45:00+11:00", "2026-10-05T02:15:00+11:00"],
    );
    check(
        "FREQ=DAILY",
        fixed,
        ("2026-04-04T01:45", "Australia/Lord_Howe"),
        0,
        &["2026-04-05T01:45:00+11:00", "2026-04-06T01:45:00+10:30"],
    );
    check(
        "FREQ=DAILY",
        fixed,
        ("2011-12-29T09:00", "Pacific/Apia"),
        0,
        &["2011-12-31T09:00:00+14:00", "2012-01-01T09:00:00+14:00"],
    );
}

#[test]
fn a_series_from_completion_comes_back_to_its_time_after_a_gap_too() {
    let from_completion = RecurrenceFrom::Completion;
    check(
        "FREQ=DAILY",
        from_completion,
        ("2026-03-28T02:30", BERLIN),
        1,
        &["2026-03-29T03:30:00+02:00", "2026-03-30T02:30:00+02:00"],
    );
    check(
        "FREQ=DAILY",
        from_completion,
        ("2026-09-05T00:30", "America/Santiago"),
        1,
        &["2026-09-06T01:30:00-03:00", "2026-09-07T00:30:00-03:00"],
    );
    // A time that the owner chose for this one is kept.
    let (first, moved) = (due("2026-03-02T09:00", BERLIN), due("2026-03-03T17:00", BERLIN));
    let following = next("FREQ=DAILY", from_completion, &first, (2, &moved), &moved).expect("it goes on");
    assert_eq!(following.due.to_string(), "2026-03-04T17:00:00+01:00");
}

#[test]
fn completing_long_after_the_end_gives_nothing() {
    let late = 24 * 365 * 20;
    for counts_from in [RecurrenceFrom::Due, RecurrenceFrom::Completion] {
        check(
            "FREQ=WEEKLY;UNTIL=20260401",
            counts_from,
            ("2026-03-02T09:00", BERLIN),
            late,
            &["end"],
        );
    }
    check(
        "FREQ=WEEKLY;COUNT=3",
        RecurrenceFrom::Due,
        ("2026-03-02T09:00", BERLIN),
        late,
        &["end"],
    );
    // Counted from the completion, the count is of tasks that were done.
    check(
        "FREQ=WEEKLY;COUNT=2",
        RecurrenceFrom::Completion,
        ("2026-03-02T09:00", BERLIN),
        24 * 365,
        &["2027-03-09T09:00:00+01:00", "end"],
    );
}

#[test]
fn completing_again_after_reopening_in_time_gives_the_task_that_is_there() {
    for counts_from in [RecurrenceFrom::Due, RecurrenceFrom::Completion] {
        let first = due("2026-03-02T09:00", BERLIN);
        let once = next(
            "FREQ=DAILY",
            counts_from,
            &first,
            (1, &first),
            &due("2026-03-02T10:00", BERLIN),
        );
        let again = next(
            "FREQ=DAILY",
            counts_from,
            &first,
            (1, &first),
            &due("2026-03-02T22:00", BERLIN),
        );
        assert!(once.is_some());
        assert_eq!(once, again);
    }
}

#[test]
fn searches_for_rare_or_impossible_dates_end() {
    let fixed = RecurrenceFrom::Due;
    check(
        "FREQ=YEARLY;INTERVAL=1000",
        fixed,
        ("2026-03-02T09:00", BERLIN),
        1,
        &["end"],
    );
    check(
        "FREQ=YEARLY;INTERVAL=2;BYMONTH=2;BYMONTHDAY=29",
        fixed,
        ("2027-03-02T09:00", BERLIN),
        1,
        &["end"],
    );
    check(
        "FREQ=YEARLY;INTERVAL=100;BYMONTH=1;BYMONTHDAY=1",
        fixed,
        ("2026-03-02T09:00", BERLIN),
        1,
        &["2126-01-01T09:00:00+01:00", "end"],
    );
    check(
        "FREQ=DAILY",
        fixed,
        ("2199-12-30T09:00", BERLIN),
        1,
        &["2199-12-31T09:00:00+01:00", "end"],
    );
    check(
        "FREQ=MONTHLY",
        RecurrenceFrom::Completion,
        ("2199-12-01T09:00", BERLIN),
        1,
        &["end"],
    );
    // Every 1,000 days at most 84,500 are looked at, whatever the rule.
    let far = rule("FREQ=DAILY;INTERVAL=1000;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO");
    let start = due("1970-01-01", "UTC");
    let mut search = far.occurrences(&start);
    assert!(search.by_ref().count() < 5);
    assert!(search.days_examined() <= 90, "{}", search.days_examined());
}

#[test]
fn two_reminders_on_one_day_are_two_in_every_task_of_the_series() {
    let first = due("2026-03-02T09:00", BERLIN);
    let now = instant("2026-03-02T06:00:00Z");
    let mut reminders: Vec<Reminder> = Vec::new();
    for minutes in [10, 60] {
        let id = Uuid::from_u128(minutes.into()).into();
        let when = ReminderWhen::MinutesBefore(minutes);
        reminders.push(Reminder::new(id, when, Some(&first), &reminders, now).expect("a reminder"));
    }
    cancel_all(&mut reminders);
    let following = next("FREQ=DAILY", RecurrenceFrom::Due, &first, (1, &first), &first).expect("it goes on");
    let copies = copy_reminders(&reminders, &following, first.at());
    let instants: Vec<String> = copies
        .iter()
        .map(|reminder| reminder.remind_at.to_string())
        .collect();
    assert_eq!(instants, ["2026-03-03T07:50:00Z", "2026-03-03T07:00:00Z"]);
    assert!(
        copies
            .iter()
            .all(|reminder| reminder.status == ReminderStatus::Scheduled)
    );
    assert_ne!(copies[0].id, copies[1].id);
}
