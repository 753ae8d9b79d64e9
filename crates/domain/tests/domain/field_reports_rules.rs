//! Recurrence rules with which other programs went wrong; docs/field-reports.md has the reports.

use nudge_domain::series::{CompletedOccurrence, RecurrenceFrom, next_occurrence};
use nudge_domain::{Due, Rule, RuleError};
use uuid::Uuid;

use crate::given::{due, instant, occurrences, rule};

/// The dates of a rule that starts at nine in the morning of a day, in UTC.
fn dates(rule_text: &str, start: &str, most: usize) -> Vec<String> {
    occurrences(rule_text, &due(&format!("{start}T09:00"), "UTC"), most)
        .into_iter()
        .map(|at| at.trim_end_matches("T09:00").to_owned())
        .collect()
}

fn check(rule_text: &str, start: &str, expected: &[&str]) {
    assert_eq!(
        dates(rule_text, start, expected.len()),
        expected,
        "{rule_text} from {start}"
    );
}

/// All dates of a rule that ends.
fn check_all(rule_text: &str, start: &str, expected: &[&str]) {
    assert_eq!(dates(rule_text, start, 99), expected, "{rule_text} from {start}");
}

#[test]
fn until_has_the_last_day_and_the_last_instant_in_it() {
    check_all(
        "FREQ=DAILY;UNTIL=20231222",
        "2023-12-18",
        &[
            "2023-12-18",
            "2023-12-19",
            "2023-12-20",
            "2023-12-21",
            "2023-12-22",
        ],
    );
    for (zone_name, start, rule_text, last) in [
        // UNTIL in UTC is that instant, whatever clocks show where the task is.
        (
            "Asia/Jerusalem",
            "2023-08-05T12:30",
            "FREQ=WEEKLY;UNTIL=20230819T093000Z",
            "2023-08-19T12:30",
        ),
        (
            "Europe/Sofia",
            "2018-11-15T14:00",
            "FREQ=DAILY;UNTIL=20181122T120000Z",
            "2018-11-22T14:00",
        ),
        // In winter time when it began, in summer time when it ends.
        (
            "Europe/Berlin",
            "2026-01-13T14:00",
            "FREQ=WEEKLY;UNTIL=20260630T120000Z;INTERVAL=2;BYDAY=TU;WKST=MO",
            "2026-06-30T14:00",
        ),
        // In the hour that comes twice: the first of the two is meant, and is not after it.
        (
            "Europe/Amsterdam",
            "2020-10-24T02:30",
            "FREQ=DAILY;UNTIL=20201025T010000Z",
            "2020-10-25T02:30",
        ),
        (
            "America/Toronto",
            "2019-04-03T09:00",
            "FREQ=WEEKLY;UNTIL=20190424T125959Z",
            "2019-04-17T09:00",
        ),
    ] {
        let all = occurrences(rule_text, &due(start, zone_name), 99);
        assert_eq!(all.last().map(String::as_str), Some(last), "{rule_text}");
    }
}

#[test]
fn week_53_is_in_the_years_that_have_one() {
    check(
        "FREQ=YEARLY;BYWEEKNO=53",
        "2023-01-01",
        &["2027-01-03", "2033-01-02"],
    );
    check(
        "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=30;BYWEEKNO=53",
        "2026-12-30",
        &["2026-12-30", "2032-12-30", "2037-12-30"],
    );
    check(
        "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=30;BYWEEKNO=52",
        "2027-12-30",
        &["2027-12-30", "2028-12-30", "2029-12-30", "2033-12-30"],
    );
    check(
        "FREQ=YEARLY;INTERVAL=3;BYDAY=MO,TU;BYWEEKNO=-2",
        "2026-03-17",
        &["2026-12-21", "2026-12-22", "2029-12-17", "2029-12-18"],
    );
}

#[test]
fn week_1_may_begin_in_the_year_before() {
    check(
        "FREQ=YEARLY;BYWEEKNO=1",
        "2018-01-01",
        &[
            "2018-01-01",
            "2018-12-31",
            "2019-12-30",
            "2021-01-04",
            "2022-01-03",
            "2023-01-02",
            "2024-01-01",
        ],
    );
    check_all(
        "FREQ=YEARLY;BYWEEKNO=1;BYDAY=MO;UNTIL=20241230",
        "2024-01-01",
        &["2024-01-01", "2024-12-30"],
    );
    check(
        "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=30;BYWEEKNO=1",
        "2024-12-30",
        &["2024-12-30", "2025-12-30", "2030-12-30", "2031-12-30"],
    );
    check(
        "FREQ=YEARLY;BYWEEKNO=1,3,4,5,8,9;BYYEARDAY=1,14,31,60",
        "2018-01-01",
        &[
            "2018-01-01",
            "2018-01-31",
            "2018-03-01",
            "2019-01-01",
            "2019-01-14",
            "2019-01-31",
            "2019-03-01",
            "2020-01-01",
        ],
    );
}

