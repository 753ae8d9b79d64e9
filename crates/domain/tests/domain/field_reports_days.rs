//! Ends of days and changes of clocks, as users of other programs reported them; docs/field-reports.md has the reports.

use jiff::SignedDuration;
use nudge_domain::series::{CompletedOccurrence, RecurrenceFrom, next_occurrence};
use nudge_domain::{Due, Zone};
use proptest::prelude::*;
use uuid::Uuid;

use crate::given::{due, instant, occurrences, rule, zone};

/// Zones whose clocks change in the last hour of a day, or at its very end.
const LATE_CHANGES: [&str; 11] = [
    "Africa/Cairo",
    "America/Goose_Bay",
    "America/Havana",
    "America/Nuuk",
    "America/Santiago",
    "America/Scoresbysund",
    "America/St_Johns",
    "Asia/Amman",
    "Asia/Beirut",
    "Asia/Pyongyang",
    "Atlantic/Azores",
];

fn shown(rule_text: &str, start: &Due, most: usize) -> Vec<String> {
    let rule = rule(rule_text);
    let all = rule.occurrences(start).take(most);
    all.map(|at| Due::new(at, start.zone().clone()).expect("within range"))
        .map(|due| due.to_string())
        .collect()
}

#[test]
fn a_day_alone_ends_with_its_last_second_whatever_clocks_do() {
    for (zone_name, day, end) in [
        // They go back from 24:00 to 23:00, so 23:59:59 comes twice.
        ("America/Santiago", "2019-04-06", "2019-04-06T23:59:59-04:00"),
        ("America/Santiago", "2025-04-05", "2025-04-05T23:59:59-04:00"),
        ("Africa/Cairo", "2025-10-30", "2025-10-30T23:59:59+02:00"),
        ("Asia/Beirut", "2025-10-25", "2025-10-25T23:59:59+02:00"),
        ("America/Nuuk", "2025-10-25", "2025-10-25T23:59:59-02:00"),
        // From 00:01 back to 23:01: 23:59:59 and midnight come twice.
        ("America/St_Johns", "2006-10-28", "2006-10-28T23:59:59-03:30"),
        // They go back to 00:00 itself, so it is the next day that is an hour longer.
        ("America/Havana", "2024-11-02", "2024-11-02T23:59:59-04:00"),
        ("America/Havana", "2024-11-03", "2024-11-03T23:59:59-05:00"),
        ("Atlantic/Azores", "2024-10-26", "2024-10-26T23:59:59+00:00"),
        // Forward from 23:00 to 24:00: 23:59:59 does not come at all.
        ("America/Nuuk", "2025-03-29", "2025-03-29T22:59:59-02:00"),
        ("Asia/Pyongyang", "2018-05-04", "2018-05-04T23:29:59+08:30"),
        // Forward from 00:00 to 01:00: the day before is as long as ever.
        ("Africa/Cairo", "2025-04-24", "2025-04-24T23:59:59+02:00"),
        ("Asia/Beirut", "2025-03-29", "2025-03-29T23:59:59+02:00"),
    ] {
        let alone = due(day, zone_name);
        assert_eq!(alone.to_string(), end, "{zone_name}");
        assert_eq!(due(&format!("{day}T23:59:59"), zone_name), alone, "{zone_name}");
        assert!(alone.is_end_of_day(), "{zone_name}");
    }
    let first_of_two = due("2025-04-05T23:59:59-03:00", "America/Santiago");
    assert!(!first_of_two.is_end_of_day(), "an offset says which of the two");
}

#[test]
fn a_phrase_that_means_a_day_ends_with_its_last_second_too() {
    for (zone_name, now, phrase, end) in [
        (
            "America/Nuuk",
            "2025-03-28T12:00:00Z",
            "tomorrow",
            "2025-03-29T22:59:59-02:00",
        ),
        (
            "America/Santiago",
            "2025-04-05T12:00:00Z",
            "today",
            "2025-04-05T23:59:59-04:00",
        ),
        (
            "Africa/Cairo",
            "2025-10-30T09:00:00Z",
            "end of day",
            "2025-10-30T23:59:59+02:00",
        ),
    ] {
        let read = Due::parse_or_phrase(phrase, &zone(zone_name), instant(now)).expect(phrase);
        assert_eq!(read.to_string(), end, "{zone_name}");
    }
}

#[test]
fn the_beginning_of_a_day_is_of_that_day_also_where_its_end_is_skipped() {
    let nuuk = zone("America/Nuuk");
    let beginning = Due::bound("2025-03-29", &nuuk, instant("2025-01-01T00:00:00Z")).expect("a day");
    assert_eq!(beginning.to_string(), "2025-03-29T00:00:00-02:00");
}

#[test]
fn a_task_for_a_day_recurs_at_the_ends_of_days() {
    let nuuk = [
        "2025-03-28T23:59:59-02:00",
        "2025-03-29T22:59:59-02:00",
        "2025-03-30T23:59:59-01:00",
    ];
    assert_eq!(shown("FREQ=DAILY", &due("2025-03-28", "America/Nuuk"), 3), nuuk);
    let from_the_short_day = due("2025-03-29", "America/Nuuk");
    assert_eq!(shown("FREQ=DAILY", &from_the_short_day, 2), nuuk[1..]);
    assert_eq!(
        shown("FREQ=DAILY", &due("2025-10-29", "Africa/Cairo"), 3),
        [
            "2025-10-29T23:59:59+03:00",
            "2025-10-30T23:59:59+02:00",
            "2025-10-31T23:59:59+02:00",
        ]
    );
    // Samoa had no 30 December 2011, and no second 29th in its place.
    let samoa = ["2011-12-29T23:59", "2011-12-31T23:59", "2012-01-01T23:59"];
    assert_eq!(
        occurrences("FREQ=DAILY", &due("2011-12-29", "Pacific/Apia"), 3),
        samoa
    );
}

