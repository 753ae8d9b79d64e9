//! Due phrases as bounds of a list, and where days end.

use nudge_domain::Due;

use crate::due_phrase::{BERLIN, NOW};
use crate::given::{due, zone};

#[test]
fn as_a_bound_a_day_is_its_beginning_and_the_end_of_something_is_what_comes_after() {
    let bound = |text: &str, zone_name: &str, now: &str| {
        Due::bound(text, &zone(zone_name), due(now, BERLIN).at()).map(|due| due.local().to_string())
    };
    for (text, expected) in [
        ("2026-06-10", "2026-06-10T00:00:00"),
        ("2026-06-10T09:00", "2026-06-10T09:00:00"),
        ("today", "2026-06-10T00:00:00"),
        ("wednesday", "2026-06-17T00:00:00"),
        ("this wednesday", "2026-06-10T00:00:00"),
        ("next week", "2026-06-17T00:00:00"),
        ("dec 24", "2026-12-24T00:00:00"),
        ("dec 24 at noon", "2026-12-24T12:00:00"),
        ("tonight", "2026-06-10T20:00:00"),
        ("end of day", "2026-06-11T00:00:00"),
        ("friday eod", "2026-06-13T00:00:00"),
        ("midnight", "2026-06-11T00:00:00"),
        ("in 2 days", "2026-06-12T10:30:45"),
        ("end of week", "2026-06-15T00:00:00"),
        ("end of month", "2026-07-01T00:00:00"),
        ("eom", "2026-07-01T00:00:00"),
        ("end of next month", "2026-08-01T00:00:00"),
        ("end of march", "2027-04-01T00:00:00"),
        ("end of quarter", "2026-07-01T00:00:00"),
        ("end of the year", "2027-01-01T00:00:00"),
        ("end of the month at 18:00", "2026-06-30T18:00:00"),
        ("last day of the month", "2026-06-30T00:00:00"),
        ("this week", "2026-06-08T00:00:00"),
        ("this month", "2026-06-01T00:00:00"),
        ("start of the month", "2026-06-01T00:00:00"),
        ("start of next month", "2026-07-01T00:00:00"),
        ("today at 9am", "2026-06-10T09:00:00"),
        ("this morning", "2026-06-10T09:00:00"),
        ("yesterday", "2026-06-09T00:00:00"),
        ("last friday at noon", "2026-06-05T12:00:00"),
        ("last wednesday", "2026-06-03T00:00:00"),
    ] {
        assert_eq!(bound(text, BERLIN, NOW).expect(text), expected, "{text}");
    }
    assert_eq!(
        bound("tonight", BERLIN, "2026-06-10T21:30").expect("a bound"),
        "2026-06-10T20:00:00"
    );
    // Clocks go forward at midnight there.
    assert_eq!(
        bound("2026-09-06", "America/Santiago", NOW).expect("a bound"),
        "2026-09-06T01:00:00"
    );
    assert!(bound("whenever", BERLIN, NOW).is_err());
}

#[test]
fn a_day_ends_where_the_next_begins_even_if_clocks_go_back_at_midnight() {
    // In Cairo the last hour of 29 October 2026 comes twice; in Havana the first one of 1 November.
    for (zone_name, text, shown) in [
        ("Africa/Cairo", "2026-10-29", "2026-10-29T23:59:59+02:00"),
        ("America/Havana", "2026-10-31", "2026-10-31T23:59:59-04:00"),
        ("America/Havana", "2026-11-01", "2026-11-01T23:59:59-05:00"),
        ("America/Havana", "2026-03-07", "2026-03-07T23:59:59-05:00"),
        ("America/Santiago", "2026-09-05", "2026-09-05T23:59:59-04:00"),
    ] {
        assert_eq!(due(text, zone_name).to_string(), shown, "{zone_name}");
    }
    // The day that Samoa left out.
    assert_eq!(
        due("2011-12-30", "Pacific/Apia").to_string(),
        "2011-12-31T23:59:59+14:00"
    );
}
