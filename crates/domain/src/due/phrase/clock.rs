//! Times of day, as people say them.

use std::ops::RangeInclusive;

use jiff::civil::{Date, DateTime, Time};

/// A time of day. The numbers are as said; whether a clock shows them, [`Clock::on`] finds out.
#[derive(Debug, Clone, Copy)]
pub(super) enum Clock {
    /// `9am`, `noon`: hour of 24 and minute.
    At(i8, i8),
    /// `9:30`, or `at 9`: of 24 hours, unless a part of the day says of which twelve.
    Said { hour: i8, minute: Option<i8> },
    /// 00:00 of the next day.
    Midnight,
    /// 23:59:59.
    EndOfDay,
}

impl Clock {
    /// That time as `part` of a day means it; `None` when it can mean two times.
    pub(super) fn said_of(self, part: Option<Part>) -> Option<Self> {
        let Self::Said { hour, minute } = self else {
            return Some(self);
        };
        if !(1..=12).contains(&hour) {
            return Some(Self::At(hour, minute.unwrap_or(0)));
        }
        match (part, minute) {
            (None, Some(minute)) => Some(Self::At(hour, minute)),
            (None, None) => None,
            (Some(part), minute) => {
                let meant = [hour, hour + 12]
                    .into_iter()
                    .find(|hour| part.hours().contains(hour));
                meant.map(|hour| Self::At(hour, minute.unwrap_or(0)))
            }
        }
    }

    /// The local time on that day.
    ///
    /// # Errors
    ///
    /// Hours and minutes that no clock shows.
    pub(super) fn on(self, date: Date) -> Result<DateTime, jiff::Error> {
        match self {
            Self::At(hour, minute) => Ok(date.to_datetime(Time::new(hour, minute, 0, 0)?)),
            Self::Said { hour, minute } => Self::At(hour, minute.unwrap_or(0)).on(date),
            Self::Midnight => Ok(date.tomorrow()?.to_datetime(Time::midnight())),
            Self::EndOfDay => Ok(date.to_datetime(Time::constant(23, 59, 59, 0))),
        }
    }
}

/// A part of the day.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part {
    Morning,
    Afternoon,
    Evening,
    Night,
}

impl Part {
    pub(super) fn named(word: &str) -> Option<Self> {
        match word {
            "morning" => Some(Self::Morning),
            "afternoon" => Some(Self::Afternoon),
            "evening" => Some(Self::Evening),
            "night" => Some(Self::Night),
            _ => None,
        }
    }

    /// The time that the part alone means.
    pub(super) fn start(self) -> Clock {
        match self {
            Self::Morning => Clock::At(9, 0),
            Self::Afternoon => Clock::At(15, 0),
            Self::Evening => Clock::At(18, 0),
            Self::Night => Clock::At(20, 0),
        }
    }

    /// The last moment of it, for who says `this morning` after nine.
    pub(super) fn end(self) -> Clock {
        match self {
            Self::Morning => Clock::At(12, 0),
            Self::Afternoon => Clock::At(18, 0),
            Self::Evening | Self::Night => Clock::EndOfDay,
        }
    }

    /// The hours that are said of it: nine in the evening, but not nine in the afternoon.
    fn hours(self) -> RangeInclusive<i8> {
        match self {
            Self::Morning => 1..=11,
            Self::Afternoon => 12..=18,
            Self::Evening => 16..=23,
            Self::Night => 18..=23,
        }
    }
}

/// A time of day, if the words are one and nothing else.
pub(super) fn read(words: &[&str]) -> Option<Clock> {
    let (words, after_at) = match words {
        ["at" | "@", words @ ..] => (words, true),
        words => (words, false),
    };
    match words {
        ["noon" | "midday"] => Some(Clock::At(12, 0)),
        ["midnight"] => Some(Clock::Midnight),
        ["end", "day"] | ["eod"] => Some(Clock::EndOfDay),
        [hour, "o'clock" | "o’clock"] => said(hour, true),
        [hour, half @ ("am" | "pm")] => twelve_hours(hour, half),
        [words @ .., "in", part] => {
            let [hour] = words else { return None };
            said(hour, true)?.said_of(Some(Part::named(part)?))
        }
        [word] => ["am", "pm"]
            .into_iter()
            .find_map(|half| twelve_hours(word.strip_suffix(half)?, half))
            .or_else(|| said(word, after_at)),
        _ => None,
    }
}

/// `9`, `9:30` or `9.30`, before or after noon.
fn twelve_hours(text: &str, half: &str) -> Option<Clock> {
    let (hour, minute) = match text.split_once([':', '.']) {
        Some((hour, minute)) => (digits(hour, 1)?, digits(minute, 2)?),
        None => (digits(text, 1)?, 0),
    };
    let after_noon = if half == "pm" { 12 } else { 0 };
    (1..=12)
        .contains(&hour)
        .then(|| Clock::At(hour % 12 + after_noon, minute))
}

/// `9:30`, or `9` where a bare number is a time.
fn said(text: &str, bare: bool) -> Option<Clock> {
    let (hour, minute) = match text.split_once(':') {
        Some((hour, minute)) => (digits(hour, 1)?, Some(digits(minute, 2)?)),
        None if bare => (digits(text, 1)?, None),
        None => return None,
    };
    Some(Clock::Said { hour, minute })
}

/// At least so many digits, at most two.
fn digits(text: &str, least: usize) -> Option<i8> {
    let plain = (least..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok())?
}
