use jiff::Timestamp;
use nudge_domain::{Due, DueError};
use proptest::prelude::*;

use crate::given::{due, instant, zone};

#[test]
fn reads_every_form_people_write() {
    for (text, shown) in [
        ("2026-12-01T09:00:00+01:00", "2026-12-01T09:00:00+01:00"),
        ("2026-12-01T09:00+01:00", "2026-12-01T09:00:00+01:00"),
        ("2026-12-01T08:00:00Z", "2026-12-01T09:00:00+01:00"),
        ("2026-12-01t03:00:00.999-05:00", "2026-12-01T09:00:00+01:00"),
        ("2026-12-01T09:00", "2026-12-01T09:00:00+01:00"),
        ("2026-12-01 09:00:30", "2026-12-01T09:00:30+01:00"),
        (" 2026-12-01T09:00:30.5 ", "2026-12-01T09:00:30+01:00"),
        ("2026-12-01", "2026-12-01T23:59:59+01:00"),
        ("2024-02-29", "2024-02-29T23:59:59+01:00"),
    ] {
        assert_eq!(due(text, "Europe/Berlin").to_string(), shown, "{text}");
    }
}

#[test]
fn moves_a_local_time_in_a_gap_forward_by_the_length_of_the_gap() {
    for (zone, text, shown) in [
        ("Europe/Berlin", "2026-03-29T02:30", "2026-03-29T03:30:00+02:00"),
        (
            "America/New_York",
            "2026-03-08T02:30",
            "2026-03-08T03:30:00-04:00",
        ),
        (
            "Australia/Lord_Howe",
            "2026-10-04T02:15",
            "2026-10-04T02:45:00+11:00",
        ),
        (
            "America/Santiago",
            "2026-09-06T00:30",
            "2026-09-06T01:30:00-03:00",
        ),
    ] {
        assert_eq!(due(text, zone).to_string(), shown, "{zone}");
    }
}

#[test]
fn takes_the_first_of_two_equal_local_times() {
    for (zone, text, shown) in [
        ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T02:30:00+02:00"),
        (
            "America/New_York",
            "2026-11-01T01:30",
            "2026-11-01T01:30:00-04:00",
        ),
        (
            "Australia/Lord_Howe",
            "2026-04-05T01:45",
            "2026-04-05T01:45:00+11:00",
        ),
        (
            "America/Santiago",
            "2026-04-04T23:30",
            "2026-04-04T23:30:00-03:00",
        ),
    ] {
        assert_eq!(due(text, zone).to_string(), shown, "{zone}");
    }
}

#[test]
fn refuses_text_of_another_form() {
    for text in [
        "",
        "tomorrow",
        "2026",
        "2026-12",
        "01.12.2026",
        "20261201",
        "2026-12-01T",
        "2026-12-01T9:00",
        "2026-12-01T09",
        "2026-12-01T09:00:",
        "2026-12-01T09:00:00.",
        "2026-12-01T09:00:00+1",
        "2026-12-01T09:00:00+01",
        "2026-12-01T09:00:00+0100",
        "2026-12-01T09:00:00+24:00",
        "2026-12-01T09:00:00+01:60",
        "2026-12-01T09:00:00+01:00[Europe/Berlin]",
        "2026-12-01T09:00:00Zulu",
        "+2026-12-01",
        "-026-12-01",
        "2026-12-01x",
        "２０２６-12-01",
    ] {
        let error = Due::parse(text, &zone("Europe/Berlin")).expect_err(text);
        assert!(matches!(error, DueError::Unreadable { .. }), "{text}: {error:?}");
        assert_eq!(error.code(), "invalid_due");
    }
}

#[test]
fn refuses_dates_and_times_that_do_not_exist() {
    for text in [
        "2026-02-30",
        "2026-02-29",
        "2100-02-29",
        "2026-13-01",
        "2026-00-10",
        "2026-06-00",
        "2026-06-31T10:00",
        "2026-06-30T24:00",
        "2026-06-30T10:60",
        "2026-06-30T23:59:60Z",
    ] {
        let error = Due::parse(text, &zone("Europe/Berlin")).expect_err(text);
        assert!(matches!(error, DueError::NoSuchTime { .. }), "{text}: {error:?}");
        assert!(
            std::error::Error::source(&error).is_some(),
            "keeps what the calendar said"
        );
    }
}

#[test]
fn refuses_years_before_1970_and_after_2199() {
    for text in [
        "1969-12-31",
        "2200-01-01",
        "0001-01-01",
        "9999-12-31",
        "2199-12-31T23:30:00-02:00",
    ] {
        let error = Due::parse(text, &zone("UTC")).expect_err(text);
        assert!(
            matches!(error, DueError::YearOutOfRange { .. }),
            "{text}: {error:?}"
        );
    }
    assert_eq!(
        due("1970-01-01T00:00", "Pacific/Kiritimati").local().to_string(),
        "1970-01-01T00:00:00"
    );
    assert_eq!(
        due("2199-12-31", "America/New_York").local().to_string(),
        "2199-12-31T23:59:59"
    );
}

#[test]
fn cuts_an_instant_to_the_whole_second() {
    let due = Due::new(instant("2026-12-01T08:00:00.987654321Z"), zone("UTC")).expect("a due");
    assert_eq!(due.at(), instant("2026-12-01T08:00:00Z"));
}

#[test]
fn shows_utc_where_rfc_3339_cannot_write_the_offset() {
    // Liberia was 44 minutes and 30 seconds behind Greenwich until 7 January 1972.
    assert_eq!(
        due("1971-01-01T12:00", "Africa/Monrovia").to_string(),
        "1971-01-01T12:44:30Z"
    );
}

#[test]
fn is_its_text_in_json() {
    let json = serde_json::to_string(&due("2026-12-01", "Europe/Berlin")).expect("JSON");
    assert_eq!(json, r#""2026-12-01T23:59:59+01:00""#);
}

proptest! {
    #[test]
    fn what_is_shown_is_read_as_the_same_instant(
        seconds in 86_400_i64..7_258_000_000,
        zone_name in prop::sample::select(vec!["UTC", "Europe/Berlin", "America/New_York", "Africa/Monrovia",
            "Australia/Lord_Howe", "America/Santiago", "Asia/Kathmandu", "Pacific/Apia"]),
    ) {
        let at = Timestamp::from_second(seconds).expect("within range");
        let due = Due::new(at, zone(zone_name)).expect("within 1970 to 2199");
        let read = Due::parse(&due.to_string(), due.zone()).expect("its own text");
        prop_assert_eq!(read, due);
    }
}