#[test]
fn the_53rd_monday_of_a_year_is_counted_and_is_no_week_number() {
    // The report asks for 28 December 2020, a Monday in week 53; but it is the 52nd Monday of that year.
    check(
        "FREQ=YEARLY;BYDAY=53MO",
        "2020-01-01",
        &["2024-12-30", "2029-12-31"],
    );
}

#[test]
fn a_position_that_a_period_lacks_chooses_nothing() {
    check(
        "FREQ=MONTHLY;BYMONTHDAY=20,31;BYSETPOS=-2",
        "2010-01-01",
        &[
            "2010-01-20",
            "2010-03-20",
            "2010-05-20",
            "2010-07-20",
            "2010-08-20",
            "2010-10-20",
        ],
    );
    for rule_text in [
        "FREQ=YEARLY;BYMONTH=5;BYSETPOS=3;BYMONTHDAY=3",
        "FREQ=MONTHLY;BYDAY=1TH;BYSETPOS=2",
        "FREQ=WEEKLY;WKST=WE;BYSETPOS=-4;BYDAY=MO,TU,WE",
        "FREQ=YEARLY;BYMONTHDAY=30;BYMONTH=2",
    ] {
        let refusal = rule_text.parse::<Rule>().expect_err(rule_text);
        assert_eq!(refusal, RuleError::NeverMatches, "{rule_text}");
    }
}

#[test]
fn positions_count_in_the_week_that_begins_with_wkst_from_either_end() {
    // A Sunday: its week began on Wednesday the 6th.
    let start = "2024-11-10";
    for (position, expected) in [
        ("1", ["2024-11-13", "2024-11-20", "2024-11-27"]),
        ("-3", ["2024-11-13", "2024-11-20", "2024-11-27"]),
        ("2", ["2024-11-11", "2024-11-18", "2024-11-25"]),
        ("-2", ["2024-11-11", "2024-11-18", "2024-11-25"]),
        ("3", ["2024-11-12", "2024-11-19", "2024-11-26"]),
        ("-1", ["2024-11-12", "2024-11-19", "2024-11-26"]),
    ] {
        let rule_text = format!("FREQ=WEEKLY;WKST=WE;BYSETPOS={position};BYDAY=MO,TU,WE;COUNT=3");
        check_all(&rule_text, start, &expected);
    }
    check(
        "FREQ=WEEKLY;BYDAY=MO,WE;BYSETPOS=2,3",
        "2024-02-01",
        &[
            "2024-02-07",
            "2024-02-14",
            "2024-02-21",
            "2024-02-28",
            "2024-03-06",
        ],
    );
    check(
        "FREQ=YEARLY;BYDAY=SA,SU;BYSETPOS=-1;BYMONTH=7",
        "2018-01-01",
        &["2018-07-29", "2019-07-28", "2020-07-26", "2021-07-31"],
    );
}

#[test]
fn the_day_that_a_week_begins_with_decides_which_weeks_are_left_out() {
    for week_start in ["MO", "SU"] {
        let rule_text = format!("FREQ=WEEKLY;UNTIL=20171224T000000Z;INTERVAL=2;BYDAY=MO;WKST={week_start}");
        check(
            &rule_text,
            "2017-03-13",
            &["2017-03-13", "2017-03-27", "2017-04-10"],
        );
    }
    check(
        "FREQ=WEEKLY;BYDAY=TH;INTERVAL=2",
        "2023-09-03",
        &["2023-09-14", "2023-09-28"],
    );
    check(
        "FREQ=WEEKLY;BYDAY=TH;INTERVAL=2;WKST=SU",
        "2023-09-03",
        &["2023-09-07", "2023-09-21"],
    );
    check(
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=FR;WKST=SU",
        "2017-10-07",
        &["2017-10-20", "2017-11-03"],
    );
}

#[test]
fn a_weekday_with_a_number_and_a_day_of_the_month_are_both_conditions() {
    check(
        "FREQ=YEARLY;BYDAY=4TH;BYMONTHDAY=24;BYMONTH=11",
        "2011-11-24",
        &["2011-11-24", "2016-11-24", "2022-11-24", "2033-11-24"],
    );
}

#[test]
fn rules_are_read_as_calendar_programs_write_them() {
    for (written, canonical) in [
        ("FREQ=WEEKLY;INTERVAL=1;BYDAY=MO;", "FREQ=WEEKLY;BYDAY=MO"),
        (
            "RRULE:FREQ=MONTHLY;INTERVAL=1;BYDAY=1WE;",
            "FREQ=MONTHLY;BYDAY=1WE",
        ),
        (
            "FREQ=DAILY;UNTIL=20270722T080000Z;INTERVAL=1;BYDAY=MO, TU, WE, TH, FR\r\n ;WKST=SU",
            "FREQ=DAILY;UNTIL=20270722T080000Z;BYDAY=MO,TU,WE,TH,FR;WKST=SU",
        ),
        ("FREQ=WEEKLY; BYDAY = MO ,\tWE", "FREQ=WEEKLY;BYDAY=MO,WE"),
        ("FREQ=WEEKLY;BYD\n AY=MO", "FREQ=WEEKLY;BYDAY=MO"),
        ("FREQ=MONTHLY;BYDAY=+4SU", "FREQ=MONTHLY;BYDAY=4SU"),
        ("FREQ=YEARLY;BYDAY=-25TU", "FREQ=YEARLY;BYDAY=-25TU"),
    ] {
        assert_eq!(rule(written).to_string(), canonical, "{written}");
    }
}

