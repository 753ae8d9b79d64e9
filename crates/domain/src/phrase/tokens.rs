//! Splits a phrase into words, with a cursor to read them.

use std::ops::Range;

use crate::english;

/// A word of a phrase, or a punctuation mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'t> {
    /// The word in lower case.
    pub(super) text: &'t str,
    /// Where it begins in the phrase, in bytes.
    start: usize,
}

impl Token<'_> {
    /// Where it is in the phrase, in bytes.
    pub(super) fn span(&self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }
}

/// The words of a phrase in lower case. Commas, `&`, `/` and `-` are words of their own, but a word that begins with a digit keeps
/// its hyphens unless letters follow (`2026-12-31`), and one of digits its slashes (`1/15`). An abbreviated month or weekday
/// loses its full stop (`dec.`).
pub(super) fn tokens(phrase: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut start = 0;
    for (word, space) in phrase
        .split_inclusive(char::is_whitespace)
        .map(|word| (word.trim_end(), word.len()))
    {
        let mut from = start;
        for piece in word.split_inclusive(|mark| is_mark(word, mark)) {
            let mark = piece.chars().next_back().filter(|mark| is_mark(word, *mark));
            let length = piece.len() - mark.map_or(0, char::len_utf8);
            for text in [piece.get(..length), piece.get(length..)].into_iter().flatten() {
                if !text.is_empty() {
                    let word = cut_down(text).unwrap_or(text);
                    tokens.push(Token {
                        text: word,
                        start: from,
                    });
                }
                from += text.len();
            }
        }
        start += space;
    }
    tokens
}

/// `dec` of `dec.`: an abbreviated month or weekday without its full stop.
fn cut_down(text: &str) -> Option<&str> {
    let name = text.strip_suffix('.')?;
    let known = english::weekday(name).is_some() || english::month(name).is_some();
    let whole = english::WEEKDAYS.contains(&name) || english::MONTHS.contains(&name);
    (known && !whole).then_some(name)
}

/// Whether a character ends a word within `word`, which has no spaces.
fn is_mark(word: &str, mark: char) -> bool {
    let of_digits = |bytes: &str| {
        word.starts_with(|first: char| first.is_ascii_digit())
            && word
                .bytes()
                .all(|byte| byte.is_ascii_digit() || bytes.as_bytes().contains(&byte))
    };
    match mark {
        ',' | '&' => true,
        '/' => !of_digits("/,"),
        '-' => {
            let letters = word
                .split('-')
                .skip(1)
                .any(|rest| rest.starts_with(char::is_alphabetic));
            letters || !word.starts_with(|first: char| first.is_ascii_digit())
        }
        _ => false,
    }
}

/// A position in the words of a phrase.
///
/// Functions that take a `Cursor` read all remaining words, those that take a `&mut Cursor` only the first of them. Both return
/// `None` if the words do not match. A `&mut Cursor` may have moved then: alternatives use [`maybe`](Self::maybe), which restores it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'w> {
    rest: &'w [Token<'w>],
}

impl<'w> Cursor<'w> {
    pub(super) fn new(words: &'w [Token<'w>]) -> Self {
        Self { rest: words }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// The result of `read`, if it reads all words.
    pub(super) fn all<T>(mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        read(&mut self).filter(|_| self.is_at_end())
    }

    /// The result of `read`; if it is `None`, the cursor does not move.
    pub(super) fn maybe<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let mut ahead = *self;
        let found = read(&mut ahead)?;
        *self = ahead;
        Some(found)
    }

    /// The next word, if `read` accepts it.
    pub(super) fn next<T>(&mut self, read: impl FnOnce(&'w str) -> Option<T>) -> Option<T> {
        let (first, rest) = self.rest.split_first()?;
        let found = read(first.text)?;
        self.rest = rest;
        Some(found)
    }

    /// The next word, if it is one of these.
    pub(super) fn one_of(&mut self, words: &[&str]) -> Option<()> {
        self.next(|word| words.contains(&word).then_some(()))
    }

    /// These words in this order.
    pub(super) fn words(&mut self, words: &[&str]) -> Option<()> {
        self.maybe(|cursor| words.iter().try_for_each(|word| cursor.one_of(&[*word])))
    }

    /// Skips the next word if it is one of these.
    pub(super) fn skip(&mut self, words: &[&str]) {
        let _ = self.one_of(words);
    }

    /// One or more items that `read` reads, separated by what `and` reads.
    pub(super) fn list<T>(
        &mut self,
        and: impl Fn(&mut Self) -> Option<()>,
        read: impl Fn(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        let mut list = vec![self.maybe(&read)?];
        while let Some(item) = self.maybe(|cursor| and(cursor).and_then(|()| read(cursor))) {
            list.push(item);
        }
        Some(list)
    }

    /// `3`, `three`.
    pub(super) fn number(&mut self) -> Option<i32> {
        self.next(english::number)
    }

    /// `3`.
    pub(super) fn digits(&mut self) -> Option<i32> {
        self.next(|word| {
            english::number(word).filter(|_| word.starts_with(|first: char| first.is_ascii_digit()))
        })
    }

    /// `3rd`.
    pub(super) fn numeral(&mut self) -> Option<i32> {
        self.next(english::numeral)
    }

    /// `3rd`, `third`.
    pub(super) fn ordinal(&mut self) -> Option<i32> {
        self.next(english::ordinal)
    }

    /// Index of a weekday, Monday 0.
    pub(super) fn weekday(&mut self) -> Option<usize> {
        self.next(english::weekday)
    }

    /// Number of a month.
    pub(super) fn month(&mut self) -> Option<usize> {
        self.next(english::month)
    }
}

#[cfg(test)]
mod tests {
    use super::tokens;

    #[test]
    fn words_know_where_they_are() {
        let phrase = "  mon-fri, 2nd-to-last\tof 2026-12-31 1/15, 1st/15th é-a&b";
        let tokens = tokens(phrase);
        for token in &tokens {
            assert_eq!(phrase.get(token.span()), Some(token.text));
        }
        let words: Vec<&str> = tokens.iter().map(|token| token.text).collect();
        assert_eq!(
            words,
            [
                "mon",
                "-",
                "fri",
                ",",
                "2nd",
                "-",
                "to",
                "-",
                "last",
                "of",
                "2026-12-31",
                "1/15",
                ",",
                "1st",
                "/",
                "15th",
                "é",
                "-",
                "a",
                "&",
                "b"
            ]
        );
    }
}
