//! Parts of the day around midnight: in five zones, on days when clocks change and days when they do not, said at every hour.

use jiff::civil::{Date, date};
use jiff::{Span, Timestamp, ToSpan};
use nudge_domain::{Due, DueError, Zone};

use crate::given::zone;

/// Zones of either hemisphere, with offsets of half an hour and a quarter, without daylight-saving time, and with clocks that change
/// at midnight; and days on which they do, the next one, and a day like any other.
const PLACES: [(&str, [Date; 5]); 6] = [
    (
        "Europe/Berlin",
        [
            date(2026, 3, 28),
            date(2026, 3, 29),
            date(2026, 10, 24),
            date(2026, 10, 25),
            date(2026, 12, 31),
        ],
    ),
    (
        "America/Havana",
        [
            date(2026, 3, 7),
            date(2026, 3, 8),
            date(2026, 10, 31),
            date(2026, 11, 1),
            date(2026, 7, 15),
        ],
    ),
    (
        "Africa/Cairo",
        [
            date(2026, 4, 23),
            date(2026, 4, 24),
            date(2026, 10, 29),
            date(2026, 10, 30),
            date(2026, 2, 28),
        ],
    ),
    (
        "Australia/Adelaide",
        [
            date(2026, 4, 4),
            date(2026, 4, 5),
            date(2026, 10, 3),
            date(2026, 10, 4),
            date(2026, 6, 30),
        ],
    ),
    (
        "Asia/Kathmandu",
        [
            date(2026, 1, 1),
            date(2026, 3, 29),
            date(2026, 6, 15),
            date(2026, 10, 25),
            date(2028, 2, 29),
        ],
    ),
    (
        "America/Santiago",
        [
            date(2026, 4, 4),
            date(2026, 4, 5),
            date(2026, 9, 5),
            date(2026, 9, 6),
            date(2026, 11, 30),
        ],
    ),
];

/// Every hour of the days and the day after, as it begins and as it ends.
fn every_hour(zone: &Zone, days: &[Date]) -> Vec<Timestamp> {
    let mut instants = Vec::new();
    for day in days {
        let begin = day
            .to_zoned(zone.time_zone().clone())
            .expect("in range")
            .timestamp();
        for hour in 0..26 {
            for second in [0, 3599] {
                let later = Span::new().seconds(hour * 3600 + second);
                instants.push(begin.checked_add(later).expect("in range"));
            }
        }
    }
    instants
}

fn check(mut told: impl FnMut(&Zone, Timestamp)) {
    for (name, days) in PLACES {
        let zone = zone(name);
        for now in every_hour(&zone, &days) {
            told(&zone, now);
        }
    }
}

fn local_date(zone: &Zone, at: Timestamp) -> Date {
    zone.time_zone().to_datetime(at).date()
}

fn plus(date: Date, days: i64) -> Date {
    date.checked_add(days.days()).expect("in range")
}

/// The instant at which a clock shows that.
fn at(zone: &Zone, date: Date, hour: i8, minute: i8) -> Timestamp {
    let local = date.at(hour, minute, 0, 0);
    zone.time_zone().to_timestamp(local).expect("in range")
}

/// The words for an hour of the night, and that hour, so many days after the evening.
const HOURS: [(&str, i8, i8, i64); 12] = [
    ("at 8", 20, 0, 0),
    ("at 21:30", 21, 30, 0),
    ("at 11pm", 23, 0, 0),
    ("at 11:59pm", 23, 59, 0),
    ("at 12", 0, 0, 1),
    ("at midnight", 0, 0, 1),
    ("at 12am", 0, 0, 1),
    ("at 12:30am", 0, 30, 1),
    ("at 1", 1, 0, 1),
    ("at 2:30am", 2, 30, 1),
    ("at 3 in the morning", 3, 0, 1),
    ("at 5:59am", 5, 59, 1),
];

/// One o'clock is clear at night, and can be two times in the evening.
fn is_ambiguous(part: &str, words: &str) -> bool {
    part.ends_with("evening") && words == "at 1"
}

#[test]
fn an_hour_of_a_named_night_is_in_that_night_whenever_it_is_said() {
    let mut turn = 0;
    check(|zone, now| {
        turn += 1;
        let today = local_date(zone, now);
        let friday = (1..8)
            .map(|days| plus(today, days))
            .find(|date| date.weekday() == jiff::civil::Weekday::Friday)
            .expect("every week has one");
        for (day, evening) in [
            ("tomorrow", plus(today, 1)),
            ("friday", friday),
            ("in 3 days", plus(today, 3)),
            ("the day after tomorrow", plus(today, 2)),
        ] {
            let part = ["night", "evening", "at night", "in the evening"][turn % 4];
            for (words, hour, minute, days) in HOURS {
                if is_ambiguous(part, words) {
                    continue;
                }
                let expected = at(zone, plus(evening, days), hour, minute);
                let text = match turn % 3 {
                    0 => format!("{words} {day} {part}"),
                    _ => format!("{day} {part} {words}"),
                };
                let due = Due::parse_or_phrase(&text, zone, now).expect(&text).at();
                assert_eq!(due, expected, "{text} at {now} in {zone}");
            }
        }
    });
}

