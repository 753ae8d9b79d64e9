//! Due dates in English. It is Wednesday, 10 June 2026, half past ten in Berlin, unless a test says otherwise.

use jiff::Timestamp;
use nudge_domain::{Due, DueError};

use crate::given::{due, instant, zone};

pub(crate) const BERLIN: &str = "Europe/Berlin";
pub(crate) const NOW: &str = "2026-06-10T10:30:45";

pub(crate) fn read(text: &str, zone_name: &str, now: Timestamp) -> Result<Due, DueError> {
    Due::parse_or_phrase(text, &zone(zone_name), now)
}

/// Phrases and local times, `2026-06-10T10:30` or with the seconds that a day alone ends in.
#[track_caller]
pub(crate) fn check(now: &str, phrases: &[(&str, &str)]) {
    for (phrase, expected) in phrases {
        let found = match read(phrase, BERLIN, due(now, BERLIN).at()) {
            Ok(due) => due.local().to_string(),
            Err(error) => error.to_string(),
        };
        let expected = match expected.len() {
            10 => format!("{expected}T23:59:59"),
            16 => format!("{expected}:00"),
            _ => (*expected).to_owned(),
        };
        assert_eq!(found, expected, "`{phrase}` at {now}");
    }
}

#[test]
fn understands_every_form_of_due_dates() {
    check(
        NOW,
        &[
            ("2026-12-01", "2026-12-01"),
            ("2026-12-01T09:00", "2026-12-01T09:00"),
            ("2026-12-01 09:00:30", "2026-12-01T09:00:30"),
            ("2026-12-01T08:00:00Z", "2026-12-01T09:00"),
            ("2026-12-01T09:00:00+01:00", "2026-12-01T09:00"),
            ("2026-12-01 9am", "2026-12-01T09:00"),
            ("on 2026-12-01 at noon", "2026-12-01T12:00"),
        ],
    );
}

#[test]
fn understands_days_near_today() {
    check(
        NOW,
        &[
            ("today", "2026-06-10"),
            (" Due TODAY. ", "2026-06-10"),
            ("tomorrow", "2026-06-11"),
            ("by tomorrow", "2026-06-11"),
            ("day after tomorrow", "2026-06-12"),
            ("the day after tomorrow", "2026-06-12"),
            ("next week", "2026-06-17"),
            ("next month", "2026-07-10"),
            ("next year", "2027-06-10"),
        ],
    );
    check("2026-01-31T10:00", &[("next month", "2026-02-28")]);
    check("2028-02-29T10:00", &[("next year", "2029-02-28")]);
}

#[test]
fn understands_weekdays() {
    check(
        NOW,
        &[
            ("friday", "2026-06-12"),
            ("fri", "2026-06-12"),
            ("on Monday", "2026-06-15"),
            ("wednesday", "2026-06-17"),
            ("this friday", "2026-06-12"),
            ("this monday", "2026-06-15"),
            ("this wednesday", "2026-06-10"),
            ("next friday", "2026-06-19"),
            ("next monday", "2026-06-15"),
            ("next wednesday", "2026-06-17"),
            ("friday next week", "2026-06-19"),
            ("next week on friday", "2026-06-19"),
            ("weekend", "2026-06-13"),
            ("this weekend", "2026-06-13"),
            ("on the weekend", "2026-06-13"),
            ("next weekend", "2026-06-20"),
            ("weds", "2026-06-17"),
            ("next weds", "2026-06-17"),
        ],
    );
    check(
        "2026-06-13T16:48",
        &[
            ("weekend 10am", "2026-06-14T10:00"),
            ("this weekend at 5pm", "2026-06-13T17:00"),
        ],
    );
    // On a Sunday, the week is nearly over.
    check(
        "2026-06-14T10:00",
        &[
            ("monday", "2026-06-15"),
            ("next monday", "2026-06-15"),
            ("sunday", "2026-06-21"),
            ("this sunday", "2026-06-14"),
            ("weekend", "2026-06-14"),
            ("next weekend", "2026-06-20"),
            ("end of week", "2026-06-14"),
        ],
    );
}

