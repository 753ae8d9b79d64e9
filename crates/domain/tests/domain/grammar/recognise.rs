//! From tokens to everything that they mean: recursive descent that follows every choice and remembers what each production
//! derives at each place, so that a phrase of twenty words is no work.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::{Grammar, Named, Part};

/// Where a derivation ends, and what it means.
type Ends = Rc<BTreeSet<(usize, String)>>;

/// A derivation that has come to a place, and what its parts mean.
type State = (usize, Named);

struct Chart<'g> {
    grammar: &'g Grammar,
    tokens: &'g [String],
    known: BTreeMap<(&'g str, usize), Ends>,
}

impl Grammar {
    /// Everything that the tokens mean as `start`: nothing if it does not derive them, several if it is ambiguous.
    pub(crate) fn meanings(&self, start: &str, tokens: &[String]) -> BTreeSet<String> {
        let Some((start, _)) = self.productions.get_key_value(start) else {
            panic!("the grammar has no production `{start}`");
        };
        let mut chart = Chart {
            grammar: self,
            tokens,
            known: BTreeMap::new(),
        };
        let ends = chart.production(start, 0);
        let whole = ends.iter().filter(|(end, _)| *end == tokens.len());
        whole.map(|(_, meaning)| meaning.clone()).collect()
    }
}

impl<'g> Chart<'g> {
    fn production(&mut self, name: &'g str, at: usize) -> Ends {
        if let Some(ends) = self.known.get(&(name, at)) {
            return Rc::clone(ends);
        }
        let mut ends = BTreeSet::new();
        for alternative in self.grammar.production(name) {
            for (end, named) in self.sequence(&alternative.parts, (at, Vec::new())) {
                ends.insert((end, alternative.meaning(&named)));
            }
        }
        let ends = Rc::new(ends);
        self.known.insert((name, at), Rc::clone(&ends));
        ends
    }

    fn sequence(&mut self, parts: &'g [Part], from: State) -> BTreeSet<State> {
        let mut states = BTreeSet::from([from]);
        for part in parts {
            states = states
                .into_iter()
                .flat_map(|state| self.part(part, state))
                .collect();
        }
        states
    }

    fn part(&mut self, part: &'g Part, state: State) -> BTreeSet<State> {
        let (at, named) = &state;
        let and = |name: &str, meaning: &str| {
            let mut named = named.clone();
            named.push((name.to_owned(), meaning.to_owned()));
            named
        };
        match part {
            Part::Token(word) => match self.tokens.get(*at) {
                Some(token) if token == word => BTreeSet::from([(at + 1, state.1)]),
                _ => BTreeSet::new(),
            },
            Part::Class(name) => {
                let meaning = self
                    .tokens
                    .get(*at)
                    .and_then(|token| self.grammar.class(name).read(token));
                meaning
                    .map(|meaning| (at + 1, and(name, &meaning)))
                    .into_iter()
                    .collect()
            }
            Part::Production(name) => {
                let ends = self.production(name, *at);
                ends.iter()
                    .map(|(end, meaning)| (*end, and(name, meaning)))
                    .collect()
            }
            Part::Optional(parts) => {
                let mut states = self.sequence(parts, state.clone());
                states.insert(state);
                states
            }
            Part::OneOf(choices) => choices
                .iter()
                .flat_map(|parts| self.sequence(parts, state.clone()))
                .collect(),
        }
    }
}
