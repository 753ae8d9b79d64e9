//! Due phrases are what `docs/phrases.md` says: whatever its grammar derives has the meaning it says there, and whatever it does
//! not derive is refused.

mod classes;
mod days;
mod meaning;
mod times;

use std::collections::BTreeSet;

use jiff::{Span, Timestamp};
use nudge_domain::{Due, DueError, Zone};

use self::classes::CLASSES;
use self::meaning::{Refusal, Use, evaluate};
use crate::given::{instant, zone};
use crate::grammar::{Grammar, Random, text, tokens};

const DOCUMENT: &str = include_str!("../../../../docs/phrases.md");
const SEED: u64 = 15;
const ZONES: [&str; 5] = [
    "Europe/Berlin",
    "America/Havana",
    "Africa/Cairo",
    "Australia/Adelaide",
    "Asia/Kathmandu",
];

fn grammar() -> Grammar {
    Grammar::read(DOCUMENT, "Due phrases", &CLASSES)
}

fn parsed(text: &str, zone: &Zone, now: Timestamp, usage: Use) -> Result<Timestamp, DueError> {
    match usage {
        Use::Due => Due::parse_or_phrase(text, zone, now),
        Use::Bound => Due::bound(text, zone, now),
    }
    .map(|due| due.at())
}

fn kind(error: &DueError) -> Option<Refusal> {
    match error {
        DueError::AmbiguousPhrase { .. } => Some(Refusal::Ambiguous),
        DueError::OtherPart { .. } => Some(Refusal::OtherPart),
        DueError::NoSuchTime { .. } => Some(Refusal::NoSuchTime),
        DueError::YearOutOfRange { .. } => Some(Refusal::OutOfRange),
        DueError::OtherWeekday { .. } => Some(Refusal::OtherWeekday),
        DueError::Passed { .. } => Some(Refusal::Passed),
        _ => None,
    }
}

/// Somewhere, at some time between 2026 and 2028, often at an hour that is special.
fn somewhere(random: &mut Random) -> (Zone, Timestamp) {
    let zone = zone(random.of::<&str>(&ZONES));
    let days = i64::from(random.below(800));
    let seconds = match random.below(4) {
        0 => i64::from(random.below(24)) * 3600,
        1 => i64::from(random.below(24)) * 3600 - 1,
        _ => i64::from(random.below(86_400)),
    };
    let midnight = instant("2026-01-01T00:00:00Z").to_zoned(zone.time_zone().clone());
    let day = midnight.start_of_day().expect("days begin");
    let later = Span::new().days(days);
    let now = day.checked_add(later).expect("in range").timestamp();
    let half = Span::new()
        .seconds(seconds)
        .milliseconds(i64::from(random.below(2)) * 500);
    (zone, now.checked_add(half).expect("in range"))
}

/// As a person would write it: with some commas and capitals. A capital `M` is refused.
fn written(tokens: &[String], random: &mut Random) -> String {
    let letter_m = tokens
        .iter()
        .any(|token| token.trim_start_matches(|c: char| c.is_ascii_digit()) == "m");
    let mut text = text(tokens);
    match random.below(8) {
        0 if !letter_m => text = text.to_uppercase(),
        1 => text = text.replacen(' ', ", ", 1),
        2 => text.push('.'),
        _ => {}
    }
    text
}

/// What is wrong with how a phrase was read, if anything.
fn wrong(grammar: &Grammar, tokens: &[String], text: &str, random: &mut Random) -> Option<String> {
    let (zone, now) = somewhere(random);
    let usage = *random.of(&[Use::Due, Use::Due, Use::Bound]);
    let meanings = grammar.meanings("phrase", tokens);
    let values: BTreeSet<Result<Timestamp, Refusal>> = meanings
        .iter()
        .map(|meaning| evaluate(meaning, &zone, now, usage))
        .collect();
    let read = parsed(text, &zone, now, usage);
    let agrees = match (&read, values.first()) {
        _ if values.len() > 1 => false,
        (Ok(read), Some(Ok(value))) => read == value,
        (Err(error), Some(Err(refusal))) => kind(error) == Some(*refusal),
        (Err(_), None) => true,
        _ => false,
    };
    let shown = |at: &Timestamp| at.to_zoned(zone.time_zone().clone()).to_string();
    let read = read.as_ref().map(shown).map_err(ToString::to_string);
    let values: Vec<_> = values.iter().map(|value| value.as_ref().map(shown)).collect();
    let now = shown(&now);
    (!agrees).then(|| format!("`{text}` at {now}, {usage:?}: {read:?}, but {meanings:?} is {values:?}"))
}

