//! Recurrence phrases are what `docs/phrases.md` says: phrases derived from its grammar, and what becomes of them when words
//! are dropped, doubled, swapped or replaced.

use std::collections::BTreeSet;

use jiff::civil::Date;
use nudge_domain::{Rule, RuleError, parse_recurrence};

use crate::grammar::names::{MONTHS, NUMBERS, ORDINALS};
use crate::grammar::{Class, Grammar, Random, text, tokens};

const DOCUMENT: &str = include_str!("../../../../docs/phrases.md");

const WEEKDAYS: [(&str, &str); 7] = [
    ("monday", "MO"),
    ("tuesday", "TU"),
    ("wednesday", "WE"),
    ("thursday", "TH"),
    ("friday", "FR"),
    ("saturday", "SA"),
    ("sunday", "SU"),
];

pub(crate) fn grammar() -> Grammar {
    Grammar::read(DOCUMENT, "Recurrence phrases", &CLASSES)
}

const CLASSES: [Class; 9] = [
    Class {
        name: "weekday",
        read: |token| {
            let singular = token.strip_suffix('s').unwrap_or(token);
            let named = |name: &str| {
                [token, singular]
                    .iter()
                    .any(|token| token.len() >= 3 && name.starts_with(token))
            };
            let (_, code) = WEEKDAYS.iter().find(|(name, _)| named(name))?;
            Some((*code).to_owned())
        },
        sample: |random| {
            let (name, _) = random.of(&WEEKDAYS);
            let plural = if random.below(5) == 0 { "s" } else { "" };
            format!("{}{plural}", cut(name, random))
        },
    },
    Class {
        name: "month",
        read: |token| {
            let at = MONTHS
                .iter()
                .position(|name| token.len() >= 3 && name.starts_with(token))?;
            Some((at + 1).to_string())
        },
        sample: |random| {
            let name = random.of(&MONTHS);
            cut(name, random)
        },
    },
    Class {
        name: "one..twelve",
        read: |token| spelled(&NUMBERS, token),
        sample: |random| (*random.of(&NUMBERS)).to_owned(),
    },
    Class {
        name: "first..twelfth",
        read: |token| spelled(&ORDINALS, token),
        sample: |random| (*random.of(&ORDINALS)).to_owned(),
    },
    Class {
        name: "second..twelfth",
        read: |token| spelled(&ORDINALS, token).filter(|number| number != "1"),
        sample: |random| (*random.of(&ORDINALS[1..])).to_owned(),
    },
    Class {
        name: "first..fifth",
        read: |token| spelled(&ORDINALS[..5], token),
        sample: |random| (*random.of(&ORDINALS[..5])).to_owned(),
    },
    Class {
        name: "second..fifth",
        read: |token| spelled(&ORDINALS[..5], token).filter(|number| number != "1"),
        sample: |random| (*random.of(&ORDINALS[1..5])).to_owned(),
    },
    Class {
        name: "date",
        read: |token| {
            let compact = token.replace('-', "");
            let dashes: Vec<usize> = token.match_indices('-').map(|(at, _)| at).collect();
            let form: String = compact
                .chars()
                .map(|c| if c.is_ascii_digit() { '0' } else { c })
                .collect();
            let known = match form.as_str() {
                "00000000" => dashes.is_empty() || dashes == [4, 7],
                "00000000t000000" | "00000000t000000z" => dashes.is_empty(),
                _ => false,
            };
            known.then(|| compact.to_uppercase())
        },
        sample: |random| {
            let (year, month, day) = (2026 + random.below(5), 1 + random.below(12), 1 + random.below(30));
            match random.below(4) {
                0 => format!("{year}{month:02}{day:02}t090000z"),
                1 => format!("{year}{month:02}{day:02}"),
                _ => format!("{year}-{month:02}-{day:02}"),
            }
        },
    },
    Class {
        name: "slashed",
        read: |token| {
            let (first, second) = token.split_once('/')?;
            let number = |text: &str| text.parse().ok().filter(|number| (1..=31).contains(number));
            let (first, second): (u8, u8) = (number(first)?, number(second)?);
            Some(format!("{first},{second}"))
        },
        sample: |random| format!("{}/{}", 1 + random.below(12), 1 + random.below(31)),
    },
];

