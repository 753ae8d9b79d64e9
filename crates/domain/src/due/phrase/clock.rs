//! Times of day.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::{Date, Time};

use super::super::{first_instant, last_second};
use super::part::{Misfit, Part};
use crate::zone::Zone;

/// Hour, minute and second as given. [`Placed::on`] checks whether they exist.
#[derive(Debug, Clone, Copy)]
pub(super) struct Said {
    pub(super) hour: i8,
    pub(super) minute: i8,
    pub(super) second: i8,
}

impl Said {
    pub(super) fn exists(self) -> bool {
        self.time().is_ok()
    }

    pub(super) fn shown(self) -> String {
        match self.second {
            0 => format!("{:02}:{:02}", self.hour, self.minute),
            second => format!("{:02}:{:02}:{second:02}", self.hour, self.minute),
        }
    }

    /// An hour of a twelve-hour clock as it is written: `5`, `5:30`.
    pub(super) fn of_twelve(self) -> String {
        match self {
            Self {
                hour,
                minute: 0,
                second: 0,
            } => hour.to_string(),
            Self {
                hour,
                minute,
                second: 0,
            } => format!("{hour}:{minute:02}"),
            Self { hour, minute, second } => format!("{hour}:{minute:02}:{second:02}"),
        }
    }

    /// `5am or 5pm`, `midnight or noon`.
    pub(super) fn both_halves(self) -> Cow<'static, str> {
        let said = self.of_twelve();
        match said.as_str() {
            "12" => Cow::Borrowed("noon or midnight"),
            _ if self.hour == 12 => {
                let after_midnight = Self { hour: 0, ..self };
                Cow::Owned(format!("{} or {said}pm", after_midnight.shown()))
            }
            _ => Cow::Owned(format!("{said}am or {said}pm")),
        }
    }

    /// The same with the parts of the day: `3am at night or 3pm in the afternoon`.
    pub(super) fn both_parts(self) -> Cow<'static, str> {
        let said = self.of_twelve();
        Cow::Owned(format!("{said}am at night or {said}pm in the afternoon"))
    }

    fn time(self) -> Result<Time, jiff::Error> {
        Time::new(self.hour, self.minute, self.second, 0)
    }
}

/// A time of day.
#[derive(Debug, Clone, Copy)]
pub(super) enum Clock {
    /// `9am`, `17:00`, `noon`: one of 24 hours.
    At(Said),
    /// `at 9`, `9:30`: one of twelve hours, if a part of the day is named.
    Half(Said),
    /// The end of a day and the beginning of the next.
    Midnight,
    /// The last second.
    EndOfDay,
}

/// A time of day as given, possibly with a part of the day: `9 in the evening`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spoken {
    clock: Clock,
    /// A bare `9`, without minutes.
    bare: bool,
    part: Option<Part>,
}

impl Spoken {
    /// Places it in the given `part` of a day.
    pub(super) fn placed(self, part: Option<Part>) -> Result<Placed, Misfit> {
        let own = match (self.part, self.clock) {
            (Some(own), clock) => own.place(clock)?,
            (None, clock) if part.is_some() => {
                return part.map_or(Ok(clock.plainly()), |part| part.place(clock));
            }
            (None, Clock::Half(said)) if self.bare => return Err(Misfit::Ambiguous(said.both_halves())),
            (None, clock) => clock.plainly(),
        };
        match part {
            Some(part) => part.place(own.clock()),
            None => Ok(own),
        }
    }
}

impl Clock {
    /// Places it without a part of the day.
    fn plainly(self) -> Placed {
        match self {
            Self::At(said) | Self::Half(said) => Placed::At {
                said,
                next_day: false,
            },
            Self::Midnight => Placed::Midnight,
            Self::EndOfDay => Placed::EndOfDay,
        }
    }
}

/// A time of day relative to the named day.
#[derive(Debug, Clone, Copy)]
pub(super) enum Placed {
    At {
        said: Said,
        /// After midnight, in the night that begins on the named day.
        next_day: bool,
    },
    /// The first instant of the next day.
    Midnight,
    /// The last second of the day.
    EndOfDay,
}

impl Placed {
    pub(super) fn on_the_hour(hour: i8) -> Self {
        Self::At {
            said: Said {
                hour,
                minute: 0,
                second: 0,
            },
            next_day: false,
        }
    }

    /// The second instant on `date` with that local time if clocks go back; otherwise as [`on`](Self::on).
    ///
    /// # Errors
    ///
    /// Hours and minutes that do not exist.
    pub(super) fn on_again(self, date: Date, zone: &Zone) -> Result<Timestamp, jiff::Error> {
        match self {
            Self::At { said, next_day } => {
                let date = if next_day { date.tomorrow()? } else { date };
                let local = date.to_datetime(said.time()?);
                zone.time_zone().to_ambiguous_timestamp(local).later()
            }
            Self::Midnight | Self::EndOfDay => self.on(date, zone),
        }
    }

