//! A rule in English: `every month on the 1st`, `every 2 weeks on Monday until December 31, 2026`.
//!
//! Where the grammar of [phrases](crate::phrase) can say a rule, these words are such a phrase and parse to the same rule. Other rules
//! are described part by part.

use std::fmt::Write as _;

use jiff::civil::{Date, Weekday};

use super::{ByDay, End, Frequency, Rule, Until};
use crate::english::{MONTHS, WEEKDAYS};

const NTH: [&str; 5] = ["first", "second", "third", "fourth", "fifth"];

impl Rule {
    /// The rule in English words, in lower case but for names.
    ///
    /// ```
    /// use nudge_domain::{Rule, parse_recurrence};
    ///
    /// let rule: Rule = "FREQ=MONTHLY;BYMONTHDAY=1,15;COUNT=10".parse()?;
    /// assert_eq!(rule.in_words(), "every month on the 1st and 15th for 10 times");
    /// assert_eq!(parse_recurrence(&rule.in_words())?, rule);
    /// # Ok::<(), nudge_domain::RuleError>(())
    /// ```
    pub fn in_words(&self) -> String {
        let mut words = self.phrase().unwrap_or_else(|| self.parts());
        let weeks_count = match self.frequency {
            Frequency::Weekly => self.interval > 1,
            Frequency::Yearly => !self.by_week_no.is_empty(),
            Frequency::Daily | Frequency::Monthly => false,
        };
        if weeks_count && self.week_start != Weekday::Monday {
            let _ = write!(words, ", weeks beginning on {}", weekday(self.week_start));
        }
        words.push_str(&end(self.end));
        words
    }

    /// The rhythm as a phrase of the grammar, or in a form close to one; none if it has other parts.
    fn phrase(&self) -> Option<String> {
        if !self.by_week_no.is_empty() || !self.by_year_day.is_empty() {
            return None;
        }
        match self.frequency {
            Frequency::Daily => self.names_no_days().then(|| self.every("day")),
            Frequency::Weekly => self.weekly(),
            Frequency::Monthly => self.monthly(),
            Frequency::Yearly => self.yearly(),
        }
    }

    fn names_no_days(&self) -> bool {
        self.by_month.is_empty() && self.days_are_open()
    }

    fn days_are_open(&self) -> bool {
        self.by_month_day.is_empty() && self.by_day.is_empty() && self.by_set_pos.is_empty()
    }

    /// `every week`, `every 2 weeks`.
    fn every(&self, unit: &str) -> String {
        match self.interval {
            0 | 1 => format!("every {unit}"),
            interval => format!("every {interval} {unit}s"),
        }
    }

    fn weekly(&self) -> Option<String> {
        if !self.by_month.is_empty() || !self.by_set_pos.is_empty() {
            return None;
        }
        let days = weekday_set(&self.by_day);
        Some(match (days, self.interval) {
            (None, _) => self.every("week"),
            (Some(Days::Workdays), 0 | 1) => "every weekday".to_owned(),
            (Some(Days::Weekend), 0 | 1) => "every weekend".to_owned(),
            (Some(Days::All), 0 | 1) => "every Monday to Sunday".to_owned(),
            (Some(Days::Listed(list)), 0 | 1) => format!("every {list}"),
            (Some(Days::Workdays), _) => format!("{} on weekdays", self.every("week")),
            (Some(Days::Weekend), _) => format!("{} on weekends", self.every("week")),
            (Some(Days::All), _) => format!("{} on Monday to Sunday", self.every("week")),
            (Some(Days::Listed(list)), _) => format!("{} on {list}", self.every("week")),
        })
    }

    fn monthly(&self) -> Option<String> {
        if !self.by_month.is_empty() {
            return None;
        }
        let every = self.every("month");
        if self.days_are_open() {
            return Some(every);
        }
        Some(format!("{every} on {}", self.in_month()?))
    }

    fn yearly(&self) -> Option<String> {
        let month = match self.by_month.as_slice() {
            [] => return self.days_are_open().then(|| self.every("year")),
            [month] => month_name(*month)?,
            _ => return None,
        };
        let every_year = self.interval <= 1;
        if self.days_are_open() {
            return Some(match every_year {
                true => format!("every {month}"),
                false => format!("{} in {month}", self.every("year")),
            });
        }
        if let Some(numbers) = self.day_numbers()
            && numbers.iter().all(|day| *day > 0)
        {
            let days = and(numbers.iter().map(ToString::to_string));
            let skipped = if self.skips_after(&numbers) {
                " in leap years"
            } else {
                ""
            };
            return Some(match every_year {
                true => format!("every {month} {days}{skipped}"),
                false => format!("{} on {month} {days}{skipped}", self.every("year")),
            });
        }
        let days = self.in_month()?;
        Some(match every_year {
            true => format!("every {month} on {days}"),
            false => format!("{} in {month} on {days}", self.every("year")),
        })
    }

