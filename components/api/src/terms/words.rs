//! Search terms of texts: words folded by `fold.rs`, each with a prefix that stands for its owner.
//!
//! Both databases get the same terms, so they find the same tasks, whatever their tokenizers and locales. The owner's prefix
//! keeps the words of one user together in the index and separate from those of other users: no search, not even for a
//! prefix of a word, reads entries of other users.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use super::run::{Run, Wanted, runs};
use crate::db::Dialect;

/// Maximum number of characters per query.
const MAX_CHARS: usize = 200;

/// Maximum number of words per query.
const MAX_WORDS: usize = 10;

/// Maximum number of terms per query. Without it, five runs of 39 Han characters would have 180.
const MAX_TERMS: usize = 40;

/// Maximum number of terms for which tasks are scanned without the index. Each takes two searches in all terms of a task, which may
/// be half a megabyte; for more terms the index is used.
const MAX_SCANNED: usize = 10;

/// Maximum size of a task's terms in bytes. A description of 10,000 characters has 300 KB in the worst script; only characters that
/// stand for whole words would have more, and PostgreSQL does not accept a `tsvector` of 1 MiB.
const MAX_TERMS_BYTES: usize = 512 * 1024;

/// The beginning of terms of the current version: one space more than before decision 0035. It is part of the column, so that an
/// older replica removes it by writing its own terms.
const FOLDING: &str = " ";

/// Bytes of an owner's prefix, as two hexadecimal digits each. Two users may share a prefix: statements also compare the user.
const MARK_BYTES: usize = 3;

/// Prefixes of up to this many characters have an index of their own.
const INDEXED_PREFIX: usize = 3;

/// The character between prefix and word: the place of the word.
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

/// Where a task must have the words of a query to match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Within {
    /// All words in the title.
    Title,
    /// All words in title and description together, but not all in the title.
    Rest,
    /// Both of these.
    Anywhere,
}

/// A search query of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Words {
    mark: String,
    words: Vec<Wanted>,
}

impl Words {
    /// Reads the text of a user, which has no special syntax.
    pub(crate) fn read(user_id: &str, text: &str) -> Result<Self, WordsError> {
        if text.chars().nth(MAX_CHARS).is_some() {
            return Err(WordsError::TooLong);
        }
        let runs = runs(text);
        match runs.len() {
            0 => Err(WordsError::Empty),
            last @ 1..=MAX_WORDS => {
                let wanted = runs
                    .iter()
                    .zip(1..)
                    .map(|(run, number)| run.wanted(number == last));
                Ok(Self {
                    mark: mark(user_id),
                    words: bounded(wanted.collect()),
                })
            }
            _ => Err(WordsError::TooManyWords),
        }
    }

    /// Whether there are few enough terms to scan tasks. If not, use the index.
    pub(crate) fn are_few(&self) -> bool {
        self.words.len() <= MAX_SCANNED
    }

