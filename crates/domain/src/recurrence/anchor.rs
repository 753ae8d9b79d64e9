//! Phrases for months, with due dates at the end of a month.
//!
//! `monthly` takes the day from the due date. RFC 5545 skips months that lack that day (section 3.3.10), but `monthly` on the
//! 31st is meant to include the last day of shorter months. So the rule of a phrase is *anchored*: `BYMONTHDAY=-1,31;BYSETPOS=1` is the 31st
//! or the last day, whichever comes first, for every implementation of RFC 5545. No other phrase gives a rule of this form, so
//! it also shows that the day came from a due date. A `BYMONTH` in it was named by the phrase: `every year` from 29 February
//! is every 12 months.

use jiff::civil::Date;

use super::{Frequency, Rule};

/// The highest day that every month has.
const IN_EVERY_MONTH: i8 = 28;

impl Rule {
    /// This rule of a phrase for a task that is due on `date` and had the rule `before`.
    ///
    /// If `before` is anchored and matches `date`, its day stays the day of the series, whatever else the phrase changes. Otherwise
    /// the day of `date` becomes the anchor, if some months lack that day.
    pub(crate) fn anchored(&self, date: Date, before: Option<&Self>) -> Self {
        let day_so_far = before
            .filter(|before| before.leads_to(date))
            .and_then(Self::anchor);
        match day_so_far {
            Some(day) => self.with_anchor(day),
            None if self.skips(date) => self.with_anchor(date.day().into()),
            None => self.clone(),
        }
    }

    /// The rule for a series that restarts on `date`, because its time zone changed: an anchor that does not match that date is
    /// replaced by one for that date, even if every month has that day. Otherwise the information that the day came from a due date
    /// would be lost, and a zone that moves the date back to the 31st would skip months. Other rules stay as they are.
    #[must_use]
    pub fn anchored_again(&self, date: Date) -> Self {
        if self.anchor().is_none() || self.leads_to(date) {
            return self.clone();
        }
        self.without_anchor().with_anchor(date.day().into())
    }

    /// The rule without its anchor, for a series that counts from completion and names no date.
    pub(crate) fn without_anchor(&self) -> Self {
        let mut rule = self.clone();
        if self.anchor().is_some() {
            rule.by_month_day.clear();
            rule.by_set_pos.clear();
        }
        rule
    }

    /// This rule with `day`, or the last day of a month that lacks it, if it does not name the day.
    fn with_anchor(&self, day: i16) -> Self {
        let mut rule = self.clone();
        if !self.leaves_day_open() {
            return rule;
        }
        if self.frequency == Frequency::Yearly && self.by_month.is_empty() {
            // No `BYMONTH`, which would look like that of `every february`.
            let months = self.interval.checked_mul(12);
            let Some(months) = months.filter(|months| *months <= Self::MAX_INTERVAL) else {
                return rule;
            };
            rule.frequency = Frequency::Monthly;
            rule.interval = months;
        }
        rule.by_month_day = vec![-1, day];
        rule.by_set_pos = vec![1];
        rule
    }

    /// Whether this rule, from `date` on, would skip months or years that lack its day.
    fn skips(&self, date: Date) -> bool {
        self.leaves_day_open()
            && match (self.frequency, self.by_month.as_slice()) {
                (Frequency::Monthly, _) => date.day() > IN_EVERY_MONTH,
                (_, [month]) => date.day() > longest(*month),
                _ => date.month() == 2 && date.day() > IN_EVERY_MONTH,
            }
    }

    /// Whether the day of the month comes from the due date, in rules that can have an anchor.
    fn leaves_day_open(&self) -> bool {
        let days = [
            &self.by_week_no,
            &self.by_year_day,
            &self.by_month_day,
            &self.by_set_pos,
        ];
        let most_months = match self.frequency {
            Frequency::Daily | Frequency::Weekly => return false,
            Frequency::Monthly => 0,
            // The places of a set count in the whole year.
            Frequency::Yearly => 1,
        };
        self.by_month.len() <= most_months
            && self.by_day.is_empty()
            && days.iter().all(|part| part.is_empty())
    }

    /// The day of an anchored rule, 1 to 31.
    fn anchor(&self) -> Option<i16> {
        let months = match self.frequency {
            Frequency::Daily | Frequency::Weekly => return None,
            Frequency::Monthly => 0,
            Frequency::Yearly => 1,
        };
        match (self.by_month_day.as_slice(), self.by_set_pos.as_slice()) {
            ([-1, day], [1])
                if *day > 0
                    && self.by_month.len() == months
                    && self.by_day.is_empty()
                    && self.by_year_day.is_empty()
                    && self.by_week_no.is_empty() =>
            {
                Some(*day)
            }
            _ => None,
        }
    }

    /// Whether this is an anchored rule that names `date`, as far as its day and month go.
    fn leads_to(&self, date: Date) -> bool {
        let last = i16::from(date.days_in_month());
        let in_month = self.by_month.is_empty() || self.by_month.contains(&date.month().into());
        in_month && self.anchor().map(|day| day.min(last)) == Some(date.day().into())
    }
}

/// The maximum number of days of a month, not counting leap days.
fn longest(month: i16) -> i8 {
    match month {
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
