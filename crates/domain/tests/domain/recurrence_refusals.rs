//! What a rule's text may be, and what its canonical form is.

use nudge_domain::recurrence::{End, Frequency};
use nudge_domain::{Rule, RuleError};

use crate::given::rule;

fn refusal(text: &str) -> RuleError {
    text.parse::<Rule>().expect_err(text)
}

#[test]
fn writes_one_canonical_text_for_equal_rules() {
    for (given, canonical) in [
        ("RRULE:FREQ=DAILY", "FREQ=DAILY"),
        (" rrule:freq=daily ", "FREQ=DAILY"),
        ("INTERVAL=1;FREQ=DAILY;WKST=MO", "FREQ=DAILY"),
        (
            "BYDAY=SU,MO,+2TU,-1FR,mo;FREQ=MONTHLY",
            "FREQ=MONTHLY;BYDAY=-1FR,MO,SU,2TU",
        ),
        (
            "FREQ=YEARLY;BYMONTHDAY=15,01,-1,1;BYMONTH=12,2",
            "FREQ=YEARLY;BYMONTH=2,12;BYMONTHDAY=-1,1,15",
        ),
        (
            "FREQ=WEEKLY;WKST=SU;COUNT=007;INTERVAL=2",
            "FREQ=WEEKLY;INTERVAL=2;COUNT=7;WKST=SU",
        ),
        (
            "FREQ=DAILY;UNTIL=20261231t235959z",
            "FREQ=DAILY;UNTIL=20261231T235959Z",
        ),
        (
            "FREQ=DAILY;UNTIL=20261231T235959",
            "FREQ=DAILY;UNTIL=20261231T235959",
        ),
        ("FREQ=DAILY;UNTIL=20261231", "FREQ=DAILY;UNTIL=20261231"),
    ] {
        assert_eq!(rule(given).to_string(), canonical);
        assert_eq!(rule(canonical), rule(given));
    }
}

#[test]
fn tells_its_frequency_interval_and_end() {
    let rule = rule("FREQ=MONTHLY;INTERVAL=3;COUNT=4");
    assert_eq!(
        (rule.frequency(), rule.interval(), rule.end()),
        (Frequency::Monthly, 3, End::Count(4))
    );
}

