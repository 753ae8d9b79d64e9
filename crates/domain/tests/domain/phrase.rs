use nudge_domain::{RuleError, parse_recurrence};

fn rule(phrase: &str) -> String {
    parse_recurrence(phrase)
        .unwrap_or_else(|error| panic!("{phrase}: {error}"))
        .to_string()
}

#[test]
fn understands_common_spellings() {
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
        ("every monday and every thursday", "FREQ=WEEKLY;BYDAY=MO,TH"),
        ("every sat and on each monday", "FREQ=WEEKLY;BYDAY=MO,SA"),
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
        ("from monday to wednesday", "FREQ=WEEKLY;BYDAY=MO,TU,WE"),
        ("monday thru friday", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
        ("Mon., Wed., Fri.", "FREQ=WEEKLY;BYDAY=MO,WE,FR"),
        ("every Dec. 25", "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=25"),
        (
            "every month at the end of the month",
            "FREQ=MONTHLY;BYMONTHDAY=-1",
        ),
        (
            "every year at the end of may",
            "FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=-1",
        ),
        ("at the end of june", "FREQ=YEARLY;BYMONTH=6;BYMONTHDAY=-1"),
        (
            "on the end of june every year",
            "FREQ=YEARLY;BYMONTH=6;BYMONTHDAY=-1",
        ),
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
        ("fourth thursday of november", "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH"),
        ("every march", "FREQ=YEARLY;BYMONTH=3"),
        ("daily for 10 times", "FREQ=DAILY;COUNT=10"),
        ("every monday for 5 times", "FREQ=WEEKLY;COUNT=5;BYDAY=MO"),
        (
            "weekdays until 2026-12-31",
            "FREQ=WEEKLY;UNTIL=20261231;BYDAY=MO,TU,WE,TH,FR",
        ),
    ] {
        assert_eq!(rule(phrase), expected, "{phrase}");
    }
}

#[test]
fn a_number_before_the_unit_is_a_place_in_it() {
    for (phrase, expected) in [
        ("every 2nd of the month", "FREQ=MONTHLY;BYMONTHDAY=2"),
        ("every second of the month", "FREQ=MONTHLY;BYMONTHDAY=2"),
        ("each 15th of the month", "FREQ=MONTHLY;BYMONTHDAY=15"),
        ("every 15 of the month", "FREQ=MONTHLY;BYMONTHDAY=15"),
        ("the 15 of every month", "FREQ=MONTHLY;BYMONTHDAY=15"),
        ("every 2nd day of the month", "FREQ=MONTHLY;BYMONTHDAY=2"),
        ("day 3 of each month", "FREQ=MONTHLY;BYMONTHDAY=3"),
        ("3rd of every other month", "FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=3"),
        ("the 3rd every 2 months", "FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=3"),
        ("every 2nd friday of the month", "FREQ=MONTHLY;BYDAY=2FR"),
        (
            "every 2nd friday of every third month",
            "FREQ=MONTHLY;INTERVAL=3;BYDAY=2FR",
        ),
        (
            "every 3rd workday of the month",
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=3",
        ),
        ("every 2nd of january", "FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=2"),
        ("every 2 january", "FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=2"),
        // Without "of" it is an interval.
        ("every 2nd month", "FREQ=MONTHLY;INTERVAL=2"),
        (
            "every 2nd month on the 3rd",
            "FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=3",
        ),
        ("every 15th day", "FREQ=DAILY;INTERVAL=15"),
        ("every third week", "FREQ=WEEKLY;INTERVAL=3"),
    ] {
        assert_eq!(rule(phrase), expected, "{phrase}");
    }
    for phrase in [
        "every 2nd of the year",
        "every 2nd day of the week",
        "every 2nd week of the month",
        "every 2nd month of the year",
        "every two of the month",
    ] {
        let error = parse_recurrence(phrase).expect_err(phrase);
        assert!(
            matches!(error, RuleError::UnknownPhrase { .. }),
            "{phrase}: {error:?}"
        );
    }
}

#[test]
fn two_positions_side_by_side_are_one_from_the_end() {
    for (phrase, expected) in [
        ("second last friday of the month", "FREQ=MONTHLY;BYDAY=-2FR"),
        ("2nd to last friday of the month", "FREQ=MONTHLY;BYDAY=-2FR"),
        ("every 2nd-to-last friday", "FREQ=MONTHLY;BYDAY=-2FR"),
        ("monthly on the next to last friday", "FREQ=MONTHLY;BYDAY=-2FR"),
        ("third-to-last day of the month", "FREQ=MONTHLY;BYMONTHDAY=-3"),
        (
            "second last working day of the month",
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2",
        ),
        (
            "second and last friday of the month",
            "FREQ=MONTHLY;BYDAY=-1FR,2FR",
        ),
        ("second, last friday of the month", "FREQ=MONTHLY;BYDAY=-1FR,2FR"),
        (
            "the 1st and the 3rd friday of the month",
            "FREQ=MONTHLY;BYDAY=1FR,3FR",
        ),
        (
            "1st friday and 3rd monday of the month",
            "FREQ=MONTHLY;BYDAY=1FR,3MO",
        ),
    ] {
        assert_eq!(rule(phrase), expected, "{phrase}");
    }
    for phrase in [
        "last second friday of the month",
        "first last friday of the month",
        "first second friday of the month",
        "1st 3rd friday of the month",
        "next last friday of the month",
        "second second last friday of the month",
    ] {
        parse_recurrence(phrase).expect_err(phrase);
    }
}

