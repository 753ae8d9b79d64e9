//! Due dates that are moved by a duration.

use nudge_domain::DueError;
use proptest::prelude::*;

use crate::given::due;

fn moved(from: &str, zone_name: &str, by: &str) -> String {
    match due(from, zone_name).moved_by(by) {
        Ok(moved) => moved.to_string(),
        Err(error) => panic!("{from} by {by}: {error}"),
    }
}

#[test]
fn moves_by_iso_8601_durations_both_ways() {
    for (by, shown) in [
        ("P1D", "2026-12-02T09:00:00+01:00"),
        ("P1W", "2026-12-08T09:00:00+01:00"),
        ("P2W", "2026-12-15T09:00:00+01:00"),
        ("P1M", "2027-01-01T09:00:00+01:00"),
        ("P1Y", "2027-12-01T09:00:00+01:00"),
        ("PT30M", "2026-12-01T09:30:00+01:00"),
        ("PT1.5H", "2026-12-01T10:30:00+01:00"),
        ("P1DT12H", "2026-12-02T21:00:00+01:00"),
        ("-P1D", "2026-11-30T09:00:00+01:00"),
        ("-PT10H", "2026-11-30T23:00:00+01:00"),
        ("+P1D", "2026-12-02T09:00:00+01:00"),
        (" p1d ", "2026-12-02T09:00:00+01:00"),
    ] {
        assert_eq!(moved("2026-12-01T09:00", "Europe/Berlin", by), shown, "{by}");
    }
}

#[test]
fn a_day_that_a_month_lacks_becomes_its_last() {
    for (from, by, shown) in [
        ("2026-01-31T09:00", "P1M", "2026-02-28T09:00:00+00:00"),
        ("2028-01-31T09:00", "P1M", "2028-02-29T09:00:00+00:00"),
        ("2028-02-29T09:00", "P1Y", "2029-02-28T09:00:00+00:00"),
        ("2026-03-31T09:00", "-P1M", "2026-02-28T09:00:00+00:00"),
    ] {
        assert_eq!(moved(from, "UTC", by), shown, "{from} {by}");
    }
}

#[test]
fn days_keep_the_local_time_while_hours_pass() {
    for (zone_name, from, by, shown) in [
        (
            "Europe/Berlin",
            "2026-03-28T09:00",
            "P1D",
            "2026-03-29T09:00:00+02:00",
        ),
        (
            "Europe/Berlin",
            "2026-03-28T09:00",
            "PT24H",
            "2026-03-29T10:00:00+02:00",
        ),
        (
            "Europe/Berlin",
            "2026-10-24T09:00",
            "PT24H",
            "2026-10-25T08:00:00+01:00",
        ),
        (
            "Europe/Berlin",
            "2026-03-28T02:30",
            "P1D",
            "2026-03-29T03:30:00+02:00",
        ),
        (
            "Europe/Berlin",
            "2026-10-24T02:30",
            "P1D",
            "2026-10-25T02:30:00+02:00",
        ),
        (
            "Australia/Lord_Howe",
            "2026-10-03T02:15",
            "P1D",
            "2026-10-04T02:45:00+11:00",
        ),
        (
            "Pacific/Apia",
            "2011-12-29T10:00",
            "P1D",
            "2011-12-31T10:00:00+14:00",
        ),
    ] {
        assert_eq!(moved(from, zone_name, by), shown, "{zone_name} {from} {by}");
    }
}

#[test]
fn refuses_text_that_is_not_a_duration() {
    let long = format!("P{}1D", "0".repeat(40));
    for by in [
        "",
        "P",
        "PT",
        "1D",
        "tomorrow",
        "1 day",
        "1d",
        "P1D 2026",
        "P1DT",
        "P1.5D",
        "PD",
        "-",
        "P-1D",
        "P1H",
        "P99999999999D",
        "P19998Y",
        "２D",
        &long,
    ] {
        let error = due("2026-12-01", "UTC").moved_by(by).expect_err(by);
        assert!(matches!(error, DueError::NotADuration { .. }), "{by}: {error:?}");
        assert_eq!(error.code(), "invalid_duration");
    }
}

#[test]
fn refuses_a_duration_that_moves_nothing() {
    for by in ["P0D", "PT0S", "-PT0S", "PT0.5S"] {
        let error = due("2026-12-01", "UTC").moved_by(by).expect_err(by);
        assert!(matches!(error, DueError::NotMoved { .. }), "{by}: {error:?}");
        assert_eq!(error.code(), "invalid_duration");
    }
}

#[test]
fn refuses_to_leave_1970_to_2199() {
    for (from, by) in [
        ("2199-12-31", "P1D"),
        ("1970-01-01", "-P1D"),
        ("2026-12-01", "P200Y"),
    ] {
        let error = due(from, "UTC").moved_by(by).expect_err(by);
        assert!(
            matches!(error, DueError::YearOutOfRange { .. }),
            "{by}: {error:?}"
        );
        assert_eq!(error.code(), "invalid_due");
    }
}

proptest! {
    #[test]
    fn any_text_moves_or_is_refused(by in "\\PC{0,50}|[-+]?P([0-9]{1,6}[YMWD]){0,4}(T([0-9]{1,6}(\\.[0-9]{1,9})?[HMS]){0,3})?") {
        let from = due("2026-12-01T09:00", "Europe/Berlin");
        if let Ok(moved) = from.moved_by(&by) {
            prop_assert_ne!(moved.at(), from.at());
            prop_assert_eq!(moved.zone(), from.zone());
        }
    }
}