#[test]
fn understands_ends_and_beginnings() {
    check(
        NOW,
        &[
            ("end of day", "2026-06-10"),
            ("end of the day", "2026-06-10"),
            ("eod", "2026-06-10"),
            ("tomorrow end of day", "2026-06-11"),
            ("eod friday", "2026-06-12"),
            ("end of week", "2026-06-14"),
            ("end of the week", "2026-06-14"),
            ("this week", "2026-06-14"),
            ("eow", "2026-06-14"),
            ("end of next week", "2026-06-21"),
            ("end of month", "2026-06-30"),
            ("eom", "2026-06-30"),
            ("last day of the month", "2026-06-30"),
            ("end of next month", "2026-07-31"),
            ("end of year", "2026-12-31"),
            ("by the end of the year at 18:00", "2026-12-31T18:00"),
            ("end of next year", "2027-12-31"),
            ("end of june", "2026-06-30"),
            ("end of february", "2027-02-28"),
            ("start of next week", "2026-06-15"),
            ("beginning of next month", "2026-07-01"),
            ("first day of next year", "2027-01-01"),
            ("start of june", "2027-06-01"),
        ],
    );
    check("2026-01-31T10:00", &[("end of next month", "2026-02-28")]);
}

#[test]
fn understands_dates() {
    check(
        NOW,
        &[
            ("dec 24", "2026-12-24"),
            ("Dec. 24", "2026-12-24"),
            ("december 24th", "2026-12-24"),
            ("24 december", "2026-12-24"),
            ("the 24th of december", "2026-12-24"),
            ("24 december 2027", "2027-12-24"),
            ("dec 24, 2027", "2027-12-24"),
            ("march 3", "2027-03-03"),
            ("june 9", "2027-06-09"),
            ("june 10", "2026-06-10"),
            ("may 1", "2027-05-01"),
            ("feb 29", "2028-02-29"),
            ("december 24 at 8pm", "2026-12-24T20:00"),
            ("Thursday, December 24", "2026-12-24"),
            ("Friday, December 24, 2027 at 5 PM", "2027-12-24T17:00"),
            ("the 15th", "2026-06-15"),
            ("15th", "2026-06-15"),
            ("on the 10th", "2026-06-10"),
            ("the 9th", "2026-07-09"),
            ("the 31st", "2026-07-31"),
            ("the 1st of next month", "2026-07-01"),
            ("december first", "2026-12-01"),
            ("the first of december", "2026-12-01"),
            ("the second of december 2027", "2027-12-02"),
            ("the first of the month", "2026-07-01"),
            ("dec 24 2030", "2030-12-24"),
            ("dec 24, 2015", "2015-12-24"),
            ("dec 24 2015 at 9am", "2015-12-24T09:00"),
            ("15th of this month", "2026-06-15"),
        ],
    );
    check(
        "2026-01-30T10:00",
        &[
            ("the 29th", "2026-03-29"),
            ("the 30th at 9am", "2026-03-30T09:00"),
        ],
    );
    check("2096-03-01T10:00", &[("february 29", "2104-02-29")]);
}

