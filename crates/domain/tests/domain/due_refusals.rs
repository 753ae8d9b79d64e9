//! What is refused or asked back about where a due date is expected. It is Wednesday, 10 June 2026, half past ten in Berlin, unless a
//! test says otherwise.

use nudge_domain::DueError;

use crate::due_phrase::{BERLIN, NOW, check, read};
use crate::given::due;

fn refusal(text: &str) -> DueError {
    match read(text, BERLIN, due(NOW, BERLIN).at()) {
        Err(error) => error,
        Ok(due) => panic!("`{text}` was understood as {due}"),
    }
}

#[test]
fn shows_three_phrases_when_it_does_not_understand() {
    for text in [
        "",
        ".",
        "now",
        "someday",
        "tonight tonight",
        "in 3 3 days",
        "in 3 hours 3 hours",
        "in 30 minutes 1 hour",
        "friday next",
        "9am 5pm",
        "at 9 at 10",
        "monday tuesday",
        "next next week",
        "on mondays",
        "this week at 9am",
        "december 2027",
        "noon at 3",
        "the of on by friday",
        "24 december of 2027",
        "1/2/3/4",
        "13/1/x",
        "asap",
        "morgen",
        "every monday",
        "tomorrow or friday",
        "tomorrow tomorrow",
        "in",
        "in hours",
        "in 3",
        "in 3 blue moons",
        "in 3 hours at 9am",
        "in -1 days",
        "in 1.5 hours",
        "in 999999 days",
        "next",
        "this",
        "next 15th",
        "end",
        "end of days",
        "13pm",
        "0am",
        "9:5",
        "at",
        "at nine",
        "17",
        "24",
        "dec",
        "dec 24 27",
        "dec dec",
        "24 24",
        "tomorrow at",
        "tomorrow 9am 10am",
        "th",
        "１５th",
        "a week from 3 hours",
        "in 1h2h3h4h5h",
        "in 1 hour 1 hour 1 hour 1 hour 1 hour",
        "FREQ=DAILY",
        "the 11st",
        "3nd of june",
        "december 2rd",
        "4st",
        "13nd of the month",
    ] {
        let error = refusal(text);
        assert!(
            matches!(error, DueError::UnknownPhrase { .. }),
            "{text}: {error:?}"
        );
        assert_eq!(error.code(), "invalid_due");
        let message = error.to_string();
        for example in ["tomorrow 9am", "in 3 hours", "next friday"] {
            assert!(message.contains(example), "{message}");
            assert!(read(example, BERLIN, due(NOW, BERLIN).at()).is_ok(), "{example}");
        }
    }
    let long = format!("tomorrow{}", " ".repeat(100));
    assert!(matches!(refusal(&long), DueError::UnknownPhrase { .. }));
}

#[test]
fn asks_back_where_people_read_two_things() {
    for text in [
        "at 5",
        "tomorrow at 5",
        "at 9 on friday",
        "5 o'clock",
        "tonight at 5",
        "tomorrow morning at 12",
        "3/4",
        "1/5/2027",
        "05.01.2027",
        "5-1-2027",
        "13/1/27",
        "3/4 at 9am",
        "this evening at 3",
        "3:30 this evening",
        "tomorrow evening 3:30",
        "friday at 3 in the evening",
        "in 1y 6m",
        "in 1y6m",
        "in 1 year 6 m",
        "in 1 month 15m",
        "in 2w 3m",
        "1y 6m from now",
        "in 3M",
        "in 6 M",
        "IN 3M",
        "dec 24 2000",
        "24 december 2015",
        "the 24th of dec 2059",
    ] {
        let error = refusal(text);
        assert!(
            matches!(error, DueError::AmbiguousPhrase { .. }),
            "{text}: {error:?}"
        );
        assert_eq!(error.code(), "ambiguous_due");
    }
}

#[test]
fn says_which_two_things_an_ambiguous_phrase_can_be() {
    for (text, both) in [
        ("1/5/2027", "say 2027-05-01 or 2027-01-05"),
        ("3/4", "say apr 3 or mar 4"),
        ("tomorrow at 5", "say 5am or 5pm"),
        ("tonight at 5:30", "say 5:30am or 5:30pm"),
        ("in 1y 6m", "say 6 months or 6 min"),
        ("in 3M", "say 3 months or 3 min"),
        ("tomorrow at 12", "say noon or midnight"),
        ("tomorrow morning at 12", "say noon or midnight"),
        ("tomorrow morning at 12:30", "say 00:30 or 12:30pm"),
        ("dec 24 2015", "say 2015-12-24 or dec 24 20:15"),
        (
            "tomorrow evening 3:30",
            "say 3:30am at night or 3:30pm in the afternoon",
        ),
    ] {
        let message = refusal(text).to_string();
        assert!(message.contains(both), "{message}");
        let (_, both) = both.split_once("say ").expect("it begins so");
        for date in both.split(" or ") {
            let date = match text {
                "in 1y 6m" | "in 3M" => format!("in {date}"),
                _ => date.to_owned(),
            };
            assert!(read(&date, BERLIN, due(NOW, BERLIN).at()).is_ok(), "{date}");
        }
    }
}