    /// The instant on `date`; a local time that clocks skip or show twice is read as in [`Due::parse`](super::Due::parse).
    ///
    /// # Errors
    ///
    /// Hours and minutes that do not exist.
    pub(super) fn on(self, date: Date, zone: &Zone) -> Result<Timestamp, jiff::Error> {
        match self {
            Self::At { said, next_day } => {
                let date = if next_day { date.tomorrow()? } else { date };
                zone.time_zone().to_timestamp(date.to_datetime(said.time()?))
            }
            Self::Midnight => first_instant(date.tomorrow()?, zone),
            Self::EndOfDay => last_second(date, zone),
        }
    }

    fn clock(self) -> Clock {
        match self {
            Self::At { said, .. } => Clock::At(said),
            Self::Midnight => Clock::Midnight,
            Self::EndOfDay => Clock::EndOfDay,
        }
    }
}

/// Reads a time of day, if the words are exactly one.
pub(super) fn read(words: &[&str]) -> Option<Spoken> {
    let (words, after_at) = match words {
        ["at" | "@", words @ ..] => (words, true),
        ["by", words @ ..] => (words, false),
        words => (words, false),
    };
    if let Some((clock, bare)) = alone(words, after_at) {
        let part = None;
        return Some(Spoken { clock, bare, part });
    }
    let (part, length) = Part::behind(words).filter(|(_, length)| *length > 1)?;
    let clock = words.get(..words.len().checked_sub(length)?)?;
    let (clock, bare) = alone(clock, true)?;
    let part = Some(part);
    Some(Spoken { clock, bare, part })
}

/// Reads a time of day without its part, and whether it is a bare hour. `hour_alone`: a bare number is a time here.
fn alone(words: &[&str], hour_alone: bool) -> Option<(Clock, bool)> {
    let noon = || {
        Clock::At(Said {
            hour: 12,
            minute: 0,
            second: 0,
        })
    };
    let clock = match words {
        ["noon" | "midday"] | ["12" | "12:00", "noon" | "midday"] => noon(),
        ["midnight"] | ["12" | "12:00", "midnight"] => Clock::Midnight,
        ["eod"] => Clock::EndOfDay,
        ["the", end @ ..] | end if is_end_of_day(end) => Clock::EndOfDay,
        [hour, "o'clock" | "o’clock"] => return said(hour, true).filter(|_| !hour.contains([':', '.'])),
        [time, half @ ("am" | "pm")] => twelve_hours(time, half)?,
        [word] => {
            let halves = ["am", "pm"];
            let halved = halves
                .into_iter()
                .find_map(|half| twelve_hours(word.strip_suffix(half)?, half));
            match halved {
                Some(clock) => clock,
                None => return said(word, hour_alone),
            }
        }
        _ => return None,
    };
    Some((clock, false))
}

fn is_end_of_day(words: &[&str]) -> bool {
    matches!(
        words,
        ["end", "day"] | ["end", "of", "day"] | ["end", "of", "the", "day"]
    )
}

/// Reads `9`, `9:30`, `9.30` or `9:30:15`, before or after noon.
fn twelve_hours(text: &str, half: &str) -> Option<Clock> {
    let (said, _) = numbers(text, true)?;
    let after_noon = if half == "pm" { 12 } else { 0 };
    let hour = said.hour;
    (1..=12).contains(&hour).then(|| {
        Clock::At(Said {
            hour: hour % 12 + after_noon,
            ..said
        })
    })
}

/// Reads `9:30`, or `9` and `9.30` if a bare number is a time.
fn said(text: &str, hour_alone: bool) -> Option<(Clock, bool)> {
    let (said, bare) = numbers(text, hour_alone)?;
    if bare && !hour_alone {
        return None;
    }
    Some(if (1..=12).contains(&said.hour) {
        (Clock::Half(said), bare)
    } else {
        (Clock::At(said), false)
    })
}

/// The numbers of `9`, `9:30`, `9:30:15`, and of `9.30` where `dotted` allows it; and whether it is the hour alone.
fn numbers(text: &str, dotted: bool) -> Option<(Said, bool)> {
    let separator = if dotted && text.contains('.') { '.' } else { ':' };
    let mut parts = text.split(separator);
    let hour = digits(parts.next()?, 1)?;
    let minute = parts.next().map(|text| digits(text, 2));
    let second = parts.next().map(|text| digits(text, 2));
    if parts.next().is_some() || (separator == '.' && second.is_some()) {
        return None;
    }
    let bare = minute.is_none();
    let minute = minute.unwrap_or(Some(0))?;
    let second = second.unwrap_or(Some(0))?;
    let said = Said { hour, minute, second };
    Some((said, bare))
}

/// At least the given number of digits, at most two.
fn digits(text: &str, least: usize) -> Option<i8> {
    let plain = (least..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok())?
}