/// A name as it is, or cut down to three letters or more.
fn cut(name: &str, random: &mut Random) -> String {
    let letters = u32::try_from(name.len()).expect("a short name");
    let cut = match random.below(3) {
        0 => 3 + random.below(letters - 2),
        _ => letters,
    };
    name[..cut as usize].to_owned()
}

fn spelled(names: &[&str], token: &str) -> Option<String> {
    let at = names.iter().position(|name| *name == token)?;
    Some((at + 1).to_string())
}

/// The rule that a meaning of the document stands for; none if it stands for no rule, such as one with a 30 February.
fn meant(meaning: &str) -> Option<Rule> {
    let mut parts = Vec::new();
    for part in meaning.split(';') {
        let (name, value) = part
            .split_once('=')
            .unwrap_or_else(|| panic!("the document means {meaning}"));
        let value = match name {
            "INTERVAL" => value
                .split('*')
                .map(|factor| factor.parse::<u32>().ok())
                .product::<Option<u32>>()?
                .to_string(),
            "BYDAY" => weekdays(value)?,
            "UNTIL" => until(value),
            _ => value.to_owned(),
        };
        parts.push((name.to_owned(), value));
    }
    last_days(&mut parts)?;
    let texts: Vec<String> = parts
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    texts.join(";").parse().ok()
}

/// `MO..TH,SU` and `1,3*TU,-1*FR` as lists; a range from a day to the same day is none.
fn weekdays(value: &str) -> Option<String> {
    let codes = WEEKDAYS.map(|(_, code)| code);
    let index = |code: &str| codes.iter().position(|known| *known == code);
    let (mut days, mut positions) = (Vec::new(), Vec::new());
    for item in value.split(',') {
        if let Some((first, last)) = item.split_once("..") {
            let (mut day, last) = (index(first)?, index(last)?);
            if day == last {
                return None;
            }
            days.push(codes[day].to_owned());
            while day != last {
                day = (day + 1) % 7;
                days.push(codes[day].to_owned());
            }
        } else if let Some((position, day)) = item.split_once('*') {
            positions.push(position);
            days.extend(positions.drain(..).map(|position| format!("{position}{day}")));
        } else if index(item).is_some() {
            days.push(item.to_owned());
        } else {
            positions.push(item);
        }
    }
    Some(days.join(","))
}

/// `2026-3-7` as `20260307`.
fn until(value: &str) -> String {
    let parts: Vec<&str> = value.split('-').collect();
    match parts.as_slice() {
        [year, month, day] => format!("{year}{month:0>2}{day:0>2}"),
        _ => value.to_owned(),
    }
}

/// "In a phrase, the 29th, 30th or 31st of a shorter month is its last day", as the table of the document writes it. None if a named
/// month never has one of the days.
fn last_days(parts: &mut Vec<(String, String)>) -> Option<()> {
    let find = |name: &str| {
        parts
            .iter()
            .find(|(part, _)| part == name)
            .map(|(_, value)| value.clone())
    };
    let Some(days) = find("BYMONTHDAY").filter(|_| find("BYSETPOS").is_none()) else {
        return Some(());
    };
    let days: BTreeSet<i16> = days
        .split(',')
        .map(|day| day.parse().expect("a number"))
        .collect();
    let month: Option<i8> = find("BYMONTH").map(|month| month.parse().expect("a number"));
    let longest = month.map_or(31, |month| {
        Date::constant(2028, 1, 1)
            .with()
            .month(month)
            .build()
            .expect("a month")
            .days_in_month()
    });
    if days.last() > Some(&longest.into()) {
        return None;
    }
    let shortest = if month.is_none_or(|month| month == 2) {
        28
    } else {
        longest
    };
    if days.last() <= Some(&shortest.into()) || days.first() < Some(&0) {
        return Some(());
    }
    let low: BTreeSet<i16> = days.iter().copied().filter(|day| *day < 28).collect();
    let highest = *days.last().expect("there is one");
    let named: Vec<i16> = low.iter().copied().chain(28..=highest).collect();
    let places = named
        .iter()
        .zip(1..)
        .filter(|(day, _)| days.contains(day))
        .map(|(day, place)| if *day == highest { -1 } else { place });
    let joined = |numbers: Vec<i16>| numbers.iter().map(i16::to_string).collect::<Vec<_>>().join(",");
    let places = joined(places.collect());
    for (name, value) in parts.iter_mut() {
        if name == "BYMONTHDAY" {
            *value = joined(named.clone());
        }
    }
    parts.push(("BYSETPOS".to_owned(), places));
    Some(())
}

