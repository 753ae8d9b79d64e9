//! Days, found by going through the calendar one by one.

use jiff::civil::{Date, Weekday};
use jiff::{Span, ToSpan};

use super::meaning::Refusal;

/// Days that a name can mean, the next one first.
#[derive(Debug)]
pub(super) struct Days {
    /// First and last of each.
    pub(super) list: Vec<(Date, Date)>,
    /// `end of`.
    pub(super) end: bool,
    /// With its year.
    pub(super) absolute: bool,
}

impl Days {
    fn fixed(date: Date) -> Self {
        Self::of(vec![(date, date)])
    }

    fn of(list: Vec<(Date, Date)>) -> Self {
        Self {
            list,
            end: false,
            absolute: false,
        }
    }

    /// The first two days from `from` on, of ten years, for which that is true.
    fn first(from: Date, wanted: impl Fn(Date) -> bool) -> Result<Self, Refusal> {
        let days = from.series(1.day()).take(3660).filter(|date| wanted(*date));
        let list: Vec<_> = days.take(2).map(|date| (date, date)).collect();
        (!list.is_empty())
            .then(|| Self::of(list))
            .ok_or(Refusal::NoSuchTime)
    }
}

pub(super) fn plus(date: Date, days: i64) -> Date {
    date.checked_add(days.days()).expect("in range")
}

