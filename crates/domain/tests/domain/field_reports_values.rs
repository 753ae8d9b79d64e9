//! Instants, zones, names and reminders as users of other programs wrote them; docs/field-reports.md has the reports.

use nudge_domain::characters::name_key;
use nudge_domain::reminder::{Reminder, ReminderStatus, ReminderWhen};
use nudge_domain::task::Title;
use nudge_domain::{Due, DueError, Zone};
use uuid::Uuid;

use crate::given::{due, instant, zone};

#[test]
fn an_instant_is_read_in_every_form_of_rfc_3339() {
    for (text, at) in [
        ("1979-05-27t07:32:00z", "1979-05-27T07:32:00Z"),
        ("1979-05-27 07:32:00Z", "1979-05-27T07:32:00Z"),
        ("1979-05-27T07:32:00.999999-01:00", "1979-05-27T08:32:00Z"),
        ("2020-09-08T08:44:31+02:30", "2020-09-08T06:14:31Z"),
        ("2022-06-15T12:00:00-00:30", "2022-06-15T12:30:00Z"),
        ("2022-06-15T12:00:00-00:00", "2022-06-15T12:00:00Z"),
        ("2022-06-15T12:00:00+23:59", "2022-06-14T12:01:00Z"),
    ] {
        assert_eq!(due(text, "Europe/Berlin").at(), instant(at), "{text}");
    }
}

#[test]
fn a_time_that_rfc_3339_has_not_is_refused_and_not_rounded() {
    let refusal = |text: &str| Due::parse(text, &Zone::utc()).expect_err(text);
    for text in [
        // Clocks here know no leap seconds, and none are announced.
        "2016-12-31T23:59:60Z",
        "2026-06-15T11:31:60Z",
        // The end of a day is the date alone, or 00:00 of the next.
        "2026-02-28T24:00",
        "2026-02-28T24:00:00Z",
        "2026-02-28T24:59:00+01:00",
    ] {
        assert!(matches!(refusal(text), DueError::NoSuchTime { .. }), "{text}");
    }
    for text in [
        "2026-04-05T12:34:56+00:60",
        "2026-04-05T12:34:56+24:00",
        "2026-04-05T12:34:56-7:00",
        "2026-04-05X12:34:56Z",
        "2026-04-05T12:34:56.Z",
        // A plus that a query string turned into a space.
        "2026-04-05T12:34:56 02:00",
    ] {
        assert!(matches!(refusal(text), DueError::Unreadable { .. }), "{text}");
    }
}

#[test]
fn a_zone_is_taken_by_its_old_name_and_means_what_iana_says() {
    for (name, shown) in [
        ("Asia/Calcutta", "2027-01-01T09:00:00+05:30"),
        ("Europe/Kiev", "2027-01-01T09:00:00+02:00"),
        ("Europe/Kyiv", "2027-01-01T09:00:00+02:00"),
        ("America/Godthab", "2027-01-01T09:00:00-02:00"),
        // Zones of Etc count westwards, as POSIX does.
        ("Etc/GMT+5", "2027-01-01T09:00:00-05:00"),
        ("Etc/GMT-14", "2027-01-01T09:00:00+14:00"),
    ] {
        assert_eq!(due("2027-01-01T09:00", name).to_string(), shown, "{name}");
        assert_eq!(zone(name).name(), name);
    }
}

#[test]
fn what_stands_for_no_zone_or_reads_as_another_is_refused() {
    for name in [
        "Factory",
        "factory",
        "Etc/Unknown",
        "GMT+3",
        "UTC+3",
        "PST",
        "W. Europe Standard Time",
        "localtime",
        "posixrules",
        "right/UTC",
    ] {
        assert!(name.parse::<Zone>().is_err(), "{name}");
    }
}

#[test]
fn names_that_look_the_same_are_the_same() {
    for (one, other) in [
        ("Café", "Cafe\u{301}"),
        ("Hiếu", "Hie\u{302}\u{301}u"),
        ("Ångström", "A\u{30a}ngstro\u{308}m"),
        ("Kelvin", "\u{212a}elvin"),
        ("가", "\u{1100}\u{1161}"),
    ] {
        assert_eq!(name_key(one), name_key(other), "{one}");
    }
    // What merely resembles is another name, and what is kept is what was written.
    assert_ne!(name_key("A"), name_key("Α"));
    let title: Title = "Cafe\u{301}".parse().expect("a title");
    assert_eq!(title.as_str(), "Cafe\u{301}");
}

#[test]
fn a_reminder_for_the_second_that_runs_now_fires() {
    let now = instant("2026-12-01T08:00:00.730Z");
    let id = || Uuid::from_u128(1).into();
    let at = |text: &str| Reminder::new(id(), ReminderWhen::At(instant(text)), None, &[], now);
    assert!(at("2026-12-01T07:59:59Z").is_err());
    let this_second = at("2026-12-01T08:00:00Z").expect("now");
    assert_eq!(this_second.status, ReminderStatus::Scheduled);

    let relative = |due_text: &str, minutes| {
        let due = due(due_text, "UTC");
        let when = ReminderWhen::MinutesBefore(minutes);
        Reminder::new(id(), when, Some(&due), &[], now).map(|reminder| reminder.status)
    };
    assert_eq!(relative("2026-12-01T08:00:00", 0), Ok(ReminderStatus::Scheduled));
    assert_eq!(relative("2026-12-01T08:30:00", 30), Ok(ReminderStatus::Scheduled));
    assert_eq!(relative("2026-12-01T07:59:59", 0), Ok(ReminderStatus::Cancelled));
    assert_eq!(relative("2026-12-01T08:00:00", 30), Ok(ReminderStatus::Cancelled));
}
