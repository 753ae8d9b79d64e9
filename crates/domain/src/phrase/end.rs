//! Where a recurrence ends: `until 2026-12-31`, `for 10 times`.

use super::tokens::{Cursor, Token};
use crate::recurrence::RuleError;
use crate::text::quoted;

/// The end of a phrase, still to be read.
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
    /// The end as part of a rule, not yet checked. `phrase` is what an error quotes.
    pub(super) fn read(self, phrase: &str) -> Result<String, RuleError> {
        let unknown = || RuleError::UnknownPhrase { text: quoted(phrase) };
        match self {
            Self::Never => Ok(String::new()),
            Self::For(words) => Cursor::new(words)
                .all(count)
                .map(|count| format!(";COUNT={count}"))
                .ok_or_else(unknown),
            Self::Until([]) => Err(unknown()),
            Self::Until(words) if words.iter().any(|word| super::refusal::is_slashed(word.text)) => {
                Err(RuleError::AmbiguousPhrase {
                    text: quoted(phrase),
                    instead: "`until 2026-12-31`, or `until december 31, 2026`",
                })
            }
            Self::Until(words) => {
                let cursor = Cursor::new(words);
                let until = cursor.all(as_written).or_else(|| cursor.all(in_words));
                let until = until.ok_or_else(|| RuleError::InvalidValue {
                    name: "UNTIL",
                    value: quoted(written(words, phrase)),
                    expected: "give a date with its year, such as 2026-12-31",
                })?;
                Ok(format!(";UNTIL={until}"))
            }
        }
    }
}

/// What stands in the phrase from the first of these words to the last.
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

/// `2026-12-31`, or as a rule has it: `20261231`, `20261231T090000Z`.
fn as_written(words: &mut Cursor<'_>) -> Option<String> {
    words.next(|word| {
        let dashes = word.match_indices('-').map(|(at, _)| at);
        if word.len() == 10 && dashes.eq([4, 7]) {
            return Some(word.replace('-', ""));
        }
        let digits = word.starts_with(|first: char| first.is_ascii_digit()) && !word.contains('-');
        (digits && word.len() >= 8).then(|| word.to_uppercase())
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