/// What a template for a day means.
pub(super) fn read(text: &str, today: Date) -> Result<Days, Refusal> {
    if let Some((base, amount)) = text.rsplit_once(" + ") {
        let base = read(base, today)?;
        let span = amount_of(amount)?;
        let later = |(_, date): &(Date, Date)| {
            let date = date.checked_add(span).map_err(|_| Refusal::OutOfRange)?;
            Ok((date, date))
        };
        return Ok(Days {
            list: base.list.iter().map(later).collect::<Result<_, _>>()?,
            end: false,
            ..base
        });
    }
    if let Some((date, name)) = text.rsplit_once(", a ") {
        let mut days = read(date, today)?;
        let fits = |date: Date| date.weekday() == weekday(name);
        if !fits(days.list[0].1) {
            return Err(Refusal::OtherWeekday);
        }
        days.list.retain(|(_, date)| fits(*date));
        return Ok(days);
    }
    if let Some(day) = text.strip_prefix("end of day ") {
        return Ok(Days {
            end: true,
            ..read(day, today)?
        });
    }
    for (edge, end) in [("first", false), ("last", false), ("end", true), ("span", false)] {
        if let Some(of) = text.strip_prefix(edge)
            && let Some(period) = of
                .strip_prefix(" of ")
                .or(of.strip_prefix(' ').filter(|_| edge == "span"))
        {
            return edge_of(edge, period, today).map(|days| Days { end, ..days });
        }
    }
    if let Some((head, name)) = text.split_once(": ") {
        return counted(head, name, today);
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.as_slice() {
        ["today"] => Ok(Days::fixed(today)),
        ["tomorrow"] => Ok(Days::fixed(plus(today, 1))),
        ["weekend"] => {
            let days = [Weekday::Saturday, Weekday::Sunday].map(|day| in_week(today, 0, day));
            let ahead = days.into_iter().filter(|day| *day >= today);
            Ok(Days::of(ahead.map(|day| (day, day)).collect()))
        }
        ["either", numbers @ ..] => either(numbers, today),
        [date] => {
            let numbers: Vec<i64> = date.split('-').map(number).collect();
            let mut days = Days::fixed(existing(numbers[0], numbers[1], numbers[2])?);
            days.absolute = true;
            Ok(days)
        }
        _ => panic!("no day: {text}"),
    }
}

fn counted(head: &str, name: &str, today: Date) -> Result<Days, Refusal> {
    match head.split_whitespace().collect::<Vec<_>>().as_slice() {
        ["after", "today"] => Days::first(plus(today, 1), |date| date.weekday() == weekday(name)),
        ["before", "today"] => {
            Days::first(plus(today, -7), |date| date.weekday() == weekday(name)).map(|days| {
                let list = days.list.into_iter().take(1).collect();
                Days::of(list)
            })
        }
        ["year", year] => dated(number(year), name),
        ["year", "or", "time", year] => {
            let days = dated(number(year), name)?;
            let (year, this) = (number(year), i64::from(today.year()));
            let time = year / 100 < 24 && year % 100 < 60;
            if time && !(this..=this + 20).contains(&year) {
                return Err(Refusal::Ambiguous);
            }
            Ok(days)
        }
        ["week", weeks] => Ok(Days::fixed(in_week(today, number(weeks), weekday(name)))),
        ["month", months] => {
            let month = months_later(today.first_of_month(), number(months));
            let date = existing(month.year().into(), month.month().into(), number(name))?;
            Ok(Days::fixed(date))
        }
        ["from", "today", "on"] if name.chars().all(char::is_alphabetic) => {
            Days::first(today, |date| date.weekday() == weekday(name))
        }
        ["from", "today", "on"] => match name.split_once('-') {
            Some((month, day)) => Days::first(today, |date| {
                (i64::from(date.month()), i64::from(date.day())) == (number(month), number(day))
            }),
            None => Days::first(today, |date| i64::from(date.day()) == number(name)),
        },
        _ => panic!("no day: {head}: {name}"),
    }
}

/// A month and a day, `12-24`, of that year.
fn dated(year: i64, date: &str) -> Result<Days, Refusal> {
    let (month, day) = date.split_once('-').expect(date);
    let mut days = Days::fixed(existing(year, number(month), number(day))?);
    days.absolute = true;
    Ok(days)
}

/// The first or last day of a period, or all of it.
fn edge_of(edge: &str, period: &str, today: Date) -> Result<Days, Refusal> {
    let month_of = |first: Date| (first, first.last_of_month());
    let (periods, absolute) = match period.split_whitespace().collect::<Vec<_>>().as_slice() {
        ["from", "today", "on:", month] => {
            let month = number(month);
            let months = (0..36).map(|months| months_later(today.first_of_month(), months));
            let named = months.filter(|first| i64::from(first.month()) == month);
            let ahead = named.map(month_of).filter(|(first, last)| match edge {
                "first" => *first >= today,
                _ => *last >= today,
            });
            (ahead.take(2).collect(), false)
        }
        [unit, ahead] => (vec![unit_of(unit, number(ahead), today)], false),
        [date] => {
            let numbers: Vec<i64> = date.split('-').map(number).collect();
            let period = match numbers.as_slice() {
                [year] => (existing(*year, 1, 1)?, existing(*year, 12, 31)?),
                _ => month_of(existing(numbers[0], numbers[1], 1)?),
            };
            (vec![period], true)
        }
        _ => panic!("no period: {period}"),
    };
    let list = periods
        .into_iter()
        .map(|(first, last)| match edge {
            "first" => (first, first),
            "span" => (first, last),
            _ => (last, last),
        })
        .collect();
    Ok(Days {
        absolute,
        ..Days::of(list)
    })
}

fn unit_of(unit: &str, ahead: i64, today: Date) -> (Date, Date) {
    let months = |first: Date, count: i64| (first, plus(months_later(first, count), -1));
    match unit {
        "week" => (
            in_week(today, ahead, Weekday::Monday),
            in_week(today, ahead, Weekday::Sunday),
        ),
        "weekend" => (
            in_week(today, ahead, Weekday::Saturday),
            in_week(today, ahead, Weekday::Sunday),
        ),
        "month" => months(months_later(today.first_of_month(), ahead), 1),
        "quarter" => {
            let begins = |date: &Date| date.day() == 1 && [1, 4, 7, 10].contains(&date.month());
            let this = today.series(-1.day()).find(begins).expect("it began");
            months(months_later(this, 3 * ahead), 3)
        }
        "year" => months(months_later(today.first_of_year(), 12 * ahead), 12),
        _ => panic!("no unit: {unit}"),
    }
}

/// Day and month, or month and day.
fn either(numbers: &[&str], today: Date) -> Result<Days, Refusal> {
    let (first, second) = (number(numbers[0]), number(numbers[1]));
    let months = |number: &i64| (1..=12).contains(number);
    let readings: std::collections::BTreeSet<(i64, i64)> = [(first, second), (second, first)]
        .into_iter()
        .filter(|(month, _)| months(month))
        .collect();
    let (month, day) = match readings.len() {
        0 => return Err(Refusal::NoSuchTime),
        1 => readings.first().copied().expect("there is one"),
        _ => return Err(Refusal::Ambiguous),
    };
    match numbers.get(2) {
        Some(year) => {
            let mut days = Days::fixed(existing(number(year), month, day)?);
            days.absolute = true;
            Ok(days)
        }
        None => counted("from today on", &format!("{month}-{day}"), today),
    }
}

fn existing(year: i64, month: i64, day: i64) -> Result<Date, Refusal> {
    if !(1970..=2199).contains(&year) {
        return Err(Refusal::OutOfRange);
    }
    let small = |number: i64| i8::try_from(number).map_err(|_| Refusal::NoSuchTime);
    let year = i16::try_from(year).expect("it is in range");
    Date::new(year, small(month)?, small(day)?).map_err(|_| Refusal::NoSuchTime)
}

fn in_week(today: Date, weeks: i64, wanted: Weekday) -> Date {
    let monday = today
        .series(-1.day())
        .find(|date| date.weekday() == Weekday::Monday)
        .expect("every week has one");
    plus(monday, 7 * weeks)
        .series(1.day())
        .find(|date| date.weekday() == wanted)
        .expect("every week has one")
}

fn months_later(date: Date, months: i64) -> Date {
    date.checked_add(months.months()).expect("in range")
}

fn weekday(name: &str) -> Weekday {
    let names = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    let index = names.iter().position(|known| *known == name).expect(name);
    Weekday::from_monday_zero_offset(i8::try_from(index).expect("seven")).expect("seven")
}

fn number(text: &str) -> i64 {
    text.parse().expect(text)
}

/// `1 years 2 fortnights`.
pub(super) fn amount_of(text: &str) -> Result<Span, Refusal> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut span = Span::new();
    for pair in words.chunks(2) {
        let count = number(pair[0]);
        let more = match pair[1] {
            "years" => span.try_years(count),
            "months" => span.try_months(count),
            "quarters" => span.try_months(3 * count),
            "weeks" => span.try_weeks(count),
            "fortnights" => span.try_weeks(2 * count),
            "days" => span.try_days(count),
            "hours" => span.try_hours(count),
            "minutes" => span.try_minutes(count),
            "seconds" => span.try_seconds(count),
            unit => panic!("no unit: {unit}"),
        };
        span = more.map_err(|_| Refusal::OutOfRange)?;
    }
    Ok(span)
}
