use jiff::{SignedDuration, Timestamp};
use nudge_domain::quiet_hours::TimeOfDay;
use nudge_domain::{QuietHours, QuietHoursError, Zone};
use proptest::prelude::*;

use crate::given::{instant, zone};

fn time(text: &str) -> TimeOfDay {
    text.parse().expect("the test writes a time")
}

fn quiet(from: &str, until: &str) -> QuietHours {
    QuietHours::new(time(from), time(until)).expect("the test writes quiet hours")
}

#[track_caller]
fn check(hours: (&str, &str), zone_name: &str, at: &str, end: Option<&str>) {
    let found = quiet(hours.0, hours.1).end_if_inside(instant(at), &zone(zone_name));
    assert_eq!(found, end.map(instant), "{hours:?} in {zone_name} at {at}");
}

#[test]
fn begin_with_their_first_minute_and_end_before_their_last() {
    let night = ("22:00", "07:00");
    check(night, "UTC", "2026-12-01T21:59:59.999Z", None);
    check(night, "UTC", "2026-12-01T22:00:00Z", Some("2026-12-02T07:00:00Z"));
    check(night, "UTC", "2026-12-02T00:00:00Z", Some("2026-12-02T07:00:00Z"));
    check(
        night,
        "UTC",
        "2026-12-02T06:59:59.999Z",
        Some("2026-12-02T07:00:00Z"),
    );
    check(night, "UTC", "2026-12-02T07:00:00Z", None);
    let nap = ("13:00", "14:30");
    check(nap, "UTC", "2026-12-01T12:59:59Z", None);
    check(nap, "UTC", "2026-12-01T13:00:00Z", Some("2026-12-01T14:30:00Z"));
    check(nap, "UTC", "2026-12-01T14:30:00Z", None);
    let until_midnight = ("22:00", "00:00");
    check(
        until_midnight,
        "UTC",
        "2026-12-01T23:59:59Z",
        Some("2026-12-02T00:00:00Z"),
    );
    check(until_midnight, "UTC", "2026-12-02T00:00:00Z", None);
}

#[test]
fn are_local_times_in_the_zone_of_the_user() {
    let night = ("22:00", "07:00");
    check(
        night,
        "Asia/Tokyo",
        "2026-12-01T14:00:00Z",
        Some("2026-12-01T22:00:00Z"),
    );
    check(night, "America/New_York", "2026-12-01T14:00:00Z", None);
    check(
        night,
        "Asia/Kathmandu",
        "2026-12-01T20:00:00Z",
        Some("2026-12-02T01:15:00Z"),
    );
}

#[test]
fn end_at_the_same_time_of_day_in_nights_in_which_clocks_change() {
    let night = ("22:00", "07:00");
    // 8 hours in spring, 10 in autumn, and in the south the other way round.
    check(
        night,
        "Europe/Berlin",
        "2026-03-28T21:00:00Z",
        Some("2026-03-29T05:00:00Z"),
    );
    check(
        night,
        "Europe/Berlin",
        "2026-10-24T20:00:00Z",
        Some("2026-10-25T06:00:00Z"),
    );
    check(
        night,
        "America/New_York",
        "2026-03-08T03:00:00Z",
        Some("2026-03-08T11:00:00Z"),
    );
    check(
        night,
        "Australia/Sydney",
        "2026-10-03T12:00:00Z",
        Some("2026-10-03T20:00:00Z"),
    );
    check(
        night,
        "Australia/Sydney",
        "2026-04-04T11:00:00Z",
        Some("2026-04-04T21:00:00Z"),
    );
    check(
        night,
        "Australia/Lord_Howe",
        "2026-10-03T11:30:00Z",
        Some("2026-10-03T20:00:00Z"),
    );
    check(
        night,
        "America/Santiago",
        "2026-09-06T02:00:00Z",
        Some("2026-09-06T10:00:00Z"),
    );
}

#[test]
fn an_end_that_clocks_skip_is_the_moment_they_go_forward() {
    // In Berlin it is never half past two on 29 March.
    let hours = ("22:00", "02:30");
    check(
        hours,
        "Europe/Berlin",
        "2026-03-28T22:00:00Z",
        Some("2026-03-29T01:00:00Z"),
    );
    check(hours, "Europe/Berlin", "2026-03-29T01:00:00Z", None);
    // Samoa skipped 30 December 2011.
    check(
        ("09:00", "08:00"),
        "Pacific/Apia",
        "2011-12-30T08:00:00Z",
        Some("2011-12-30T18:00:00Z"),
    );
    // What is skipped as a whole is not quiet.
    check(("02:10", "02:50"), "Europe/Berlin", "2026-03-29T01:10:00Z", None);
}