#[test]
fn what_is_no_rule_or_more_than_one_is_refused() {
    for written in [
        ";",
        "FREQ=DAILY;;",
        "RRULE:;FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10",
        "FREQ=DAILY;DTSTART=20151130T230000Z;UNTIL=20271204T230000Z",
        "DTSTART:20150601T000000Z RRULE:FREQ=MONTHLY;COUNT=6",
        "RRULE:FREQ=WEEKLY\nEXDATE:20270101",
        "FREQ=WEEKLY\nFREQ=DAILY",
        "FREQ=WEEKLY;BYDAY=\"TH,TH\"",
        "FREQ=WEEKLY;BYDAY=M O",
        "FREQ=WEEKLY;BYDAY=MO,",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;INTERVAL=-1",
        "FREQ=DAILY;INTERVAL=.007;COUNT=10",
        "FREQ=DAILY;INTERVAL=null",
        "FREQ=DAILY;COUNT=-5",
        "FREQ=DAILY;COUNT=0",
        "FREQ=YEARLY;INTERVAL=1;BYMONTH=",
        "FREQ=DAILY;UNTIL=2027-02-28",
    ] {
        assert!(written.parse::<Rule>().is_err(), "{written}");
    }
}

#[test]
fn a_rule_that_no_date_from_its_start_on_meets_has_no_occurrence() {
    // September has no 31st, and leap years come every four years, but not from 2027 on.
    for (rule_text, start) in [
        ("FREQ=YEARLY;BYMONTH=9", "2017-07-31"),
        ("FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29", "2027-01-01"),
    ] {
        check_all(rule_text, start, &[]);
    }
    check(
        "FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29",
        "2024-02-29",
        &["2024-02-29", "2028-02-29", "2032-02-29"],
    );
}

/// What follows a task that was completed, in UTC.
fn next(
    rule_text: &str,
    first_due: &str,
    (occurrence, task_due): (u32, &str),
    counts_from: RecurrenceFrom,
    completed_at: &str,
) -> Option<(String, u32)> {
    let utc = |text: &str| -> Due { due(text, "UTC") };
    let next = next_occurrence(&CompletedOccurrence {
        series_id: Uuid::from_u128(7).into(),
        occurrence,
        rule: &rule(rule_text),
        first_due: &utc(first_due),
        due: &utc(task_due),
        counts_from,
        completed_at: instant(completed_at),
    })?;
    Some((next.due.local().date().to_string(), next.occurrence))
}

#[test]
fn three_months_after_29_november_is_the_last_day_of_february() {
    let found = next(
        "FREQ=MONTHLY;INTERVAL=3",
        "2025-08-29",
        (2, "2025-11-29"),
        RecurrenceFrom::Completion,
        "2025-11-29T10:00:00Z",
    );
    assert_eq!(found, Some(("2026-02-28".to_owned(), 3)));
}

#[test]
fn a_fixed_series_that_passed_february_comes_back_to_its_day() {
    for (rule_text, task_due, expected) in [
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "2027-02-28", "2027-03-31"),
        (
            "FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1",
            "2027-02-28",
            "2027-03-31",
        ),
        ("FREQ=MONTHLY", "2027-01-31", "2027-03-31"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1", "2027-02-28", "2028-02-29"),
    ] {
        let found = next(
            rule_text,
            "2024-01-31",
            (2, task_due),
            RecurrenceFrom::Due,
            "2027-01-31T10:00:00Z",
        );
        assert_eq!(
            found.map(|(date, _)| date).as_deref(),
            Some(expected),
            "{rule_text}"
        );
    }
}

#[test]
fn a_series_of_three_is_over_after_its_third_date_whenever_it_is_asked() {
    let rule_text = "FREQ=WEEKLY;BYDAY=MO;COUNT=3";
    check_all(
        rule_text,
        "2026-08-03",
        &["2026-08-03", "2026-08-10", "2026-08-17"],
    );
    for (done, completed_at) in [
        ((3, "2026-08-17"), "2026-08-17T10:00:00Z"),
        ((1, "2026-08-03"), "2026-08-24T10:00:00Z"),
        ((3, "2026-08-17"), "2027-08-17T10:00:00Z"),
    ] {
        let found = next(rule_text, "2026-08-03", done, RecurrenceFrom::Due, completed_at);
        assert_eq!(found, None, "{completed_at}");
    }
    let in_time = next(
        rule_text,
        "2026-08-03",
        (1, "2026-08-03"),
        RecurrenceFrom::Due,
        "2026-08-12T10:00:00Z",
    );
    assert_eq!(
        in_time,
        Some(("2026-08-17".to_owned(), 3)),
        "the second is used up"
    );
}
