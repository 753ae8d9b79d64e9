//! The kinds of words in the grammar of due phrases. What a word means is text for `meaning.rs`.

use crate::grammar::names::{MONTHS, NUMBERS, ORDINALS};
use crate::grammar::{Class, Random};

const WEEKDAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

/// From the longest to the shortest, each with what it is written like.
const UNITS: [(&str, &[&str]); 7] = [
    ("years", &["years", "year", "yrs", "yr", "y"]),
    ("months", &["months", "month"]),
    ("weeks", &["weeks", "week", "wks", "wk", "w"]),
    ("days", &["days", "day", "d"]),
    ("hours", &["hours", "hour", "hrs", "hr", "h"]),
    ("minutes", &["minutes", "minute", "mins", "min", "m"]),
    ("seconds", &["seconds", "second", "secs", "sec", "s"]),
];

pub(super) const CLASSES: [Class; 22] = [
    class("weekday", weekday, |random| {
        cut(random.of::<&str>(&WEEKDAYS), random)
    }),
    class(
        "month",
        |word| named(&MONTHS, word),
        |random| cut(random.of::<&str>(&MONTHS), random),
    ),
    class("one..twelve", one_to_twelve, |random| {
        (*random.of(&NUMBERS)).to_owned()
    }),
    class("first..twelfth", first_to_twelfth, |random| {
        (*random.of(&ORDINALS)).to_owned()
    }),
    class("2027/1/5", year_first, |random| {
        let (mark, year) = (*random.of(&["/", ".", "-"]), 2020 + random.below(12));
        format!("{year}{mark}{}{mark}{}", number(12, random), number(28, random))
    }),
    class("5/1/2027", year_last, |random| {
        let (mark, year) = (*random.of(&["/", ".", "-"]), 2020 + random.below(12));
        format!("{}{mark}{}{mark}{year}", number(31, random), number(14, random))
    }),
    class("5/1", without_year, |random| {
        format!("{}/{}", number(14, random), number(31, random))
    }),
    class(
        "9:30",
        |word| said(word, ':', 0..=23),
        |random| clock(random.below(24), ':', random),
    ),
    class(
        "9.30",
        |word| said(word, '.', 0..=23),
        |random| clock(random.below(24), '.', random),
    ),
    class(
        "9:30 of 12",
        |word| said(word, ':', 1..=12),
        |random| clock(1 + random.below(12), ':', random),
    ),
    class(
        "9.30 of 12",
        |word| said(word, '.', 1..=12),
        |random| clock(1 + random.below(12), '.', random),
    ),
    class("9:30pm", with_half, |random| {
        let hour = 1 + random.below(12);
        let mark = *random.of(&[':', '.']);
        let time = match random.below(2) {
            0 => hour.to_string(),
            _ => clock(hour, mark, random),
        };
        format!("{time}{}", random.of(&["am", "pm"]))
    }),
    class("2years", |word| glued(word, 0), |random| glue(0, random)),
    class("2months", |word| glued(word, 1), |random| glue(1, random)),
    class("2weeks", |word| glued(word, 2), |random| glue(2, random)),
    class("2days", |word| glued(word, 3), |random| glue(3, random)),
    class("2hours", |word| glued(word, 4), |random| glue(4, random)),
    class("2minutes", |word| glued(word, 5), |random| glue(5, random)),
    class(
        "2min",
        |word| glued(word, 5).filter(|_| !is_letter_m(word)),
        |random| format!("{}min", 1 + random.below(40)),
    ),
    class("2seconds", |word| glued(word, 6), |random| glue(6, random)),
    class(
        "1d2h30m",
        |word| several(word, 6),
        |random| glue_several(6, random),
    ),
    class("1w2d", |word| several(word, 3), |random| glue_several(3, random)),
];

const fn class(
    name: &'static str,
    read: fn(&str) -> Option<String>,
    sample: fn(&mut Random) -> String,
) -> Class {
    Class { name, read, sample }
}

fn weekday(word: &str) -> Option<String> {
    let word = if word == "weds" { "wed" } else { word };
    let index: usize = named(&WEEKDAYS, word)?.parse().ok()?;
    Some(WEEKDAYS[index - 1].to_owned())
}

/// The number of a name that is written in full or cut down to three letters.
fn named(names: &[&str], word: &str) -> Option<String> {
    let index = names
        .iter()
        .position(|name| word.len() >= 3 && name.starts_with(word))?;
    Some((index + 1).to_string())
}

fn cut(name: &str, random: &mut Random) -> String {
    match random.below(3) {
        0 => name[..3].to_owned(),
        _ => name.to_owned(),
    }
}

fn one_to_twelve(word: &str) -> Option<String> {
    let index = NUMBERS.iter().position(|name| *name == word)?;
    Some((index + 1).to_string())
}

fn first_to_twelfth(word: &str) -> Option<String> {
    let index = ORDINALS.iter().position(|name| *name == word)?;
    Some((index + 1).to_string())
}

/// From one on, now and then with a zero before it.
fn number(most: u32, random: &mut Random) -> String {
    let number = 1 + random.below(most);
    match random.below(2) {
        0 => format!("{number:02}"),
        _ => number.to_string(),
    }
}