    /// Days of a month: `the 1st and 15th`, `the last Friday`, `the first weekday`.
    fn in_month(&self) -> Option<String> {
        if let Some(days) = self.day_numbers() {
            let skipped = if self.skips_after(&days) {
                " of months that have it"
            } else {
                ""
            };
            return Some(format!("{}{skipped}", numbered(&days)));
        }
        if let ([-1, day], [1], []) = (
            self.by_month_day.as_slice(),
            self.by_set_pos.as_slice(),
            self.by_day.as_slice(),
        ) {
            // From 29 on, a month may lack it.
            let or_last = if *day > 28 { " or the last day" } else { "" };
            return Some(format!("the {}{or_last}", ordinal(*day)));
        }
        if !self.by_month_day.is_empty() || self.by_day.is_empty() {
            return None;
        }
        let positioned = self.by_day.iter().all(|day| day.ordinal != 0);
        if positioned && self.by_set_pos.is_empty() {
            return Some(format!("the {}", weekday_places(&self.by_day)));
        }
        let workdays = matches!(weekday_set(&self.by_day), Some(Days::Workdays));
        if workdays && !self.by_set_pos.is_empty() {
            let places = and(self.by_set_pos_in_order().map(nth));
            return Some(format!("the {places} weekday"));
        }
        None
    }

    /// Whether some months lack one of these days and are skipped, unlike in a phrase, which means their last day.
    fn skips_after(&self, days: &[i16]) -> bool {
        let in_every = match (self.frequency, self.by_month.as_slice()) {
            (Frequency::Yearly, [month]) if *month != 2 => 31,
            _ => 28,
        };
        self.by_set_pos.is_empty()
            && days.iter().all(|day| *day > 0)
            && days.iter().any(|day| *day > in_every)
    }

    /// Positions from the beginning first, then those from the end.
    fn by_set_pos_in_order(&self) -> impl Iterator<Item = i16> {
        in_order(&self.by_set_pos)
    }

    /// The days of `BYMONTHDAY`, and those of the form in which a phrase names the 29th to the 31st: see `phrase/rhythm.rs`.
    fn day_numbers(&self) -> Option<Vec<i16>> {
        if self.by_month_day.is_empty() || !self.by_day.is_empty() {
            return None;
        }
        if self.by_set_pos.is_empty() {
            return Some(in_order(&self.by_month_day).collect());
        }
        let named = &self.by_month_day;
        let highest = *named.last()?;
        let tail: Vec<i16> = named.iter().copied().filter(|day| *day >= 28).collect();
        if named.first()? < &1 || highest <= 28 || tail != (28..=highest).collect::<Vec<i16>>() {
            return None;
        }
        let mut wanted = Vec::new();
        for position in in_order(&self.by_set_pos) {
            match usize::try_from(position) {
                Ok(position) => wanted.push(*named.get(position.checked_sub(1)?)?),
                Err(_) if position == -1 => wanted.push(highest),
                Err(_) => return None,
            }
        }
        let all_below = named
            .iter()
            .filter(|day| **day < 28)
            .all(|day| wanted.contains(day));
        let ends =
            wanted.last() == Some(&highest) && wanted.iter().filter(|day| **day == highest).count() == 1;
        (all_below && ends).then_some(wanted)
    }

    /// Part by part, for rules that no phrase says.
    fn parts(&self) -> String {
        let unit = match self.frequency {
            Frequency::Daily => "day",
            Frequency::Weekly => "week",
            Frequency::Monthly => "month",
            Frequency::Yearly => "year",
        };
        let mut words = self.every(unit);
        if !self.by_month.is_empty() {
            let months = self.by_month.iter().filter_map(|month| month_name(*month));
            let _ = write!(words, " in {}", and(months.map(str::to_owned)));
        }
        if !self.by_week_no.is_empty() {
            let weeks = and(in_order(&self.by_week_no).map(counted));
            let _ = write!(words, ", in the {weeks} week of the year");
        }
        if !self.by_year_day.is_empty() {
            let days = and(in_order(&self.by_year_day).map(counted));
            let _ = write!(words, ", on the {days} day of the year");
        }
        if !self.by_month_day.is_empty() {
            let days: Vec<i16> = in_order(&self.by_month_day).collect();
            let _ = write!(words, ", on {} of the month", numbered(&days));
        }
        if !self.by_day.is_empty() {
            let only = if self.by_month_day.is_empty() {
                "on"
            } else {
                "if it is"
            };
            let _ = write!(words, ", {only} {}", weekdays_with_places(&self.by_day));
        }
        if !self.by_set_pos.is_empty() {
            let places = and(self.by_set_pos_in_order().map(nth));
            let _ = write!(words, ", only the {places} of these days in each {unit}");
        }
        words
    }
}

/// The days of a `BYDAY` without positions.
enum Days {
    All,
    Workdays,
    Weekend,
    Listed(String),
}

fn weekday_set(days: &[ByDay]) -> Option<Days> {
    if days.is_empty() || days.iter().any(|day| day.ordinal != 0) {
        return None;
    }
    let indexes: Vec<i8> = days
        .iter()
        .map(|day| day.weekday.to_monday_zero_offset())
        .collect();
    Some(match indexes.as_slice() {
        [0, 1, 2, 3, 4, 5, 6] => Days::All,
        [0, 1, 2, 3, 4] => Days::Workdays,
        [5, 6] => Days::Weekend,
        _ => Days::Listed(and(days.iter().map(|day| weekday(day.weekday)))),
    })
}

