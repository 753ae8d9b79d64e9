//! Where the lines of a long list are, so that only those near the visible part are in the document.

use std::collections::BTreeMap;
use std::ops::Range;

/// Lines from top to bottom, each with its height in pixels.
///
/// ```
/// use nudge_page_model::lines::Lines;
///
/// let lines = Lines::new([("Overdue", 58), ("Pay rent", 44), ("Call Anna", 44)]);
/// assert_eq!(lines.height(), 146);
/// assert_eq!(lines.top(&"Call Anna"), Some(102));
/// assert_eq!(lines.between(60, 80), 1..2);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Lines<K> {
    keys: Vec<K>,
    /// Where each line begins, and at last where all end.
    tops: Vec<u32>,
    places: BTreeMap<K, usize>,
}

impl<K: Ord + Clone> Lines<K> {
    /// The lines with their heights.
    pub fn new(lines: impl IntoIterator<Item = (K, u32)>) -> Self {
        let (mut keys, mut tops, mut top) = (Vec::new(), vec![0], 0_u32);
        for (key, height) in lines {
            top = top.saturating_add(height);
            keys.push(key);
            tops.push(top);
        }
        let places = keys.iter().cloned().zip(0..).collect();
        Self { keys, tops, places }
    }

    /// The height of all lines.
    pub fn height(&self) -> u32 {
        self.tops.last().copied().unwrap_or_default()
    }

    /// Number of lines.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The lines in order.
    pub fn keys(&self) -> &[K] {
        &self.keys
    }

    /// The lines of a range; those beyond the end are left out.
    pub fn slice(&self, range: Range<usize>) -> &[K] {
        let end = range.end.min(self.keys.len());
        self.keys.get(range.start.min(end)..end).unwrap_or_default()
    }

    /// The number of a line, from 0.
    pub fn place(&self, key: &K) -> Option<usize> {
        self.places.get(key).copied()
    }

    /// Where a line begins.
    pub fn top(&self, key: &K) -> Option<u32> {
        self.tops.get(self.place(key)?).copied()
    }

    /// The lines that are at least partly between two distances from the top.
    pub fn between(&self, from: u32, to: u32) -> Range<usize> {
        let begins = self.tops.get(..self.keys.len()).unwrap_or_default();
        let start = begins.partition_point(|top| *top <= from).saturating_sub(1);
        let end = begins.partition_point(|top| *top < to);
        start..end.max(start)
    }

    /// The line that is `by` lines after `key` and is accepted; the nearest one at the ends. Without `key`, the first.
    pub fn step(&self, key: Option<&K>, by: isize, accepted: impl Fn(&K) -> bool) -> Option<&K> {
        let (mut left, forward) = (by.unsigned_abs(), by >= 0);
        let Some(place) = key.and_then(|key| self.place(key)) else {
            return self.keys.iter().find(|key| accepted(key));
        };
        let mut found = None;
        let mut consider = |key| {
            found = Some(key);
            left = left.saturating_sub(1);
            left > 0
        };
        if forward {
            let after = self.keys.iter().skip(place + 1).filter(|key| accepted(key));
            let _ = after.take_while(|key| consider(*key)).last();
        } else {
            let before = self.keys.iter().take(place).rev().filter(|key| accepted(key));
            let _ = before.take_while(|key| consider(*key)).last();
        }
        found.or_else(|| self.keys.get(place))
    }
}

#[cfg(test)]
mod tests {
    use super::Lines;

    fn hundred() -> Lines<u32> {
        Lines::new((0..100).map(|n| (n, if n % 10 == 0 { 58 } else { 44 })))
    }

    #[test]
    fn finds_the_visible_lines() {
        let lines = hundred();
        assert_eq!(lines.between(0, 58), 0..1);
        assert_eq!(lines.between(57, 59), 0..2);
        assert_eq!(lines.between(58, 102), 1..2);
        assert_eq!(lines.between(lines.height(), lines.height() + 500), 99..100);
        assert_eq!(Lines::<u32>::new([]).between(0, 500), 0..0);
    }

    #[test]
    fn steps_over_headings_and_stops_at_the_ends() {
        let lines = hundred();
        let task = |n: &u32| !n.is_multiple_of(10);
        assert_eq!(lines.step(None, 1, task), Some(&1));
        assert_eq!(lines.step(Some(&9), 1, task), Some(&11));
        assert_eq!(lines.step(Some(&11), -1, task), Some(&9));
        assert_eq!(lines.step(Some(&9), 3, task), Some(&13));
        assert_eq!(lines.step(Some(&1), -1, task), Some(&1));
        assert_eq!(lines.step(Some(&98), 5, task), Some(&99));
    }

    #[test]
    fn knows_where_each_line_begins() {
        let lines = hundred();
        assert_eq!(lines.top(&1), Some(58));
        assert_eq!(lines.top(&100), None);
        assert_eq!(lines.height(), 10 * 58 + 90 * 44);
        assert_eq!(lines.slice(98..120), [98, 99]);
    }
}