#[track_caller]
fn none(faults: &[String]) {
    let first: Vec<&str> = faults.iter().take(20).map(String::as_str).collect();
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        first.join("\n")
    );
}

#[test]
fn every_phrase_of_the_grammar_means_what_the_grammar_says() {
    let grammar = grammar();
    let mut random = Random::new(SEED);
    let (mut understood, mut faults) = (0, Vec::new());
    let mut unseen: BTreeSet<String> = grammar
        .vocabulary(&mut random)
        .into_iter()
        .filter(|word| CLASSES.iter().all(|class| (class.read)(word).is_none()))
        .filter(|word| !word.starts_with(|c: char| c.is_ascii_digit()))
        .collect();
    for _ in 0..6000 {
        let sample = grammar.sample("phrase", &mut random);
        let text = written(&sample.tokens, &mut random);
        if text.chars().count() > Due::MAX_PHRASE_CHARS {
            continue;
        }
        assert!(
            grammar
                .meanings("phrase", &sample.tokens)
                .contains(&sample.meaning),
            "{text}"
        );
        faults.extend(wrong(&grammar, &sample.tokens, &text, &mut random));
        for token in &sample.tokens {
            unseen.remove(token);
        }
        let (zone, now) = somewhere(&mut random);
        understood += u32::from(Due::parse_or_phrase(&text, &zone, now).is_ok());
    }
    none(&faults);
    assert!(unseen.is_empty(), "these words are never sampled: {unseen:?}");
    assert!(understood > 3000, "{understood} of 6000 phrases are understood");
}

#[test]
fn a_phrase_with_a_word_dropped_doubled_swapped_or_replaced_is_another_of_the_grammar_or_refused() {
    let grammar = grammar();
    let mut random = Random::new(SEED + 1);
    let vocabulary = grammar.vocabulary(&mut random);
    let (mut refused, mut faults) = (0, Vec::new());
    for _ in 0..2000 {
        let sample = grammar.sample("phrase", &mut random).tokens;
        for mutated in mutations(&sample, &vocabulary, &mut random) {
            let text = text(&mutated);
            if text.chars().count() > Due::MAX_PHRASE_CHARS {
                continue;
            }
            faults.extend(wrong(&grammar, &mutated, &text, &mut random));
            let (zone, now) = somewhere(&mut random);
            refused += u32::from(Due::parse_or_phrase(&text, &zone, now).is_err());
        }
    }
    none(&faults);
    assert!(refused > 4000, "{refused} are refused");
}

/// One of each kind.
fn mutations(sample: &[String], vocabulary: &[String], random: &mut Random) -> Vec<Vec<String>> {
    let length = u32::try_from(sample.len()).expect("a phrase is short");
    let at = random.below(length) as usize;
    let mut dropped = sample.to_vec();
    dropped.remove(at);
    let mut doubled = sample.to_vec();
    doubled.insert(at, sample[at].clone());
    let mut swapped = sample.to_vec();
    swapped.swap(at, random.below(length) as usize);
    let mut replaced = sample.to_vec();
    replaced[at].clone_from(random.of(vocabulary));
    let mut inserted = sample.to_vec();
    inserted.insert(at, random.of(vocabulary).clone());
    let twice = [sample, sample].concat();
    vec![dropped, doubled, swapped, replaced, inserted, twice]
}

