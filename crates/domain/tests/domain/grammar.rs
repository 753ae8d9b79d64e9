//! The grammars of `docs/phrases.md`, read from the document itself, so that it cannot say anything else than the parser
//! does.
//!
//! [`Grammar::read`] takes the `ebnf` blocks of one section. [`Grammar::sample`] makes a phrase and says what it means;
//! [`Grammar::meanings`] finds everything that a phrase can mean. What a meaning is, is for the caller: the engine fills
//! templates and compares nothing.
//!
//! ```text
//! rent   = "every" step "day"  → FREQ=DAILY;INTERVAL={step}
//!        | [ "the" ] <1st..31st> ( "of" | "in" ) "the" "month"  → FREQ=MONTHLY;BYMONTHDAY={1st..31st}
//! step   = "other"  → 2
//!        | <2..1000>
//! ```
//!
//! * `"of the"` stands for the words between the quotes, `name` for what the production of that name derives, `<class>`
//!   for one word of a [`Class`]; `<1..31>` and `<1st..31st>` need no class.
//! * `[ … ]` may be left out, `( … | … )` is one of several. `|` at the top begins another alternative.
//! * What follows `→` is the meaning of the alternative. `{name}` is the meaning of that part, `{name.2}` that of the
//!   second one of this name, nothing if the part was left out. Without `→` the meanings of all parts are
//!   joined.

pub(crate) mod names;
mod notation;
mod recognise;
mod sample;

use std::collections::BTreeMap;

pub(crate) use sample::Random;

/// A kind of word that is too large to be written out, such as `<weekday>`.
#[derive(Clone, Copy)]
pub(crate) struct Class {
    /// What stands between the angle brackets.
    pub(crate) name: &'static str,
    /// What a token means, if it is one of these.
    pub(crate) read: fn(&str) -> Option<String>,
    /// One of these, as a person would write it.
    pub(crate) sample: fn(&mut Random) -> String,
}

/// The productions of one section of the document.
pub(crate) struct Grammar {
    productions: BTreeMap<String, Vec<Alternative>>,
    classes: Vec<Class>,
}

/// One way to derive a production.
struct Alternative {
    parts: Vec<Part>,
    meaning: Option<Vec<Piece>>,
}

/// What an alternative is made of.
enum Part {
    /// One token, as it is.
    Token(String),
    Production(String),
    Class(String),
    Optional(Vec<Part>),
    OneOf(Vec<Vec<Part>>),
}

/// A part of a template.
enum Piece {
    Text(String),
    /// The meaning of the part of that name, the first of them being 1.
    Meaning(String, usize),
}

/// What the named parts of an alternative mean, in their order.
type Named = Vec<(String, String)>;

impl Alternative {
    fn meaning(&self, parts: &Named) -> String {
        let Some(pieces) = &self.meaning else {
            return parts.iter().map(|(_, meaning)| meaning.as_str()).collect();
        };
        pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.as_str(),
                Piece::Meaning(name, number) => parts
                    .iter()
                    .filter(|(part, _)| part == name)
                    .nth(number - 1)
                    .map_or("", |(_, meaning)| meaning),
            })
            .collect()
    }
}

impl Grammar {
    fn production(&self, name: &str) -> &[Alternative] {
        self.productions
            .get(name)
            .unwrap_or_else(|| panic!("the grammar has no production `{name}`"))
    }

    /// The class of that name; ranges are classes by themselves.
    fn class(&self, name: &str) -> Lexical {
        if let Some(class) = self.classes.iter().find(|class| class.name == name) {
            return Lexical::Class(*class);
        }
        Range::read(name).map_or_else(
            || panic!("`<{name}>` is neither a range nor a class of the test"),
            Lexical::Range,
        )
    }
}

enum Lexical {
    Class(Class),
    Range(Range),
}

impl Lexical {
    fn read(&self, token: &str) -> Option<String> {
        match self {
            Self::Class(class) => (class.read)(token),
            Self::Range(range) => range.meaning(token),
        }
    }

    fn sample(&self, random: &mut Random) -> String {
        match self {
            Self::Class(class) => (class.sample)(random),
            Self::Range(range) => range.sample(random),
        }
    }
}

/// `1..31`, or `1st..31st`.
struct Range {
    first: u32,
    last: u32,
    ordinal: bool,
}

impl Range {
    fn read(text: &str) -> Option<Self> {
        let (first, last) = text.split_once("..")?;
        let number = |text: &str| text.trim_end_matches(char::is_alphabetic).parse().ok();
        Some(Self {
            first: number(first)?,
            last: number(last)?,
            ordinal: first.ends_with(char::is_alphabetic),
        })
    }

    fn meaning(&self, token: &str) -> Option<String> {
        let digits = match ["st", "nd", "rd", "th"]
            .iter()
            .find_map(|suffix| token.strip_suffix(suffix))
        {
            Some(digits) if self.ordinal => digits,
            None if !self.ordinal => token,
            _ => return None,
        };
        let plain = (1..=5).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        let number: u32 = digits.parse().ok().filter(|_| plain)?;
        let suffixed = token == format!("{digits}{}", self.suffix(number));
        (suffixed && (self.first..=self.last).contains(&number)).then(|| number.to_string())
    }