#[test]
fn refuses_an_hour_that_is_not_in_the_part_of_the_day() {
    for (text, named) in [
        ("tonight at 9am", "09:00 is not at night"),
        ("9am tonight", "09:00 is not at night"),
        ("morning at 8pm", "20:00 is not in the morning"),
        ("tomorrow morning at 15:00", "15:00 is not in the morning"),
        ("this afternoon at 9", ": 9 is not in the afternoon"),
        ("friday at 7 in the afternoon", ": 7 is not in the afternoon"),
        ("friday at 7:30 in the afternoon", "7:30 is not in the afternoon"),
        ("friday evening at 7am", "07:00 is not in the evening"),
        ("noon tonight", "12:00 is not at night"),
        ("midnight in the morning", "midnight is not in the morning"),
        ("tonight at 4pm", "16:00 is not at night"),
        ("3pm in the morning", "15:00 is not in the morning"),
    ] {
        let error = refusal(text);
        assert!(matches!(error, DueError::OtherPart { .. }), "{text}: {error:?}");
        assert_eq!(error.code(), "invalid_due");
        assert!(error.to_string().contains(named), "{error}");
    }
}

#[test]
fn refuses_what_has_passed_instead_of_a_due_date_in_the_past() {
    for text in [
        "yesterday",
        "last friday",
        "last friday at 9am",
        "last night",
        "2 days ago",
        "today at 9am",
        "9am today",
        "this morning at 9",
        "start of this month",
        "first day of the week",
        "9th of this month",
        "tuesday of this week",
        "last month",
        "yesterday at 9am",
        "june 10 at 9am",
        "10 june 9am",
        "wednesday, june 10 at 9am",
    ] {
        let error = refusal(text);
        assert!(matches!(error, DueError::Passed { .. }), "{text}: {error:?}");
        assert_eq!(error.code(), "invalid_due");
    }
    let now = due("2026-12-31T16:48", BERLIN).at();
    for text in ["dec 31 9am", "31/12 9am", "end of december at 9am"] {
        let error = read(text, BERLIN, now).expect_err(text);
        assert!(matches!(error, DueError::Passed { .. }), "{text}: {error:?}");
    }
    check("2026-12-31T16:48", &[("31st 9am", "2027-01-31T09:00")]);
    let now = due("2026-06-10T21:30", BERLIN).at();
    for text in ["this morning", "this afternoon", "tonight at 8", "today at noon"] {
        let error = read(text, BERLIN, now).expect_err(text);
        assert!(matches!(error, DueError::Passed { .. }), "{text}: {error:?}");
    }
    // A year that is written is meant.
    check(
        NOW,
        &[
            ("dec 24, 2020", "2020-12-24"),
            ("end of march 2020", "2020-03-31"),
        ],
    );
}

#[test]
fn shows_how_to_write_a_time_that_looks_like_a_year() {
    for (text, time) in [
        ("dec 24 1800", "18:00"),
        ("dec 24 0900", "09:00"),
        ("24 december 2230", "22:30"),
    ] {
        let error = refusal(text);
        assert!(
            matches!(error, DueError::TimeWithoutColon { .. }),
            "{text}: {error:?}"
        );
        assert_eq!(error.code(), "invalid_due");
        assert!(error.to_string().contains(time), "{error}");
    }
}

#[test]
fn quotes_the_text_as_written() {
    let message = refusal("tomorrow at 9 o'clock").to_string();
    assert!(message.contains("`tomorrow at 9 o'clock`"), "{message}");
    let message = refusal("do \"it\"\n\u{202e}soon").to_string();
    assert!(message.contains(r#"`do "it"\n\u{202e}soon`"#), "{message}");
}

#[test]
fn refuses_dates_and_times_that_do_not_exist() {
    for text in [
        "feb 30",
        "31 june",
        "feb 29 2027",
        "the 32nd",
        "0th",
        "31st of this month",
        "tomorrow at 24:00",
        "9:60am",
        "17:99",
        "2026-02-30 at 9am",
        "at 25",
        "dec 99999",
    ] {
        let error = refusal(text);
        assert!(matches!(error, DueError::NoSuchTime { .. }), "{text}: {error:?}");
    }
    for text in [
        "dec 24 1969",
        "dec 24, 2200",
        "in 200 years",
        "in 99999 years",
        "in 99999 months",
        "2200-01-01 at noon",
    ] {
        let error = refusal(text);
        assert!(
            matches!(error, DueError::YearOutOfRange { .. }),
            "{text}: {error:?}"
        );
    }
    let error = refusal("friday, december 25, 2027");
    assert!(error.to_string().contains("2027-12-25 is a saturday"), "{error}");
    assert_eq!(error.code(), "invalid_due");
}
