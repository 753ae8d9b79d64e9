//! Dates in a year: `every january 1`, `fourth thursday of november`, `end of year`.

use super::months::{DETAILS, PLACES, edge, nth_day};
use super::parser::{adverb, and, each, every, every_unit};
use super::rhythm::{InMonth, Rhythm};
use super::tokens::Cursor;

/// A month and days in it.
type InYear = (usize, InMonth);

pub(super) fn yearly(words: Cursor<'_>) -> Option<Rhythm> {
    let mut rest = words;
    if let Some(every) = years(&mut rest) {
        let on = if rest.is_at_end() {
            None
        } else {
            rest.skip(&[","]);
            Some(at_edge(rest, |_| Some(())).or_else(|| {
                rest.skip(&["on", "in"]);
                rest.skip(&["the"]);
                date(rest, |_| Some(()))
            })?)
        };
        return Some(Rhythm::Years { every, on });
    }
    let on = edge_of_year(words)
        .or_else(|| at_edge(words, every_year))
        .or_else(|| date_alone(words))?;
    Some(Rhythm::Years {
        every: 1,
        on: Some(on),
    })
}

fn years(words: &mut Cursor<'_>) -> Option<i32> {
    adverb(words, &[&["yearly"], &["annually"]])
        .map(|()| 1)
        .or_else(|| every_unit(words, &["year", "years"]))
}

/// `every january 1`, `on the 1st of may each year`.
fn date_alone(words: Cursor<'_>) -> Option<InYear> {
    let mut rest = words;
    rest.skip(&["on", "in"]);
    if rest.maybe(each).is_some() {
        let mut ahead = rest;
        if nth_day(&mut ahead).is_some() {
            return None;
        }
        return month_date(rest, |_| Some(())).or_else(|| rest.all(one_day_month));
    }
    rest.skip(&["the"]);
    date(rest, every_year)
}

/// `at the end of june`, and then what `end` reads.
fn at_edge(words: Cursor<'_>, end: fn(&mut Cursor<'_>) -> Option<()>) -> Option<InYear> {
    words.all(|words| {
        words.one_of(&["at"])?;
        words.skip(&["the"]);
        let days = edge(words)?;
        words.one_of(&["of", "in"])?;
        let month = words.month()?;
        end(words).map(|()| (month, days))
    })
}

/// Nothing, or `of every year`.
fn every_year(words: &mut Cursor<'_>) -> Option<()> {
    if words.is_at_end() {
        return Some(());
    }
    words.skip(&["of", "in"]);
    every(words)?;
    words.one_of(&["year"])
}

/// A date, and then what `end` reads.
fn date(words: Cursor<'_>, end: fn(&mut Cursor<'_>) -> Option<()>) -> Option<InYear> {
    let days_month = |words: &mut Cursor<'_>| {
        let days = month_days(words)?;
        let month = words.month()?;
        end(words).map(|()| (month, InMonth::Days(days)))
    };
    month_date(words, end).or_else(|| words.all(days_month))
}

fn month_date(words: Cursor<'_>, end: fn(&mut Cursor<'_>) -> Option<()>) -> Option<InYear> {
    let place_of_month = |place: fn(&mut Cursor<'_>) -> Option<InMonth>| {
        words.all(|words| {
            let days = place(words)?;
            words.one_of(&["of", "in"])?;
            let month = words.month()?;
            end(words).map(|()| (month, days))
        })
    };
    if let Some(date) = PLACES.into_iter().find_map(place_of_month) {
        return Some(date);
    }
    let mut rest = words;
    let month = rest.month()?;
    if rest.all(end).is_some() {
        return Some((month, InMonth::Open));
    }
    rest.skip(&["on"]);
    rest.skip(&["the"]);
    let then = |days: InMonth, words: &mut Cursor<'_>| end(words).map(|()| (month, days));
    let numbered = rest.all(|words| {
        let mut ahead = *words;
        let days = words.list(and, |words| words.digits().or_else(|| words.ordinal()))?;
        // The second number of "january 1, 27" could be a year.
        if days.len() == 2 && bare_numbers(&mut ahead).is_some() {
            return None;
        }
        then(InMonth::Days(days), words)
    });
    numbered.or_else(|| {
        DETAILS.into_iter().find_map(|detail| {
            rest.all(|words| {
                let days = detail(words)?;
                then(days, words)
            })
        })
    })
}

/// `1, 27`.
fn bare_numbers(words: &mut Cursor<'_>) -> Option<()> {
    words.digits()?;
    words.one_of(&[","])?;
    words.digits().map(drop)
}

/// `1, 2nd and 3`.
fn month_days(words: &mut Cursor<'_>) -> Option<Vec<i32>> {
    words.list(and, |words| words.digits().or_else(|| words.numeral()))
}

/// `25th december` after `every`, where `2nd december` could be an interval.
fn one_day_month(words: &mut Cursor<'_>) -> Option<InYear> {
    let day = words
        .digits()
        .or_else(|| words.numeral().filter(|day| !(2..=5).contains(day)))?;
    let month = words.month()?;
    Some((month, InMonth::Days(vec![day])))
}

/// `end of year`, `first day of every year`.
fn edge_of_year(words: Cursor<'_>) -> Option<InYear> {
    words.all(|words| {
        words.skip(&["on", "at"]);
        let each = words.maybe(each).is_some();
        if !each {
            words.skip(&["the"]);
        }
        let last = year_edge(words)?;
        let of = words.one_of(&["of", "in"]).is_some();
        let every = every(words).is_some();
        if of && !every {
            words.skip(&["the", "a"]);
        }
        words.one_of(&["year"])?;
        let said = of || every && !each;
        let (month, day) = if last { (12, 31) } else { (1, 1) };
        said.then_some((month, InMonth::Days(vec![day])))
    })
}

/// Whether it is the last day of the year, not the first.
fn year_edge(words: &mut Cursor<'_>) -> Option<bool> {
    if words.one_of(&["end"]).is_some() || words.words(&["last", "day"]).is_some() {
        return Some(true);
    }
    if words.one_of(&["first"]).is_some() {
        words.skip(&["day"]);
        return Some(false);
    }
    words.one_of(&["start", "beginning"]).map(|()| false)
}
