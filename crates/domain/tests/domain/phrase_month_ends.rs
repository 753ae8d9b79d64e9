//! Phrases where a month lacks the day: its last day, said by the rule itself. The dates are what python-dateutil 2.9 makes of
//! the same rules.

use jiff::ToSpan;
use jiff::civil::{Date, date};
use nudge_domain::phrase::parse_recurrence_for;
use nudge_domain::{Due, Rule, parse_recurrence};

use crate::given::{due, occurrences, rule};
use crate::grammar::{Random, text};
use crate::phrase_grammar::grammar;

fn on(day: &str) -> Due {
    due(&format!("{day}T09:00"), "UTC")
}

fn anchored(phrase: &str, day: &str) -> String {
    let rule = parse_recurrence_for(phrase, &on(day), None);
    rule.unwrap_or_else(|error| panic!("{phrase}: {error}"))
        .to_string()
}

fn dates(rule_text: &str, day: &str, most: usize) -> Vec<String> {
    let found = occurrences(rule_text, &on(day), most);
    found
        .iter()
        .map(|at| at.trim_end_matches("T09:00").to_owned())
        .collect()
}

#[test]
fn the_day_of_the_due_date_is_in_the_rule_where_months_lack_it() {
    for (phrase, day, expected) in [
        (
            "monthly",
            "2027-01-31",
            "FREQ=MONTHLY;BYMONTHDAY=-1,31;BYSETPOS=1",
        ),
        (
            "every month",
            "2027-01-30",
            "FREQ=MONTHLY;BYMONTHDAY=-1,30;BYSETPOS=1",
        ),
        (
            "monthly",
            "2027-01-29",
            "FREQ=MONTHLY;BYMONTHDAY=-1,29;BYSETPOS=1",
        ),
        ("monthly", "2027-01-28", "FREQ=MONTHLY"),
        (
            "every 6 months",
            "2026-08-31",
            "FREQ=MONTHLY;INTERVAL=6;BYMONTHDAY=-1,31;BYSETPOS=1",
        ),
        (
            "quarterly",
            "2026-08-31",
            "FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=-1,31;BYSETPOS=1",
        ),
        ("half-yearly", "2026-08-15", "FREQ=MONTHLY;INTERVAL=6"),
        (
            "once a month until 2028-01-01",
            "2027-01-31",
            "FREQ=MONTHLY;UNTIL=20280101;BYMONTHDAY=-1,31;BYSETPOS=1",
        ),
        (
            "yearly",
            "2028-02-29",
            "FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=-1,29;BYSETPOS=1",
        ),
        (
            "every 2 years",
            "2028-02-29",
            "FREQ=MONTHLY;INTERVAL=24;BYMONTHDAY=-1,29;BYSETPOS=1",
        ),
        // Too many months for a rule; nothing is due after 2199 anyway.
        ("every 84 years", "2028-02-29", "FREQ=YEARLY;INTERVAL=84"),
        ("yearly", "2027-02-28", "FREQ=YEARLY"),
        ("yearly", "2027-01-31", "FREQ=YEARLY"),
        (
            "every february",
            "2027-01-31",
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1,31;BYSETPOS=1",
        ),
        (
            "every february",
            "2028-02-29",
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1,29;BYSETPOS=1",
        ),
        (
            "every april",
            "2027-03-31",
            "FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=-1,31;BYSETPOS=1",
        ),
        ("every march", "2027-01-31", "FREQ=YEARLY;BYMONTH=3"),
        ("every 2 weeks", "2027-01-31", "FREQ=WEEKLY;INTERVAL=2"),
        ("every 31 days", "2027-01-31", "FREQ=DAILY;INTERVAL=31"),
        (
            "first friday of the month",
            "2027-01-31",
            "FREQ=MONTHLY;BYDAY=1FR",
        ),
        (
            "every month on the 15th",
            "2027-01-31",
            "FREQ=MONTHLY;BYMONTHDAY=15",
        ),
        ("end of month", "2027-01-31", "FREQ=MONTHLY;BYMONTHDAY=-1"),
        // Rules mean what RFC 5545 says.
        ("FREQ=MONTHLY", "2027-01-31", "FREQ=MONTHLY"),
        ("RRULE:FREQ=YEARLY", "2028-02-29", "FREQ=YEARLY"),
    ] {
        assert_eq!(anchored(phrase, day), expected, "{phrase} from {day}");
    }
}