/// Numbers between marks of one kind, with so many digits at most.
fn numbers(word: &str, marks: &[char]) -> Option<Vec<String>> {
    let mark = word.chars().find(|c| marks.contains(c))?;
    let parts = word.split(mark);
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    parts.map(|part| plain(part).then(|| part.to_owned())).collect()
}

fn year_first(word: &str) -> Option<String> {
    let parts = numbers(word, &['/', '.', '-'])?;
    let [year, month, day] = parts.as_slice() else {
        return None;
    };
    (year.len() == 4 && month.len() <= 2 && day.len() <= 2).then(|| format!("{year}-{month}-{day}"))
}

fn year_last(word: &str) -> Option<String> {
    let parts = numbers(word, &['/', '.', '-'])?;
    let [first, second, year] = parts.as_slice() else {
        return None;
    };
    let short = first.len() <= 2 && second.len() <= 2;
    match year.len() {
        4 if short => Some(format!("either {first} {second} {year}")),
        _ => None,
    }
}

fn without_year(word: &str) -> Option<String> {
    let parts = numbers(word, &['/'])?;
    let [first, second] = parts.as_slice() else {
        return None;
    };
    (first.len() <= 2 && second.len() <= 2).then(|| format!("either {first} {second}"))
}

/// `9:30` or `9:30:15`; no seconds behind full stops.
fn said(word: &str, mark: char, hours: std::ops::RangeInclusive<u32>) -> Option<String> {
    let parts = numbers(word, &[mark])?;
    let second = match parts.as_slice() {
        [_, _] => "00",
        [_, _, second] if mark == ':' => second,
        _ => return None,
    };
    let (hour, minute) = (&parts[0], &parts[1]);
    let sixty = |text: &str| text.len() == 2 && text.parse::<u32>().is_ok_and(|number| number < 60);
    let hour: u32 = hour.parse().ok().filter(|_| hour.len() <= 2)?;
    (hours.contains(&hour) && sixty(minute) && sixty(second))
        .then(|| format!("said {hour}:{minute}:{second}"))
}

fn with_half(word: &str) -> Option<String> {
    let half = if word.ends_with('p') {
        None
    } else {
        word.get(word.len().checked_sub(2)?..)
    };
    let half = half.filter(|half| ["am", "pm"].contains(half))?;
    let time = word.strip_suffix(half)?;
    let said = [':', '.'].into_iter().find_map(|mark| said(time, mark, 1..=12));
    let hour = || {
        let hour: u32 = time.parse().ok().filter(|_| time.len() <= 2)?;
        (1..=12).contains(&hour).then(|| format!("said {hour}:00:00"))
    };
    Some(format!("{} {half}", said.or_else(hour)?))
}

fn clock(hour: u32, mark: char, random: &mut Random) -> String {
    let minute = *random.of(&["00", "30", "59", "05"]);
    let hour = match random.below(2) {
        0 => format!("{hour:02}"),
        _ => hour.to_string(),
    };
    match random.below(4) {
        0 if mark == ':' => format!("{hour}:{minute}:{}", random.of(&["00", "15", "59"])),
        _ => format!("{hour}{mark}{minute}"),
    }
}

/// `2h`: a number and the unit with that index.
fn glued(word: &str, unit: usize) -> Option<String> {
    let (name, forms) = UNITS[unit];
    let digits = forms
        .iter()
        .find_map(|form| word.strip_suffix(form).filter(|rest| digits(rest)))?;
    let count: u32 = digits.parse().ok()?;
    (count > 0).then(|| format!("{count} {name}"))
}

/// `30m`.
fn is_letter_m(word: &str) -> bool {
    word.strip_suffix('m').is_some_and(digits)
}

fn digits(text: &str) -> bool {
    (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn glue(unit: usize, random: &mut Random) -> String {
    format!("{}{}", 1 + random.below(40), random.of(UNITS[unit].1))
}

/// `1h30m`: two or more, longer ones first, none longer than years and none shorter than the unit with that index.
fn several(word: &str, shortest: usize) -> Option<String> {
    let mut meanings = Vec::new();
    let mut next = 0;
    let mut rest = word;
    while !rest.is_empty() {
        let unit_at = rest.find(|c: char| !c.is_ascii_digit())?;
        let length = rest[unit_at..]
            .find(|c: char| c.is_ascii_digit())
            .map_or(rest.len(), |length| unit_at + length);
        let unit = (next..=shortest).find(|unit| glued(&rest[..length], *unit).is_some())?;
        // Behind a week or longer, it can be months.
        if is_letter_m(&rest[..length]) && (1..=3).contains(&next) {
            return None;
        }
        meanings.push(glued(&rest[..length], unit)?);
        next = unit + 1;
        rest = &rest[length..];
    }
    (meanings.len() > 1).then(|| meanings.join(" "))
}

fn glue_several(shortest: usize, random: &mut Random) -> String {
    let most = u32::try_from(shortest).expect("there are seven units");
    let first = random.below(most) as usize;
    let second = first + 1 + random.below(most - u32::try_from(first).expect("as above")) as usize;
    let (longer, shorter) = (glue(first, random), glue(second, random));
    match first {
        0..3 if is_letter_m(&shorter) => format!("{longer}{shorter}in"),
        _ => longer + &shorter,
    }
}
