//! No text makes a parser panic, take long, or answer with more than a line.

use std::fmt::Display;
use std::str::FromStr;

use jiff::Timestamp;
use nudge_domain::id::{TaskId, UserId};
use nudge_domain::quiet_hours::TimeOfDay;
use nudge_domain::task::{CategoryName, Color, Description, Priority, Status, TagName, Title};
use nudge_domain::{Due, MailAddress, Rule, Zone, parse_recurrence};
use proptest::prelude::*;

use crate::given::{due, instant, zone};

/// Longest error message, in characters.
const LINE: usize = 320;

fn refuses_in_a_line<T>(read: Result<T, impl Display>) {
    if let Err(error) = read {
        let message = error.to_string();
        assert!(message.chars().count() <= LINE, "{message}");
        assert!(!message.contains(char::is_control), "{message:?}");
    }
}

fn parse<T: FromStr<Err: Display>>(text: &str) {
    refuses_in_a_line(text.parse::<T>());
}

fn read_by_everyone(text: &str) {
    parse::<Zone>(text);
    parse::<Rule>(text);
    parse::<TaskId>(text);
    parse::<UserId>(text);
    parse::<Title>(text);
    parse::<Description>(text);
    parse::<CategoryName>(text);
    parse::<TagName>(text);
    parse::<Color>(text);
    parse::<Priority>(text);
    parse::<Status>(text);
    refuses_in_a_line(parse_recurrence(text));
    refuses_in_a_line(Due::parse(text, &zone("Europe/Berlin")));
    for now in [
        Timestamp::MIN,
        instant("2026-06-10T08:30:45.5Z"),
        instant("2199-12-31T12:00:00Z"),
        Timestamp::MAX,
    ] {
        refuses_in_a_line(Due::parse_or_phrase(text, &zone("Europe/Berlin"), now));
        refuses_in_a_line(Due::bound(text, &zone("Europe/Berlin"), now));
    }
    refuses_in_a_line(due("2026-12-01", "Europe/Berlin").moved_by(text));
    parse::<MailAddress>(text);
    parse::<TimeOfDay>(text);
    if let Ok(rule) = parse_recurrence(text) {
        assert_eq!(rule.to_string().parse(), Ok(rule));
    }
}

#[test]
fn odd_and_very_long_texts() {
    for text in [
        "\u{0}",
        "\u{202e}daily",
        "ﬁrst monday",
        "DAİLY",
        "every ı day",
        "ß",
        "🦀",
        "\u{feff}FREQ=DAILY",
        "FREQ=DAILY\u{0}",
        "FREQ=DAILY;UNTIL=99991231T235959Z",
        "FREQ=DAILY;UNTIL=00010101",
        "0000-00-00",
        "9999-12-31T23:59:59-23:59",
        "1970-01-01T00:00:00+23:59",
        "-",
        "--",
        "mon-",
        "-mon",
        "th",
        "1th",
        "2026-é1-01",
        "RRULE:RRULE:FREQ=DAILY",
    ] {
        read_by_everyone(text);
    }
    for unit in [
        "a",
        "é",
        "1",
        ",",
        ";",
        "=",
        "and ",
        "FREQ=DAILY;",
        "BYDAY=MO,",
        "every ",
        "\n",
        "\u{202e}",
        "🦀",
    ] {
        read_by_everyone(&unit.repeat(100_000));
    }
}

proptest! {
    #[test]
    fn arbitrary_text(text in any::<String>()) {
        read_by_everyone(&text);
    }

    #[test]
    fn text_made_of_rule_pieces(pieces in prop::collection::vec(prop::sample::select(vec![
        "RRULE:", "FREQ=", "DAILY", "WEEKLY", "MONTHLY", "YEARLY", ";", ",", "=", "-", "+", "BYDAY=", "MO", "-1FR", "BYMONTHDAY=",
        "31", "BYMONTH=", "2", "BYSETPOS=", "BYYEARDAY=", "366", "BYWEEKNO=", "53", "COUNT=", "UNTIL=", "20260230", "T000000", "Z",
        "INTERVAL=", "WKST=", "0", "é",
    ]), 0..14)) {
        read_by_everyone(&pieces.concat());
    }

    #[test]
    fn text_made_of_words(words in prop::collection::vec(prop::sample::select(vec![
        "every", "each", "other", "second", "2", "31st", "first", "last", "day", "days", "week", "weeks", "month", "year",
        "monday", "fri", "weekday", "weekend", "january", "feb", "on", "the", "of", "and", ",", "-", "to", "for", "times", "until",
        "2026-12-31", "once", "a", "99999", "15th",
    ]), 0..8)) {
        read_by_everyone(&words.join(" "));
    }

    #[test]
    fn text_made_of_words_for_due_dates(words in prop::collection::vec(prop::sample::select(vec![
        "today", "tonight", "tomorrow", "day", "after", "in", "an", "a", "half", "couple", "99999", "2", "hours", "1h30m", "weeks", "months",
        "years", "from", "now", "this", "next", "end", "start", "first", "last", "week", "month", "eom", "weekend", "monday", "fri", "feb",
        "dec", "24", "29", "15th", "31st", "99999th", "2027", "1969", "2027-12-24", "at", "9am", "12 pm", "17:00", "24:00", "9", "noon",
        "midnight", "eod", "morning", "evening", "o'clock", "and", "of", ",", ".", "3/4", "é",
    ]), 0..7)) {
        read_by_everyone(&words.join(" "));
    }

    #[test]
    fn text_like_a_date(text in "[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]?([0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]{0,12})?)?)?(Z|[+-][0-9]{2}:[0-9]{2})?") {
        read_by_everyone(&text);
    }
}
