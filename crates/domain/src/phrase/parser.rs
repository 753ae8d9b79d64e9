//! A recursive descent parser for the grammar of `docs/phrases.md`: each function is named after its production on that page.
//! This file has frequencies, days and weeks.

use super::months;
use super::rhythm::Rhythm;
use super::tokens::Cursor;
use super::years;

pub(super) const DAY: &[&str] = &["day", "days"];
pub(super) const OTHER: &[&str] = &["other", "alternate"];

/// A phrase without its end.
pub(super) fn rhythm(words: Cursor<'_>) -> Option<Rhythm> {
    [daily, weekly, months::monthly, years::yearly]
        .into_iter()
        .find_map(|kind| kind(words))
}

pub(super) fn every(words: &mut Cursor<'_>) -> Option<()> {
    words.one_of(&["every", "each"])
}

/// `once`, `once in`.
fn once(words: &mut Cursor<'_>) -> Option<()> {
    words.one_of(&["once"])?;
    words.skip(&["in"]);
    Some(())
}

/// What may precede a named day: `every`, `each single`, `once every`.
pub(super) fn each(words: &mut Cursor<'_>) -> Option<()> {
    let once = once(words).is_some();
    every(words)?;
    if !once {
        words.skip(&["single"]);
    }
    Some(())
}

fn one(words: &mut Cursor<'_>) -> Option<()> {
    words.maybe(each).or_else(|| {
        words.one_of(&["once"])?;
        words.one_of(&["a", "per"]).or_else(|| words.words(&["in", "a"]))
    })
}

/// `every other`, `every 3`, `every third`.
pub(super) fn step(words: &mut Cursor<'_>) -> Option<i32> {
    every(words)?;
    if words.one_of(OTHER).is_some() {
        return Some(2);
    }
    words.number().or_else(|| words.ordinal().filter(|nth| *nth > 1))
}

/// The number of units between two occurrences: 1 for `once a week`, 3 for `every 3 weeks`.
pub(super) fn every_unit(words: &mut Cursor<'_>, unit: &[&str]) -> Option<i32> {
    let several = words.maybe(|words| {
        let _ = once(words);
        let step = step(words)?;
        words.one_of(unit).map(|()| step)
    });
    several.or_else(|| words.maybe(|words| one_unit(words, unit)))
}

fn one_unit(words: &mut Cursor<'_>, unit: &[&str]) -> Option<i32> {
    one(words)?;
    words.one_of(unit).map(|()| 1)
}

/// `weekly` or `once weekly`, or another of these adverbs.
pub(super) fn adverb(words: &mut Cursor<'_>, adverbs: &[&[&str]]) -> Option<()> {
    words.maybe(|words| {
        words.skip(&["once"]);
        adverbs.iter().find_map(|adverb| words.words(adverb))
    })
}

/// The separator of list items, with the `on` and `the` of the next item.
pub(super) fn and(words: &mut Cursor<'_>) -> Option<()> {
    if words.one_of(&[","]).is_some() {
        words.skip(&["and"]);
    } else {
        words.one_of(&["and", "&"])?;
    }
    words.skip(&["on"]);
    words.skip(&["the"]);
    Some(())
}

pub(super) fn and_or_slash(words: &mut Cursor<'_>) -> Option<()> {
    and(words).or_else(|| words.one_of(&["/"]))
}

/// `of the week`.
pub(super) fn of_the(words: &mut Cursor<'_>, unit: &str) -> Option<()> {
    words.maybe(|words| {
        words.one_of(&["of", "in"])?;
        words.skip(&["the", "a"]);
        words.one_of(&[unit])
    })
}

fn daily(words: Cursor<'_>) -> Option<Rhythm> {
    let alternate = |words: &mut Cursor<'_>| words.words(&["alternate", "days"]).map(|()| 2);
    let every_day = |words: &mut Cursor<'_>| {
        if words.one_of(&["everyday"]).is_none() {
            one_unit(words, DAY)?;
        }
        let _ = of_the(words, "week");
        Some(1)
    };
    let every = words
        .all(|words| adverb(words, &[&["daily"]]).map(|()| 1))
        .or_else(|| words.all(alternate))
        .or_else(|| words.all(every_day))
        .or_else(|| words.all(|words| every_unit(words, DAY)))?;
    Some(Rhythm::Days { every })
}

