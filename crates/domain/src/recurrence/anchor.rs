//! Rules of phrases at the ends of months.
//!
//! `monthly` leaves the day to the due date. RFC 5545 skips months that lack that day (section 3.3.10); who says `monthly` on the
//! 31st means the last day of a shorter month. So the rule of a phrase is *anchored*: `BYMONTHDAY=-1,31;BYSETPOS=1` is the 31st
//! or the last day, whichever comes first, to every reader of rules. No other rule of a phrase has this form, so it
//! also tells that the day came from a due date.

use jiff::civil::Date;

use super::{Frequency, Rule};

/// The last day that every month has.
const IN_EVERY_MONTH: i8 = 28;

impl Rule {
    /// This rule of a phrase for a task that is due on `date` and had the rule `before`: with the day of `date` in it if some months
    /// lack that day, or `before`, if that is this rule with an anchor that leads to `date`.
    pub(crate) fn anchored(&self, date: Date, before: Option<&Self>) -> Self {
        match before {
            Some(before) if before.is_anchor_of(self) && before.leads_to(date) => before.clone(),
            _ => self.with_anchor(date),
        }
    }

    /// The rule for a series that begins anew on `date`, because its time zone changed: an anchor that does not lead to that
    /// date is replaced by that of the date. Other rules stay as they are.
    #[must_use]
    pub fn anchored_anew(&self, date: Date) -> Self {
        if self.anchor().is_none() || self.leads_to(date) {
            return self.clone();
        }
        self.without_anchor().with_anchor(date)
    }

    /// The rule without its anchor, for a series that measures a distance and names no date.
    pub(crate) fn without_anchor(&self) -> Self {
        let mut rule = self.clone();
        if let Some(day) = self.anchor() {
            rule.by_month_day.clear();
            rule.by_set_pos.clear();
            if day == 29 {
                // `every year` from 29 February.
                rule.by_month.clear();
            }
        }
        rule
    }

    fn with_anchor(&self, date: Date) -> Self {
        let mut rule = self.clone();
        let open = [
            &self.by_week_no,
            &self.by_year_day,
            &self.by_month_day,
            &self.by_set_pos,
        ];
        if date.day() <= IN_EVERY_MONTH || !self.by_day.is_empty() || open.iter().any(|part| !part.is_empty())
        {
            return rule;
        }
        let lacks_day = match (self.frequency, self.by_month.as_slice()) {
            (Frequency::Daily | Frequency::Weekly, _) => false,
            (Frequency::Monthly, months) => months.is_empty(),
            (Frequency::Yearly, []) => date.month() == 2,
            (Frequency::Yearly, [month]) => date.day() > longest(*month),
            // The places of a set count in the whole year.
            (Frequency::Yearly, _) => false,
        };
        if lacks_day {
            if self.frequency == Frequency::Yearly && self.by_month.is_empty() {
                rule.by_month = vec![date.month().into()];
            }
            rule.by_month_day = vec![-1, date.day().into()];
            rule.by_set_pos = vec![1];
        }
        rule
    }

    /// The day of an anchored rule: 29, 30 or 31.
    fn anchor(&self) -> Option<i16> {
        let months = match self.frequency {
            Frequency::Daily | Frequency::Weekly => return None,
            Frequency::Monthly => 0,
            Frequency::Yearly => 1,
        };
        match (self.by_month_day.as_slice(), self.by_set_pos.as_slice()) {
            ([-1, day], [1])
                if *day > i16::from(IN_EVERY_MONTH)
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

    /// Whether this is `open` with an anchor, whichever.
    fn is_anchor_of(&self, open: &Self) -> bool {
        let opened = Self {
            by_month: open.by_month.clone(),
            by_month_day: Vec::new(),
            by_set_pos: Vec::new(),
            ..self.clone()
        };
        let same_months = open.by_month.is_empty() || open.by_month == self.by_month;
        self.anchor().is_some() && same_months && opened == *open
    }

    /// Whether an anchored rule names `date`, as far as its day and month go.
    fn leads_to(&self, date: Date) -> bool {
        let last = i16::from(date.days_in_month());
        let in_month = self.by_month.is_empty() || self.by_month.contains(&date.month().into());
        in_month && self.anchor().map(|day| day.min(last)) == Some(date.day().into())
    }
}

/// The longest length of a month, except that a leap day is not in every February.
fn longest(month: i16) -> i8 {
    match month {
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