#[test]
fn understands_amounts_of_time() {
    check(
        NOW,
        &[
            ("in 3 hours", "2026-06-10T13:30:45"),
            ("in an hour", "2026-06-10T11:30:45"),
            ("in 20 minutes", "2026-06-10T10:50:45"),
            ("in 90 min", "2026-06-10T12:00:45"),
            ("in half an hour", "2026-06-10T11:00:45"),
            ("in 30 seconds", "2026-06-10T10:31:15"),
            ("in 2h", "2026-06-10T12:30:45"),
            ("in 1h30m", "2026-06-10T12:00:45"),
            ("in 1 hour and 30 minutes", "2026-06-10T12:00:45"),
            ("in 2 days", "2026-06-12T10:30:45"),
            ("in two days", "2026-06-12T10:30:45"),
            ("in a couple of days", "2026-06-12T10:30:45"),
            ("in 1 day 2 hours", "2026-06-11T12:30:45"),
            ("in fifteen minutes", "2026-06-10T10:45:45"),
            ("in twenty minutes", "2026-06-10T10:50:45"),
            ("in thirty minutes", "2026-06-10T11:00:45"),
            ("in 6m", "2026-06-10T10:36:45"),
            ("in 1 day 15m", "2026-06-11T10:45:45"),
            ("in 1 year 6 min", "2027-06-10T10:36:45"),
            ("in 1w 2h 3m", "2026-06-17T12:33:45"),
            ("in 1y6months", "2027-12-10T10:30:45"),
            ("in a week", "2026-06-17T10:30:45"),
            ("in 2 weeks", "2026-06-24T10:30:45"),
            ("in a fortnight", "2026-06-24T10:30:45"),
            ("in 3 months", "2026-09-10T10:30:45"),
            ("in a year", "2027-06-10T10:30:45"),
            ("2 weeks from now", "2026-06-24T10:30:45"),
            ("an hour from now", "2026-06-10T11:30:45"),
            ("in 2 days at 9am", "2026-06-12T09:00"),
            ("at noon in 2 weeks", "2026-06-24T12:00"),
            ("a week from friday", "2026-06-19"),
            ("2 weeks from today", "2026-06-24"),
            ("2 days from tomorrow at 17:00", "2026-06-13T17:00"),
        ],
    );
    check(
        "2026-01-31T10:00",
        &[
            ("in a month", "2026-02-28T10:00"),
            ("in 13 months", "2027-02-28T10:00"),
        ],
    );
}

#[test]
fn understands_times_of_day() {
    check(
        NOW,
        &[
            ("9am", "2026-06-11T09:00"),
            ("at 5pm", "2026-06-10T17:00"),
            ("5 PM", "2026-06-10T17:00"),
            ("at 5 p.m.", "2026-06-10T17:00"),
            ("5:30pm", "2026-06-10T17:30"),
            ("17:00", "2026-06-10T17:00"),
            ("at 17", "2026-06-10T17:00"),
            ("9:30", "2026-06-11T09:30"),
            ("12am", "2026-06-11T00:00"),
            ("12pm", "2026-06-10T12:00"),
            ("noon", "2026-06-10T12:00"),
            ("midnight", "2026-06-11T00:00"),
            ("today at noon", "2026-06-10T12:00"),
            ("today at 11am", "2026-06-10T11:00"),
            ("12 noon", "2026-06-10T12:00"),
            ("tomorrow at 12 midnight", "2026-06-12T00:00"),
            ("tomorrow at 12am", "2026-06-11T00:00"),
            ("tomorrow at 09:00:00", "2026-06-11T09:00"),
            ("tomorrow at 9:00:30pm", "2026-06-11T21:00:30"),
            ("at 9.30 tomorrow", "2026-06-11T09:30"),
            ("friday by noon", "2026-06-12T12:00"),
            ("tomorrow 9am", "2026-06-11T09:00"),
            ("tomorrow at 9:30", "2026-06-11T09:30"),
            ("9am tomorrow", "2026-06-11T09:00"),
            ("tomorrow at midnight", "2026-06-12T00:00"),
            ("friday 17:00", "2026-06-12T17:00"),
            ("at 5pm on friday", "2026-06-12T17:00"),
            ("next monday @ 8:15 am", "2026-06-15T08:15"),
            ("this wednesday at 9am", "2026-06-17T09:00"),
            ("this wednesday at 11am", "2026-06-10T11:00"),
            ("the 10th at 9am", "2026-07-10T09:00"),
            ("next week at 9am", "2026-06-17T09:00"),
        ],
    );
}

