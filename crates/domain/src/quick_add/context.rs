//! Whether a span that could be a date is meant as one, by the words in it and around it. `Read the march report`, `Meet at noon cafe`
//! and `Plan for tomorrow` have no due date.

use super::line::Line;
use super::marks::is_taken;
use crate::english;

/// How much a span says by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    /// It is a date wherever it is: `tomorrow`, `next friday`, `friday 9am`, `every monday`.
    Clear,
    /// It is a date unless it describes the next word: `friday`, `at noon`, `daily`.
    Light,
    /// It is none: `morning`, `yesterday`.
    None,
}

/// What may follow a date in a sentence: the next phrase, or its object.
const FOLLOWERS: &[&str] = &[
    "a", "about", "after", "all", "an", "and", "around", "as", "at", "because", "before", "but", "by", "due",
    "each", "every", "everyone", "for", "from", "her", "him", "his", "if", "in", "it", "me", "my", "on",
    "or", "our", "re", "remind", "so", "some", "starting", "that", "the", "their", "them", "these", "then",
    "this", "those", "to", "until", "us", "via", "when", "where", "while", "with", "without", "you", "your",
];

/// After these a date is an object, not when to do it: `Plan for tomorrow`, `Move the meeting to friday`.
const OBJECT_OF: &[&str] = &[
    "about", "after", "as", "before", "between", "during", "except", "for", "from", "like", "of", "per",
    "since", "than", "till", "to", "until", "versus", "vs", "with", "without",
];

const DETERMINERS: &[&str] = &[
    "a", "an", "another", "any", "her", "his", "its", "my", "no", "our", "some", "that", "the", "their",
    "these", "this", "those", "your",
];

const RELATIVE: &[&str] = &["next", "today", "tomorrow", "tmr", "tmrw", "tonight", "in"];