#[test]
fn a_phrase_that_names_the_day_has_the_last_one_in_its_rule_too() {
    for (phrase, expected) in [
        (
            "every month on the 31st",
            "FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1",
        ),
        ("on the 29th", "FREQ=MONTHLY;BYMONTHDAY=28,29;BYSETPOS=-1"),
        (
            "quarterly on the 30th",
            "FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=28,29,30;BYSETPOS=-1",
        ),
        (
            "on the 1st and 30th",
            "FREQ=MONTHLY;BYMONTHDAY=1,28,29,30;BYSETPOS=-1,1",
        ),
        (
            "on the 28th and 31st",
            "FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1,1",
        ),
        (
            "29th, 30th and 31st of the month",
            "FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1,2,3",
        ),
        ("30th and last day of the month", "FREQ=MONTHLY;BYMONTHDAY=-1,30"),
        (
            "every february 29",
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=28,29;BYSETPOS=-1",
        ),
        (
            "yearly on 29 feb",
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=28,29;BYSETPOS=-1",
        ),
        ("every january 31", "FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=31"),
        ("every 30th of april", "FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=30"),
    ] {
        let found = parse_recurrence(phrase).expect(phrase).to_string();
        assert_eq!(found, expected, "{phrase}");
        assert_eq!(
            anchored(phrase, "2027-01-31"),
            expected,
            "{phrase} has a day of its own"
        );
    }
}

#[test]
fn these_rules_name_the_dates_that_people_mean() {
    let months = |from: &str, days: [u8; 14]| -> Vec<String> {
        let dates = days
            .iter()
            .zip(0..)
            .map(|(day, month)| format!("{}-{:02}-{day:02}", 2027 + month / 12, month % 12 + 1));
        assert_eq!(dates.clone().next().as_deref(), Some(from));
        dates.collect()
    };
    for (rule_text, from, days) in [
        (
            "FREQ=MONTHLY;BYMONTHDAY=-1,31;BYSETPOS=1",
            "2027-01-31",
            [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31, 29],
        ),
        (
            "FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1",
            "2027-01-31",
            [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31, 29],
        ),
        (
            "FREQ=MONTHLY;BYMONTHDAY=-1,30;BYSETPOS=1",
            "2027-01-30",
            [30, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 29],
        ),
        (
            "FREQ=MONTHLY;BYMONTHDAY=-1,29;BYSETPOS=1",
            "2027-01-29",
            [29, 28, 29, 29, 29, 29, 29, 29, 29, 29, 29, 29, 29, 29],
        ),
    ] {
        assert_eq!(dates(rule_text, from, 14), months(from, days), "{rule_text}");
    }
    for (rule_text, from, expected) in [
        (
            "FREQ=MONTHLY;INTERVAL=6;BYMONTHDAY=-1,31;BYSETPOS=1",
            "2026-08-31",
            [
                "2026-08-31",
                "2027-02-28",
                "2027-08-31",
                "2028-02-29",
                "2028-08-31",
                "2029-02-28",
            ],
        ),
        (
            "FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=-1,31;BYSETPOS=1",
            "2026-08-31",
            [
                "2026-08-31",
                "2026-11-30",
                "2027-02-28",
                "2027-05-31",
                "2027-08-31",
                "2027-11-30",
            ],
        ),
        (
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1,29;BYSETPOS=1",
            "2028-02-29",
            [
                "2028-02-29",
                "2029-02-28",
                "2030-02-28",
                "2031-02-28",
                "2032-02-29",
                "2033-02-28",
            ],
        ),
        (
            "FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=-1,29;BYSETPOS=1",
            "2028-02-29",
            [
                "2028-02-29",
                "2029-02-28",
                "2030-02-28",
                "2031-02-28",
                "2032-02-29",
                "2033-02-28",
            ],
        ),
        (
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=28,29;BYSETPOS=-1",
            "2028-02-29",
            [
                "2028-02-29",
                "2029-02-28",
                "2030-02-28",
                "2031-02-28",
                "2032-02-29",
                "2033-02-28",
            ],
        ),
        (
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1,31;BYSETPOS=1",
            "2027-01-31",
            [
                "2027-02-28",
                "2028-02-29",
                "2029-02-28",
                "2030-02-28",
                "2031-02-28",
                "2032-02-29",
            ],
        ),
        (
            "FREQ=MONTHLY;BYMONTHDAY=1,28,29,30;BYSETPOS=-1,1",
            "2027-01-01",
            [
                "2027-01-01",
                "2027-01-30",
                "2027-02-01",
                "2027-02-28",
                "2027-03-01",
                "2027-03-30",
            ],
        ),
        (
            "FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1,2,3",
            "2027-02-01",
            [
                "2027-02-28",
                "2027-03-29",
                "2027-03-30",
                "2027-03-31",
                "2027-04-29",
                "2027-04-30",
            ],
        ),
    ] {
        assert_eq!(dates(rule_text, from, 6), expected, "{rule_text}");
    }
}

