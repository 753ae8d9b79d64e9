//! Rules: parsing any text, and expanding whatever was accepted, ends, keeps its order and is cheap.
//!
//! The first byte picks a zone, the next four an instant to start at, the rest is the text.

#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use nudge_domain::recurrence::{End, MAX_DAYS_EXAMINED, Rule};
use nudge_domain::{Due, Zone};

const ZONES: [&str; 8] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Santiago",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Africa/Casablanca",
    "Asia/Kathmandu",
];

/// Days that the last period of a search may go beyond the limit.
const ONE_PERIOD: u32 = 366;

fuzz_target!(|data: &[u8]| {
    let Some((&[zone, a, b, c, d], text)) = data.split_first_chunk::<5>() else {
        return;
    };
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let Ok(rule) = text.parse::<Rule>() else { return };
    assert_eq!(
        rule.to_string().parse::<Rule>().as_ref(),
        Ok(&rule),
        "its canonical text is itself"
    );

    let zone: Zone = ZONES[usize::from(zone) % ZONES.len()].parse().expect("a zone");
    // From 1970 to 2106.
    let at = Timestamp::from_second(i64::from(u32::from_le_bytes([a, b, c, d]))).expect("in range");
    let Ok(start) = Due::new(at, zone) else { return };

    let mut search = rule.occurrences(&start);
    let mut previous = None;
    let mut found = 0;
    for at in search.by_ref() {
        assert!(at >= start.at(), "nothing is before the start");
        assert!(
            previous.is_none_or(|previous| previous < at),
            "in order, each once"
        );
        assert!(Due::new(at, start.zone().clone()).is_ok(), "within the years");
        previous = Some(at);
        found += 1;
    }
    if let End::Count(count) = rule.end() {
        assert!(found <= count);
    }
    // This is what a rule costs: the days it makes the search look at, and no more instants than days.
    assert!(
        search.days_examined() <= MAX_DAYS_EXAMINED + ONE_PERIOD,
        "{} days",
        search.days_examined()
    );
    assert!(found <= search.days_examined(), "{found} occurrences");

    // Skipping ahead finds what walking finds.
    if let Some(second) = rule.occurrences(&start).nth(1) {
        assert_eq!(
            rule.next_after(&start, second),
            rule.occurrences(&start).find(|at| *at > second)
        );
    }
});
