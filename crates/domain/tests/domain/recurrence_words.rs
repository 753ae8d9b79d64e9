//! Rules in English.

use std::path::Path;

use nudge_domain::{Rule, parse_recurrence};

use crate::given::rule;
use crate::grammar::{Random, text};
use crate::phrase_grammar::grammar;

#[test]
fn rules_are_said_as_people_say_them() {
    for (text, words) in [
        ("FREQ=DAILY", "every day"),
        ("FREQ=DAILY;INTERVAL=3;COUNT=1", "every 3 days for 1 time"),
        ("FREQ=WEEKLY", "every week"),
        ("FREQ=WEEKLY;BYDAY=MO,TH", "every Monday and Thursday"),
        (
            "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;UNTIL=20261231",
            "every weekday until December 31, 2026",
        ),
        ("FREQ=WEEKLY;BYDAY=SA,SU", "every weekend"),
        ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU", "every Monday to Sunday"),
        (
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE,FR",
            "every 2 weeks on Monday, Wednesday and Friday",
        ),
        (
            "FREQ=WEEKLY;INTERVAL=2;WKST=SU",
            "every 2 weeks, weeks beginning on Sunday",
        ),
        ("FREQ=MONTHLY", "every month"),
        ("FREQ=MONTHLY;BYMONTHDAY=1", "every month on the 1st"),
        (
            "FREQ=MONTHLY;BYMONTHDAY=-1,1,15",
            "every month on the 1st, 15th and last day",
        ),
        (
            "FREQ=MONTHLY;BYMONTHDAY=31",
            "every month on the 31st of months that have it",
        ),
        (
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
            "every February 29 in leap years",
        ),
        ("FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=31", "every January 31"),
        (
            "FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1",
            "every month on the 31st",
        ),
        (
            "FREQ=MONTHLY;BYMONTHDAY=1,28,29,30;BYSETPOS=-1,1",
            "every month on the 1st and 30th",
        ),
        (
            "FREQ=MONTHLY;BYMONTHDAY=-1,31;BYSETPOS=1",
            "every month on the 31st or the last day",
        ),
        ("FREQ=MONTHLY;BYDAY=-2FR", "every month on the second last Friday"),
        (
            "FREQ=MONTHLY;BYDAY=1MO,3MO,-1FR",
            "every month on the first and third Monday and last Friday",
        ),
        (
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
            "every month on the last weekday",
        ),
        (
            "FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=1;COUNT=10",
            "every January 1 for 10 times",
        ),
        (
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=28,29;BYSETPOS=-1",
            "every February 29",
        ),
        (
            "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH",
            "every November on the fourth Thursday",
        ),
        (
            "FREQ=YEARLY;INTERVAL=2;BYMONTH=6;BYMONTHDAY=1,15",
            "every 2 years on June 1 and 15",
        ),
        (
            "FREQ=DAILY;UNTIL=20261231T090000Z",
            "every day until December 31, 2026 at 09:00:00 UTC",
        ),
        (
            "FREQ=DAILY;BYMONTH=1,6;BYDAY=MO",
            "every day in January and June, on a Monday",
        ),
        (
            "FREQ=YEARLY;BYWEEKNO=-1,20;BYDAY=MO",
            "every year, in the 20th and last week of the year, on a Monday",
        ),
        (
            "FREQ=YEARLY;BYYEARDAY=100",
            "every year, on the 100th day of the year",
        ),
        (
            "FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=FR",
            "every month, on the 13th of the month, if it is a Friday",
        ),
        (
            "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=2",
            "every month, on a Monday and Tuesday, only the second of these days in each month",
        ),
    ] {
        assert_eq!(rule(text).in_words(), words, "{text}");
    }
}

#[test]
fn the_words_of_a_phrase_are_a_phrase_with_the_same_rule() {
    let grammar = grammar();
    let mut random = Random::new(19);
    let mut said = 0;
    for _ in 0..4000 {
        let phrase = text(&grammar.sample("recurrence", &mut random).tokens);
        let Ok(rule) = parse_recurrence(&phrase) else {
            continue;
        };
        let words = rule.in_words();
        let has_time = matches!(rule.end(), nudge_domain::recurrence::End::Until(until) if !matches!(until, nudge_domain::recurrence::Until::Date(_)));
        if has_time {
            continue;
        }
        assert_eq!(
            parse_recurrence(&words).as_ref(),
            Ok(&rule),
            "{phrase} → {rule} → {words}"
        );
        said += 1;
    }
    assert!(said > 1000, "{said}");
}

#[test]
fn words_never_say_another_rule() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus/rrule.jsonl");
    let corpus = std::fs::read_to_string(path).expect("the corpus");
    let mut rules = 0;
    for line in corpus.lines().skip(1) {
        let case: serde_json::Value = serde_json::from_str(line).expect("JSON");
        // The corpus has rules that no date matches.
        let Ok(rule) = case["rule"].as_str().expect("a rule").parse::<Rule>() else {
            continue;
        };
        let words = rule.in_words();
        assert!(!words.is_empty() && !words.contains("  "), "{rule}: {words}");
        if let Ok(read) = parse_recurrence(&words) {
            // The words name the first day of the week where it matters, and are no phrase then.
            let text = rule.to_string();
            let text = text.split(";WKST=").next().expect("the rule");
            assert_eq!(read.to_string(), text, "{words}");
        }
        rules += 1;
    }
    assert!(rules > 1000, "{rules}");
}