#[test]
fn a_task_for_a_day_that_is_done_on_it_comes_again_the_next_day() {
    for (zone_name, day, completed_at, next) in [
        (
            "America/Santiago",
            "2023-04-01",
            "2023-04-02T02:30:00Z",
            "2023-04-02T23:59:59-04:00",
        ),
        (
            "Australia/Sydney",
            "2023-09-30",
            "2023-09-30T02:00:00Z",
            "2023-10-01T23:59:59+11:00",
        ),
        (
            "America/Nuuk",
            "2025-03-29",
            "2025-03-29T15:00:00Z",
            "2025-03-30T23:59:59-01:00",
        ),
        (
            "Africa/Cairo",
            "2025-10-30",
            "2025-10-30T21:30:00Z",
            "2025-10-31T23:59:59+02:00",
        ),
    ] {
        for counts_from in [RecurrenceFrom::Due, RecurrenceFrom::Completion] {
            let task = due(day, zone_name);
            let found = next_occurrence(&CompletedOccurrence {
                series_id: Uuid::from_u128(7).into(),
                occurrence: 1,
                rule: &rule("FREQ=DAILY"),
                first_due: &task,
                due: &task,
                counts_from,
                completed_at: instant(completed_at),
            });
            let found = found.expect("it goes on").due.to_string();
            assert_eq!(found, next, "{zone_name} from {counts_from:?}");
        }
    }
}

#[test]
fn the_end_of_a_day_that_is_moved_by_days_is_the_end_of_a_day() {
    for (zone_name, from, by, moved) in [
        ("America/Nuuk", "2025-03-28", "P1D", "2025-03-29T22:59:59-02:00"),
        ("America/Nuuk", "2025-03-29", "P1D", "2025-03-30T23:59:59-01:00"),
        ("America/Nuuk", "2025-03-30", "-P1D", "2025-03-29T22:59:59-02:00"),
        ("Africa/Cairo", "2025-10-29", "P1D", "2025-10-30T23:59:59+02:00"),
        ("Africa/Cairo", "2025-09-30", "P1M", "2025-10-30T23:59:59+02:00"),
        // Hours pass, whatever they lead to.
        ("Africa/Cairo", "2025-10-29", "PT24H", "2025-10-30T23:59:59+03:00"),
        ("America/Nuuk", "2025-03-28", "PT24H", "2025-03-30T00:59:59-01:00"),
    ] {
        let found = due(from, zone_name).moved_by(by).expect(by);
        assert_eq!(found.to_string(), moved, "{zone_name} {from} {by}");
    }
}

#[test]
fn a_time_that_clocks_skipped_on_one_day_comes_on_every_other_day() {
    let start = due("2025-03-01T02:30", "Europe/Amsterdam");
    let next = rule("FREQ=DAILY").next_after(&start, instant("2025-04-01T00:00:00Z"));
    assert_eq!(next, Some(instant("2025-04-01T00:30:00Z")), "02:30 that day");

    // On workdays, from the Friday before a Sunday with a gap: the weekend that is left out has no say.
    let friday = due("2026-03-27T02:30", "Europe/Berlin");
    assert_eq!(
        occurrences("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", &friday, 2),
        ["2026-03-27T02:30", "2026-03-30T02:30"]
    );
}

#[test]
fn clocks_that_go_back_for_ramadan_show_an_hour_twice_and_a_task_once() {
    let casablanca = "Africa/Casablanca";
    assert_eq!(
        due("2025-02-23T02:05:29", casablanca).to_string(),
        "2025-02-23T02:05:29+01:00"
    );
    assert_eq!(
        shown("FREQ=DAILY", &due("2025-02-22T02:30", casablanca), 3),
        [
            "2025-02-22T02:30:00+01:00",
            "2025-02-23T02:30:00+01:00",
            "2025-02-24T02:30:00+00:00",
        ]
    );
    assert_eq!(
        shown("FREQ=DAILY", &due("2025-04-05T02:30", casablanca), 3),
        [
            "2025-04-05T02:30:00+00:00",
            "2025-04-06T03:30:00+01:00",
            "2025-04-07T02:30:00+01:00",
        ]
    );
}

#[test]
fn clocks_that_move_by_half_an_hour_repeat_half_an_hour() {
    assert_eq!(
        shown("FREQ=DAILY", &due("2025-04-05T01:45", "Australia/Lord_Howe"), 3),
        [
            "2025-04-05T01:45:00+11:00",
            "2025-04-06T01:45:00+11:00",
            "2025-04-07T01:45:00+10:30",
        ]
    );
}

proptest! {
    #[test]
    fn the_second_after_a_day_alone_is_of_another_day(
        day in 0_i64..60_000,
        hours_after_change in -24_i64..48,
        zone_name in prop::sample::select(LATE_CHANGES.to_vec()),
    ) {
        let zone: Zone = zone(zone_name);
        let rules = zone.time_zone();
        let from = instant("1970-06-01T12:00:00Z") + SignedDuration::from_hours(24 * day);
        let near = rules.following(from).next().map_or(from, |change| change.timestamp());
        let date = rules.to_datetime(near + SignedDuration::from_hours(hours_after_change)).date();
        let end = Due::parse(&date.to_string(), &zone).expect("a day");
        prop_assert_eq!(rules.to_datetime(end.at()).date(), date);
        prop_assert!(rules.to_datetime(end.at() + SignedDuration::from_secs(1)).date() > date);
        prop_assert!(rules.to_datetime(end.at() + SignedDuration::from_hours(2)).date() > date, "nor does it come back");
    }
}
