//! The words of a line.

use std::ops::Range;

use super::{Part, PartKind};
use crate::text::plain;

/// Pairs of quotation marks. What they enclose stays in the title.
const QUOTES: [(char, &[char]); 7] = [
    ('"', &['"', '”']),
    ('“', &['”', '"', '“']),
    ('„', &['“', '”', '"']),
    ('«', &['»']),
    ('‘', &['’']),
    ('\'', &['\'']),
    ('`', &['`']),
];

/// Punctuation that may follow a word without being a part of it.
const PUNCTUATION: &[char] = &[',', ';', ':', '!', '?', '.', '…', ')'];

/// Marks that stand between the title and what was taken away.
const SEPARATORS: &[char] = &['-', '–', '—', ',', ';', ':', '|', '/', '·', '•', '→'];

/// What a word is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// It belongs to the title unless a span takes it.
    Free,
    /// It belongs to the title, because its author said so.
    Kept,
    /// It belongs to the part of this number.
    Taken(usize),
}

/// A word of a line, with its punctuation.
#[derive(Debug, Clone)]
pub(super) struct Word<'t> {
    /// As it is written.
    pub(super) raw: &'t str,
    /// Where it begins in the line.
    pub(super) start: usize,
    /// In lower case, without the punctuation after it.
    pub(super) lower: String,
    /// The punctuation after it.
    pub(super) tail: &'t str,
    /// What it is for.
    pub(super) role: Use,
    /// A backslash before it keeps it in the title.
    escaped: bool,
}

impl Word<'_> {
    /// Where it ends, with its punctuation.
    fn end(&self) -> usize {
        self.start + self.raw.len()
    }

    /// Where it ends, without its punctuation.
    pub(super) fn core_end(&self) -> usize {
        self.end() - self.tail.len()
    }

    /// The part of the title that it is.
    fn titled(&self) -> &str {
        match self.raw.strip_prefix('\\') {
            Some(rest) if self.escaped => rest,
            _ => self.raw,
        }
    }
}

/// A line, and what its words are for.
pub(super) struct Line<'t> {
    pub(super) text: &'t str,
    pub(super) words: Vec<Word<'t>>,
    kinds: Vec<PartKind>,
}