/// The one rule that the document derives for a phrase; none if it derives none, or several.
fn derived(grammar: &Grammar, words: &[String]) -> Option<Rule> {
    let rules: Vec<Option<Rule>> = grammar
        .meanings("recurrence", words)
        .iter()
        .map(|meaning| meant(meaning))
        .collect();
    let mut rules: Vec<Rule> = rules.into_iter().flatten().collect();
    rules.dedup();
    match rules.as_slice() {
        [rule] => Some(rule.clone()),
        _ => None,
    }
}

#[track_caller]
fn check(grammar: &Grammar, phrase: &str) {
    let expected = derived(grammar, &tokens(phrase));
    let found = parse_recurrence(phrase).ok();
    let (found, expected) = (
        found.map(|rule| rule.to_string()),
        expected.map(|rule| rule.to_string()),
    );
    assert_eq!(found, expected, "`{phrase}` is not read as docs/phrases.md says");
}

#[test]
fn every_phrase_that_the_document_derives_means_what_it_says() {
    let grammar = grammar();
    let mut random = Random::new(15);
    let mut understood = 0;
    for _ in 0..4_000 {
        let sample = grammar.sample("recurrence", &mut random);
        let phrase = text(&sample.tokens);
        if phrase.len() > Rule::MAX_TEXT_CHARS {
            continue;
        }
        let expected = meant(&sample.meaning).map(|rule| rule.to_string());
        let found = parse_recurrence(&phrase);
        assert_eq!(
            found.as_ref().ok().map(ToString::to_string),
            expected,
            "`{phrase}` means {}: {found:?}",
            sample.meaning
        );
        let meanings = grammar.meanings("recurrence", &tokens(&phrase));
        if Vec::from_iter(&meanings) != [&sample.meaning] {
            let derived = derived(&grammar, &tokens(&phrase)).map(|rule| rule.to_string());
            assert_eq!(derived, expected, "`{phrase}` means several things: {meanings:?}");
        }
        understood += usize::from(found.is_ok());
    }
    assert!(understood > 3_000, "only {understood} samples are rules");
}

#[test]
fn a_phrase_with_a_word_changed_means_what_the_document_says_of_it_or_nothing() {
    let grammar = grammar();
    let mut random = Random::new(16);
    let vocabulary = grammar.vocabulary(&mut random);
    for round in 0..6_000 {
        let start = if round % 5 == 0 { "ambiguous" } else { "recurrence" };
        let mut words = grammar.sample(start, &mut random).tokens;
        if words.len() > 20 {
            continue;
        }
        for _ in 0..=random.below(2) {
            mutate(&mut words, &vocabulary, &mut random);
        }
        check(&grammar, &text(&words));
    }
}

/// Drops a word, doubles it, swaps it with the next, replaces it, or puts one before it.
fn mutate(words: &mut Vec<String>, vocabulary: &[String], random: &mut Random) {
    let Ok(length @ 1..) = u32::try_from(words.len()) else {
        return;
    };
    let at = random.below(length) as usize;
    match random.below(5) {
        0 => drop(words.remove(at)),
        1 => words.insert(at, words[at].clone()),
        2 if at + 1 < words.len() => words.swap(at, at + 1),
        3 => words.insert(at, random.of(vocabulary).clone()),
        _ => words[at] = random.of(vocabulary).clone(),
    }
}

#[test]
fn words_in_any_order_mean_what_the_document_says_of_them_or_nothing() {
    let grammar = grammar();
    let mut random = Random::new(17);
    let vocabulary = grammar.vocabulary(&mut random);
    for _ in 0..4_000 {
        let length = 1 + random.below(6);
        let words: Vec<String> = (0..length).map(|_| random.of(&vocabulary).clone()).collect();
        check(&grammar, &text(&words));
    }
}