#[test]
fn ranges_of_weekdays_run_over_the_end_of_the_week() {
    for (phrase, expected) in [
        ("sunday to saturday", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU"),
        ("fri-mon", "FREQ=WEEKLY;BYDAY=MO,FR,SA,SU"),
        ("every saturday through sunday", "FREQ=WEEKLY;BYDAY=SA,SU"),
        ("sun - mon", "FREQ=WEEKLY;BYDAY=MO,SU"),
        (
            "every 2 weeks on friday to sunday",
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=FR,SA,SU",
        ),
        ("mon-wed, sat", "FREQ=WEEKLY;BYDAY=MO,TU,WE,SA"),
    ] {
        assert_eq!(rule(phrase), expected, "{phrase}");
    }
}

#[test]
fn an_end_is_a_date_with_its_year_or_a_count() {
    for (phrase, expected) in [
        ("daily, until 2026-12-31", "FREQ=DAILY;UNTIL=20261231"),
        ("daily till 20261231", "FREQ=DAILY;UNTIL=20261231"),
        (
            "daily until 20261231T090000Z",
            "FREQ=DAILY;UNTIL=20261231T090000Z",
        ),
        ("daily until december 31, 2026", "FREQ=DAILY;UNTIL=20261231"),
        ("daily until the 1st of march 2027", "FREQ=DAILY;UNTIL=20270301"),
        ("daily, until 1 mar 2027.", "FREQ=DAILY;UNTIL=20270301"),
        (
            "every monday, and thursday, for ten times",
            "FREQ=WEEKLY;COUNT=10;BYDAY=MO,TH",
        ),
        ("weekly for 1 time", "FREQ=WEEKLY;COUNT=1"),
    ] {
        assert_eq!(rule(phrase), expected, "{phrase}");
    }
    for phrase in [
        "daily until 2026-02-30",
        "daily until february 30, 2026",
        "daily until 2026-13-01",
        "daily until december 31",
        "daily until friday",
    ] {
        let error = parse_recurrence(phrase).expect_err(phrase);
        assert!(
            matches!(error, RuleError::InvalidValue { name: "UNTIL", .. }),
            "{phrase}: {error:?}"
        );
    }
    for phrase in [
        "daily until 5/6/2026",
        "daily until 5/6",
        "daily until 05.06.2026",
    ] {
        let error = parse_recurrence(phrase).expect_err(phrase);
        assert_eq!(error.code(), "ambiguous_recurrence", "{phrase}");
        assert!(error.to_string().contains("until 2026-12-31"), "{error}");
    }
    for phrase in [
        "daily until",
        "daily for",
        "daily for 3",
        "daily for times",
        "daily for 3 days",
        "daily until 2026-12-31 for 3 times",
        "daily for 3 times until 2026-12-31",
        "daily,, until 2026-12-31",
        "for 3 times",
    ] {
        parse_recurrence(phrase).expect_err(phrase);
    }
}

#[test]
fn takes_rule_text_too() {
    assert_eq!(rule(" rrule:freq=weekly;byday=mo "), "FREQ=WEEKLY;BYDAY=MO");
}

#[test]
fn a_phrase_is_held_to_the_limits_of_rules() {
    for phrase in [
        "every february 30",
        "every 31st of april",
        "january 31 and february 30",
        "april 1 and 31",
        "sixth friday of the month",
        "1st and 6th friday of the month",
        "24th workday of the month",
    ] {
        let error = parse_recurrence(phrase).expect_err(phrase);
        let refused = matches!(error, RuleError::NeverMatches | RuleError::UnknownPhrase { .. });
        assert!(refused, "{phrase}: {error:?}");
    }
    assert_eq!(parse_recurrence(""), Err(RuleError::Empty));
    assert_eq!(parse_recurrence(&"daily ".repeat(200)), Err(RuleError::TooLong));
    for phrase in [
        "every 0 days",
        "every 1001 days",
        "daily for 10001 times",
        "daily until tomorrow",
        "on the 32nd",
        "day 32",
        "on the 0th",
        "the 1st and 32nd of the month",
        "daily for 0 times",
        "every 501 fortnights",
    ] {
        let error = parse_recurrence(phrase).expect_err(phrase);
        assert!(
            matches!(error, RuleError::InvalidValue { .. }),
            "{phrase}: {error:?}"
        );
    }
}

#[test]
fn dashes_of_every_length_are_hyphens() {
    for dash in [
        '\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2014}', '\u{2015}', '\u{2212}',
    ] {
        assert_eq!(rule(&format!("Mon{dash}Wed")), "FREQ=WEEKLY;BYDAY=MO,TU,WE");
        let until = format!("daily until 2026{dash}12{dash}31");
        assert_eq!(rule(&until), "FREQ=DAILY;UNTIL=20261231");
    }
    assert_eq!(rule("half–yearly"), "FREQ=MONTHLY;INTERVAL=6");
    let error = parse_recurrence("mon–fun").expect_err("no weekday");
    assert!(error.to_string().starts_with("`mon–fun` is not understood"));
}