#[test]
fn understands_parts_of_the_day() {
    check(
        NOW,
        &[
            ("tonight", "2026-06-10T20:00"),
            ("morning", "2026-06-11T09:00"),
            ("in the afternoon", "2026-06-10T15:00"),
            ("this evening", "2026-06-10T18:00"),
            ("tomorrow morning", "2026-06-11T09:00"),
            ("tomorrow in the morning", "2026-06-11T09:00"),
            ("friday evening", "2026-06-12T18:00"),
            ("tomorrow night", "2026-06-11T20:00"),
            ("dec 24 in the afternoon", "2026-12-24T15:00"),
            ("tonight at 9", "2026-06-10T21:00"),
            ("tonight at 9:30", "2026-06-10T21:30"),
            ("9pm tonight", "2026-06-10T21:00"),
            ("tomorrow morning at 7", "2026-06-11T07:00"),
            ("friday at 7 in the evening", "2026-06-12T19:00"),
            ("12:30 in the afternoon", "2026-06-10T12:30"),
            ("tonight at midnight", "2026-06-11T00:00"),
            ("midnight tonight", "2026-06-11T00:00"),
            ("tonight at 12", "2026-06-11T00:00"),
            ("tonight at 12:30am", "2026-06-11T00:30"),
            ("tonight at 1am", "2026-06-11T01:00"),
            ("tonight at 1 in the morning", "2026-06-11T01:00"),
            ("this evening at 0:15", "2026-06-11T00:15"),
            ("tomorrow night at 1am", "2026-06-12T01:00"),
            ("friday night at 2", "2026-06-13T02:00"),
            ("friday at 2 at night", "2026-06-13T02:00"),
            ("friday evening at 12", "2026-06-13T00:00"),
            ("friday at 2am", "2026-06-12T02:00"),
            ("tomorrow morning at 1am", "2026-06-11T01:00"),
            ("this night at 3", "2026-06-11T03:00"),
            ("2am in the night", "2026-06-11T02:00"),
            ("this afternoon at 3", "2026-06-10T15:00"),
            ("by evening", "2026-06-10T18:00"),
            ("at 10 at night", "2026-06-10T22:00"),
        ],
    );
    check(
        "2026-06-10T21:30",
        &[
            ("tonight", "2026-06-10"),
            ("this evening", "2026-06-10"),
            ("night", "2026-06-11T20:00"),
            ("evening", "2026-06-11T18:00"),
            ("the 10th in the evening", "2026-06-10"),
            ("this wednesday night", "2026-06-10"),
            ("tonight at 1am", "2026-06-11T01:00"),
        ],
    );
    // After midnight the night is still going on.
    check(
        "2026-06-11T00:30",
        &[
            ("tonight at 1am", "2026-06-11T01:00"),
            ("tonight at 12:15am", "2026-06-12T00:15"),
            ("tonight at midnight", "2026-06-12T00:00"),
            ("tonight at 9pm", "2026-06-11T21:00"),
            ("tonight", "2026-06-11T20:00"),
            ("at 2 at night", "2026-06-11T02:00"),
            ("tomorrow night at 1am", "2026-06-13T01:00"),
            ("thursday night at 1am", "2026-06-19T01:00"),
        ],
    );
}

#[test]
fn a_time_is_today_only_while_it_is_ahead() {
    check("2026-06-10T08:59:59", &[("9am", "2026-06-10T09:00")]);
    check("2026-06-10T09:00", &[("9am", "2026-06-11T09:00")]);
}

#[test]
fn today_is_the_current_date_in_the_zone_of_the_owner() {
    let now = instant("2026-06-10T23:30:00Z");
    for (zone_name, expected) in [
        ("UTC", "2026-06-10T23:59:59"),
        ("Asia/Tokyo", "2026-06-11T23:59:59"),
        ("America/New_York", "2026-06-10T23:59:59"),
        ("Pacific/Kiritimati", "2026-06-11T23:59:59"),
    ] {
        let due = read("today", zone_name, now).expect("a due");
        assert_eq!(due.local().to_string(), expected, "{zone_name}");
    }
}

