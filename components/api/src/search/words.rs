//! Texts as the search index sees them: words without case and diacritics, each behind a mark of its owner.
//!
//! Both databases get the same terms, so they find the same tasks, whatever their tokenizers and locales would do. The
//! owner's mark keeps the words of one user together in the index and away from everybody else's: a search reads nothing
//! of other users, a prefix neither.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::db::Dialect;

/// Most characters of a query.
const MAX_CHARS: usize = 200;

/// Most words of a query.
const MAX_WORDS: usize = 10;

/// Characters of a word that count. Nobody types more, and PostgreSQL takes no lexeme of 2 KiB.
const WORD_CHARS: usize = 40;

/// Bytes of an owner's mark, as two hexadecimal digits each. Two users may share a mark: statements ask for the user, too.
const MARK_BYTES: usize = 3;

/// Beginnings of so many characters have an index of their own.
const INDEXED_PREFIX: usize = 3;

/// What stands between mark and word: where the word is.
const TITLE: char = 't';
const DESCRIPTION: char = 'd';

/// Why a text cannot be searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WordsError {
    #[error("must have at most {MAX_CHARS} characters")]
    TooLong,
    #[error("must have at most {MAX_WORDS} words")]
    TooManyWords,
    #[error("must have a letter or a digit")]
    Empty,
}

impl WordsError {
    /// The code of the field's error.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::TooManyWords => "too_many_words",
            Self::Empty => "empty",
        }
    }
}

/// Which tasks a query matches, by where they have its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Within {
    /// All words in the title.
    Title,
    /// All words in title and description together, but not all in the title.
    Rest,
    /// Both of these.
    Anywhere,
}

/// What a user searches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Words {
    mark: String,
    words: Vec<String>,
}

impl Words {
    /// Reads a text of a user. Nothing in it is syntax.
    pub(crate) fn read(user_id: &str, text: &str) -> Result<Self, WordsError> {
        if text.chars().nth(MAX_CHARS).is_some() {
            return Err(WordsError::TooLong);
        }
        let words = split(text);
        match words.len() {
            0 => Err(WordsError::Empty),
            1..=MAX_WORDS => Ok(Self {
                mark: mark(user_id),
                words,
            }),
            _ => Err(WordsError::TooManyWords),
        }
    }

    /// The query as FTS5 (<https://sqlite.org/fts5.html#full_text_query_syntax>) or `tsquery`
    /// (<https://www.postgresql.org/docs/current/datatype-textsearch.html>) takes it. Words hold letters and digits only, so
    /// quotes around them are enough.
    pub(crate) fn expression(&self, dialect: Dialect, within: Within) -> String {
        let (and, or, not, quote, prefix) = match dialect {
            Dialect::Sqlite => (" AND ", " OR ", " NOT ", '"', " *"),
            Dialect::Postgres => (" & ", " | ", " & !", '\'', ":*"),
        };
        let all = |term: &dyn Fn(&str, &str) -> String| {
            let terms: Vec<String> = self
                .each()
                .map(|(word, last)| term(word, if last { prefix } else { "" }))
                .collect();
            format!("({})", terms.join(and))
        };
        let one = |place: char, word: &str, prefix: &str| {
            format!("{quote}{}{place}{word}{quote}{prefix}", self.mark)
        };
        let title = all(&|word, prefix| one(TITLE, word, prefix));
        let anywhere = all(&|word, prefix| {
            format!(
                "({}{or}{})",
                one(TITLE, word, prefix),
                one(DESCRIPTION, word, prefix)
            )
        });
        match within {
            Within::Title => title,
            Within::Anywhere => anywhere,
            Within::Rest => format!("{anywhere}{not}{title}"),
        }
    }

    /// Whether FTS5 has to merge all matches before it gives the first: those of a beginning that has no index of its own
    /// (`schema/4-sqlite.sql`). Then a word that is common is faster found without it.
    pub(crate) fn are_merged(&self) -> bool {
        self.words
            .last()
            .is_some_and(|last| last.chars().nth(INDEXED_PREFIX).is_some())
    }

    /// The same as a condition on the column `terms`, with the texts that are its parameters from `$next` on.
    pub(crate) fn condition(&self, dialect: Dialect, within: Within, next: usize) -> (String, Vec<String>) {
        let position = match dialect {
            Dialect::Sqlite => "INSTR",
            Dialect::Postgres => "STRPOS",
        };
        let mut parameters = Vec::new();
        let mut has = |place: char, (word, last): (&str, bool)| {
            let end = if last { "" } else { " " };
            parameters.push(format!(" {}{place}{word}{end}", self.mark));
            format!("{position}(terms, ${}) > 0", next + parameters.len() - 1)
        };
        let mut title = Vec::new();
        let mut anywhere = Vec::new();
        for word in self.each() {
            let in_title = has(TITLE, word);
            if within != Within::Title {
                anywhere.push(format!("({in_title} OR {})", has(DESCRIPTION, word)));
            }
            title.push(in_title);
        }
        let (title, anywhere) = (title.join(" AND "), anywhere.join(" AND "));
        let sql = match within {
            Within::Title => title,
            Within::Anywhere => anywhere,
            Within::Rest => format!("{anywhere} AND NOT ({title})"),
        };
        (sql, parameters)
    }