    fn suffix(&self, number: u32) -> &'static str {
        match (self.ordinal, number % 10, number % 100) {
            (false, ..) => "",
            (_, _, 11..=13) => "th",
            (_, 1, _) => "st",
            (_, 2, _) => "nd",
            (_, 3, _) => "rd",
            _ => "th",
        }
    }

    /// Small numbers more often than large ones, and both ends now and then.
    fn sample(&self, random: &mut Random) -> String {
        let number = match random.below(6) {
            0 => self.first,
            1 => self.last,
            2 | 3 => self.first + random.below((self.last - self.first + 1).min(6)),
            _ => self.first + random.below(self.last - self.first + 1),
        };
        format!("{number}{}", self.suffix(number))
    }
}

/// A text as tokens: words between spaces, with commas, slashes, `&` and hyphens as words of their own. A word that begins with
/// a digit keeps its hyphens unless letters follow them, and a word of digits its slashes: `2026-12-31` and `3/4` are one token,
/// `2nd-to-last` is five.
pub(crate) fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    for word in text.to_lowercase().split_whitespace() {
        let mut marks = vec![',', '&'];
        if !word.bytes().all(|byte| b"0123456789/,".contains(&byte)) {
            marks.push('/');
        }
        let number = word.starts_with(|first: char| first.is_ascii_digit());
        if !number
            || word
                .split('-')
                .skip(1)
                .any(|rest| rest.starts_with(char::is_alphabetic))
        {
            marks.push('-');
        }
        let mut rest = word;
        while let Some(at) = rest.find(&marks[..]) {
            let (before, mark) = rest.split_at(at);
            tokens.extend((!before.is_empty()).then(|| before.to_owned()));
            let (mark, after) = mark.split_at(1);
            tokens.push(mark.to_owned());
            rest = after;
        }
        tokens.extend((!rest.is_empty()).then(|| rest.to_owned()));
    }
    tokens
}

/// Tokens as a text: spaces between them, none before a comma.
pub(crate) fn text(tokens: &[impl AsRef<str>]) -> String {
    let mut text = String::new();
    for token in tokens.iter().map(AsRef::as_ref) {
        if !text.is_empty() && token != "," {
            text.push(' ');
        }
        text.push_str(token);
    }
    text
}

mod tests {
    use super::{Class, Grammar, Random, text, tokens};

    const DOCUMENT: &str = "\
# Phrases
## Other
```ebnf
start = \"no\"
```
## Rent
Prose with `code`.
```ebnf
start = \"every\" step \"day\"                  → D{step}
      | days [ \"of the\" ( \"month\" | \"moon\" ) ] → M{days}
```
```ebnf
step = \"other\" → 2
     | <2..9>
days = <1st..31st>
     | <1st..31st> \"and\" days → {1st..31st},{days}
     | <half> to <half> → {half}-{half.2}
to = \"to\" | \"-\"
```
## Behind
";

    fn grammar() -> Grammar {
        let half = Class {
            name: "half",
            read: |token| token.strip_prefix("half").map(str::to_owned),
            sample: |random| format!("half{}", random.below(2)),
        };
        Grammar::read(DOCUMENT, "Rent", &[half])
    }

    fn meanings(phrase: &str) -> Vec<String> {
        grammar().meanings("start", &tokens(phrase)).into_iter().collect()
    }

    #[test]
    fn a_grammar_says_what_a_phrase_means() {
        for (phrase, meaning) in [
            ("every other day", "D2"),
            ("Every 3 day", "D3"),
            ("2nd", "M2"),
            ("2nd and 31st and 1st of the month", "M2,31,1"),
            ("half1-half0", "M1-0"),
            ("half1 to half0 of the moon", "M1-0"),
        ] {
            assert_eq!(meanings(phrase), [meaning], "{phrase}");
        }
        for phrase in [
            "",
            "every day",
            "every 1 day",
            "2",
            "32nd",
            "2nd of month",
            "no",
            "2nd 2nd",
            "2st",
            "11st",
        ] {
            assert!(meanings(phrase).is_empty(), "{phrase}: {:?}", meanings(phrase));
        }
    }

    #[test]
    fn what_is_sampled_means_what_the_sample_says() {
        let grammar = grammar();
        let mut random = Random::new(1);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..500 {
            let sample = grammar.sample("start", &mut random);
            let found = grammar.meanings("start", &tokens(&text(&sample.tokens)));
            assert_eq!(Vec::from_iter(found), [sample.meaning], "{:?}", sample.tokens);
            seen.extend(sample.tokens);
        }
        for word in ["every", "other", "9", "half0", "-", "moon", "and"] {
            assert!(seen.contains(word), "{word} is never sampled");
        }
    }

    #[test]
    fn two_meanings_are_both_found() {
        let document = "## G\n```ebnf\nstart = [ \"a\" ] \"b\" → 1\n | \"a\" [ \"b\" ] → 2\n```\n";
        let grammar = Grammar::read(document, "G", &[]);
        let found = grammar.meanings("start", &tokens("a b"));
        assert_eq!(Vec::from_iter(found), ["1", "2"]);
    }

    #[test]
    #[should_panic(expected = "no production `nothing`")]
    fn a_production_that_is_missing_is_named() {
        Grammar::read("## G\n```ebnf\nstart = nothing\n```\n", "G", &[]);
    }

    #[test]
    fn marks_are_tokens_except_within_numbers() {
        assert_eq!(
            tokens("Mon-Fri, 2nd-to-last/first 2026-12-31, 3/4 1st/3rd a&b"),
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
                "/",
                "first",
                "2026-12-31",
                ",",
                "3/4",
                "1st",
                "/",
                "3rd",
                "a",
                "&",
                "b"
            ]
        );
    }
}
