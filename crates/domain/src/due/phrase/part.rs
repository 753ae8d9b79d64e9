//! Parts of the day, and the hours that belong to them.

use std::borrow::Cow;

use super::clock::{Clock, Placed, Said};

/// The hour at which night ends: hours before it belong to the evening and night of the previous day.
const DAWN: i8 = 6;

/// A part of the day.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part {
    Morning,
    Afternoon,
    Evening,
    Night,
}

/// Why a time of day cannot be placed in a day.
pub(super) enum Misfit {
    /// It can be two times; the text names them.
    Ambiguous(Cow<'static, str>),
    /// This time of day is not in that part of the day.
    Outside { hour: String, part: &'static str },
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

    /// A part of the day at the end of the words, and its number of words: `evening`, `in the evening`, `at night`.
    pub(super) fn behind(words: &[&str]) -> Option<(Self, usize)> {
        let (part, length) = match words {
            [.., "in", "the", part] => (part, 3),
            [.., "in", part] => (part, 2),
            [.., "at", part @ "night"] => (part, 2),
            [.., part] => (part, 1),
            [] => return None,
        };
        Some((Self::named(part)?, length))
    }

    /// The time that a part without a time of day means.
    pub(super) fn start(self) -> Placed {
        let hour = match self {
            Self::Morning => 9,
            Self::Afternoon => 15,
            Self::Evening => 18,
            Self::Night => 20,
        };
        Placed::on_the_hour(hour)
    }

    /// The last moment of it, for users who say `this morning` after nine.
    pub(super) fn end(self) -> Placed {
        match self {
            Self::Morning => Placed::on_the_hour(12),
            Self::Afternoon => Placed::on_the_hour(18),
            Self::Evening | Self::Night => Placed::EndOfDay,
        }
    }

    /// Places a time of day in this part.
    pub(super) fn place(self, clock: Clock) -> Result<Placed, Misfit> {
        let late = matches!(self, Self::Evening | Self::Night);
        match clock {
            Clock::Midnight if late => Ok(Placed::Midnight),
            Clock::Midnight => Err(self.outside("midnight".to_owned())),
            Clock::EndOfDay if late => Ok(Placed::EndOfDay),
            Clock::EndOfDay => Err(self.outside("the end of the day".to_owned())),
            Clock::At(said) => self.of_24(said),
            Clock::Half(said) => self.of_12(said),
        }
    }

    /// One of 24 hours.
    fn of_24(self, said: Said) -> Result<Placed, Misfit> {
        let same_day = match self {
            Self::Morning => 0..=11,
            Self::Afternoon => 12..=18,
            Self::Evening => 16..=23,
            Self::Night => 17..=23,
        };
        // Times that do not exist are refused later, when they are combined with a date.
        if same_day.contains(&said.hour) || !said.exists() {
            return Ok(Placed::At {
                said,
                next_day: false,
            });
        }
        let late = matches!(self, Self::Evening | Self::Night);
        if late && said.hour < DAWN {
            return Ok(Placed::At { said, next_day: true });
        }
        Err(self.outside(said.shown()))
    }

    /// An hour of a twelve-hour clock: of the two possible hours, the one in this part.
    fn of_12(self, said: Said) -> Result<Placed, Misfit> {
        let hour = match (self, said.hour) {
            (Self::Morning, 1..=11) => said.hour,
            (Self::Afternoon, 12) => 12,
            (Self::Afternoon, 1..=6) | (Self::Evening, 4..=11) | (Self::Night, 6..=11) => said.hour + 12,
            (Self::Evening | Self::Night, 12) => 0,
            (Self::Night, 1..=4) => said.hour,
            // Four is in the afternoon, so three may be as well.
            (Self::Evening, 1..=3) => return Err(Misfit::Ambiguous(said.both_parts())),
            (Self::Morning, 12) | (Self::Night, 5) => return Err(Misfit::Ambiguous(said.both_halves())),
            _ => return Err(self.outside(said.of_twelve())),
        };
        self.of_24(Said { hour, ..said })
    }

    fn outside(self, hour: String) -> Misfit {
        let part = match self {
            Self::Morning => "in the morning",
            Self::Afternoon => "in the afternoon",
            Self::Evening => "in the evening",
            Self::Night => "at night",
        };
        Misfit::Outside { hour, part }
    }
}
