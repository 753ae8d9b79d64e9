//! The end of a recurrence: `until 2026-12-31`, `for 10 times`.

use std::ops::Range;

use jiff::civil::Date;

use super::refusal::time;
use super::tokens::{Cursor, Token};
use crate::english;
use crate::recurrence::RuleError;
use crate::text::quoted;

/// The end of a phrase, not yet parsed.
#[derive(Debug, Clone, Copy)]
pub(super) enum End<'w> {
    Never,
    Until(&'w [Token<'w>]),
    For(&'w [Token<'w>]),
}

/// A phrase without its end, and the end.
pub(super) fn split<'w>(words: &'w [Token<'w>]) -> (&'w [Token<'w>], End<'w>) {
    let begins = |word: &Token<'_>| ["until", "till", "for"].contains(&word.text);
    let Some((body, [first, end @ ..])) = words
        .iter()
        .rposition(begins)
        .and_then(|at| words.split_at_checked(at))
    else {
        return (words, End::Never);
    };
    let body = match body {
        [body @ .., comma] if comma.text == "," => body,
        body => body,
    };
    match first.text {
        "for" => (body, End::For(end)),
        _ => (body, End::Until(end)),
    }
}

impl End<'_> {
    /// The end as part of a rule, not yet checked. Errors quote `phrase`.
    pub(super) fn read(self, phrase: &str) -> Result<String, RuleError> {
        let unknown = || RuleError::UnknownPhrase { text: quoted(phrase) };
        match self {
            Self::Never => Ok(String::new()),
            Self::For(words) => Cursor::new(words)
                .all(count)
                .map(|count| format!(";COUNT={count}"))
                .ok_or_else(unknown),
            Self::Until([]) => Err(unknown()),
            Self::Until(words) => match date(Cursor::new(words)) {
                Some(until) if exists(&until) => Ok(format!(";UNTIL={until}")),
                Some(_) => Err(invalid(words, phrase, "there is no such date")),
                None => Err(refusal(words, phrase)),
            },
        }
    }
}

/// Why these words are not a date.
fn refusal(words: &[Token<'_>], phrase: &str) -> RuleError {
    let numbers = words.iter().find_map(|word| numbers(word.text));
    if let Some([first, second, ..]) = numbers.as_deref()
        && first != second
        && [first, second]
            .into_iter()
            .all(|number| (1..=12).contains(number))
    {
        return RuleError::AmbiguousPhrase {
            text: quoted(phrase),
            instead: "`until 2026-12-31`, or `until december 31, 2026`".into(),
        };
    }
    let timed = words.iter().enumerate().any(|(at, _)| {
        let Some((day, rest)) = words.split_at_checked(at) else {
            return false;
        };
        date(Cursor::new(day)).is_some() && time(&mut Cursor::new(rest)).is_some()
    });
    if timed {
        return RuleError::TimeInPhrase { text: quoted(phrase) };
    }
    let expected = match numbers.as_deref() {
        Some([_, _, _, ..]) => "write the date as 2026-12-31",
        _ => "give a date with its year, such as 2026-12-31",
    };
    invalid(words, phrase, expected)
}

fn invalid(words: &[Token<'_>], phrase: &str, expected: &'static str) -> RuleError {
    RuleError::InvalidValue {
        name: "UNTIL",
        value: quoted(written(words, phrase)),
        expected,
    }
}

/// The numbers of `31/12/2026`, `31.12.2026` or `31-12-2026`.
fn numbers(word: &str) -> Option<Vec<i32>> {
    let numbers: Option<Vec<i32>> = word
        .split(['/', '.', '-'])
        .map(|number| english::number(number).filter(|_| number.bytes().all(|byte| byte.is_ascii_digit())))
        .collect();
    numbers.filter(|numbers| numbers.len() > 1)
}

/// Whether a date in the form of a rule exists.
fn exists(date: &str) -> bool {
    let part = |range: Range<usize>| date.get(range).map(str::parse);
    let small = |range: Range<usize>| date.get(range).map(str::parse);
    match (part(0..4), small(4..6), small(6..8)) {
        (Some(Ok(year)), Some(Ok(month)), Some(Ok(day))) => Date::new(year, month, day).is_ok(),
        _ => false,
    }
}

fn date(words: Cursor<'_>) -> Option<String> {
    words.all(as_written).or_else(|| words.all(in_words))
}

/// The part of the phrase from the first of these words to the last.
fn written<'p>(words: &[Token<'_>], phrase: &'p str) -> &'p str {
    let (Some(first), Some(last)) = (words.first(), words.last()) else {
        return phrase;
    };
    phrase.get(first.span().start..last.span().end).unwrap_or(phrase)
}

fn count(words: &mut Cursor<'_>) -> Option<i32> {
    let count = words.number()?;
    words.one_of(&["time", "times"]).map(|()| count)
}

/// `2026-12-31`, or in the form of a rule: `20261231`, `20261231T090000Z`.
fn as_written(words: &mut Cursor<'_>) -> Option<String> {
    words.next(|word| {
        let dashes = word.match_indices('-').map(|(at, _)| at);
        if word.len() == 10 && dashes.eq([4, 7]) {
            let date = word.replace('-', "");
            return date.bytes().all(|byte| byte.is_ascii_digit()).then_some(date);
        }
        let (day, time) = word.split_at_checked(8)?;
        let digits = day.bytes().all(|byte| byte.is_ascii_digit());
        (digits && (time.is_empty() || time.starts_with('t'))).then(|| word.to_uppercase())
    })
}

/// `december 31, 2026`, `the 31st of december 2026`.
fn in_words(words: &mut Cursor<'_>) -> Option<String> {
    let day = |words: &mut Cursor<'_>| words.digits().or_else(|| words.numeral());
    let (month, day) = if let Some(month) = words.month() {
        (month, day(words)?)
    } else {
        words.skip(&["the"]);
        let day = day(words)?;
        words.skip(&["of"]);
        (words.month()?, day)
    };
    words.skip(&[","]);
    let year = words.digits().filter(|year| (1000..=9999).contains(year))?;
    Some(format!("{year}{month:02}{day:02}"))
}