#[test]
fn days_keep_the_time_of_day_and_hours_pass_where_clocks_change() {
    for (zone_name, now, text, shown) in [
        (
            BERLIN,
            "2026-03-28T10:00",
            "in 1 day",
            "2026-03-29T10:00:00+02:00",
        ),
        (
            BERLIN,
            "2026-03-28T10:00",
            "in 24 hours",
            "2026-03-29T11:00:00+02:00",
        ),
        (
            BERLIN,
            "2026-10-24T10:00",
            "in 24 hours",
            "2026-10-25T09:00:00+01:00",
        ),
        // Half past two does not come on 29 March, and comes twice on 25 October.
        (
            BERLIN,
            "2026-03-28T10:00",
            "tomorrow at 2:30",
            "2026-03-29T03:30:00+02:00",
        ),
        (
            BERLIN,
            "2026-10-24T10:00",
            "tomorrow 2:30am",
            "2026-10-25T02:30:00+02:00",
        ),
        (
            "Australia/Lord_Howe",
            "2026-10-03T10:00",
            "tomorrow 2:15am",
            "2026-10-04T02:45:00+11:00",
        ),
        (
            "America/Santiago",
            "2026-09-05T10:00",
            "midnight",
            "2026-09-06T01:00:00-03:00",
        ),
        // A quarter past two comes twice; the second half past two is still ahead.
        (
            BERLIN,
            "2026-10-25T02:15:00+01:00",
            "2:30am",
            "2026-10-25T02:30:00+01:00",
        ),
        (
            BERLIN,
            "2026-10-25T02:15:00+01:00",
            "2:10am",
            "2026-10-26T02:10:00+01:00",
        ),
        // Samoa went from 29 to 31 December 2011.
        (
            "Pacific/Apia",
            "2011-12-29T10:00",
            "tomorrow 9am",
            "2011-12-31T09:00:00+14:00",
        ),
    ] {
        let due = read(text, zone_name, due(now, zone_name).at()).expect("a due");
        assert_eq!(due.to_string(), shown, "{zone_name}: {text}");
    }
}

#[test]
fn understands_numbers_that_can_be_one_date_alone() {
    check(
        NOW,
        &[
            ("13/1/2027", "2027-01-13"),
            ("1/13/2027", "2027-01-13"),
            ("13.01.2027", "2027-01-13"),
            ("2027/01/05", "2027-01-05"),
            ("2027-1-5", "2027-01-05"),
            ("2027.01.05 at 9am", "2027-01-05T09:00"),
            ("5/5/2027", "2027-05-05"),
            ("24/12", "2026-12-24"),
            ("12/24 at noon", "2026-12-24T12:00"),
            ("thursday, 24/12/2026", "2026-12-24"),
            ("13/1/2020", "2020-01-13"),
        ],
    );
}

#[test]
fn understands_dashes_and_copied_characters_of_no_width() {
    check(
        NOW,
        &[
            ("2026\u{2011}12\u{2011}01", "2026-12-01"),
            ("2026\u{2013}12\u{2013}01 9am", "2026-12-01T09:00"),
            ("13\u{2212}1\u{2212}2027", "2027-01-13"),
            ("\u{feff}tomorrow\u{200b} 9am", "2026-06-11T09:00"),
        ],
    );
}

#[test]
fn understands_quarters_and_named_years() {
    check(
        NOW,
        &[
            ("end of quarter", "2026-06-30"),
            ("eoq", "2026-06-30"),
            ("end of next quarter", "2026-09-30"),
            ("start of next quarter", "2026-07-01"),
            ("this quarter", "2026-06-30"),
            ("end of 2027", "2027-12-31"),
            ("end of february 2028", "2028-02-29"),
            ("start of march 2027", "2027-03-01"),
            ("end of tomorrow", "2026-06-11"),
            ("end of friday", "2026-06-12"),
            ("end of the weekend", "2026-06-14"),
            ("friday of this week", "2026-06-12"),
            ("15th of the month", "2026-06-15"),
        ],
    );
    check("2026-12-31T10:00", &[("end of next quarter", "2027-03-31")]);
}
