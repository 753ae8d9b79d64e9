//! Days of a month: `every 2nd of the month`, `monthly on the last friday`.

use super::parser::{DAY, adverb, and, and_or_slash, each, every, every_unit, of_the, step, workday};
use super::rhythm::{InMonth, Rhythm};
use super::tokens::Cursor;

const MONTH: &[&str] = &["month", "months"];
/// Names of rhythms, and the number of months of each.
const ADVERBS: [(i32, &[&[&str]]); 3] = [
    (1, &[&["monthly"]]),
    (3, &[&["quarterly"]]),
    (
        6,
        &[
            &["half", "yearly"],
            &["half", "-", "yearly"],
            &["semiannually"],
            &["semi", "-", "annually"],
        ],
    ),
];

/// Reads days of a month.
type Read<T> = for<'c, 'w> fn(&'c mut Cursor<'w>) -> Option<T>;

/// The forms of a `place`, the days before `of the month`.
pub(super) const PLACES: [Read<InMonth>; 6] = [weekday_place, edge, day_number, from_end_day, ordinals, days];
/// The forms of a `detail`, the days after `monthly`.
pub(super) const DETAILS: [Read<InMonth>; 5] = [
    weekday_place,
    day_number,
    strict_from_end_day,
    ordinal_days,
    numbered,
];

pub(super) fn monthly(words: Cursor<'_>) -> Option<Rhythm> {
    let mut rest = words;
    if let Some(every) = months(&mut rest) {
        let on = if rest.is_at_end() {
            InMonth::Open
        } else {
            on_month(rest)?
        };
        return Some(Rhythm::Months { every, on });
    }
    let of_month = PLACES
        .into_iter()
        .find_map(|place| words.all(|words| place_of_months(words, place)));
    if let Some((every, on)) = of_month {
        return Some(Rhythm::Months { every, on });
    }
    let alone: [Read<InMonth>; 4] = [numbered_alone, day_number_alone, weekday_place_alone, clear_place];
    let on = alone.into_iter().find_map(|form| words.all(form))?;
    Some(Rhythm::Months { every: 1, on })
}

pub(super) fn months(words: &mut Cursor<'_>) -> Option<i32> {
    let named = ADVERBS
        .into_iter()
        .find_map(|(months, names)| adverb(words, names).map(|()| months));
    named.or_else(|| every_unit(words, MONTH)).or_else(|| {
        let quarters = every_unit(words, &["quarter", "quarters"])?;
        Some(quarters.saturating_mul(3))
    })
}

/// `every 2nd of the month`, `the 15th of every other month`, `last friday every month`.
fn place_of_months(words: &mut Cursor<'_>, place: Read<InMonth>) -> Option<(i32, InMonth)> {
    words.skip(&["on", "at"]);
    let each = words.maybe(each).is_some();
    if !each {
        words.skip(&["the"]);
    }
    let mut ahead = *words;
    let unclear = each && nth_day(&mut ahead).is_some();
    let place = place(words)?;
    let of: &[&str] = if unclear { &["of"] } else { &["of", "in"] };
    if words.one_of(of).is_some() {
        return some_months(words).map(|months| (months, place));
    }
    let months = every_months(words)?;
    (!each).then_some((months, place))
}

/// `every other month`, `the month`.
pub(super) fn some_months(words: &mut Cursor<'_>) -> Option<i32> {
    words.maybe(every_months).or_else(|| {
        words.skip(&["the", "a"]);
        words.one_of(&["month"]).map(|()| 1)
    })
}

/// `2nd day`: between `every` and `in`, it could be an interval.
pub(super) fn nth_day(words: &mut Cursor<'_>) -> Option<i32> {
    let nth = words.ordinal().filter(|nth| *nth > 1)?;
    words.one_of(DAY).map(|()| nth)
}

fn every_months(words: &mut Cursor<'_>) -> Option<i32> {
    let several = words.maybe(|words| {
        let step = step(words)?;
        words.one_of(MONTH).map(|()| step)
    });
    several.or_else(|| {
        every(words)?;
        words.one_of(MONTH).map(|()| 1)
    })
}

/// What may follow `monthly`.
pub(super) fn on_month(words: Cursor<'_>) -> Option<InMonth> {
    let detailed = |words: &mut Cursor<'_>, detail: Read<InMonth>| {
        words.skip(&[","]);
        words.skip(&["on"]);
        words.skip(&["the"]);
        let detail = detail(words)?;
        let _ = of_the(words, "month");
        Some(detail)
    };
    let on_days = |words: &mut Cursor<'_>| {
        words.skip(&[","]);
        words.skip(&["on"]);
        words.skip(&["the"]);
        days(words)
    };
    let at_edge = |words: &mut Cursor<'_>| {
        words.skip(&[","]);
        words.skip(&["on", "at"]);
        words.skip(&["the"]);
        let edge = edge(words)?;
        let _ = of_the(words, "month");
        Some(edge)
    };
    DETAILS
        .into_iter()
        .find_map(|detail| words.all(|words| detailed(words, detail)))
        .or_else(|| words.all(on_days))
        .or_else(|| words.all(at_edge))
}

