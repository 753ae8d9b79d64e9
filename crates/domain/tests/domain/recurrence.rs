//! Which dates a rule names. Examples marked RFC are from RFC 5545, section 3.8.5.3.

use nudge_domain::recurrence::MAX_DAYS_EXAMINED;

use crate::given::{due, instant, occurrences, rule};

/// The dates of the first occurrences of a rule that starts at nine in the morning in New York.
fn dates(rule_text: &str, start_date: &str, most: usize) -> Vec<String> {
    let start = due(&format!("{start_date}T09:00"), "America/New_York");
    let split = |at: String| match at.split_once('T') {
        Some((date, "09:00")) => date.to_owned(),
        _ => panic!("{at} is not at nine"),
    };
    occurrences(rule_text, &start, most)
        .into_iter()
        .map(split)
        .collect()
}

fn check(rule_text: &str, start_date: &str, expected: &[&str]) {
    assert_eq!(
        dates(rule_text, start_date, expected.len()),
        expected,
        "{rule_text}"
    );
}

#[test]
fn rfc_daily_and_weekly() {
    check(
        "FREQ=DAILY;INTERVAL=10;COUNT=3",
        "1997-09-02",
        &["1997-09-02", "1997-09-12", "1997-09-22"],
    );
    check(
        "FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=MO,WE,FR",
        "1997-09-01",
        &[
            "1997-09-01",
            "1997-09-03",
            "1997-09-05",
            "1997-09-15",
            "1997-09-17",
            "1997-09-19",
            "1997-09-29",
        ],
    );
}

#[test]
fn rfc_the_first_day_of_the_week_decides_which_week_a_sunday_is_in() {
    let start = "1997-08-05";
    check(
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
        start,
        &["1997-08-05", "1997-08-10", "1997-08-19", "1997-08-24"],
    );
    check(
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
        start,
        &["1997-08-05", "1997-08-17", "1997-08-19", "1997-08-31"],
    );
}

#[test]
fn rfc_monthly_by_weekday_and_by_day() {
    check(
        "FREQ=MONTHLY;BYDAY=1FR",
        "1997-09-05",
        &["1997-09-05", "1997-10-03", "1997-11-07"],
    );
    check(
        "FREQ=MONTHLY;INTERVAL=2;BYDAY=1SU,-1SU",
        "1997-09-07",
        &["1997-09-07", "1997-09-28", "1997-11-02", "1997-11-30"],
    );
    check(
        "FREQ=MONTHLY;BYMONTHDAY=-3",
        "1997-09-28",
        &["1997-09-28", "1997-10-29", "1997-11-28", "1997-12-29"],
    );
    check(
        "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
        "1997-09-02",
        &["1998-02-13", "1998-03-13", "1998-11-13"],
    );
}

#[test]
fn rfc_positions_within_the_period() {
    check(
        "FREQ=MONTHLY;BYDAY=TU,WE,TH;BYSETPOS=3",
        "1997-09-04",
        &["1997-09-04", "1997-10-07", "1997-11-06"],
    );
    check(
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2",
        "1997-09-29",
        &["1997-09-29", "1997-10-30", "1997-11-27"],
    );
}

#[test]
fn rfc_yearly() {
    check(
        "FREQ=YEARLY;INTERVAL=3;BYYEARDAY=1,100,200",
        "1997-01-01",
        &["1997-01-01", "1997-04-10", "1997-07-19", "2000-01-01"],
    );
    check(
        "FREQ=YEARLY;BYDAY=20MO",
        "1997-05-19",
        &["1997-05-19", "1998-05-18", "1999-05-17"],
    );
    check(
        "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO",
        "1997-05-12",
        &["1997-05-12", "1998-05-11", "1999-05-17"],
    );
    check(
        "FREQ=YEARLY;BYMONTH=3;BYDAY=TH",
        "1997-03-13",
        &["1997-03-13", "1997-03-20", "1997-03-27", "1998-03-05"],
    );
    check(
        "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
        "1996-11-05",
        &["1996-11-05", "2000-11-07", "2004-11-02"],
    );
}

