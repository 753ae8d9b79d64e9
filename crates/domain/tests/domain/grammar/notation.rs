//! From the document to productions. A mistake in the document is a panic that names the line.

use std::collections::{BTreeMap, BTreeSet};

use super::{Alternative, Class, Grammar, Part, Piece, tokens};

const ARROW: char = '→';

impl Grammar {
    /// The productions in the `ebnf` blocks below the heading `## {section}`.
    pub(crate) fn read(document: &str, section: &str, classes: &[Class]) -> Self {
        let mut productions: BTreeMap<String, Vec<Alternative>> = BTreeMap::new();
        let mut current: Option<String> = None;
        for line in blocks(document, section) {
            let (head, body) = match line.split_once(" = ") {
                Some((name, body)) if is_name(name.trim()) => (Some(name.trim()), body),
                _ => (None, line),
            };
            if let Some(name) = head {
                let earlier = productions.insert(name.to_owned(), Vec::new());
                assert!(earlier.is_none(), "`{name}` is there twice");
                current = Some(name.to_owned());
            }
            let name = current
                .as_ref()
                .unwrap_or_else(|| panic!("no production yet: {line}"));
            let alternatives = productions.get_mut(name).expect("it was inserted");
            alternatives.extend(read_alternatives(body.trim(), line));
        }
        let grammar = Self {
            productions,
            classes: classes.to_vec(),
        };
        grammar.check();
        grammar
    }

    /// Every name and class is known, and no production derives itself without a token before.
    fn check(&self) {
        for (name, alternatives) in &self.productions {
            for alternative in alternatives {
                self.check_parts(&alternative.parts);
            }
            assert!(
                !self.firsts(name, &mut BTreeSet::new()).contains(name),
                "`{name}` begins with itself"
            );
        }
    }

    fn check_parts(&self, parts: &[Part]) {
        for part in parts {
            match part {
                Part::Token(_) => {}
                Part::Production(name) => drop(self.production(name)),
                Part::Class(name) => drop(self.class(name)),
                Part::Optional(parts) => self.check_parts(parts),
                Part::OneOf(choices) => choices.iter().for_each(|parts| self.check_parts(parts)),
            }
        }
    }

    /// The productions that may stand at the beginning of one, directly or not.
    fn firsts(&self, name: &str, seen: &mut BTreeSet<String>) -> BTreeSet<String> {
        let mut direct = BTreeSet::new();
        for alternative in self.production(name) {
            starts(&alternative.parts, &mut direct);
        }
        let mut all = direct.clone();
        for next in direct {
            if seen.insert(next.clone()) {
                all.extend(self.firsts(&next, seen));
            }
        }
        all
    }
}

impl Grammar {
    /// The productions that none of these leads to: lines of the document that no test would see.
    pub(crate) fn unused(&self, starts: &[&str]) -> Vec<&str> {
        let mut used: BTreeSet<&str> = starts.iter().copied().collect();
        let mut left = starts.to_vec();
        while let Some(name) = left.pop() {
            let mut named = Vec::new();
            for alternative in self.production(name) {
                names(&alternative.parts, &mut named);
            }
            left.extend(named.into_iter().filter(|name| used.insert(name)));
        }
        let all = self.productions.keys().map(String::as_str);
        all.filter(|name| !used.contains(name)).collect()
    }
}

fn names<'p>(parts: &'p [Part], into: &mut Vec<&'p str>) {
    for part in parts {
        match part {
            Part::Token(_) | Part::Class(_) => {}
            Part::Production(name) => into.push(name),
            Part::Optional(parts) => names(parts, into),
            Part::OneOf(choices) => choices.iter().for_each(|parts| names(parts, into)),
        }
    }
}

/// Collects what `parts` may begin with; `true` if all of them may be left out.
fn starts(parts: &[Part], into: &mut BTreeSet<String>) -> bool {
    parts.iter().all(|part| match part {
        Part::Token(_) | Part::Class(_) => false,
        Part::Production(name) => {
            into.insert(name.clone());
            false
        }
        Part::Optional(parts) => {
            starts(parts, into);
            true
        }
        // Every choice is looked at, not only those before the first that cannot be empty.
        Part::OneOf(choices) => choices.iter().filter(|parts| starts(parts, into)).count() > 0,
    })
}