/// How much a due phrase says.
pub(super) fn weight_of_due(words: &[&str]) -> Weight {
    let content = match words {
        ["due", rest @ ..] => return weight_of_due(rest).max_light(rest),
        words => words,
    };
    let (said_when, named) = match content {
        ["on" | "by", rest @ ..] => (true, rest),
        ["at" | "@", rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let has_clock = content
        .iter()
        .enumerate()
        .any(|(index, word)| is_clock(word, content.get(index + 1)))
        || has_hour(content);
    let has_day = content.iter().any(|word| names_a_day(word));
    let part = content.iter().position(|word| is_part(word));
    match named {
        ["yesterday", ..] | [.., "ago"] => return Weight::None,
        ["last", next, ..] | ["the", "last", next, ..] if *next != "day" => return Weight::None,
        ["noon" | "midday" | "midnight"] if !said_when => return Weight::None,
        ["weekend"] | ["the", "weekend"] if !said_when => return Weight::None,
        ["in", "a", "second" | "couple", ..] => return Weight::None,
        [single] if english::numeral(single).is_some() && !said_when => return Weight::None,
        _ => {}
    }
    if part.is_some()
        && !has_clock
        && !has_day
        && !matches!(content, ["in" | "this", ..] | ["by", "this", ..])
    {
        return Weight::None;
    }
    let pieces = usize::from(has_clock) + usize::from(has_day) + usize::from(part.is_some());
    let is_date = named.len() == 1
        && named
            .iter()
            .all(|word| word.len() >= 8 && word.starts_with(is_digit));
    let is_relative = content.iter().any(|word| RELATIVE.contains(word)) && part.is_none_or(|_| has_day);
    let clock_alone = has_clock && !has_hour(content) && !content.iter().any(|word| is_named_time(word));
    if pieces > 1 || is_date || is_relative || clock_alone {
        Weight::Clear
    } else {
        Weight::Light
    }
}

/// How much a recurrence phrase says.
pub(super) fn weight_of_rule(words: &[&str]) -> Weight {
    let repeats = words
        .iter()
        .any(|word| matches!(*word, "every" | "each" | "everyday"));
    let has_unit = words.iter().any(|word| {
        let is_word = word.len() > 2 && english::ordinal(word).is_none() && english::number(word).is_none();
        is_word
            && !matches!(*word, "every" | "each" | "the" | "and" | "other" | "single")
            && !word.starts_with(is_digit)
    });
    let is_rule = words.first().is_some_and(|word| word.contains('='));
    let counts = words
        .iter()
        .any(|word| matches!(*word, "twice" | "thrice" | "times" | "once" | "time"));
    if repeats && has_unit || is_rule || counts && words.len() > 1 {
        Weight::Clear
    } else {
        Weight::Light
    }
}

impl Weight {
    /// `due friday` says that it is a date.
    fn max_light(self, rest: &[&str]) -> Self {
        if rest.is_empty() { self } else { Self::Clear }
    }
}

/// Whether a span of this weight is meant as a date where it is. `phrase_at` says whether another phrase begins at a word.
pub(super) fn is_meant(
    line: &Line<'_>,
    first: usize,
    end: usize,
    weight: Weight,
    is_rule: bool,
    phrase_at: impl Fn(usize) -> bool,
) -> bool {
    if weight == Weight::None {
        return false;
    }
    let before = first.checked_sub(1).filter(|index| !is_taken(line, *index));
    let before = before.and_then(|index| line.words.get(index));
    let word_before = before
        .filter(|word| word.tail.is_empty())
        .map(|word| word.lower.as_str());
    if !is_rule && word_before.is_some_and(|word| OBJECT_OF.contains(&word)) {
        return false;
    }
    // `At noon call Ann`
    let opens = first == 0
        && end > 1
        && line
            .words
            .first()
            .is_some_and(|word| matches!(word.lower.as_str(), "at" | "on" | "by" | "in"));
    let at_edge = opens || is_edge(line, end) || phrase_at(end);
    // `the friday 9am meeting`: the grammar has the article, too.
    let has_article = line.words.get(first).is_some_and(|word| word.lower == "the");
    let described = word_before.is_some_and(|word| DETERMINERS.contains(&word));
    match weight {
        Weight::Clear => at_edge || !described && !has_article,
        Weight::Light => at_edge && !described,
        Weight::None => false,
    }
}

/// Whether a phrase may end before this word: there is none, or it is punctuation, a mark, an emoji, or a word that begins another phrase.
fn is_edge(line: &Line<'_>, next: usize) -> bool {
    let ended = next.checked_sub(1).and_then(|last| line.words.get(last));
    if ended.is_some_and(|last| !last.tail.is_empty()) {
        return true;
    }
    let Some(word) = line.words.get(next) else {
        return true;
    };
    is_taken(line, next)
        || FOLLOWERS.contains(&word.lower.as_str())
        || word.raw.starts_with(['(', '['])
        || !word.raw.contains(char::is_alphanumeric)
}

fn is_digit(letter: char) -> bool {
    letter.is_ascii_digit()
}

fn is_part(word: &str) -> bool {
    matches!(word, "morning" | "afternoon" | "evening" | "night")
}

fn is_named_time(word: &str) -> bool {
    matches!(word, "noon" | "midday" | "midnight" | "eod")
}

/// `9am`, `9 am`, `17:00`, `noon`.
fn is_clock(word: &str, next: Option<&&str>) -> bool {
    let digits = word.starts_with(is_digit);
    let half = |word: &str| matches!(word, "am" | "pm" | "o'clock" | "o’clock");
    let ends = word.ends_with("am") || word.ends_with("pm");
    digits && (word.contains(':') && word.len() <= 8 || ends)
        || digits && next.is_some_and(|next| half(next))
        || is_named_time(word)
}

/// `at 5`, `at 9.30`.
fn has_hour(words: &[&str]) -> bool {
    words.windows(2).any(|pair| match pair {
        ["at" | "@", hour] => hour.starts_with(is_digit) && !hour.contains(':') && !hour.ends_with('m'),
        _ => false,
    })
}

fn names_a_day(word: &str) -> bool {
    matches!(
        word,
        "today"
            | "tomorrow"
            | "tmr"
            | "tmrw"
            | "tonight"
            | "week"
            | "weekend"
            | "month"
            | "quarter"
            | "year"
            | "eow"
            | "eom"
            | "eoq"
            | "eoy"
    ) || english::weekday(word).is_some()
        || english::month(word).is_some()
        || english::numeral(word).is_some()
        || word.starts_with(is_digit) && word.contains(['/', '-', '.']) && !word.contains(':')
}