#[test]
fn every_line_of_the_grammar_is_tested() {
    let unused = grammar()
        .unused(&["recurrence", "ambiguous", "how-often"])
        .join(", ");
    assert_eq!(unused, "");
}

/// The readings of an ambiguous phrase that are rules; `—` is none, and neither is every 1001st of something.
fn readings(meaning: &str) -> Vec<Rule> {
    let (first, second) = meaning
        .split_once(" or ")
        .expect("the document gives two readings");
    [first, second]
        .into_iter()
        .filter(|reading| *reading != "—")
        .filter_map(meant)
        .collect()
}

#[test]
fn every_phrase_that_the_document_calls_ambiguous_is_refused_as_such() {
    let grammar = grammar();
    let mut random = Random::new(18);
    for _ in 0..2_000 {
        let sample = grammar.sample("ambiguous", &mut random);
        let phrase = text(&sample.tokens);
        if phrase.len() > Rule::MAX_TEXT_CHARS || readings(&sample.meaning).is_empty() {
            continue;
        }
        let error = parse_recurrence(&phrase).expect_err(&phrase);
        assert!(
            matches!(error, RuleError::AmbiguousPhrase { .. }),
            "`{phrase}`: {error:?}"
        );
        assert_eq!(
            derived(&grammar, &sample.tokens),
            None,
            "`{phrase}` is both understood and ambiguous"
        );
    }
}

#[test]
fn the_two_readings_of_an_ambiguous_phrase_are_two_rules() {
    let grammar = grammar();
    let mut random = Random::new(19);
    for _ in 0..500 {
        let sample = grammar.sample("either", &mut random);
        if let [first, second] = readings(&sample.meaning).as_slice() {
            assert_ne!(first, second, "{:?}", sample.tokens);
        }
    }
}

/// The cells of the tables below a heading whose first column is `phrase`.
fn rows(heading: &str) -> Vec<(String, String)> {
    let section = DOCUMENT
        .split_once(&format!("{heading}\n"))
        .expect("the document has the section")
        .1;
    let section = section.split("\n## ").next().unwrap_or(section);
    let mut rows = Vec::new();
    let mut inside = false;
    for line in section.lines() {
        match line.trim_matches('|').split_once('|') {
            Some((first, _)) if line.starts_with('|') && first.trim() == "phrase" => inside = true,
            Some((first, second)) if inside && line.starts_with('|') && !first.contains("---") => {
                rows.push((first.trim().to_owned(), second.trim().to_owned()));
            }
            Some(_) if line.starts_with('|') => {}
            _ => inside = false,
        }
    }
    assert!(!rows.is_empty(), "no table below {heading}");
    rows
}

/// What stands between backticks.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn the_examples_of_the_document_are_right() {
    for (phrase, meaning) in rows("## Recurrence phrases") {
        let [rule] = quoted(&meaning)[..] else { continue };
        // What is due on a certain day is in the tests of month ends.
        if let ([phrase], false) = (&quoted(&phrase)[..], phrase.contains("due on")) {
            assert_eq!(
                parse_recurrence(phrase).expect(phrase).to_string(),
                rule,
                "{phrase}"
            );
        }
    }
    for (phrases, _) in rows("### Refused recurrences") {
        for phrase in quoted(&phrases) {
            assert!(parse_recurrence(phrase).is_err(), "{phrase}");
        }
    }
}

#[test]
fn how_often_without_days_is_refused_as_such() {
    let grammar = grammar();
    let mut random = Random::new(20);
    for _ in 0..2_000 {
        let sample = grammar.sample("how-often", &mut random);
        let phrase = text(&sample.tokens);
        let error = parse_recurrence(&phrase).expect_err(&phrase);
        assert!(
            matches!(error, RuleError::DaysMissing { .. }),
            "`{phrase}`: {error:?}"
        );
        assert_eq!(derived(&grammar, &sample.tokens), None, "`{phrase}`");
    }
}