/// The lines of the `ebnf` blocks of one section.
fn blocks<'d>(document: &'d str, section: &str) -> Vec<&'d str> {
    let heading = format!("## {section}");
    let mut lines = Vec::new();
    let (mut inside, mut block) = (false, false);
    for line in document.lines() {
        match line {
            _ if line.starts_with("## ") => inside = line == heading,
            "```ebnf" => block = true,
            _ if line.starts_with("```") => block = false,
            _ if inside && block && !line.trim().is_empty() => lines.push(line),
            _ => {}
        }
    }
    assert!(!lines.is_empty(), "no grammar below `{heading}`");
    lines
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}

/// The alternatives on one line. Those without a meaning of their own may share a line: `"a" | "b"`.
fn read_alternatives(body: &str, line: &str) -> Vec<Alternative> {
    let (parts, meaning) = match body.split_once(ARROW) {
        Some((parts, meaning)) => (parts, Some(read_template(meaning.trim(), line))),
        None => (body, None),
    };
    let symbols = symbols(parts.trim().strip_prefix('|').unwrap_or(parts), line);
    let mut rest = symbols.as_slice();
    let choices = read_choices(&mut rest, line);
    assert!(rest.is_empty(), "something is closed that was not opened: {line}");
    if choices.len() == 1 || meaning.is_none() {
        let mut meaning = meaning;
        return choices
            .into_iter()
            .map(|parts| Alternative {
                parts,
                meaning: meaning.take(),
            })
            .collect();
    }
    let parts = vec![Part::OneOf(choices)];
    vec![Alternative { parts, meaning }]
}

/// `"every"`, `name`, `<class>` and brackets, each by itself.
fn symbols<'l>(mut rest: &'l str, line: &str) -> Vec<&'l str> {
    let mut symbols = Vec::new();
    loop {
        rest = rest.trim_start();
        let Some(first) = rest.chars().next() else {
            return symbols;
        };
        let length = match first {
            '"' => rest[1..].find('"').map(|at| at + 2),
            '<' => rest.find('>').map(|at| at + 1),
            '[' | ']' | '(' | ')' | '|' => Some(1),
            _ => {
                let end = rest.find([' ', ']', ')', '|']).unwrap_or(rest.len());
                is_name(&rest[..end]).then_some(end)
            }
        };
        let length = length.unwrap_or_else(|| panic!("not a symbol: {rest} in {line}"));
        let (symbol, after) = rest.split_at(length);
        symbols.push(symbol);
        rest = after;
    }
}

fn read_choices(rest: &mut &[&str], line: &str) -> Vec<Vec<Part>> {
    let mut choices = vec![Vec::new()];
    while let Some((symbol, after)) = rest.split_first() {
        let parts = choices.last_mut().expect("there is one at least");
        match *symbol {
            "]" | ")" => break,
            "|" => choices.push(Vec::new()),
            "[" | "(" => {
                *rest = after;
                let mut inner = read_choices(rest, line);
                let closing = if *symbol == "[" { "]" } else { ")" };
                assert_eq!(rest.first(), Some(&closing), "`{symbol}` is not closed: {line}");
                let part = match inner.len() {
                    1 => inner.remove(0),
                    _ => vec![Part::OneOf(inner)],
                };
                if *symbol == "[" {
                    parts.push(Part::Optional(part));
                } else {
                    parts.extend(part);
                }
                *rest = &rest[1..];
                continue;
            }
            _ if symbol.starts_with('"') => {
                let words = tokens(symbol.trim_matches('"'));
                parts.extend(words.into_iter().map(Part::Token));
            }
            _ if symbol.starts_with('<') => {
                parts.push(Part::Class(symbol.trim_matches(['<', '>']).to_owned()));
            }
            name => parts.push(Part::Production(name.to_owned())),
        }
        *rest = after;
    }
    choices
}

fn read_template(text: &str, line: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after
            .split_once('}')
            .unwrap_or_else(|| panic!("`{{` is not closed: {line}"));
        let numbered = name
            .rsplit_once('.')
            .and_then(|(name, number)| Some((name, number.parse().ok()?)))
            .filter(|(name, _)| !name.ends_with('.'));
        let (name, number) = numbered.unwrap_or((name, 1));
        assert!(number > 0, "parts are counted from 1: {line}");
        pieces.push(Piece::Text(before.to_owned()));
        pieces.push(Piece::Meaning(name.to_owned(), number));
        rest = behind;
    }
    pieces.push(Piece::Text(rest.to_owned()));
    pieces
}
