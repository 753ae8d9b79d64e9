//! Expands a rule and a start date to the dates of each period.

use jiff::civil::{Date, Weekday};
use jiff::{Span, ToSpan};

use super::{ByDay, Frequency, Rule};
use crate::due::Due;

/// A rule with a start date.
///
/// Period 0 is the day, week, month or year of the start, and period `k` the one `k` intervals on. Within a period the
/// parts of a rule are conditions that a date meets or not, which gives the same dates as the table's "expand" and
/// "limit", since an expanded part always names days of the period.
#[derive(Debug, Clone)]
pub(super) struct Expansion<'r> {
    rule: &'r Rule,
    interval: i64,
    start: Date,
    /// The parts that the rule leaves open, taken from the start date.
    month: Option<i8>,
    month_day: Option<i8>,
    weekday: Option<Weekday>,
}

/// The days of one period.
#[derive(Debug, Clone, Copy)]
pub(super) struct Period {
    pub(super) first: Date,
    pub(super) last: Date,
}

impl<'r> Expansion<'r> {
    pub(super) fn new(rule: &'r Rule, start: Date) -> Self {
        let no_day = rule.by_day.is_empty() && rule.by_month_day.is_empty() && rule.by_year_day.is_empty();
        let weekly = match rule.frequency {
            Frequency::Weekly => rule.by_day.is_empty(),
            _ => no_day && !rule.by_week_no.is_empty(),
        };
        let monthly = no_day && rule.by_week_no.is_empty();
        Self {
            rule,
            interval: i64::from(rule.interval),
            start,
            month: (rule.frequency == Frequency::Yearly && monthly && rule.by_month.is_empty())
                .then(|| start.month()),
            month_day: (matches!(rule.frequency, Frequency::Monthly | Frequency::Yearly) && monthly)
                .then(|| start.day()),
            weekday: weekly.then(|| start.weekday()),
        }
    }

    /// Period `index`, or `None` when it begins after the last year.
    pub(super) fn period(&self, index: i64) -> Option<Period> {
        let steps = index.checked_mul(self.interval)?;
        let period = match self.rule.frequency {
            Frequency::Daily => {
                let day = self.start.checked_add(Span::new().try_days(steps).ok()?).ok()?;
                Period {
                    first: day,
                    last: day,
                }
            }
            Frequency::Weekly => {
                let first = self
                    .week_of(self.start)?
                    .checked_add(Span::new().try_weeks(steps).ok()?)
                    .ok()?;
                Period {
                    first,
                    last: first.checked_add(6.days()).ok()?,
                }
            }
            Frequency::Monthly => {
                let month = months(self.start).checked_add(steps)?;
                let year = i16::try_from(month.div_euclid(12)).ok()?;
                let first = Date::new(year, i8::try_from(month.rem_euclid(12)).ok()? + 1, 1).ok()?;
                Period {
                    first,
                    last: first.last_of_month(),
                }
            }
            Frequency::Yearly => {
                let year = i16::try_from(i64::from(self.start.year()).checked_add(steps)?).ok()?;
                let first = Date::new(year, 1, 1).ok()?;
                Period {
                    first,
                    last: first.last_of_year(),
                }
            }
        };
        (period.first.year() <= Due::LAST_YEAR).then_some(period)
    }

    /// The last period that begins on or before `date`, or the first of all.
    pub(super) fn index_of(&self, date: Date) -> i64 {
        let steps = match self.rule.frequency {
            Frequency::Daily => days_between(self.start, date),
            Frequency::Weekly => self
                .week_of(self.start)
                .map_or(0, |first| days_between(first, date) / 7),
            Frequency::Monthly => months(date) - months(self.start),
            Frequency::Yearly => i64::from(date.year()) - i64::from(self.start.year()),
        };
        (steps / self.interval).max(0)
    }

    /// The dates of `period` that the rule names, in order.
    pub(super) fn dates(&self, period: Period) -> Vec<Date> {
        let mut dates = Vec::new();
        let mut day = Some(period.first);
        while let Some(date) = day.filter(|date| *date <= period.last) {
            if self.names(date) {
                dates.push(date);
            }
            day = date.tomorrow().ok();
        }
        if self.rule.by_set_pos.is_empty() {
            dates
        } else {
            self.at_positions(&dates)
        }
    }

