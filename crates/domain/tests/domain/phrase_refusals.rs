//! Recurrence phrases that are refused, and what the messages say instead.

use nudge_domain::{RuleError, parse_recurrence};

fn rule(phrase: &str) -> String {
    parse_recurrence(phrase)
        .unwrap_or_else(|error| panic!("{phrase}: {error}"))
        .to_string()
}

fn message(phrase: &str) -> String {
    parse_recurrence(phrase).expect_err(phrase).to_string()
}

#[test]
fn every_check_sees_a_phrase_without_its_end_and_its_beginning() {
    for phrase in [
        "bimonthly",
        "semi-monthly",
        "biannually",
        "twice a month",
        "every 2nd friday",
        "every second workday",
        "every third business day",
        "every 2nd weekend",
        "every other weekday",
        "every day 3 times",
        "monthly on monday",
        "every month on 1/15",
        "every second day in december",
        "every january 1, 27",
        "every monday, twice",
    ] {
        for with in ["", " until 2027-06-30", ", until 2027-06-30", " for 5 times"] {
            let phrase = format!("{phrase}{with}");
            let error = parse_recurrence(&phrase).expect_err(&phrase);
            assert_eq!(error.code(), "ambiguous_recurrence", "{phrase}: {error}");
        }
    }
    for phrase in [
        "once every 2nd friday",
        "on every 2nd friday",
        "once bimonthly",
        "each 2nd friday",
    ] {
        let error = parse_recurrence(phrase).expect_err(phrase);
        assert_eq!(error.code(), "ambiguous_recurrence", "{phrase}");
    }
    for phrase in [
        "hourly until 2027-06-30",
        "daily at nine for 5 times",
        "every monday 9am, for 2 times",
    ] {
        let error = parse_recurrence(phrase).expect_err(phrase);
        assert_eq!(error.code(), "unsupported_recurrence", "{phrase}");
    }
}

#[test]
fn how_often_without_days_says_what_is_missing() {
    for phrase in [
        "every 3 days a week",
        "3 days a week",
        "every two days per week",
        "2 days every month",
        "every 3 days of the week",
        "every 2 weeks of the month",
        "3 times a day",
        "three times per week",
        "3 times daily",
        "twice daily",
        "twice a day",
        "thrice weekly",
    ] {
        let error = parse_recurrence(phrase).expect_err(phrase);
        assert!(
            matches!(error, RuleError::DaysMissing { .. }),
            "{phrase}: {error:?}"
        );
        assert_eq!(error.code(), "invalid_recurrence");
    }
    let error = parse_recurrence("every 3 days a week").expect_err("no days");
    assert_eq!(
        error.to_string(),
        "`every 3 days a week` says how often, but not on which days: say `every monday and thursday`, or a distance, \
         such as `every 2 days`"
    );
}

