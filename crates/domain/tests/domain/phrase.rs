use nudge_domain::{RuleError, parse_recurrence};

fn rule(phrase: &str) -> String {
    parse_recurrence(phrase)
        .unwrap_or_else(|error| panic!("{phrase}: {error}"))
        .to_string()
}

#[test]
fn understands_what_people_write() {
    let monthly_workday = |position: &str| format!("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS={position}");
    let (first_workday, last_workday) = (monthly_workday("1"), monthly_workday("-1"));
    for (phrase, expected) in [
        ("daily", "FREQ=DAILY"),
        ("every day", "FREQ=DAILY"),
        ("each day", "FREQ=DAILY"),
        ("Every Single Day", "FREQ=DAILY"),
        ("every day of the week", "FREQ=DAILY"),
        ("once a day", "FREQ=DAILY"),
        ("every other day", "FREQ=DAILY;INTERVAL=2"),
        ("every second day", "FREQ=DAILY;INTERVAL=2"),
        ("every 3rd day", "FREQ=DAILY;INTERVAL=3"),
        ("every 10 days", "FREQ=DAILY;INTERVAL=10"),
        ("weekly", "FREQ=WEEKLY"),
        ("every week", "FREQ=WEEKLY"),
        ("every 1 week", "FREQ=WEEKLY"),
        ("biweekly", "FREQ=WEEKLY;INTERVAL=2"),
        ("bi-weekly", "FREQ=WEEKLY;INTERVAL=2"),
        ("fortnightly", "FREQ=WEEKLY;INTERVAL=2"),
        ("every fortnight", "FREQ=WEEKLY;INTERVAL=2"),
        ("every 2 weeks", "FREQ=WEEKLY;INTERVAL=2"),
        ("every other week", "FREQ=WEEKLY;INTERVAL=2"),
        ("every two weeks on monday", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO"),
        ("weekly on friday", "FREQ=WEEKLY;BYDAY=FR"),
        ("monthly", "FREQ=MONTHLY"),
        ("once a month", "FREQ=MONTHLY"),
        ("every 6 months", "FREQ=MONTHLY;INTERVAL=6"),
        ("quarterly", "FREQ=MONTHLY;INTERVAL=3"),
        ("every quarter", "FREQ=MONTHLY;INTERVAL=3"),
        ("yearly", "FREQ=YEARLY"),
        ("annually", "FREQ=YEARLY"),
        ("every year", "FREQ=YEARLY"),
        ("every 4 years", "FREQ=YEARLY;INTERVAL=4"),
        ("weekdays", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
        ("every weekday", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
        ("every working day", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
        ("monday to friday", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
        ("Mon - Thu", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH"),
        ("mon-fri", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
        ("weekends", "FREQ=WEEKLY;BYDAY=SA,SU"),
        ("every other weekend", "FREQ=WEEKLY;INTERVAL=2;BYDAY=SA,SU"),
        ("every monday", "FREQ=WEEKLY;BYDAY=MO"),
        ("mondays", "FREQ=WEEKLY;BYDAY=MO"),
        ("on tuesdays.", "FREQ=WEEKLY;BYDAY=TU"),
        ("every monday and thursday", "FREQ=WEEKLY;BYDAY=MO,TH"),
        ("friday, monday,  and WEDNESDAY", "FREQ=WEEKLY;BYDAY=MO,WE,FR"),
        ("every tue, thurs", "FREQ=WEEKLY;BYDAY=TU,TH"),
        ("every other tuesday", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU"),
        ("first monday of the month", "FREQ=MONTHLY;BYDAY=1MO"),
        ("the second tuesday of every month", "FREQ=MONTHLY;BYDAY=2TU"),
        ("every second tuesday of the month", "FREQ=MONTHLY;BYDAY=2TU"),
        ("last friday of the month", "FREQ=MONTHLY;BYDAY=-1FR"),
        ("every last friday", "FREQ=MONTHLY;BYDAY=-1FR"),
        (
            "1st and 3rd wednesday of each month",
            "FREQ=MONTHLY;BYDAY=1WE,3WE",
        ),
        ("monthly on the first sunday", "FREQ=MONTHLY;BYDAY=1SU"),
        ("first weekday of the month", &first_workday),
        ("last business day of the month", &last_workday),
        ("last day of the month", "FREQ=MONTHLY;BYMONTHDAY=-1"),
        ("every month on the last day", "FREQ=MONTHLY;BYMONTHDAY=-1"),
        ("on the 15th", "FREQ=MONTHLY;BYMONTHDAY=15"),
        ("every 15th", "FREQ=MONTHLY;BYMONTHDAY=15"),
        ("everyday", "FREQ=DAILY"),
        ("alternate days", "FREQ=DAILY;INTERVAL=2"),
        ("every alternate day", "FREQ=DAILY;INTERVAL=2"),
        ("once per week", "FREQ=WEEKLY"),
        ("once weekly", "FREQ=WEEKLY"),
        ("once every two weeks", "FREQ=WEEKLY;INTERVAL=2"),
        ("half-yearly", "FREQ=MONTHLY;INTERVAL=6"),
        ("semiannually", "FREQ=MONTHLY;INTERVAL=6"),
        ("mon/wed/fri", "FREQ=WEEKLY;BYDAY=MO,WE,FR"),
        ("monday through friday", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
        ("end of month", "FREQ=MONTHLY;BYMONTHDAY=-1"),
        ("end of every month", "FREQ=MONTHLY;BYMONTHDAY=-1"),
        ("every month end", "FREQ=MONTHLY;BYMONTHDAY=-1"),
        ("first of the month", "FREQ=MONTHLY;BYMONTHDAY=1"),
        ("first day of every month", "FREQ=MONTHLY;BYMONTHDAY=1"),
        ("start of each month", "FREQ=MONTHLY;BYMONTHDAY=1"),
        ("end of year", "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=31"),
        ("last day of the year", "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=31"),
        ("first day of every year", "FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=1"),
        ("last day of february", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1"),
        ("every 4th of july", "FREQ=YEARLY;BYMONTH=7;BYMONTHDAY=4"),
        ("the 1st and 15th of the month", "FREQ=MONTHLY;BYMONTHDAY=1,15"),
        ("every month on the 15th", "FREQ=MONTHLY;BYMONTHDAY=15"),
        ("monthly on day 3", "FREQ=MONTHLY;BYMONTHDAY=3"),
        (
            "every 2 months on the 3rd",
            "FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=3",
        ),
        ("every january 1", "FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=1"),
        ("december 25th", "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=25"),
        (
            "every year on the 1st of may",
            "FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=1",
        ),
        ("yearly on 29 feb", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29"),
        ("fourth thursday of november", "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH"),
        ("every march", "FREQ=YEARLY;BYMONTH=3"),
        ("daily for 10 times", "FREQ=DAILY;COUNT=10"),
        ("every monday 5 times", "FREQ=WEEKLY;COUNT=5;BYDAY=MO"),
        (
            "weekdays until 2026-12-31",
            "FREQ=WEEKLY;UNTIL=20261231;BYDAY=MO,TU,WE,TH,FR",
        ),
    ] {
        assert_eq!(rule(phrase), expected, "{phrase}");
    }
}

#[test]
fn takes_rule_text_too() {
    assert_eq!(rule(" rrule:freq=weekly;byday=mo "), "FREQ=WEEKLY;BYDAY=MO");
}

#[test]
fn asks_back_when_a_phrase_can_mean_two_things() {
    for phrase in [
        "bimonthly",
        "bi-monthly",
        "biannually",
        "semimonthly",
        "twice a month",
        "twice a week",
        "twice every year",
        "every second tuesday",
        "every third friday",
    ] {
        let error = parse_recurrence(phrase).expect_err(phrase);
        assert!(
            matches!(error, RuleError::AmbiguousPhrase { .. }),
            "{phrase}: {error:?}"
        );
        assert_eq!(error.code(), "ambiguous_recurrence");
    }
    let error = parse_recurrence("bimonthly").expect_err("ambiguous");
    assert_eq!(
        error.to_string(),
        "`bimonthly` can mean two things: say `every 2 months`, or `on the 1st and 15th`"
    );
}

#[test]
fn refuses_anything_else_and_shows_what_it_understands() {
    for phrase in [
        "never",
        "sometimes",
        "every",
        "every 15",
        "15",
        "every blue moon",
        "twice",
        "once",
        "once once a day",
        "end",
        "first",
        "at nine",
        "every monday or so",
        "every weekday except friday",
        "every 2 weekdays",
        "every other weekday",
        "other day",
        "friday to monday",
        "and",
        "until 2026-12-31",
        "5 times",
        "every 1000000 days",
        "täglich",
    ] {
        let error = parse_recurrence(phrase).expect_err(phrase);
        assert!(
            matches!(error, RuleError::UnknownPhrase { .. }),
            "{phrase}: {error:?}"
        );
        assert!(error.to_string().contains("every monday and thursday"), "{error}");
    }
}

#[test]
fn a_phrase_is_held_to_the_limits_of_rules() {
    assert_eq!(
        parse_recurrence("every february 30"),
        Err(RuleError::NeverMatches)
    );
    assert_eq!(parse_recurrence(""), Err(RuleError::Empty));
    assert_eq!(parse_recurrence(&"daily ".repeat(200)), Err(RuleError::TooLong));
    for phrase in [
        "every 0 days",
        "every 1001 days",
        "daily for 10001 times",
        "daily until tomorrow",
        "on the 32nd",
    ] {
        let error = parse_recurrence(phrase).expect_err(phrase);
        assert!(
            matches!(error, RuleError::InvalidValue { .. }),
            "{phrase}: {error:?}"
        );
    }
}

#[test]
fn a_time_of_day_belongs_into_the_due() {
    for phrase in [
        "every tuesday at 9am",
        "daily at nine",
        "weekdays at 17:00",
        "every monday at noon until 2026-12-31",
    ] {
        let error = parse_recurrence(phrase).expect_err(phrase);
        assert!(
            matches!(error, RuleError::TimeInPhrase { .. }),
            "{phrase}: {error:?}"
        );
        assert_eq!(error.code(), "unsupported_recurrence");
    }
}

#[test]
fn frequencies_under_a_day_are_refused_by_name() {
    for phrase in ["hourly", "every 2 hours", "every 5 minutes", "every 30 seconds"] {
        assert!(
            matches!(
                parse_recurrence(phrase),
                Err(RuleError::UnsupportedFrequency { .. })
            ),
            "{phrase}"
        );
    }
}
