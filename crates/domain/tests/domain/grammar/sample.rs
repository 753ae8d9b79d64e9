//! From a grammar to phrases, by a generator that gives the same ones for the same seed.

use super::{Grammar, Named, Part};

/// Productions within each other from which on only the first alternative is taken. So the first alternative of a production that
/// contains itself has to be one that does not.
const DEEP: usize = 12;

/// A phrase and what it means.
pub(crate) struct Sample {
    pub(crate) tokens: Vec<String>,
    pub(crate) meaning: String,
}

/// Numbers that look random (xorshift64*).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// From 0 up to, but not, `limit`.
    pub(crate) fn below(&mut self, limit: u32) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
        u32::try_from((high * u64::from(limit)) >> 32).expect("it is below the limit")
    }

    /// One of them.
    pub(crate) fn of<'t, T>(&mut self, list: &'t [T]) -> &'t T {
        let length = u32::try_from(list.len()).expect("a list of a test is short");
        &list[self.below(length) as usize]
    }
}

impl Grammar {
    /// A phrase that `start` derives.
    pub(crate) fn sample(&self, start: &str, random: &mut Random) -> Sample {
        let mut tokens = Vec::new();
        let meaning = self.derive(start, 0, random, &mut tokens);
        Sample { tokens, meaning }
    }

    /// Every word of the grammar, and a few of each class.
    pub(crate) fn vocabulary(&self, random: &mut Random) -> Vec<String> {
        let mut words = Vec::new();
        for alternative in self.productions.values().flatten() {
            self.words(&alternative.parts, random, &mut words);
        }
        words.sort();
        words.dedup();
        words
    }

    fn words(&self, parts: &[Part], random: &mut Random, words: &mut Vec<String>) {
        for part in parts {
            match part {
                Part::Token(word) => words.push(word.clone()),
                Part::Production(_) => {}
                Part::Class(name) => words.extend((0..5).map(|_| self.class(name).sample(random))),
                Part::Optional(parts) => self.words(parts, random, words),
                Part::OneOf(choices) => choices.iter().for_each(|parts| self.words(parts, random, words)),
            }
        }
    }

    fn derive(&self, name: &str, depth: usize, random: &mut Random, tokens: &mut Vec<String>) -> String {
        let alternatives = self.production(name);
        let alternative = if depth > DEEP {
            &alternatives[0]
        } else {
            random.of(alternatives)
        };
        let mut named = Named::new();
        self.write(&alternative.parts, depth, random, tokens, &mut named);
        alternative.meaning(&named)
    }

    fn write(
        &self,
        parts: &[Part],
        depth: usize,
        random: &mut Random,
        tokens: &mut Vec<String>,
        named: &mut Named,
    ) {
        for part in parts {
            match part {
                Part::Token(word) => tokens.push(word.clone()),
                Part::Production(name) => {
                    let meaning = self.derive(name, depth + 1, random, tokens);
                    named.push((name.clone(), meaning));
                }
                Part::Class(name) => {
                    let class = self.class(name);
                    let token = class.sample(random);
                    let meaning = class
                        .read(&token)
                        .unwrap_or_else(|| panic!("`<{name}>` does not read its own sample {token}"));
                    tokens.push(token);
                    named.push((name.clone(), meaning));
                }
                Part::Optional(parts) => {
                    if random.below(2) == 0 {
                        self.write(parts, depth, random, tokens, named);
                    }
                }
                Part::OneOf(choices) => {
                    let parts = random.of(choices);
                    self.write(parts, depth, random, tokens, named);
                }
            }
        }
    }
}