#[test]
fn what_messages_say_instead_is_understood() {
    let ambiguous = [
        "bimonthly",
        "semimonthly",
        "biannual",
        "twice a month",
        "twice a week",
        "every 2nd friday",
        "every 2nd workday",
        "every 2nd weekend",
        "every other weekday",
        "every 2nd january",
        "monthly on monday",
        "last day",
        "every 1/15",
        "3 days a week",
        "3 times a day",
        "the first day",
        "every 25/12",
        "every january 1, 27",
        "every third day of january",
        "every 2nd day in the month",
        "1 time a day",
        "1 time a week",
        "1 time a month",
        "1 time a year",
        "3 times a month",
        "twice yearly",
        "3 times a year",
        "4 times a year",
        "6 times a year",
        "5 times a year",
        "7 days a week",
        "täglich",
    ];
    for phrase in ambiguous {
        let message = parse_recurrence(phrase).expect_err(phrase).to_string();
        for instead in message.split('`').skip(3).step_by(2) {
            assert!(parse_recurrence(instead).is_ok(), "{phrase}: {instead}");
        }
    }
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
        "every 2nd january",
        "every first day",
        "the last day",
        "every 1/15",
        "on 1/15",
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
        "other day",
        "monday to monday",
        "and",
        "until 2026-12-31",
        "5 times",
        "every 1000000 days",
        "täglich",
        "15th and friday",
        "first monday and friday of the month",
        "monday wednesday",
        "1st 15th",
        "every monday monday",
        "every every monday",
        "every monday and",
        "and monday",
        "monday,",
        "every month on the",
        "every first",
        "every last",
        "every 2 mondays",
        "every day on monday",
        "daily on monday",
        "every week on the 15th",
        "every year on the 15th",
        "every year on monday",
        "friday of the month",
        "once on monday",
        "once monday",
        "every 0th day",
        "every -1 days",
        "every 1.5 days",
        "every monday or thursday",
        "monday to friday to sunday",
        "1-15 of the month",
        "M/W/F",
        "once/week",
        "3x/week",
        "every monday and/or friday",
        "every month at the 15th",
        "monthly at month end",
        "from monday",
        "monday. and friday",
        "day 15, 16",
        "every other monday and every thursday",
        "every monday and every other thursday",
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
fn a_time_of_day_belongs_into_the_due() {
    for phrase in [
        "every tuesday at 9am",
        "daily at nine",
        "weekdays at 17:00",
        "mon/wed/fri at 9am",
        "every monday 9 am",
        "every monday 9 a.m.",
        "every monday noon",
        "every monday at midnight",
        "every monday morning",
        "every monday in the evening",
        "every monday at night",
        "friday afternoons",
        "every morning",
        "each evening for 3 times",
        "9am every monday",
        "at 9am every monday",
        "at nine, every monday",
        "every day until 2026-12-31 at 9am",
        "every day until december 31, 2026 9 pm",
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
    for phrase in [
        "hourly",
        "every 2 hours",
        "every 5 minutes",
        "every 30 seconds",
        "every 30 min",
        "every 30 mins",
        "every 30min",
        "every 12h",
        "every 12 hrs",
    ] {
        assert!(
            matches!(
                parse_recurrence(phrase),
                Err(RuleError::UnsupportedFrequency { .. })
            ),
            "{phrase}"
        );
    }
}

#[test]
fn every_second_day_within_a_month_could_be_every_other_day() {
    for (phrase, instead) in [
        (
            "every second day in december",
            "`every 2 days`, or `day 2 of december`",
        ),
        (
            "each second day in dec.",
            "`every 2 days`, or `day 2 of december`",
        ),
        (
            "every third day of january",
            "`every 3 days`, or `day 3 of january`",
        ),
        (
            "every 2nd day in the month",
            "`every 2 days`, or `day 2 of the month`",
        ),
        (
            "on every 5th day in every other month",
            "`every 5 days`, or `day 5 of the month`",
        ),
    ] {
        assert_eq!(
            message(phrase),
            format!("`{phrase}` can mean two things: say {instead}")
        );
    }
    for (phrase, expected) in [
        ("every 2nd day of the month", "FREQ=MONTHLY;BYMONTHDAY=2"),
        (
            "the second day of december",
            "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=2",
        ),
        ("2nd day in december", "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=2"),
        (
            "every year on the 2nd day of may",
            "FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=2",
        ),
        (
            "every first day in december",
            "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=1",
        ),
        ("every last day in the month", "FREQ=MONTHLY;BYMONTHDAY=-1"),
        (
            "every 1st and 2nd day in december",
            "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=1,2",
        ),
        ("every 2nd of december", "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=2"),
    ] {
        assert_eq!(rule(phrase), expected, "{phrase}");
    }
}

#[test]
fn a_number_behind_a_date_and_a_comma_could_be_a_year() {
    for phrase in [
        "every january 1, 27",
        "january 1, 15",
        "every year on january 1, 27",
    ] {
        let error = parse_recurrence(phrase).expect_err(phrase);
        assert_eq!(error.code(), "ambiguous_recurrence", "{phrase}");
    }
    for (phrase, expected) in [
        ("every january 1 and 27", "FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=1,27"),
        ("every january 1st, 27", "FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=1,27"),
        ("every january 1, 27th", "FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=1,27"),
        (
            "every january 1, 15, 27",
            "FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=1,15,27",
        ),
    ] {
        assert_eq!(rule(phrase), expected, "{phrase}");
    }
}

#[test]
fn an_end_that_is_not_a_date_says_why() {
    for (until, why) in [
        ("2027-02-29", "there is no such date"),
        ("feb 30 2027", "there is no such date"),
        ("2026-13-01", "there is no such date"),
        ("20270229", "there is no such date"),
        ("31/12/2026", "write the date as 2026-12-31"),
        ("12/31/2026", "write the date as 2026-12-31"),
        ("2026/12/31", "write the date as 2026-12-31"),
        ("2026/5/6", "write the date as 2026-12-31"),
        ("6/6/2026", "write the date as 2026-12-31"),
        ("31.12.2026", "write the date as 2026-12-31"),
        ("31-12-2026", "write the date as 2026-12-31"),
        ("12/31", "give a date with its year, such as 2026-12-31"),
        ("tomorrow", "give a date with its year, such as 2026-12-31"),
    ] {
        let expected = format!("UNTIL={until} is not valid: {why}");
        assert_eq!(message(&format!("daily until {until}")), expected);
    }
    assert_eq!(rule("daily until Dec. 31, 2026"), "FREQ=DAILY;UNTIL=20261231");
}

#[test]
fn advice_fits_what_was_said() {
    for (phrase, advice) in [
        (
            "the first day",
            "`first day of the month`, or `first day of the year`",
        ),
        (
            "every last day",
            "`last day of the month`, or `last day of the year`",
        ),
        (
            "4 times a year",
            "`every 3 months`, or each date in a task of its own",
        ),
        ("twice yearly", "`every 6 months`, or two dates as two tasks"),
        (
            "3 times a month",
            "`on the 1st and 15th`, or a distance, such as `every 2 weeks`",
        ),
        ("1 time a day", "`daily`"),
        ("7 days a week", "`daily`"),
        (
            "every day, 3 times",
            "`for 3 times` to end after 3, or make 3 tasks that recur",
        ),
        (
            "every monday twice",
            "`for 2 times` to end after 2, or make 2 tasks that recur",
        ),
        (
            "every month 12 times",
            "`for 12 times` to end after 12, or make 12 tasks that recur",
        ),
        (
            "every day 1 time",
            "`for 1 time` to end after one, or leave the number out",
        ),
        ("every 25/12", "the month in words, such as `every december 25`"),
    ] {
        let message = message(phrase);
        assert!(message.ends_with(&format!("say {advice}")), "{message}");
    }
}