    /// The words, and whether each is the last, of which the beginning is enough.
    fn each(&self) -> impl Iterator<Item = (&str, bool)> {
        let last = self.words.len();
        self.words
            .iter()
            .zip(1..)
            .map(move |(word, number)| (word.as_str(), number == last))
    }
}

/// What the column `terms` holds: each word of a task once, spaces around.
pub(crate) fn terms(user_id: &str, title: &str, description: Option<&str>) -> String {
    let mark = mark(user_id);
    let title: BTreeSet<String> = split(title).into_iter().collect();
    let description: BTreeSet<String> = split(description.unwrap_or_default()).into_iter().collect();
    let mut terms = String::from(" ");
    let places = title
        .iter()
        .map(|word| (TITLE, word))
        .chain(description.difference(&title).map(|word| (DESCRIPTION, word)));
    for (place, word) in places {
        terms.push_str(&mark);
        terms.push(place);
        terms.push_str(word);
        terms.push(' ');
    }
    terms
}

fn mark(user_id: &str) -> String {
    Sha256::digest(user_id)
        .iter()
        .take(MARK_BYTES)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The runs of letters and digits of a text, folded.
fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut chars = 0;
    for letter in text.nfkd().filter(|letter| !is_combining_mark(*letter)) {
        if !letter.is_alphanumeric() {
            chars = 0;
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
        } else if chars < WORD_CHARS {
            chars += 1;
            fold(letter, &mut word);
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// A letter in lower case, and those whose stroke or ligature Unicode does not decompose, as people without that key type
/// them.
fn fold(letter: char, word: &mut String) {
    for letter in letter.to_lowercase() {
        match letter {
            'ß' => word.push_str("ss"),
            'æ' => word.push_str("ae"),
            'œ' => word.push_str("oe"),
            'þ' => word.push_str("th"),
            'ø' => word.push('o'),
            'ł' => word.push('l'),
            'đ' | 'ð' => word.push('d'),
            'ħ' => word.push('h'),
            'ı' => word.push('i'),
            'ς' => word.push('σ'),
            letter => word.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_runs_of_letters_and_digits_without_case_and_diacritics() {
        for (text, words) in [
            ("Café crème", vec!["cafe", "creme"]),
            ("Cafe\u{301} CRE\u{300}ME", vec!["cafe", "creme"]),
            ("Straße, ŁÓDŹ; Ærø", vec!["strasse", "lodz", "aero"]),
            ("İstanbul ΟΔΟΣ οδος", vec!["istanbul", "οδοσ", "οδοσ"]),
            (
                "don't e-mail bob@example.com",
                vec!["don", "t", "e", "mail", "bob", "example", "com"],
            ),
            ("v1.2 #42 ½ ＡＢ", vec!["v1", "2", "42", "1", "2", "ab"]),
            ("日本語 Привет", vec!["日本語", "привет"]),
            ("\0\"*'():&|!<-> %_\\", vec![]),
        ] {
            assert_eq!(split(text), words, "{text:?}");
        }
        assert_eq!(split(&"x".repeat(300)), ["x".repeat(WORD_CHARS)]);
    }

    #[test]
    fn a_task_has_each_word_once_and_the_title_first() {
        assert_eq!(
            terms("alice", "Buy milk, buy bread", Some("Milk of the farm")),
            " 2bd806tbread 2bd806tbuy 2bd806tmilk 2bd806dfarm 2bd806dof 2bd806dthe "
        );
        assert_eq!(terms("alice", "!", None), " ");
    }

    #[test]
    fn nothing_a_user_types_is_syntax() {
        let words = Words::read("alice", "\"x\" OR *: NEAR(1)\0 & !y | 'é").unwrap();
        assert_eq!(words.words, ["x", "or", "near", "1", "y", "e"]);
        assert_eq!(
            Words::read("alice", "a b")
                .unwrap()
                .expression(Dialect::Sqlite, Within::Rest),
            "((\"2bd806ta\" OR \"2bd806da\") AND (\"2bd806tb\" * OR \"2bd806db\" *)) NOT (\"2bd806ta\" AND \"2bd806tb\" *)"
        );
        assert_eq!(
            Words::read("alice", "a b")
                .unwrap()
                .expression(Dialect::Postgres, Within::Rest),
            "(('2bd806ta' | '2bd806da') & ('2bd806tb':* | '2bd806db':*)) & !('2bd806ta' & '2bd806tb':*)"
        );
    }

    #[test]
    fn a_query_has_bounds() {
        assert_eq!(Words::read("alice", " ,. "), Err(WordsError::Empty));
        assert_eq!(Words::read("alice", &"ä".repeat(201)), Err(WordsError::TooLong));
        assert!(Words::read("alice", &"ä".repeat(200)).is_ok());
        assert_eq!(
            Words::read("alice", "1 2 3 4 5 6 7 8 9 10 11"),
            Err(WordsError::TooManyWords)
        );
    }
}