/// The rule of a list of days names, in each month, each of these days or the last.
#[test]
fn any_list_of_days_means_each_day_or_the_last() {
    let (first, months) = (date(2027, 1, 1), 26);
    for mask in 1..(1_u32 << 6) {
        let days: Vec<i8> = [1, 27, 28, 29, 30, 31]
            .into_iter()
            .zip(0..)
            .filter(|(_, bit)| mask >> bit & 1 == 1)
            .map(|(day, _)| day)
            .collect();
        let named: Vec<String> = days
            .iter()
            .map(|day| format!("{day}{}", if *day == 1 || *day == 31 { "st" } else { "th" }))
            .collect();
        let phrase = format!("on the {}", named.join(", "));
        let rule = parse_recurrence(&phrase).expect(&phrase);
        let mut expected: Vec<Date> = (0..months)
            .map(|month| first.saturating_add(month.months()))
            .flat_map(|month| {
                days.iter()
                    .map(move |day| month.saturating_add((day.min(&month.days_in_month()) - 1).days()))
            })
            .collect();
        expected.dedup();
        let start = on("2027-01-01");
        let found: Vec<Date> = rule
            .occurrences(&start)
            .take(expected.len())
            .map(|at| start.zone().time_zone().to_datetime(at).date())
            .collect();
        assert_eq!(found, expected, "{phrase}: {rule}");
    }
}

#[test]
fn a_phrase_given_again_keeps_its_day_unless_the_due_date_was_moved() {
    let monthly = rule("FREQ=MONTHLY;BYMONTHDAY=-1,31;BYSETPOS=1");
    let leap = rule("FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=-1,29;BYSETPOS=1");
    let february = rule("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1,29;BYSETPOS=1");
    let moved = rule("FREQ=MONTHLY;BYMONTHDAY=-1,1;BYSETPOS=1");
    let open: Rule = rule("FREQ=MONTHLY");
    for (phrase, day, before, expected) in [
        // The occurrences of shorter months.
        ("monthly", "2027-02-28", &monthly, monthly.to_string()),
        ("every month", "2027-04-30", &monthly, monthly.to_string()),
        ("yearly", "2029-02-28", &leap, leap.to_string()),
        ("every 12 months", "2029-02-28", &leap, leap.to_string()),
        ("every february", "2029-02-28", &february, february.to_string()),
        // A zone moved it there.
        ("monthly", "2027-03-01", &moved, moved.to_string()),
        // Moved to another day.
        ("monthly", "2027-02-15", &monthly, "FREQ=MONTHLY".to_owned()),
        (
            "monthly",
            "2027-03-30",
            &monthly,
            "FREQ=MONTHLY;BYMONTHDAY=-1,30;BYSETPOS=1".to_owned(),
        ),
        ("yearly", "2029-03-01", &leap, "FREQ=YEARLY".to_owned()),
        ("monthly", "2027-03-31", &open, monthly.to_string()),
        (
            "every february",
            "2029-02-27",
            &february,
            "FREQ=YEARLY;BYMONTH=2".to_owned(),
        ),
        // Another phrase, which names another day.
        (
            "end of month",
            "2027-02-28",
            &monthly,
            "FREQ=MONTHLY;BYMONTHDAY=-1".to_owned(),
        ),
        ("FREQ=MONTHLY", "2027-02-28", &monthly, "FREQ=MONTHLY".to_owned()),
    ] {
        let found = parse_recurrence_for(phrase, &on(day), Some(before)).expect(phrase);
        assert_eq!(found.to_string(), expected, "{phrase} on {day} after {before}");
    }
}

#[test]
fn another_end_or_distance_does_not_forget_the_day_of_the_series() {
    let monthly = rule("FREQ=MONTHLY;BYMONTHDAY=-1,31;BYSETPOS=1");
    let leap = rule("FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=-1,29;BYSETPOS=1");
    for (phrase, day, before, expected) in [
        (
            "monthly until 2027-12-31",
            "2027-02-28",
            &monthly,
            "FREQ=MONTHLY;UNTIL=20271231;BYMONTHDAY=-1,31;BYSETPOS=1",
        ),
        (
            "monthly for 3 times",
            "2027-02-28",
            &monthly,
            "FREQ=MONTHLY;COUNT=3;BYMONTHDAY=-1,31;BYSETPOS=1",
        ),
        (
            "every 2 months",
            "2027-02-28",
            &monthly,
            "FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=-1,31;BYSETPOS=1",
        ),
        (
            "yearly",
            "2027-04-30",
            &monthly,
            "FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=-1,31;BYSETPOS=1",
        ),
        (
            "every march",
            "2029-02-28",
            &leap,
            "FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=-1,29;BYSETPOS=1",
        ),
        // Moved as well: the day of the due date.
        (
            "every 2 months",
            "2027-02-15",
            &monthly,
            "FREQ=MONTHLY;INTERVAL=2",
        ),
        // Days do not matter.
        ("every 2 weeks", "2027-02-28", &monthly, "FREQ=WEEKLY;INTERVAL=2"),
    ] {
        let found = parse_recurrence_for(phrase, &on(day), Some(before)).expect(phrase);
        assert_eq!(found.to_string(), expected, "{phrase} on {day} after {before}");
    }
    assert_eq!(
        dates(
            "FREQ=MONTHLY;COUNT=3;BYMONTHDAY=-1,31;BYSETPOS=1",
            "2027-02-28",
            5
        ),
        ["2027-02-28", "2027-03-31", "2027-04-30"]
    );
}

