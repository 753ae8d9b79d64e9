//! Words that occur in phrases. A span of a line with another word is no phrase, so it is not tried.

use crate::english;
use crate::text::is_dash;

/// The words that the grammars of `docs/phrases.md` have in quotation marks; a test compares them.
const WORDS: &[&str] = &[
    "a",
    "after",
    "afternoon",
    "alternate",
    "am",
    "an",
    "and",
    "annually",
    "at",
    "beginning",
    "bi",
    "biannual",
    "biannually",
    "bimonthly",
    "biweekly",
    "business",
    "by",
    "couple",
    "d",
    "daily",
    "day",
    "days",
    "due",
    "each",
    "end",
    "eod",
    "eom",
    "eoq",
    "eow",
    "eoy",
    "evening",
    "every",
    "everyday",
    "fifteen",
    "fifty",
    "first",
    "for",
    "fortnight",
    "fortnightly",
    "fortnights",
    "forty",
    "from",
    "h",
    "half",
    "hour",
    "hourly",
    "hours",
    "hr",
    "hrs",
    "in",
    "last",
    "m",
    "midday",
    "midnight",
    "min",
    "mins",
    "minute",
    "minutes",
    "month",
    "monthly",
    "months",
    "morning",
    "next",
    "night",
    "ninety",
    "noon",
    "now",
    "o'clock",
    "of",
    "on",
    "once",
    "other",
    "o’clock",
    "per",
    "pm",
    "quarter",
    "quarterly",
    "quarters",
    "s",
    "sec",
    "second",
    "seconds",
    "secs",
    "semi",
    "semiannually",
    "semimonthly",
    "single",
    "sixty",
    "start",
    "the",
    "thirty",
    "this",
    "thrice",
    "through",
    "thru",
    "till",
    "time",
    "times",
    "tmr",
    "tmrw",
    "to",
    "today",
    "tomorrow",
    "tonight",
    "twenty",
    "twice",
    "until",
    "w",
    "week",
    "weekday",
    "weekdays",
    "weekend",
    "weekends",
    "weekly",
    "weeks",
    "wk",
    "wks",
    "workday",
    "workdays",
    "working",
    "y",
    "year",
    "yearly",
    "years",
    "yesterday",
    "yr",
    "yrs",
];

/// Whether a word, in lower case, may occur in a phrase.
pub(super) fn may_be_in_a_phrase(word: &str) -> bool {
    if word.starts_with("freq=") || word.starts_with("rrule:") || word == "except" {
        return true;
    }
    word.split(|mark: char| mark == '/' || mark == '-' || mark == '&' || mark == ',' || is_dash(mark))
        .all(|piece| piece.is_empty() || is_known(piece))
        || word == "@"
}

fn is_known(piece: &str) -> bool {
    let piece = piece.strip_prefix('@').unwrap_or(piece);
    let piece = piece.strip_suffix('.').unwrap_or(piece);
    piece.starts_with(|first: char| first.is_ascii_digit())
        || WORDS.binary_search(&piece).is_ok()
        || english::weekday(piece).is_some()
        || english::month(piece).is_some()
        || english::ordinal(piece).is_some()
        || english::number(piece).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = include_str!("../../../../docs/phrases.md");

    #[test]
    fn the_words_are_sorted() {
        assert!(WORDS.is_sorted());
    }

    #[test]
    fn every_word_of_the_grammars_may_be_in_a_phrase() {
        let mut words = 0;
        for block in DOCUMENT
            .split("```ebnf")
            .skip(1)
            .filter_map(|block| block.split("```").next())
        {
            for line in block.lines() {
                let derives = line.split('→').next().unwrap_or_default();
                for terminal in derives.split('"').skip(1).step_by(2) {
                    for word in terminal.split_whitespace() {
                        assert!(may_be_in_a_phrase(word), "{word}");
                        words += 1;
                    }
                }
            }
        }
        assert!(words > 300, "{words}");
    }
}