fn numbered_alone(words: &mut Cursor<'_>) -> Option<InMonth> {
    words.skip(&["on"]);
    if words.maybe(each).is_none() {
        words.skip(&["the"]);
    }
    numbered(words)
}

fn day_number_alone(words: &mut Cursor<'_>) -> Option<InMonth> {
    words.skip(&["on"]);
    day_number(words)
}

fn weekday_place_alone(words: &mut Cursor<'_>) -> Option<InMonth> {
    words.skip(&["on"]);
    words.skip(&["the"]);
    weekday_place(words)
}

/// After `every`, one position from the second on could be an interval: `every 2nd friday`.
fn clear_place(words: &mut Cursor<'_>) -> Option<InMonth> {
    words.skip(&["on"]);
    each(words)?;
    let positions = words.list(and_or_slash, position)?;
    if matches!(positions.as_slice(), [only] if *only > 1) {
        return None;
    }
    one_place(words, positions)
}

/// `end`, `start`.
pub(super) fn edge(words: &mut Cursor<'_>) -> Option<InMonth> {
    let day = match words.one_of(&["end"]) {
        Some(()) => -1,
        None => words.one_of(&["start", "beginning"]).map(|()| 1)?,
    };
    Some(InMonth::Days(vec![day]))
}

/// `day 15`.
fn day_number(words: &mut Cursor<'_>) -> Option<InMonth> {
    words.one_of(&["day"])?;
    words.digits().map(|day| InMonth::Days(vec![day]))
}

/// `second last day`, where `day` may be left out.
fn from_end_day(words: &mut Cursor<'_>) -> Option<InMonth> {
    let day = from_end(words)?;
    words.skip(DAY);
    Some(InMonth::Days(vec![day]))
}

fn strict_from_end_day(words: &mut Cursor<'_>) -> Option<InMonth> {
    let day = from_end(words)?;
    words.one_of(DAY).map(|()| InMonth::Days(vec![day]))
}

/// `1st/15th`: ordinals in digits.
fn numbered(words: &mut Cursor<'_>) -> Option<InMonth> {
    words.list(and_or_slash, Cursor::numeral).map(InMonth::Days)
}

/// `first and last day`, where `day` may be left out.
fn ordinals(words: &mut Cursor<'_>) -> Option<InMonth> {
    let days = words.list(and_or_slash, ordinal)?;
    words.skip(DAY);
    Some(InMonth::Days(days))
}

fn ordinal_days(words: &mut Cursor<'_>) -> Option<InMonth> {
    let days = words.list(and_or_slash, ordinal)?;
    words.one_of(DAY).map(|()| InMonth::Days(days))
}

fn ordinal(words: &mut Cursor<'_>) -> Option<i32> {
    words.ordinal().or_else(|| words.one_of(&["last"]).map(|()| -1))
}

/// `1st, 15 and last`: no slash, because `1/15` could be a date.
fn days(words: &mut Cursor<'_>) -> Option<InMonth> {
    words
        .list(and, |words| words.digits().or_else(|| ordinal(words)))
        .map(InMonth::Days)
}

/// `first and third tuesday`, `1st friday and 3rd monday`, `last working day`.
fn weekday_place(words: &mut Cursor<'_>) -> Option<InMonth> {
    let positions = words.list(and_or_slash, position)?;
    let first = one_place(words, positions)?;
    let InMonth::Weekdays(mut places) = first else {
        return Some(first);
    };
    let more = |words: &mut Cursor<'_>| {
        and(words)?;
        let positions = words.list(and_or_slash, position)?;
        weekday_at(words, positions)
    };
    while let Some(more) = words.maybe(more) {
        places.extend(more);
    }
    Some(InMonth::Weekdays(places))
}

fn one_place(words: &mut Cursor<'_>, positions: Vec<i32>) -> Option<InMonth> {
    if workday(words).is_some() {
        return Some(InMonth::Workdays(positions));
    }
    weekday_at(words, positions).map(InMonth::Weekdays)
}

fn weekday_at(words: &mut Cursor<'_>, positions: Vec<i32>) -> Option<Vec<(i32, usize)>> {
    let weekday = words.weekday()?;
    Some(
        positions
            .into_iter()
            .map(|position| (position, weekday))
            .collect(),
    )
}

fn position(words: &mut Cursor<'_>) -> Option<i32> {
    words.maybe(from_end).or_else(|| ordinal(words))
}

/// `second last`, `2nd to last`, `third-to-last`: one position, counted from the end.
fn from_end(words: &mut Cursor<'_>) -> Option<i32> {
    let next = words.one_of(&["next"]).is_some();
    let nth = if next { 2 } else { words.ordinal()? };
    words.skip(&["-"]);
    let to = words.one_of(&["to"]).is_some();
    if to {
        words.skip(&["-"]);
    }
    words.one_of(&["last"])?;
    // "Next last" has no meaning, and "first last" is the last.
    ((2..=5).contains(&nth) && (to || !next)).then_some(-nth)
}
