//! English words that recurrences and due dates share: weekdays, months, numbers. All in lower case.

pub(crate) const WEEKDAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];
pub(crate) const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const NUMBERS: [&str; 12] = [
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
];
const ORDINALS: [&str; 12] = [
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
    "eleventh", "twelfth",
];

/// Index of a weekday, Monday 0: `monday`, `mondays`, `mon`.
pub(crate) fn weekday(word: &str) -> Option<usize> {
    name_in(&WEEKDAYS, word).or_else(|| name_in(&WEEKDAYS, word.strip_suffix('s')?))
}

/// Number of a month: `january`, `jan`.
pub(crate) fn month(word: &str) -> Option<usize> {
    Some(name_in(&MONTHS, word)? + 1)
}

fn name_in(names: &[&str], word: &str) -> Option<usize> {
    names
        .iter()
        .position(|name| word.len() >= 3 && name.starts_with(word))
}

/// `first` to `twelfth`, `1st`, `22nd`.
pub(crate) fn ordinal(word: &str) -> Option<i32> {
    let spelled = ORDINALS
        .iter()
        .zip(1..)
        .find(|(name, _)| **name == word)
        .map(|(_, number)| number);
    spelled.or_else(|| numeral(word))
}

/// `1st`, `22nd`, `3rd`, `15th`. Another suffix (`11st`, `3nd`) is a typing error with no obvious correction.
pub(crate) fn numeral(word: &str) -> Option<i32> {
    let (digits, suffix) = word.split_at_checked(word.len().checked_sub(2)?)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let numeral = number(digits)?;
    let right = match (numeral % 100, numeral % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    (suffix == right).then_some(numeral)
}

/// `3`, `three`. The rule checks the range.
pub(crate) fn number(word: &str) -> Option<i32> {
    if (1..=5).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit()) {
        return word.parse().ok();
    }
    NUMBERS
        .iter()
        .zip(1..)
        .find(|(name, _)| **name == word)
        .map(|(_, number)| number)
}