#[test]
fn what_a_rule_leaves_open_comes_from_the_start() {
    check("FREQ=WEEKLY", "2026-03-04", &["2026-03-04", "2026-03-11"]);
    check("FREQ=MONTHLY", "2026-03-04", &["2026-03-04", "2026-04-04"]);
    check("FREQ=YEARLY", "2026-03-04", &["2026-03-04", "2027-03-04"]);
    check(
        "FREQ=YEARLY;BYMONTH=1,3",
        "2026-03-04",
        &["2026-03-04", "2027-01-04", "2027-03-04"],
    );
    check(
        "FREQ=YEARLY;BYWEEKNO=20",
        "2026-03-04",
        &["2026-05-13", "2027-05-19"],
    );
}

#[test]
fn skips_dates_that_a_month_or_year_lacks() {
    check(
        "FREQ=MONTHLY",
        "2026-01-31",
        &["2026-01-31", "2026-03-31", "2026-05-31", "2026-07-31"],
    );
    check(
        "FREQ=MONTHLY;BYMONTHDAY=-1",
        "2026-01-31",
        &["2026-01-31", "2026-02-28", "2026-03-31"],
    );
    check(
        "FREQ=MONTHLY;BYMONTHDAY=-30",
        "2026-01-01",
        &["2026-01-02", "2026-03-02", "2026-04-01"],
    );
    check(
        "FREQ=MONTHLY;BYDAY=-5MO",
        "2026-03-01",
        &["2026-03-02", "2026-06-01", "2026-08-03"],
    );
    check(
        "FREQ=MONTHLY;BYDAY=5MO",
        "2026-03-01",
        &["2026-03-30", "2026-06-29", "2026-08-31"],
    );
    check(
        "FREQ=YEARLY",
        "2096-02-29",
        &["2096-02-29", "2104-02-29", "2108-02-29"],
    );
    check(
        "FREQ=YEARLY;BYYEARDAY=366",
        "2023-01-01",
        &["2024-12-31", "2028-12-31"],
    );
    check(
        "FREQ=YEARLY;BYYEARDAY=-366",
        "2023-01-01",
        &["2024-01-01", "2028-01-01"],
    );
}

#[test]
fn week_numbers_follow_iso_8601_around_new_year() {
    check(
        "FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO,SU",
        "2020-01-01",
        &[
            "2020-12-28",
            "2021-01-03",
            "2026-12-28",
            "2027-01-03",
            "2032-12-27",
        ],
    );
    check(
        "FREQ=YEARLY;BYWEEKNO=1;BYDAY=MO",
        "2024-06-01",
        &["2024-12-30", "2025-12-29", "2027-01-04"],
    );
    check(
        "FREQ=YEARLY;BYWEEKNO=-1;BYDAY=TH",
        "2020-01-01",
        &["2020-12-31", "2021-12-30", "2022-12-29"],
    );
}

#[test]
fn a_last_week_of_the_year_has_all_its_days_whatever_day_weeks_begin_with() {
    check(
        "FREQ=YEARLY;BYWEEKNO=52;BYDAY=SA",
        "2010-06-01",
        &["2011-01-01", "2011-12-31", "2012-12-29"],
    );
    // With weeks from Wednesday, 27 December 2006 to 2 January 2007 is week 52 of 2006.
    check(
        "FREQ=YEARLY;BYWEEKNO=52;BYDAY=TU,WE;WKST=WE",
        "2006-06-01",
        &["2006-12-27", "2007-01-02", "2007-12-26"],
    );
}

#[test]
fn positions_count_in_the_whole_week_of_the_start() {
    // Wednesday the 4th is the second of Monday, Wednesday, Friday; the first of that week is before the start.
    check(
        "FREQ=WEEKLY;BYDAY=MO,WE,FR;BYSETPOS=1,2",
        "2026-03-04",
        &["2026-03-04", "2026-03-09", "2026-03-11"],
    );
}

#[test]
fn weekdays_with_and_without_number_in_one_list_are_alternatives() {
    check(
        "FREQ=MONTHLY;BYDAY=1FR,TH",
        "2026-03-01",
        &["2026-03-05", "2026-03-06", "2026-03-12", "2026-03-19"],
    );
}