#[test]
fn is_its_canonical_text_in_json() {
    let rule: Rule = serde_json::from_str(r#""rrule:freq=daily;interval=1""#).expect("a rule");
    assert_eq!(serde_json::to_string(&rule).expect("JSON"), r#""FREQ=DAILY""#);
    assert!(serde_json::from_str::<Rule>(r#""FREQ=NEVER""#).is_err());
}

#[test]
fn refuses_text_that_is_not_a_rule() {
    assert_eq!(refusal(""), RuleError::Empty);
    assert_eq!(refusal("RRULE:"), RuleError::Empty);
    assert_eq!(refusal("INTERVAL=2"), RuleError::MissingFrequency);
    for text in ["FREQ=DAILY;;", ";FREQ=DAILY", "FREQ", "FREQ=DAILY;;COUNT=2"] {
        assert!(matches!(refusal(text), RuleError::MalformedPart { .. }), "{text}");
    }
    assert_eq!(
        refusal("FREQ=DAILY;BYEASTER=0"),
        RuleError::UnknownPart {
            name: "BYEASTER".to_owned()
        }
    );
    assert_eq!(
        refusal("FREQ=DAILY;COUNT=2;COUNT=2"),
        RuleError::RepeatedPart { name: "COUNT" }
    );
    assert_eq!(
        refusal(&format!("FREQ=DAILY{}", " ".repeat(500))),
        RuleError::TooLong
    );
}

#[test]
fn refuses_values_out_of_range() {
    for text in [
        "FREQ=",
        "FREQ=OFTEN",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;INTERVAL=1001",
        "FREQ=DAILY;INTERVAL=-1",
        "FREQ=DAILY;INTERVAL=99999999999999999999",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;COUNT=10001",
        "FREQ=DAILY;COUNT=1e3",
        "FREQ=DAILY;COUNT=",
        "FREQ=YEARLY;BYMONTH=0",
        "FREQ=YEARLY;BYMONTH=13",
        "FREQ=YEARLY;BYMONTH=-1",
        "FREQ=YEARLY;BYMONTH=1,",
        "FREQ=YEARLY;BYWEEKNO=54",
        "FREQ=YEARLY;BYWEEKNO=0",
        "FREQ=YEARLY;BYYEARDAY=367",
        "FREQ=YEARLY;BYYEARDAY=-367",
        "FREQ=MONTHLY;BYMONTHDAY=32",
        "FREQ=MONTHLY;BYMONTHDAY=0",
        "FREQ=MONTHLY;BYDAY=0MO",
        "FREQ=MONTHLY;BYDAY=54MO",
        "FREQ=MONTHLY;BYDAY=XX",
        "FREQ=MONTHLY;BYDAY=M",
        "FREQ=MONTHLY;BYDAY=1",
        "FREQ=MONTHLY;BYDAY=+MO",
        "FREQ=MONTHLY;BYDAY=é",
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=0",
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=367",
        "FREQ=WEEKLY;WKST=1MO",
        "FREQ=DAILY;UNTIL=2026",
        "FREQ=DAILY;UNTIL=20260230",
        "FREQ=DAILY;UNTIL=2026-12-31",
        "FREQ=DAILY;UNTIL=20261231T0900",
        "FREQ=DAILY;UNTIL=20261231T240000",
        "FREQ=DAILY;UNTIL=20261231Z",
        "FREQ=DAILY;UNTIL=+0261231",
        "FREQ=DAILY;UNTIL=２０261231",
    ] {
        let error = refusal(text);
        assert!(
            matches!(error, RuleError::InvalidValue { .. }),
            "{text}: {error:?}"
        );
        assert_eq!(error.code(), "invalid_recurrence");
    }
    let months = vec!["1"; 63].join(",");
    assert_eq!(
        refusal(&format!("FREQ=YEARLY;BYMONTH={months}")),
        RuleError::TooManyValues { name: "BYMONTH" }
    );
}

#[test]
fn refuses_what_is_shorter_than_a_day_by_name() {
    for name in ["HOURLY", "MINUTELY", "SECONDLY"] {
        let error = refusal(&format!("FREQ={name}"));
        assert_eq!(
            error.to_string(),
            format!("FREQ={name} is not supported: use DAILY, WEEKLY, MONTHLY or YEARLY")
        );
        assert_eq!(error.code(), "unsupported_recurrence");
    }
    for name in ["BYHOUR", "BYMINUTE", "BYSECOND"] {
        assert_eq!(
            refusal(&format!("FREQ=DAILY;{name}=1")),
            RuleError::UnsupportedPart { name }
        );
    }
}

#[test]
fn refuses_the_combinations_that_the_rfc_rules_out() {
    use Frequency::{Daily, Monthly, Weekly};
    let not_with = |name, frequency| RuleError::NotWithFrequency { name, frequency };
    for (text, expected) in [
        ("FREQ=DAILY;BYWEEKNO=1", not_with("BYWEEKNO", Daily)),
        ("FREQ=WEEKLY;BYWEEKNO=1", not_with("BYWEEKNO", Weekly)),
        ("FREQ=MONTHLY;BYWEEKNO=1", not_with("BYWEEKNO", Monthly)),
        ("FREQ=DAILY;BYYEARDAY=1", not_with("BYYEARDAY", Daily)),
        ("FREQ=MONTHLY;BYYEARDAY=1", not_with("BYYEARDAY", Monthly)),
        ("FREQ=WEEKLY;BYMONTHDAY=1", not_with("BYMONTHDAY", Weekly)),
        ("FREQ=DAILY;BYDAY=1MO", RuleError::OrdinalNotAllowed),
        ("FREQ=WEEKLY;BYDAY=1MO", RuleError::OrdinalNotAllowed),
        ("FREQ=YEARLY;BYWEEKNO=1;BYDAY=1MO", RuleError::OrdinalNotAllowed),
        ("FREQ=DAILY;COUNT=2;UNTIL=20261231", RuleError::CountAndUntil),
        ("FREQ=MONTHLY;BYSETPOS=1", RuleError::SetPosAlone),
    ] {
        assert_eq!(refusal(text), expected, "{text}");
    }
}

#[test]
fn refuses_rules_that_match_no_date() {
    for text in [
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;BYMONTH=4,6,9,11;BYMONTHDAY=31",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30,31",
        "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=-30",
        "FREQ=MONTHLY;BYDAY=6MO",
        "FREQ=YEARLY;BYYEARDAY=1;BYMONTH=2",
        "FREQ=YEARLY;BYWEEKNO=20;BYMONTH=1",
        "FREQ=DAILY;BYDAY=MO;BYSETPOS=2",
        "FREQ=WEEKLY;BYDAY=MO,TU;BYSETPOS=3",
        "FREQ=MONTHLY;BYMONTHDAY=1;BYDAY=2MO",
        "FREQ=YEARLY;BYMONTH=1;BYSETPOS=2",
    ] {
        assert_eq!(refusal(text), RuleError::NeverMatches, "{text}");
    }
    for text in [
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO",
        "FREQ=YEARLY;BYYEARDAY=366",
        "FREQ=YEARLY;BYWEEKNO=53;BYYEARDAY=-366",
        "FREQ=YEARLY;BYDAY=53MO",
        "FREQ=MONTHLY;BYDAY=5MO;BYMONTHDAY=31",
    ] {
        assert!(text.parse::<Rule>().is_ok(), "{text} does match now and then");
    }
}