impl<'t> Line<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let mut words = Vec::new();
        let mut start = 0;
        for piece in text.split_inclusive(char::is_whitespace) {
            let raw = piece.trim_end();
            if !raw.is_empty() {
                words.push(word(raw, start));
            }
            start += piece.len();
        }
        let mut line = Self {
            text,
            words,
            kinds: Vec::new(),
        };
        line.keep_quoted();
        line
    }

    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    /// The word, if it is free.
    pub(super) fn free(&self, index: usize) -> Option<&Word<'t>> {
        self.words.get(index).filter(|word| word.role == Use::Free)
    }

    /// Takes these words for a part.
    pub(super) fn take(&mut self, span: Range<usize>, kind: PartKind) {
        let part = self.kinds.len();
        self.kinds.push(kind);
        for word in self.words.get_mut(span).unwrap_or_default() {
            word.role = Use::Taken(part);
        }
    }

    /// The words in lower case with the commas between them, for the parsers of phrases.
    pub(super) fn phrase(&self, span: Range<usize>) -> String {
        let mut phrase = String::new();
        let words = self.words.get(span).unwrap_or_default();
        for (index, word) in words.iter().enumerate() {
            if index > 0 {
                phrase.push(' ');
            }
            match word.lower.strip_prefix('@') {
                Some(time) if !time.is_empty() => {
                    phrase.push_str("at ");
                    phrase.push_str(time);
                }
                _ => phrase.push_str(&word.lower),
            }
            if word.tail.starts_with(',') && index + 1 < words.len() {
                phrase.push(',');
            }
        }
        phrase
    }

    /// The last word of the quotation that begins at this word, behind `skip` bytes of it; none if nothing is quoted there.
    pub(super) fn closing(&self, index: usize, skip: usize) -> Option<usize> {
        let word = self.words.get(index)?;
        let inner = word.raw.get(skip..)?;
        let mark = inner.chars().next()?;
        let (_, closers) = QUOTES.iter().find(|(open, _)| *open == mark)?;
        (index..self.words.len()).find(|other| {
            let Some(word) = self.words.get(*other) else {
                return false;
            };
            let raw = if *other == index {
                inner.get(mark.len_utf8()..).unwrap_or_default()
            } else {
                word.raw
            };
            raw.trim_end_matches(PUNCTUATION).ends_with(*closers)
        })
    }

    fn keep_quoted(&mut self) {
        let mut index = 0;
        while index < self.words.len() {
            let bracket = usize::from(
                self.words
                    .get(index)
                    .is_some_and(|word| word.raw.starts_with('(')),
            );
            let Some(last) = self.closing(index, bracket) else {
                index += 1;
                continue;
            };
            for word in self.words.get_mut(index..=last).unwrap_or_default() {
                word.role = Use::Kept;
                word.escaped = false;
            }
            index = last + 1;
        }
    }

    /// The whole line with these words, but not the punctuation after them, replaced.
    pub(super) fn replaced(&self, span: Range<usize>, with: &str) -> String {
        let (Some(first), Some(last)) = (
            self.words.get(span.start),
            self.words.get(span.end.wrapping_sub(1)),
        ) else {
            return self.text.to_owned();
        };
        let before = self.text.get(..first.start).unwrap_or_default();
        let after = self.text.get(last.core_end()..).unwrap_or_default();
        if with.is_empty() {
            let after = after.trim_start();
            return format!("{before}{after}").trim_end().to_owned();
        }
        format!("{before}{with}{after}")
    }

    /// The whole line with a backslash before each of these words, so that they stay in the title.
    pub(super) fn kept(&self, spans: &[Range<usize>]) -> String {
        let mut kept = String::new();
        let mut end = 0;
        for (index, word) in self.words.iter().enumerate() {
            if spans.iter().any(|span| span.contains(&index)) {
                kept.push_str(self.text.get(end..word.start).unwrap_or_default());
                kept.push('\\');
                end = word.start;
            }
        }
        kept.push_str(self.text.get(end..).unwrap_or_default());
        kept
    }

    /// The words as they are written, without the punctuation after the last one.
    pub(super) fn written(&self, span: Range<usize>) -> &'t str {
        let first = self.words.get(span.start).map_or(0, |word| word.start);
        let last = self.words.get(span.end.wrapping_sub(1)).map_or(0, Word::core_end);
        self.text.get(first..last).unwrap_or_default()
    }

    /// The words that were not taken, without what separated them from the others.
    pub(super) fn title(&self) -> String {
        let mut title = String::new();
        // Whether something was taken after the title so far.
        let mut cut = false;
        let mut end = 0;
        for (index, word) in self.words.iter().enumerate() {
            if let Use::Taken(part) = word.role {
                cut = true;
                let is_last = self
                    .words
                    .get(index + 1)
                    .is_none_or(|next| next.role != Use::Taken(part));
                let says_something = word.tail.contains(['!', '?'])
                    || word.tail.starts_with([',', ';', ':']) && self.has_title_after(index);
                if is_last && says_something && !title.is_empty() && !title.ends_with(PUNCTUATION) {
                    title.push_str(word.tail);
                }
                continue;
            }
            if title.is_empty() {
                if self.has_parts() && word.raw.trim_matches(SEPARATORS).is_empty() {
                    continue;
                }
            } else if cut {
                title.push(' ');
            } else {
                let gap = self.text.get(end..word.start).unwrap_or(" ");
                title.push_str(if gap.contains(char::is_control) { " " } else { gap });
            }
            title.push_str(word.titled());
            cut = false;
            end = word.end();
        }
        if cut {
            let is_between = |mark: char| SEPARATORS.contains(&mark) || mark.is_whitespace();
            let length = title.trim_end_matches(is_between).len();
            title.truncate(length);
        }
        title
    }

    fn has_parts(&self) -> bool {
        !self.kinds.is_empty()
    }

    fn has_title_after(&self, index: usize) -> bool {
        let mut rest = self.words.get(index + 1..).unwrap_or_default().iter();
        rest.any(|word| !matches!(word.role, Use::Taken(_)))
    }

    /// The parts in the order of the line.
    pub(super) fn parts(&self) -> Vec<Part> {
        let mut parts: Vec<Part> = Vec::new();
        let mut before = None;
        for word in &self.words {
            let (kind, end) = match word.role {
                Use::Taken(part) => {
                    let kind = self.kinds.get(part).copied().unwrap_or(PartKind::Title);
                    (kind, word.core_end())
                }
                Use::Free | Use::Kept => (PartKind::Title, word.end()),
            };
            let group = match word.role {
                Use::Taken(part) => Some(part),
                Use::Free | Use::Kept => None,
            };
            match parts.last_mut() {
                Some(last) if before == Some(group) => last.range.end = end,
                _ => parts.push(Part {
                    kind,
                    range: word.start..end,
                }),
            }
            before = Some(group);
        }
        parts
    }
}

fn word(raw: &str, start: usize) -> Word<'_> {
    let escaped = raw.len() > 1 && raw.starts_with('\\');
    let core = raw.trim_end_matches(PUNCTUATION);
    let core = if core.is_empty() { raw } else { core };
    let tail = raw.get(core.len()..).unwrap_or_default();
    let mut lower = plain(core).to_lowercase();
    for (dotted, half) in [("a.m", "am"), ("p.m", "pm")] {
        if let Some(time) = lower.strip_suffix(dotted) {
            lower = format!("{time}{half}");
        }
    }
    Word {
        raw,
        start,
        lower,
        tail,
        role: if escaped { Use::Kept } else { Use::Free },
        escaped,
    }
}
