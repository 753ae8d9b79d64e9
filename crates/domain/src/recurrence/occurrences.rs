//! Converts dates to instants, in order and bounded.

use std::vec;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use super::expand::Expansion;
use super::{End, Rule, Until};
use crate::due::Due;

/// Maximum number of days that one search examines.
///
/// From the first day of 1970 to the last of 2199 are 84,006 days, and the period that has the first may begin up to
/// six days before it (a week) or reach beyond the last. So the limit cuts no search short that can find something.
pub const MAX_DAYS_EXAMINED: u32 = 84_500;

/// The instants at which a rule recurs, in order, each once.
///
/// It ends with the rule (`COUNT`, `UNTIL`), at the end of 2199, or at the latest after [`MAX_DAYS_EXAMINED`] days.
#[derive(Debug, Clone)]
pub struct Occurrences<'r> {
    rule: &'r Rule,
    start: &'r Due,
    start_date: Date,
    time: Time,
    expansion: Expansion<'r>,
    next_period: i64,
    dates: vec::IntoIter<Date>,
    after: Timestamp,
    latest: Option<Timestamp>,
    found: u32,
    days_examined: u32,
}

impl<'r> Occurrences<'r> {
    pub(super) fn new(rule: &'r Rule, start: &'r Due) -> Self {
        let local = start.local();
        Self {
            rule,
            start,
            start_date: local.date(),
            time: start.time_of_day(),
            expansion: Expansion::new(rule, local.date()),
            next_period: 0,
            dates: Vec::new().into_iter(),
            after: Timestamp::MIN,
            latest: None,
            found: 0,
            days_examined: 0,
        }
    }

    /// The occurrences strictly after `after`. With `COUNT` the search has to begin at the start, to count.
    pub(super) fn after(rule: &'r Rule, start: &'r Due, after: Timestamp) -> Self {
        let mut occurrences = Self {
            after,
            ..Self::new(rule, start)
        };
        if !matches!(rule.end(), End::Count(_)) && after > start.at() {
            let local = occurrences.zone().to_datetime(after).date();
            // One period back, because a gap can move an occurrence across midnight.
            occurrences.next_period = (occurrences.expansion.index_of(local) - 1).max(0);
        }
        occurrences
    }

    /// The same search with another local time of day than the start, whose time clock changes may have moved.
    pub(crate) fn at_time(self, time: Time) -> Self {
        Self { time, ..self }
    }

    /// The number of days compared with the rule so far, to measure the cost of a search.
    pub fn days_examined(&self) -> u32 {
        self.days_examined
    }

    fn zone(&self) -> &TimeZone {
        self.start.zone().time_zone()
    }

    /// The next date that the rule names, in any period.
    fn next_date(&mut self) -> Option<Date> {
        loop {
            if let Some(date) = self.dates.next() {
                return Some(date);
            }
            let period = self.expansion.period(self.next_period)?;
            if self.days_examined >= MAX_DAYS_EXAMINED || self.is_over(period.first) {
                return None;
            }
            self.next_period += 1;
            let days = period.first.duration_until(period.last).as_hours() / 24 + 1;
            self.days_examined = self
                .days_examined
                .saturating_add(u32::try_from(days).unwrap_or(u32::MAX));
            self.dates = self.expansion.dates(period).into_iter();
        }
    }

    /// Whether a date is after `UNTIL` in every zone, so that no later date needs to be checked.
    fn is_over(&self, date: Date) -> bool {
        let last = match self.rule.end() {
            End::Until(Until::Date(last)) => last,
            End::Until(Until::Local(last) | Until::Utc(last)) => last.date(),
            End::Never | End::Count(_) => return false,
        };
        last.tomorrow().is_ok_and(|day_after| date > day_after)
    }

    /// Whether the occurrence of `date`, at `at`, is past `UNTIL`.
    fn is_past_end(&self, date: Date, at: Timestamp) -> bool {
        match self.rule.end() {
            End::Never | End::Count(_) => false,
            End::Until(Until::Date(last)) => date > last,
            End::Until(Until::Local(last)) => self.start.zone().instant(last).is_ok_and(|last| at > last),
            End::Until(Until::Utc(last)) => TimeZone::UTC.to_timestamp(last).is_ok_and(|last| at > last),
        }
    }
}

impl Iterator for Occurrences<'_> {
    type Item = Timestamp;

    fn next(&mut self) -> Option<Timestamp> {
        loop {
            if matches!(self.rule.end(), End::Count(count) if self.found >= count) {
                return None;
            }
            let date = self.next_date()?;
            if date < self.start_date || date.year() > Due::LAST_YEAR {
                continue;
            }
            let at = if date == self.start_date {
                // The start says which of two equal local times it is.
                self.start.at()
            } else {
                self.start.zone().instant(date.to_datetime(self.time)).ok()?
            };
            if self.is_past_end(date, at) {
                return None;
            }
            if self.latest.is_none_or(|latest| at > latest) {
                self.latest = Some(at);
                self.found += 1;
                if at > self.after {
                    return Some(at);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Due, Rule, Zone};

    #[test]
    fn a_search_that_has_examined_its_days_is_over() {
        let rule: Rule = "FREQ=DAILY".parse().expect("a rule");
        let start = Due::parse("2026-03-02", &Zone::utc()).expect("a due date");
        let mut search = rule.occurrences(&start);
        search.days_examined = super::MAX_DAYS_EXAMINED - 1;
        assert!(search.next().is_some(), "one day left");
        assert_eq!(search.next(), None, "no day left");
    }
}
