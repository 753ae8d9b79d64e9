//! Occurrences keep their local time of day; gaps and repeated hours are the exceptions.

use nudge_domain::Due;
use proptest::prelude::*;

use crate::given::{due, instant, occurrences, rule, zone};

fn instants(rule_text: &str, start: &Due, most: usize) -> Vec<String> {
    rule(rule_text)
        .occurrences(start)
        .take(most)
        .map(|at| at.to_string())
        .collect()
}

#[test]
fn nine_in_the_morning_stays_nine_in_the_morning_on_both_hemispheres() {
    for (zone_name, start_date, before, after) in [
        (
            "Europe/Berlin",
            "2026-03-28",
            "2026-03-28T08:00:00Z",
            "2026-03-29T07:00:00Z",
        ),
        (
            "Europe/Berlin",
            "2026-10-24",
            "2026-10-24T07:00:00Z",
            "2026-10-25T08:00:00Z",
        ),
        (
            "America/New_York",
            "2026-03-07",
            "2026-03-07T14:00:00Z",
            "2026-03-08T13:00:00Z",
        ),
        (
            "America/New_York",
            "2026-10-31",
            "2026-10-31T13:00:00Z",
            "2026-11-01T14:00:00Z",
        ),
        (
            "Australia/Lord_Howe",
            "2026-10-03",
            "2026-10-02T22:30:00Z",
            "2026-10-03T22:00:00Z",
        ),
        (
            "Australia/Lord_Howe",
            "2026-04-04",
            "2026-04-03T22:00:00Z",
            "2026-04-04T22:30:00Z",
        ),
        (
            "America/Santiago",
            "2026-09-05",
            "2026-09-05T13:00:00Z",
            "2026-09-06T12:00:00Z",
        ),
        (
            "America/Santiago",
            "2026-04-04",
            "2026-04-04T12:00:00Z",
            "2026-04-05T13:00:00Z",
        ),
    ] {
        let start = due(&format!("{start_date}T09:00"), zone_name);
        assert_eq!(instants("FREQ=DAILY", &start, 2), [before, after], "{zone_name}");
    }
}

#[test]
fn a_time_in_a_gap_moves_forward_for_that_day_only() {
    for (zone_name, start, expected) in [
        (
            "Europe/Berlin",
            "2026-03-28T02:30",
            ["2026-03-28T02:30", "2026-03-29T03:30", "2026-03-30T02:30"],
        ),
        (
            "America/New_York",
            "2026-03-07T02:30",
            ["2026-03-07T02:30", "2026-03-08T03:30", "2026-03-09T02:30"],
        ),
        (
            "Australia/Lord_Howe",
            "2026-10-03T02:15",
            ["2026-10-03T02:15", "2026-10-04T02:45", "2026-10-05T02:15"],
        ),
        (
            "America/Santiago",
            "2026-09-05T00:15",
            ["2026-09-05T00:15", "2026-09-06T01:15", "2026-09-07T00:15"],
        ),
    ] {
        assert_eq!(
            occurrences("FREQ=DAILY", &due(start, zone_name), 3),
            expected,
            "{zone_name}"
        );
    }
}

#[test]
fn a_time_that_happens_twice_means_the_first() {
    let start = due("2026-10-24T02:30", "Europe/Berlin");
    assert_eq!(
        instants("FREQ=DAILY", &start, 3),
        [
            "2026-10-24T00:30:00Z",
            "2026-10-25T00:30:00Z",
            "2026-10-26T01:30:00Z"
        ]
    );
}

#[test]
fn a_start_in_the_second_of_two_equal_hours_is_itself_the_first_occurrence() {
    let start = due("2026-10-25T01:30:00Z", "Europe/Berlin");
    assert_eq!(
        instants("FREQ=DAILY", &start, 2),
        ["2026-10-25T01:30:00Z", "2026-10-26T01:30:00Z"]
    );
}

#[test]
fn a_day_that_a_zone_skipped_is_not_a_second_occurrence() {
    // Samoa went from 29 December 2011 straight to the 31st.
    let start = due("2011-12-29T09:00", "Pacific/Apia");
    let expected = ["2011-12-29T09:00", "2011-12-31T09:00", "2012-01-01T09:00"];
    assert_eq!(occurrences("FREQ=DAILY;COUNT=3", &start, 9), expected);
    let asked_between = rule("FREQ=DAILY").next_after(&start, instant("2011-12-31T00:00:00Z"));
    assert_eq!(asked_between, Some(instant("2011-12-31T19:00:00Z")));
}

#[test]
fn a_gap_across_midnight_hides_no_occurrence() {
    // 23:30 on 28 March 2026 in Godthab's zone does not exist: it is 00:30 on the 29th there.
    let start = due("2026-03-27T23:30", "America/Nuuk");
    let all: Vec<_> = rule("FREQ=DAILY").occurrences(&start).take(4).collect();
    for pair in all.windows(2) {
        let [before, after] = pair else {
            unreachable!("windows of two")
        };
        for asked in [*before, instant("2026-03-29T01:10:00Z")] {
            if asked >= *before && asked < *after {
                assert_eq!(rule("FREQ=DAILY").next_after(&start, asked), Some(*after));
            }
        }
    }
}

proptest! {
    #[test]
    fn the_local_time_of_day_only_differs_where_the_zone_skips_it(
        day in 0_i64..20_000,
        minute in 0_i64..1440,
        zone_name in prop::sample::select(vec!["Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
            "America/Santiago", "Africa/Casablanca", "Pacific/Apia"]),
        rule_text in prop::sample::select(vec!["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=SU,SA", "FREQ=MONTHLY;BYDAY=1SU,-1SU"]),
    ) {
        let zone = zone(zone_name);
        let start = Due::new(instant("1975-01-01T00:00:00Z") + jiff::SignedDuration::from_mins(day * 1440 + minute), zone)
            .expect("within range");
        let rules = start.zone().time_zone();
        let time = start.local().time();
        let mut latest = None;
        for at in rule(rule_text).occurrences(&start).take(200) {
            prop_assert!(latest.is_none_or(|latest| at > latest), "in order");
            latest = Some(at);
            let local = rules.to_datetime(at);
            if local.time() != time {
                let wanted = [local.date(), local.date().yesterday().expect("not the first day")]
                    .map(|date| rules.to_ambiguous_timestamp(date.to_datetime(time)));
                let skipped = wanted.into_iter().any(|wanted| {
                    matches!(wanted.offset(), jiff::tz::AmbiguousOffset::Gap { .. })
                        && wanted.compatible().is_ok_and(|wanted| wanted == at)
                });
                prop_assert!(skipped, "{} in {} is not at {}", at, zone_name, time);
            }
        }
    }
}
