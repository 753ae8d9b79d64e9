//! Tasks in one line: no line panics, its parts are in order, and each choice of a question is a line again.
//!
//! The first byte picks a zone, the next four an instant that it is now, the rest is the line.

#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use nudge_domain::Zone;
use nudge_domain::quick_add::{Labels, read};

const ZONES: [&str; 4] = ["UTC", "Europe/Berlin", "America/Santiago", "Pacific/Apia"];

fuzz_target!(|data: &[u8]| {
    let Some((&[zone, a, b, c, d], line)) = data.split_first_chunk::<5>() else {
        return;
    };
    let Ok(line) = std::str::from_utf8(line) else {
        return;
    };
    let zone: Zone = ZONES[usize::from(zone) % ZONES.len()].parse().expect("a zone");
    let now = Timestamp::from_second(i64::from(u32::from_le_bytes([a, b, c, d]))).expect("in range");
    let labels = Labels::default();
    let Ok(task) = read(line, &zone, now, &labels) else { return };

    assert!(task.title.as_str().chars().count() <= 200);
    let mut end = 0;
    for part in &task.parts {
        assert!(end <= part.range.start && part.range.start < part.range.end);
        assert!(line.get(part.range.clone()).is_some(), "it is a part of the line");
        end = part.range.end;
    }
    if let Some(rule) = &task.recurrence {
        assert!(task.due.is_some(), "{line:?} repeats {rule}");
        assert!(!rule.in_words().is_empty());
    }
    for choice in task.questions.iter().flat_map(|question| &question.choices) {
        let _ = read(&choice.text, &zone, now, &labels);
    }
});