fn weekly(words: Cursor<'_>) -> Option<Rhythm> {
    let mut rest = words;
    if let Some(every) = weeks(&mut rest) {
        let on = if rest.is_at_end() {
            Vec::new()
        } else {
            rest.all(on_weekdays)?
        };
        return Some(Rhythm::Weeks { every, on });
    }
    if let Some(on) = words.all(every_other_weekday) {
        return Some(Rhythm::Weeks { every: 2, on });
    }
    if let Some(on) = words.all(each_weekdays) {
        return Some(Rhythm::Weeks { every: 1, on });
    }
    let on = words.all(|words| {
        words.skip(&["on"]);
        if words.maybe(each).is_none() {
            words.skip(&["the"]);
        }
        weekday_set(words)
    })?;
    Some(Rhythm::Weeks { every: 1, on })
}

fn weeks(words: &mut Cursor<'_>) -> Option<i32> {
    if adverb(words, &[&["weekly"]]).is_some() {
        return Some(1);
    }
    if adverb(words, &[&["biweekly"], &["bi", "-", "weekly"], &["fortnightly"]]).is_some() {
        return Some(2);
    }
    every_unit(words, &["week", "weeks"]).or_else(|| {
        let fortnights = every_unit(words, &["fortnight", "fortnights"])?;
        Some(fortnights.saturating_mul(2))
    })
}

fn on_weekdays(words: &mut Cursor<'_>) -> Option<Vec<usize>> {
    words.skip(&[","]);
    words.skip(&["on"]);
    words.skip(&["the"]);
    weekday_set(words)
}

fn every_other_weekday(words: &mut Cursor<'_>) -> Option<Vec<usize>> {
    words.skip(&["on"]);
    let _ = once(words);
    every(words)?;
    words.one_of(OTHER)?;
    weekdays(words).or_else(|| weekend(words))
}

/// `every monday and every thursday`.
fn each_weekdays(words: &mut Cursor<'_>) -> Option<Vec<usize>> {
    words.skip(&["on"]);
    let days = words.list(and, |words| {
        each(words)?;
        weekday_item(words)
    })?;
    Some(days.concat())
}

fn weekday_set(words: &mut Cursor<'_>) -> Option<Vec<usize>> {
    if let Some(items) = words.list(and_or_slash, weekday_item) {
        return Some(items.concat());
    }
    workday(words)
        .map(|()| (0..5).collect())
        .or_else(|| weekend(words))
}

/// `friday`, or `friday to monday`, which wraps around the end of the week.
fn weekday_item(words: &mut Cursor<'_>) -> Option<Vec<usize>> {
    let from = words.one_of(&["from"]).is_some();
    let first = words.weekday()?;
    if words.one_of(&["to", "through", "thru", "-"]).is_none() {
        return (!from).then(|| vec![first]);
    }
    // "Monday to Monday" can be one day or eight.
    let last = words.weekday().filter(|last| *last != first)?;
    let length = (last + 7 - first) % 7 + 1;
    Some((first..).take(length).map(|day| day % 7).collect())
}

pub(super) fn weekdays(words: &mut Cursor<'_>) -> Option<Vec<usize>> {
    words.list(and_or_slash, Cursor::weekday)
}

/// A day from Monday to Friday.
pub(super) fn workday(words: &mut Cursor<'_>) -> Option<()> {
    words.maybe(|words| {
        if words.one_of(&["working", "business"]).is_some() {
            return words.one_of(DAY);
        }
        words.one_of(&["weekday", "weekdays", "workday", "workdays"])
    })
}

pub(super) fn weekend(words: &mut Cursor<'_>) -> Option<Vec<usize>> {
    words.one_of(&["weekend", "weekends"]).map(|()| vec![5, 6])
}
