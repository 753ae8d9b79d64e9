//! Phrases for recurrences and due dates, and the small texts beside them: no text panics, and what is understood is in order.
//!
//! The first byte picks a zone, the next four an instant that it is now, the rest is the text.

#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use nudge_domain::phrase::parse_recurrence_for;
use nudge_domain::quiet_hours::TimeOfDay;
use nudge_domain::recurrence::Rule;
use nudge_domain::{Due, MailAddress, QuietHours, Zone, parse_recurrence};

const ZONES: [&str; 4] = ["UTC", "Europe/Berlin", "America/Santiago", "Pacific/Apia"];

fuzz_target!(|data: &[u8]| {
    let Some((&[zone, a, b, c, d], text)) = data.split_first_chunk::<5>() else {
        return;
    };
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let zone: Zone = ZONES[usize::from(zone) % ZONES.len()].parse().expect("a zone");
    let now = Timestamp::from_second(i64::from(u32::from_le_bytes([a, b, c, d]))).expect("in range");

    match parse_recurrence(text) {
        Ok(rule) => assert_eq!(
            rule.to_string().parse::<Rule>().as_ref(),
            Ok(&rule),
            "its canonical text is itself"
        ),
        Err(error) => one_line(&error.to_string()),
    }
    if let Ok(due) = Due::new(now, zone.clone())
        && let Ok(rule) = parse_recurrence_for(text, &due, None)
    {
        assert_eq!(rule.to_string().parse::<Rule>().as_ref(), Ok(&rule));
        let again = parse_recurrence_for(text, &due, Some(&rule));
        assert_eq!(again.as_ref(), Ok(&rule), "given again it is the same");
    }
    match Due::parse_or_phrase(text, &zone, now) {
        Ok(due) => {
            assert_eq!(
                Due::parse(&due.to_string(), &zone).as_ref().ok(),
                Some(&due),
                "what is shown is read again"
            );
        }
        Err(error) => one_line(&error.to_string()),
    }
    if let Ok(due) = Due::new(now, zone.clone()) {
        match due.moved_by(text) {
            Ok(moved) => assert_ne!(moved.at(), due.at()),
            Err(error) => one_line(&error.to_string()),
        }
    }
    match text.parse::<MailAddress>() {
        Ok(address) => assert_eq!(address.as_str(), text),
        Err(error) => one_line(&error.to_string()),
    }
    // `22:00-07:00`
    let times = text
        .split_once('-')
        .map(|(from, until)| (from.parse::<TimeOfDay>(), until.parse::<TimeOfDay>()));
    if let Some((Ok(from), Ok(until))) = times
        && let Ok(hours) = QuietHours::new(from, until)
        && let Some(end) = hours.end_if_inside(now, &zone)
    {
        assert!(end > now);
        assert_eq!(hours.end_if_inside(end, &zone), None);
    }
});

/// What every error message is: one line, short, and without control characters.
fn one_line(message: &str) {
    assert!(message.chars().count() <= 320, "{message}");
    assert!(!message.contains(char::is_control), "{message:?}");
}