#[test]
fn a_time_that_is_shown_twice_is_quiet_twice() {
    // In Berlin it is half past two twice on 25 October.
    let hours = ("22:00", "02:30");
    check(
        hours,
        "Europe/Berlin",
        "2026-10-24T23:00:00Z",
        Some("2026-10-25T00:30:00Z"),
    );
    check(hours, "Europe/Berlin", "2026-10-25T00:30:00Z", None);
    check(
        hours,
        "Europe/Berlin",
        "2026-10-25T01:10:00Z",
        Some("2026-10-25T01:30:00Z"),
    );
    // In Santiago the hour before midnight came twice on 4 April 2026.
    check(
        ("22:00", "00:00"),
        "America/Santiago",
        "2026-04-05T02:30:00Z",
        Some("2026-04-05T04:00:00Z"),
    );
}

#[test]
fn need_two_different_times_that_exist() {
    let error = QuietHours::new(time("22:00"), time("22:00")).expect_err("the same time");
    assert_eq!(error, QuietHoursError::Empty { time: time("22:00") });
    assert_eq!(error.code(), "invalid_quiet_hours");
    for text in [
        "",
        "22",
        "22:",
        ":00",
        "24:00",
        "22:60",
        "2:00",
        "22:0",
        "22:00:00",
        "+2:00",
        "-1:00",
        "22.00",
        "10pm",
        " 22:00",
        "２２:00",
    ] {
        let error = text.parse::<TimeOfDay>().expect_err(text);
        assert!(matches!(error, QuietHoursError::NotATime { .. }), "{text}");
        assert_eq!(error.code(), "invalid_time");
    }
}

#[test]
fn are_two_times_in_json_and_checked_when_read() {
    let json = r#"{"from":"22:00","until":"07:05"}"#;
    let hours: QuietHours = serde_json::from_str(json).expect("quiet hours");
    assert_eq!((hours.from(), hours.until()), (time("22:00"), time("07:05")));
    assert_eq!(serde_json::to_string(&hours).expect("JSON"), json);
    for json in [
        r#"{"from":"22:00","until":"22:00"}"#,
        r#"{"from":"22:00"}"#,
        r#"{"from":"22:00","until":"7:00"}"#,
        r#"{"from":"22:00","until":"07:00","to":"08:00"}"#,
    ] {
        assert!(serde_json::from_str::<QuietHours>(json).is_err(), "{json}");
    }
}

/// Whether the clock on the wall is between both times, said in another way than the code does.
fn shows_quiet(hours: &QuietHours, at: Timestamp, zone: &Zone) -> bool {
    let minutes = |text: String| {
        let (hour, minute) = text.split_once(':').expect("HH:MM");
        hour.parse::<i32>().expect("hours") * 60 + minute.parse::<i32>().expect("minutes")
    };
    let local = zone.time_zone().to_datetime(at);
    let now = i32::from(local.hour()) * 60 + i32::from(local.minute());
    let (from, until) = (
        minutes(hours.from().to_string()),
        minutes(hours.until().to_string()),
    );
    (now - from).rem_euclid(1440) < (until - from).rem_euclid(1440)
}

proptest! {
    #[test]
    fn every_instant_until_the_end_is_quiet_and_the_end_is_not(
        seconds in 0_i64..7_258_000_000,
        (from, length) in (0_u32..1440, 1_u32..1440),
        zone_name in prop::sample::select(vec!["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
            "America/Santiago", "Asia/Kathmandu", "Pacific/Apia", "Africa/Casablanca", "Africa/Monrovia", "Antarctica/Troll",
            "Pacific/Kwajalein", "America/St_Johns"]),
        near_a_change in any::<bool>(),
    ) {
        let zone = zone(zone_name);
        let text = |minutes: u32| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        let hours = quiet(&text(from), &text((from + length) % 1440));
        let mut at = Timestamp::from_second(seconds).expect("in range");
        if let Some(change) = zone.time_zone().following(at).next().filter(|_| near_a_change) {
            at = change.timestamp() + SignedDuration::from_secs(seconds % 172_800 - 86_400);
        }
        let end = hours.end_if_inside(at, &zone);
        prop_assert_eq!(end.is_some(), shows_quiet(&hours, at, &zone));
        if let Some(end) = end {
            prop_assert!(at < end && end.duration_since(at) < SignedDuration::from_hours(49));
            prop_assert!(!shows_quiet(&hours, end, &zone));
            prop_assert_eq!(hours.end_if_inside(end, &zone), None);
            let mut between = at;
            while between < end {
                prop_assert!(shows_quiet(&hours, between, &zone));
                between += SignedDuration::from_mins(1);
            }
            prop_assert!(shows_quiet(&hours, end - SignedDuration::from_nanos(1), &zone));
        }
    }
}