#[test]
fn an_hour_of_tonight_is_ahead_in_this_night_or_has_passed() {
    check(|zone, now| {
        let today = local_date(zone, now);
        for part in ["tonight", "this evening", "this night", "by tonight"] {
            for (words, hour, minute, days) in HOURS {
                if is_ambiguous(part, words) {
                    continue;
                }
                let text = format!("{part} {words}");
                let of_evening = |evening: Date| at(zone, plus(evening, days), hour, minute);
                // The night that is still going on, then the next one.
                let nights = [plus(today, -1), today];
                let ahead = nights.into_iter().map(of_evening).find(|due| *due > now);
                match (Due::parse_or_phrase(&text, zone, now), ahead) {
                    (Ok(due), Some(ahead)) => assert_eq!(due.at(), ahead, "{text} at {now} in {zone}"),
                    (Ok(due), None) => assert_eq!(due.at(), now, "{text} in {zone}"),
                    (Err(DueError::Passed { .. }), None) => assert!(of_evening(today) < now),
                    (Err(error), _) => panic!("{text} at {now} in {zone}: {error}"),
                }
            }
        }
    });
}

#[test]
fn a_part_of_the_day_lies_ahead_and_within_that_part_of_that_day() {
    check(|zone, now| {
        let today = local_date(zone, now);
        for (part, first, last) in [
            ("morning", 9, 12),
            ("afternoon", 15, 18),
            ("evening", 18, 23),
            ("night", 20, 23),
        ] {
            for (text, day) in [
                (format!("tomorrow {part}"), Some(plus(today, 1))),
                (format!("this {part}"), Some(today)),
                (format!("today in the {part}"), Some(today)),
                (part.to_owned(), None),
            ] {
                let due = match Due::parse_or_phrase(&text, zone, now) {
                    Ok(due) => due,
                    Err(DueError::Passed { .. }) => {
                        let end = at(zone, today, last, 0);
                        assert!(day == Some(today) && end < now, "{text} at {now} in {zone}");
                        continue;
                    }
                    Err(error) => panic!("{text} at {now} in {zone}: {error}"),
                };
                assert!(due.at() >= now, "{text} at {now} in {zone}: {due}");
                let local = due.local();
                assert!(
                    (first..=last).contains(&local.hour()),
                    "{text} at {now} in {zone}: {due}"
                );
                match day {
                    Some(day) => assert_eq!(local.date(), day, "{text} at {now} in {zone}"),
                    None => assert!([today, plus(today, 1)].contains(&local.date()), "{text} at {now}"),
                }
            }
        }
    });
}

/// Phrases that name no year, so that they never mean what has been.
const PHRASES: [&str; 24] = [
    "today",
    "tomorrow",
    "eod",
    "end of day",
    "midnight",
    "noon",
    "9am",
    "23:59",
    "0:00",
    "at 12am",
    "this week",
    "end of month",
    "end of week",
    "eoy",
    "friday",
    "this friday at 9am",
    "this friday night",
    "next friday",
    "the 31st at 1am",
    "10/31 in the evening",
    "feb 29 at noon",
    "in 24 hours",
    "in 1 day",
    "a week from this friday at 0:30",
];

#[test]
fn no_phrase_without_a_year_means_what_has_been() {
    check(|zone, now| {
        for text in PHRASES {
            let due = match Due::parse_or_phrase(text, zone, now) {
                // The next one is years ahead, which no one means.
                Err(DueError::Passed { .. }) if text == "feb 29 at noon" => continue,
                read => read.expect(text),
            };
            assert!(due.at() >= now, "{text} at {now} in {zone}: {due}");
        }
    });
}

#[test]
fn said_again_before_its_time_on_the_same_day_a_phrase_means_the_same() {
    for (name, days) in PLACES {
        let zone = zone(name);
        let mut before: Vec<(String, Date, Timestamp)> = Vec::new();
        let mut texts: Vec<String> = ["today", "tomorrow", "end of month", "friday night", "this friday"]
            .map(str::to_owned)
            .to_vec();
        texts.extend(HOURS.map(|(words, ..)| format!("tonight {words}")));
        texts.extend(HOURS.map(|(words, ..)| format!("tomorrow night {words}")));
        for day in days {
            for now in every_hour(&zone, &[day]) {
                let today = local_date(&zone, now);
                let dawn = zone.time_zone().to_datetime(now).hour() < 6;
                for text in &texts {
                    let Ok(due) = Due::parse_or_phrase(text, &zone, now) else {
                        continue;
                    };
                    let known = before.iter_mut().find(|(known, ..)| known == text);
                    match known {
                        // Until dawn, tonight is the night before.
                        Some((_, said, at))
                            if *said == today && *at > now && !(dawn && text.starts_with("tonight")) =>
                        {
                            assert_eq!(due.at(), *at, "{text} at {now} in {zone}");
                        }
                        Some(known) => *known = (text.clone(), today, due.at()),
                        None => before.push((text.clone(), today, due.at())),
                    }
                }
            }
        }
    }
}