    /// The query as FTS5 (<https://sqlite.org/fts5.html#full_text_query_syntax>) or `tsquery`
    /// (<https://www.postgresql.org/docs/current/datatype-textsearch.html>) text. Words contain only letters and digits, so
    /// quoting them is enough.
    pub(crate) fn expression(&self, dialect: Dialect, within: Within) -> String {
        let (and, or, not, quote, prefix) = match dialect {
            Dialect::Sqlite => (" AND ", " OR ", " NOT ", '"', " *"),
            Dialect::Postgres => (" & ", " | ", " & !", '\'', ":*"),
        };
        let all = |term: &dyn Fn(&str, &str) -> String| {
            let terms: Vec<String> = self
                .words
                .iter()
                .map(|word| term(&word.text, if word.is_beginning { prefix } else { "" }))
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

    /// Whether FTS5 has to merge all matches before it returns the first: those of a prefix without an index of its own
    /// (`schema/4-sqlite.sql`). Then scanning is faster for a common word.
    pub(crate) fn are_merged(&self) -> bool {
        self.words
            .iter()
            .any(|word| word.is_beginning && word.text.chars().nth(INDEXED_PREFIX).is_some())
    }

    /// The query as a condition on the column `terms`, with its string parameters numbered from `$next` on.
    pub(crate) fn condition(&self, dialect: Dialect, within: Within, next: usize) -> (String, Vec<String>) {
        let position = match dialect {
            Dialect::Sqlite => "INSTR",
            Dialect::Postgres => "STRPOS",
        };
        let mut parameters = Vec::new();
        let mut has = |place: char, word: &Wanted| {
            let end = if word.is_beginning { "" } else { " " };
            parameters.push(format!(" {}{place}{}{end}", self.mark, word.text));
            format!("{position}(terms, ${}) > 0", next + parameters.len() - 1)
        };
        let mut title = Vec::new();
        let mut anywhere = Vec::new();
        for word in &self.words {
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
}

/// The terms of all runs, at most [`MAX_TERMS`]. Long runs lose the terms at their ends, so that every run keeps some.
fn bounded(runs: Vec<Vec<Wanted>>) -> Vec<Wanted> {
    let total = |share: usize| runs.iter().map(|run| run.len().min(share)).sum::<usize>();
    let share = (1..=MAX_TERMS).rev().find(|share| total(*share) <= MAX_TERMS);
    let share = share.unwrap_or_default();
    runs.into_iter()
        .flat_map(|run| run.into_iter().take(share))
        .collect()
}

/// The value of the column `terms`: each term of a task once, surrounded by spaces.
pub(crate) fn terms(user_id: &str, title: &str, description: Option<&str>) -> String {
    let mark = mark(user_id);
    let set = |text: &str| -> BTreeSet<String> { runs(text).iter().flat_map(Run::terms).collect() };
    let (title, description) = (set(title), set(description.unwrap_or_default()));
    let mut terms = format!("{FOLDING} ");
    let places = title
        .iter()
        .map(|word| (TITLE, word))
        .chain(description.difference(&title).map(|word| (DESCRIPTION, word)));
    for (place, word) in places {
        if terms.len() + word.len() > MAX_TERMS_BYTES {
            break;
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_has_each_word_once_and_the_title_first() {
        assert_eq!(
            terms("alice", "Buy milk, buy bread", Some("Milk of the farm")),
            "  2bd806tbread 2bd806tbuy 2bd806tmilk 2bd806dfarm 2bd806dof 2bd806dthe "
        );
        assert_eq!(terms("alice", "!", None), "  ");
    }

    #[test]
    fn terms_have_a_bound_whatever_is_in_a_text() {
        // Each of these is four characters or more when it is spelled out, and no two descriptions of it are alike.
        let letters: Vec<char> = ('\u{3300}'..='\u{3357}').collect();
        let mut number = 0_usize;
        let dense: String = std::iter::repeat_with(|| {
            number = (number * 31 + 17) % 7919;
            letters[number % letters.len()]
        })
        .take(10_000)
        .collect();
        let ideographs: String = ('\u{20000}'..).take(10_000).collect();
        for (text, least) in [(dense, 1_000), (ideographs, 10_000)] {
            let terms = terms("alice", "x", Some(&text));
            assert!(terms.len() < MAX_TERMS_BYTES + 100, "{}", terms.len());
            assert!(terms.split_whitespace().count() > least, "{}", terms.len());
        }
    }

    #[test]
    fn nothing_a_user_types_is_syntax() {
        let words = Words::read("alice", "\"x\" OR *: NEAR(1)\0 & !y | 'é").unwrap();
        let texts: Vec<&str> = words.words.iter().map(|word| word.text.as_str()).collect();
        assert_eq!(texts, ["x", "or", "near", "1", "y", "e"]);
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
        // Whatever the words are made of.
        assert!(Words::read("alice", "1月 2月 3月 4月 5月 6月 7月 8月 9月 10月").is_ok());
        let long = Words::read("alice", &"日本語".repeat(66)).unwrap();
        assert!(long.words.len() < 40, "{}", long.words.len());
    }

    /// A number of runs of different Han characters, of the maximum length of a query.
    fn long_query(runs: usize) -> String {
        let letters: Vec<char> = ('一'..).take(MAX_CHARS / runs - 1).collect();
        vec![letters.iter().collect::<String>(); runs].join(" ")
    }

    #[test]
    fn the_longest_query_looks_for_40_terms() {
        let counts = (1..=MAX_WORDS).map(|runs| Words::read("alice", &long_query(runs)).unwrap().words.len());
        assert_eq!(
            counts.collect::<Vec<_>>(),
            [37, 40, 39, 40, 40, 36, 35, 40, 36, 40],
            "without the bound: 37, 74, 111, 148, 180, 174, 168, 168, 162, 160"
        );
        let mixed = format!("{} milk 3月", long_query(1).chars().take(150).collect::<String>());
        let words = Words::read("alice", &mixed).unwrap().words;
        assert!(words.len() <= MAX_TERMS, "{}", words.len());
        let last: Vec<_> = words.iter().rev().take(2).collect();
        assert_eq!((last[1].text.as_str(), last[0].text.as_str()), ("milk", "3月"));
        assert!(last[0].is_beginning && !last[1].is_beginning);
    }

    #[test]
    fn a_long_run_leaves_room_for_the_words_behind_it() {
        let query = format!("{} milk bread", long_query(2).split(' ').next().unwrap());
        let text = format!("{query} butter jam");
        let words = Words::read("alice", &text).unwrap().words;
        assert_eq!(words.len(), 40);
        let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        assert_eq!(texts[36..], ["milk", "bread", "butter", "jam"]);
        assert!(words[39].is_beginning);
    }

    #[test]
    fn tasks_are_looked_through_for_ten_terms_at_most() {
        for (query, few) in [
            ("1 2 3 4 5 6 7 8 9 10", true),
            ("明日の天気を見る", true),
            ("一二三四五六七八九十百千万", true),
            ("一二三四五六七八九十百千万億", false),
            (&long_query(10), false),
        ] {
            assert_eq!(Words::read("alice", query).unwrap().are_few(), few, "{query}");
        }
    }
}