/// `first and third Monday`, `first Monday and last Friday`. Positions of one weekday are one item.
fn weekday_places(days: &[ByDay]) -> String {
    let mut items: Vec<(Weekday, Vec<i16>)> = Vec::new();
    let from_start = days.iter().filter(|day| day.ordinal > 0);
    let from_end = days.iter().filter(|day| day.ordinal <= 0);
    for day in from_start.chain(from_end) {
        match items.iter_mut().find(|(weekday, _)| *weekday == day.weekday) {
            Some((_, places)) => places.push(day.ordinal),
            None => items.push((day.weekday, vec![day.ordinal])),
        }
    }
    // `first Monday and second Tuesday`: what follows a weekday is a position again, so every item has its own.
    and(items.into_iter().map(|(day, places)| {
        let places = and(in_order(&places).map(nth));
        format!("{places} {}", weekday(day))
    }))
}

fn weekdays_with_places(days: &[ByDay]) -> String {
    let (every, placed): (Vec<ByDay>, Vec<ByDay>) = days.iter().partition(|day| day.ordinal == 0);
    let mut items = Vec::new();
    if !every.is_empty() {
        let named = and(every.iter().map(|day| weekday(day.weekday)));
        items.push(format!("a {named}"));
    }
    if !placed.is_empty() {
        items.push(format!("the {}", weekday_places(&placed)));
    }
    and(items)
}

/// `the 1st and 15th`, `the last day`, `the 1st and last day`.
fn numbered(days: &[i16]) -> String {
    let names = and(days.iter().map(|day| match day {
        -1 => "last".to_owned(),
        day if *day < 0 => nth(*day),
        day => ordinal(*day),
    }));
    if days.iter().all(|day| *day > 0) {
        format!("the {names}")
    } else {
        format!("the {names} day")
    }
}

/// From the beginning first, then from the end, the last one last.
fn in_order(positions: &[i16]) -> impl Iterator<Item = i16> {
    let positive = positions.iter().copied().filter(|position| *position > 0);
    let negative = positions.iter().copied().filter(|position| *position < 0);
    let (positive, negative): (Vec<i16>, Vec<i16>) = (positive.collect(), negative.collect());
    positive.into_iter().chain(negative)
}

/// `first`, `23rd`, `last`, `second last`.
fn nth(position: i16) -> String {
    if position == -1 {
        return "last".to_owned();
    }
    let from_end = position < 0;
    let number = position.unsigned_abs();
    let name = usize::from(number)
        .checked_sub(1)
        .and_then(|index| NTH.get(index))
        .map_or_else(|| suffixed(number), |name| (*name).to_owned());
    if from_end { format!("{name} last") } else { name }
}

/// `1st`, `last`, `10th last`.
fn counted(position: i16) -> String {
    match position {
        1.. => ordinal(position),
        -1 => "last".to_owned(),
        _ => format!("{} last", suffixed(position.unsigned_abs())),
    }
}

/// `1st`, `22nd`, `13th`.
fn ordinal(number: i16) -> String {
    suffixed(number.unsigned_abs())
}

fn suffixed(number: u16) -> String {
    let suffix = match (number % 100, number % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{number}{suffix}")
}

/// ` for 10 times`, ` until December 31, 2026`; nothing for a recurrence that goes on.
fn end(end: End) -> String {
    match end {
        End::Never => String::new(),
        End::Count(1) => " for 1 time".to_owned(),
        End::Count(count) => format!(" for {count} times"),
        End::Until(Until::Date(date)) => format!(" until {}", in_full(date)),
        End::Until(Until::Local(local)) => format!(" until {} at {}", in_full(local.date()), local.time()),
        End::Until(Until::Utc(utc)) => format!(" until {} at {} UTC", in_full(utc.date()), utc.time()),
    }
}

/// `December 31, 2026`.
fn in_full(date: Date) -> String {
    let month = month_name(date.month().into()).unwrap_or_default();
    format!("{month} {}, {:04}", date.day(), date.year())
}

/// `Monday`.
pub(crate) fn weekday(day: Weekday) -> String {
    let index = usize::from(day.to_monday_zero_offset().unsigned_abs());
    capital(WEEKDAYS.get(index).copied().unwrap_or_default())
}

/// `January` for 1.
pub(crate) fn month_name(month: i16) -> Option<&'static str> {
    const NAMES: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    const { assert!(NAMES.len() == MONTHS.len()) };
    NAMES.get(usize::try_from(month).ok()?.checked_sub(1)?).copied()
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn and(items: impl IntoIterator<Item = String>) -> String {
    let mut items: Vec<String> = items.into_iter().collect();
    let Some(last) = items.pop() else {
        return String::new();
    };
    if items.is_empty() {
        return last;
    }
    format!("{} and {last}", items.join(", "))
}