#[test]
fn the_start_counts_as_the_first_occurrence_if_the_rule_names_it() {
    assert_eq!(
        dates("FREQ=WEEKLY;BYDAY=MO;COUNT=2", "2026-03-02", 9),
        ["2026-03-02", "2026-03-09"]
    );
    assert_eq!(
        dates("FREQ=WEEKLY;BYDAY=MO;COUNT=2", "2026-03-04", 9),
        ["2026-03-09", "2026-03-16"]
    );
}

#[test]
fn until_includes_its_own_moment_in_all_three_forms() {
    let through = |until: &str| dates(&format!("FREQ=DAILY;UNTIL={until}"), "2026-03-02", 99).len();
    assert_eq!(through("20260304"), 3);
    assert_eq!(through("20260304T090000"), 3);
    assert_eq!(through("20260304T085959"), 2);
    assert_eq!(through("20260304T140000Z"), 3);
    assert_eq!(through("20260304T135959Z"), 2);
    assert_eq!(through("20260301"), 0);
}

#[test]
fn next_after_is_strictly_after_and_ends_with_the_rule() {
    let start = due("2026-03-02T09:00", "UTC");
    let next = |rule_text: &str, after: &str| {
        rule(rule_text)
            .next_after(&start, instant(after))
            .map(|at| at.to_string())
    };
    let third = Some("2026-03-04T09:00:00Z".to_owned());
    assert_eq!(next("FREQ=DAILY", "2026-03-03T09:00:00Z"), third);
    assert_eq!(next("FREQ=DAILY", "2026-03-04T08:59:59.999Z"), third);
    assert_eq!(next("FREQ=DAILY;COUNT=3", "2026-03-03T09:00:00Z"), third);
    assert_eq!(next("FREQ=DAILY;COUNT=3", "2026-03-04T09:00:00Z"), None);
    assert_eq!(next("FREQ=DAILY;UNTIL=20260304", "2026-03-04T09:00:00Z"), None);
    assert_eq!(
        next("FREQ=DAILY", "1999-01-01T00:00:00Z"),
        Some("2026-03-02T09:00:00Z".to_owned())
    );
    assert_eq!(next("FREQ=DAILY", "9999-01-01T00:00:00Z"), None);
}

#[test]
fn finding_a_date_far_in_the_future_does_not_examine_every_year() {
    let start = due("1970-01-01T09:00", "Europe/Berlin");
    for (text, most_days) in [
        ("FREQ=DAILY", 3),
        ("FREQ=WEEKLY", 21),
        ("FREQ=MONTHLY", 93),
        ("FREQ=YEARLY;INTERVAL=3", 3 * 366),
    ] {
        let rule = rule(text);
        let after = instant("2150-06-15T12:00:00Z");
        let mut search = rule.occurrences_after(&start, after);
        assert!(search.next().is_some_and(|at| at > after), "{text}");
        assert!(
            search.days_examined() <= most_days,
            "{text}: {} days",
            search.days_examined()
        );
    }
}

#[test]
fn no_search_examines_more_days_than_there_are() {
    let start = due("1970-01-01T00:00", "Pacific/Auckland");
    for (text, expected) in [
        // Nothing to find: these are accepted because another start would find something.
        ("FREQ=DAILY;INTERVAL=7;BYDAY=SU", 0),
        ("FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29", 0),
        (
            "FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=31;BYDAY=FR;BYSETPOS=2;COUNT=10000",
            0,
        ),
        // Something on every day: all of them until the end of 2199.
        ("FREQ=DAILY", 84_006),
        ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;WKST=FR", 84_006),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR,SA,SU", 84_006),
        ("FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU", 84_006),
        ("FREQ=YEARLY;INTERVAL=1000", 1),
        ("FREQ=DAILY;COUNT=10000", 10_000),
    ] {
        let Ok(rule) = text.parse::<nudge_domain::Rule>() else {
            assert_eq!(expected, 0, "{text} is refused beforehand, which is better still");
            continue;
        };
        let mut search = rule.occurrences(&start);
        assert_eq!(search.by_ref().count(), expected, "{text}");
        assert!(
            search.days_examined() <= MAX_DAYS_EXAMINED,
            "{text}: {}",
            search.days_examined()
        );
        assert_eq!(search.next(), None, "{text}: it stays over");
    }
}