    /// `BYSETPOS`: the n-th of a period's dates, from the front or from the end.
    fn at_positions(&self, dates: &[Date]) -> Vec<Date> {
        let mut chosen: Vec<Date> = self
            .rule
            .by_set_pos
            .iter()
            .filter_map(|position| {
                let steps = usize::from(position.unsigned_abs()).checked_sub(1)?;
                if *position > 0 {
                    dates.get(steps)
                } else {
                    dates.iter().rev().nth(steps)
                }
            })
            .copied()
            .collect();
        chosen.sort_unstable();
        chosen.dedup();
        chosen
    }

    fn names(&self, date: Date) -> bool {
        let rule = self.rule;
        one_of(&rule.by_month, i16::from(date.month()), None)
            && self.month.is_none_or(|month| month == date.month())
            && self.month_day.is_none_or(|day| day == date.day())
            && self.weekday.is_none_or(|weekday| weekday == date.weekday())
            && one_of(
                &rule.by_month_day,
                i16::from(date.day()),
                Some(i16::from(date.days_in_month())),
            )
            && (rule.by_day.is_empty() || rule.by_day.iter().any(|by_day| self.names_weekday(*by_day, date)))
            && one_of(&rule.by_year_day, date.day_of_year(), Some(date.days_in_year()))
            && (rule.by_week_no.is_empty() || self.names_week(date))
    }

    /// `BYDAY`; a number counts within the month, or within the year for `YEARLY` without `BYMONTH`.
    fn names_weekday(&self, by_day: ByDay, date: Date) -> bool {
        if by_day.weekday != date.weekday() {
            return false;
        }
        let in_year = self.rule.frequency == Frequency::Yearly && self.rule.by_month.is_empty();
        let (day, days) = if in_year {
            (date.day_of_year(), date.days_in_year())
        } else {
            (i16::from(date.day()), i16::from(date.days_in_month()))
        };
        match by_day.ordinal {
            0 => true,
            ordinal if ordinal > 0 => (day - 1) / 7 + 1 == ordinal,
            ordinal => -((days - day) / 7 + 1) == ordinal,
        }
    }

    /// `BYWEEKNO`: weeks as in ISO 8601, but beginning with `WKST`; week 1 has at least four days in its year. The days
    /// around New Year are in a week of the neighbouring year and match by that week's number.
    fn names_week(&self, date: Date) -> bool {
        let week = |date: Date| {
            let fourth_day = self.week_of(date)?.checked_add(3.days()).ok()?;
            Some((fourth_day.year(), (fourth_day.day_of_year() - 1) / 7 + 1))
        };
        // 28 December is always in the last week of its year.
        let last_of = |year| week(Date::new(year, 12, 28).ok()?);
        let Some((year, number)) = week(date) else {
            return false;
        };
        let weeks = last_of(year).map(|(_, number)| number);
        one_of(&self.rule.by_week_no, number, weeks)
    }

    /// The first day of the week `date` is in.
    fn week_of(&self, date: Date) -> Option<Date> {
        date.checked_sub(date.weekday().since(self.rule.week_start).days())
            .ok()
    }
}

/// Whether `list` is empty, or contains `number`, counted from the front or from the end of `total` (-1 is the last).
fn one_of(list: &[i16], number: i16, total: Option<i16>) -> bool {
    list.is_empty()
        || list.contains(&number)
        || total.is_some_and(|total| list.contains(&(number - total - 1)))
}

fn months(date: Date) -> i64 {
    i64::from(date.year()) * 12 + i64::from(date.month()) - 1
}

fn days_between(from: Date, to: Date) -> i64 {
    from.duration_until(to).as_hours() / 24
}

/// Whether no date of any year matches, whatever the start.
///
/// Years of every shape (leap or not, each weekday first) are among any 28 successive ones without a skipped leap year,
/// so a rule that names no date from 2001 to 2028 never does. The start is a date that every month and year has.
pub(super) fn never_matches(rule: &Rule) -> bool {
    let every_period = Rule {
        interval: 1,
        ..rule.clone()
    };
    let expansion = Expansion::new(&every_period, Date::constant(2001, 1, 1));
    (0..)
        .map_while(|index| expansion.period(index))
        .take_while(|period| period.first.year() <= 2028)
        .all(|period| expansion.dates(period).is_empty())
}