#[test]
fn any_phrase_given_again_on_any_occurrence_is_the_same_rule() {
    let grammar = grammar();
    let mut random = Random::new(21);
    for _ in 0..400 {
        let phrase = text(&grammar.sample("rhythm", &mut random).tokens);
        let day = date(2027, 12, 25).saturating_add(i64::from(random.below(70)).days());
        let start = on(&day.to_string());
        let Ok(rule) = parse_recurrence_for(&phrase, &start, None) else {
            continue;
        };
        for at in rule.occurrences(&start).take(14) {
            let due = Due::new(at, start.zone().clone()).expect("in range");
            let again = parse_recurrence_for(&phrase, &due, Some(&rule)).expect("as before");
            assert_eq!(
                again.to_string(),
                rule.to_string(),
                "{phrase} on {due}, first on {start}"
            );
        }
    }
}

#[test]
fn a_series_that_restarts_takes_the_day_on_which_it_restarts() {
    for (before, day, expected) in [
        (
            "FREQ=MONTHLY;BYMONTHDAY=-1,31;BYSETPOS=1",
            date(2027, 2, 28),
            "FREQ=MONTHLY;BYMONTHDAY=-1,31;BYSETPOS=1",
        ),
        (
            "FREQ=MONTHLY;BYMONTHDAY=-1,31;BYSETPOS=1",
            date(2027, 2, 1),
            "FREQ=MONTHLY;BYMONTHDAY=-1,1;BYSETPOS=1",
        ),
        (
            "FREQ=MONTHLY;BYMONTHDAY=-1,31;BYSETPOS=1",
            date(2027, 3, 30),
            "FREQ=MONTHLY;BYMONTHDAY=-1,30;BYSETPOS=1",
        ),
        (
            "FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=-1,29;BYSETPOS=1",
            date(2028, 3, 1),
            "FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=-1,1;BYSETPOS=1",
        ),
        (
            "FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=-1,29;BYSETPOS=1",
            date(2029, 2, 28),
            "FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=-1,29;BYSETPOS=1",
        ),
        // A month that the phrase named stays.
        (
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1,29;BYSETPOS=1",
            date(2028, 3, 1),
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1,1;BYSETPOS=1",
        ),
        // Days that a phrase or a rule names.
        (
            "FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1",
            date(2027, 2, 1),
            "FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1",
        ),
        ("FREQ=MONTHLY", date(2027, 3, 31), "FREQ=MONTHLY"),
        (
            "FREQ=MONTHLY;BYMONTHDAY=-1",
            date(2027, 2, 1),
            "FREQ=MONTHLY;BYMONTHDAY=-1",
        ),
    ] {
        assert_eq!(
            rule(before).anchored_again(day).to_string(),
            expected,
            "{before} on {day}"
        );
    }
}

#[test]
fn a_zone_and_back_keeps_the_end_of_the_month() {
    for (phrase, first) in [
        ("monthly", date(2027, 8, 31)),
        ("every 2 months", date(2027, 10, 31)),
        ("every year", date(2028, 2, 29)),
        ("every february", date(2028, 2, 29)),
    ] {
        let rule = parse_recurrence_for(phrase, &on(&first.to_string()), None).expect(phrase);
        for away in [first.tomorrow(), first.yesterday()] {
            let away = away.expect("in range");
            let there = rule.anchored_again(away);
            assert_ne!(there, rule, "{phrase} on {away}");
            assert_eq!(there.anchored_again(first), rule, "{phrase} on {away} and back");
        }
    }
    assert_eq!(
        dates("FREQ=MONTHLY;BYMONTHDAY=-1,1;BYSETPOS=1", "2027-01-01", 4),
        ["2027-01-01", "2027-02-01", "2027-03-01", "2027-04-01"]
    );
}