#[test]
fn every_hour_is_in_the_parts_of_the_day_that_the_grammar_says() {
    let grammar = grammar();
    let mut random = Random::new(SEED);
    let (mut times, mut faults) = (Vec::new(), Vec::new());
    for hour in 0..24 {
        times.extend([
            format!("at {hour}:30"),
            format!("at {hour}:00"),
            format!("at {hour}"),
        ]);
    }
    for hour in 1..=12 {
        times.extend([
            format!("{hour}am"),
            format!("{hour}:59 pm"),
            format!("{hour} o'clock"),
        ]);
    }
    times.extend(["noon", "midnight", "end of day"].map(str::to_owned));
    for time in &times {
        let own = ["in the morning", "in the afternoon", "in the evening", "at night"];
        let mut phrases = vec![
            time.clone(),
            format!("{time} tonight"),
            format!("tomorrow {time}"),
        ];
        for part in own {
            phrases.push(format!("{time} {part}"));
            phrases.push(format!("saturday {part} {time}"));
            phrases.push(format!("dec 24 {time} {part}"));
            phrases.push(format!("this evening {time} {part}"));
        }
        for part in ["morning", "afternoon", "evening", "night"] {
            phrases.push(format!("{time} this {part}"));
            phrases.push(format!("tomorrow {part} {time}"));
        }
        for phrase in phrases {
            faults.extend(wrong(&grammar, &tokens(&phrase), &phrase, &mut random));
        }
    }
    none(&faults);
}

#[test]
fn the_tables_of_the_document_are_true() {
    let zone = zone("Europe/Berlin");
    // A Saturday, in the afternoon.
    let now = instant("2026-11-28T15:30:00Z");
    let section = DOCUMENT
        .split("## Due phrases")
        .nth(1)
        .expect("the section is there");
    let mut seen = 0;
    for (heading, ambiguous) in [("### Ambiguous", true), ("### Refused", false)] {
        let rest = section.split(heading).nth(1).expect("the heading is there");
        let rows = rest
            .trim_start()
            .lines()
            .take_while(|line| line.starts_with('|'))
            .skip(2);
        for row in rows {
            let cells: Vec<&str> = row.split(" | ").collect();
            for phrase in quoted(cells[0]) {
                let error = Due::parse_or_phrase(phrase, &zone, now).expect_err(phrase);
                let asked_back = matches!(error, DueError::AmbiguousPhrase { .. });
                assert_eq!(asked_back, ambiguous, "{phrase}: {error}");
                seen += 1;
            }
            if ambiguous {
                for phrase in quoted(cells[2]) {
                    assert!(Due::parse_or_phrase(phrase, &zone, now).is_ok(), "{phrase}");
                }
            }
        }
    }
    assert!(seen > 30, "{seen} phrases");
}

#[test]
fn the_examples_of_the_document_are_true() {
    let zone = zone("Europe/Berlin");
    let now = instant("2026-06-10T08:30:00Z");
    let section = DOCUMENT
        .split("## Due phrases")
        .nth(1)
        .expect("the section is there");
    let table = section
        .split("| phrase | is due |")
        .nth(1)
        .expect("the table is there");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let mut seen = 0;
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let phrase = quoted(cells[0]).next().expect("a phrase in backticks");
        let due = Due::parse_or_phrase(phrase, &zone, now).expect(phrase);
        assert_eq!(due.local().to_string(), cells[1], "{phrase}");
        seen += 1;
    }
    assert!(seen > 10, "{seen} examples");
}

/// What stands between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_phrase_of_the_prose_is_read_as_the_grammar_says() {
    let grammar = grammar();
    let mut random = Random::new(SEED);
    let section = DOCUMENT
        .split("## Due phrases")
        .nth(1)
        .expect("the section is there");
    let section = section.split("\n## ").next().unwrap_or(section);
    let mut block = false;
    let (mut seen, mut faults) = (0, Vec::new());
    for line in section.lines() {
        if line.starts_with("```") {
            block = !block;
        }
        if block {
            continue;
        }
        for phrase in quoted(line) {
            seen += 1;
            faults.extend(wrong(&grammar, &without_commas(phrase), phrase, &mut random));
        }
    }
    none(&faults);
    assert!(seen > 80, "{seen} phrases");
}

fn without_commas(text: &str) -> Vec<String> {
    let mut tokens = tokens(text);
    tokens.retain(|token| token != ",");
    // The grammar has no capitals, and a capital `M` is not an `m`.
    if text.ends_with('M') {
        tokens.push("M".to_owned());
    }
    tokens
}
