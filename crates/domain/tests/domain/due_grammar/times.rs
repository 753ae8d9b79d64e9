//! Times and parts of the day, as the document describes them.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use nudge_domain::Zone;

use super::meaning::{Refusal, Use};

/// A time of day, so many days after the one that is named.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wall {
    Time(Time, i64),
    Midnight,
    End,
}

/// What an hour from 1 to 12 is in a part of the day: a.m., p.m., two things, or nothing.
fn bare_hours(part: &str) -> &'static [u8; 12] {
    match part {
        "morning" => b"aaaaaaaaaaa?",
        "afternoon" => b"pppppp-----p",
        "evening" => b"???ppppppppa",
        "night" => b"aaaa?ppppppa",
        _ => panic!("no part of the day: {part}"),
    }
}

/// How many days after the named one an hour of that part is.
fn days_later(part: &str, hour: i8) -> Option<i64> {
    let (first, last) = match part {
        "morning" => (0, 11),
        "afternoon" => (12, 18),
        "evening" => (16, 23),
        _ => (17, 23),
    };
    match hour {
        _ if (first..=last).contains(&hour) => Some(0),
        0..6 if ["evening", "night"].contains(&part) => Some(1),
        _ => None,
    }
}

pub(super) fn start_of(part: &str) -> Wall {
    let hour = match part {
        "morning" => 9,
        "afternoon" => 15,
        "evening" => 18,
        _ => 20,
    };
    Wall::Time(Time::constant(hour, 0, 0, 0), 0)
}

pub(super) fn end_of(part: &str) -> Wall {
    match part {
        "morning" => Wall::Time(Time::constant(12, 0, 0, 0), 0),
        "afternoon" => Wall::Time(Time::constant(18, 0, 0, 0), 0),
        _ => Wall::End,
    }
}

/// `12:00:00`, `midnight`, `end of day`, `said 9:30:00`, `bare 9:00:00`, with `am` or `pm`, with `within evening` behind it.
pub(super) fn read(text: &str, part: Option<&str>) -> Result<Wall, Refusal> {
    let (clock, own) = match text.split_once(" within ") {
        Some((clock, own)) => (clock, Some(own)),
        None => (text, None),
    };
    let wall = in_part(clock.trim(), own.or(part))?;
    match (own, part, wall) {
        (Some(_), Some(part), Wall::Time(time, _)) => place(time, part),
        (Some(_), Some("morning" | "afternoon"), _) => Err(Refusal::OtherPart),
        _ => Ok(wall),
    }
}

fn in_part(clock: &str, part: Option<&str>) -> Result<Wall, Refusal> {
    let wall = match clock {
        "midnight" => Some(Wall::Midnight),
        "end of day" => Some(Wall::End),
        _ => None,
    };
    if let Some(wall) = wall {
        return match part {
            Some("morning" | "afternoon") => Err(Refusal::OtherPart),
            _ => Ok(wall),
        };
    }
    let words: Vec<&str> = clock.split_whitespace().collect();
    let (how, numbers) = match words.as_slice() {
        [numbers] => ("plain", numbers),
        ["said", numbers, half] => (*half, numbers),
        [how, numbers] => (*how, numbers),
        _ => panic!("no time of day: {clock}"),
    };
    let numbers: Vec<i8> = numbers
        .split(':')
        .map(|number| number.parse().expect(clock))
        .collect();
    let of = |hour: i8| Time::new(hour, numbers[1], numbers[2], 0).map_err(|_| Refusal::NoSuchTime);
    let hour = numbers[0];
    let twelve = (1..=12).contains(&hour);
    let meant = match (how, part) {
        ("am", _) => hour % 12,
        ("pm", _) => hour % 12 + 12,
        ("said" | "bare", Some(part)) if twelve => {
            match bare_hours(part)[usize::try_from(hour - 1).expect("from one on")] {
                b'a' => hour % 12,
                b'p' => hour % 12 + 12,
                b'?' => return Err(Refusal::Ambiguous),
                _ => return Err(Refusal::OtherPart),
            }
        }
        ("bare", None) if twelve => return Err(Refusal::Ambiguous),
        _ => hour,
    };
    match part {
        Some(part) => place(of(meant)?, part),
        None => Ok(Wall::Time(of(meant)?, 0)),
    }
}

fn place(time: Time, part: &str) -> Result<Wall, Refusal> {
    let days = days_later(part, time.hour()).ok_or(Refusal::OtherPart)?;
    Ok(Wall::Time(time, days))
}

impl Wall {
    /// All instants on that day at which clocks show it: two where they are put back.
    pub(super) fn every_time_on(self, date: Date, zone: &Zone, usage: Use) -> Vec<Timestamp> {
        let first = self.on(date, zone, usage);
        let Self::Time(..) = self else { return vec![first] };
        let local = zone.time_zone().to_datetime(first);
        let halves = (1..=4).map(|halves| Timestamp::from_second(first.as_second() + 1800 * halves));
        let again = halves
            .map(|later| later.expect("in range"))
            .filter(|later| zone.time_zone().to_datetime(*later) == local);
        std::iter::once(first).chain(again).collect()
    }

    pub(super) fn on(self, date: Date, zone: &Zone, usage: Use) -> Timestamp {
        match (self, usage) {
            (Self::Time(time, days), _) => {
                let date = super::days::plus(date, days);
                let local = date.to_datetime(time);
                zone.time_zone().to_timestamp(local).expect("in range")
            }
            (Self::Midnight, _) | (Self::End, Use::Bound) => first_instant(super::days::plus(date, 1), zone),
            (Self::End, Use::Due) => last_second(date, zone),
        }
    }
}

pub(super) fn first_instant(date: Date, zone: &Zone) -> Timestamp {
    date.to_zoned(zone.time_zone().clone())
        .expect("in range")
        .timestamp()
}

pub(super) fn last_second(date: Date, zone: &Zone) -> Timestamp {
    let next = first_instant(super::days::plus(date, 1), zone);
    Timestamp::from_second(next.as_second() - 1).expect("in range")
}
