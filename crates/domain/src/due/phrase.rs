//! English phrases for dues, read in the owner's zone. "Today" is the day that zone's calendar shows now.
//!
//! | phrase | means |
//! | --- | --- |
//! | `today`, `tomorrow`, `day after tomorrow` | that day |
//! | `monday`, `on monday` | the first Monday after today |
//! | `this friday` | the first Friday from today on |
//! | `next friday`, `friday next week` | the Friday of next week; weeks begin on Monday |
//! | `next week`, `next month`, `next year` | seven days, a month, a year from today |
//! | `weekend`, `this weekend` | the Saturday of this week, on a Sunday today; `next weekend` the Saturday of next week |
//! | `end of week`, `this week`, `eow` | the Sunday of this week; `end of next week` a week later |
//! | `end of month`, `eom`, `last day of next month`, `end of year`, `end of june` | the last day of it |
//! | `start of next week`, `first day of next month`, `start of june` | the first day of it |
//! | `dec 24`, `december 24th`, `24 december` | the first such date from today on |
//! | `dec 24 2027`, `24 december 2027`, `friday, december 24, 2027` | that date; a weekday must fit it |
//! | `the 15th` | the first day with that number from today on; `15th of next month` |
//! | `in 2 days`, `in a week`, `in 3 months`, `2 weeks from now` | that much later, at the time of day it is now |
//! | `in 3 hours`, `in an hour`, `in half an hour`, `in 1h 30m` | that much later on every clock |
//! | `a week from friday`, `2 days from tomorrow` | that many days, weeks, months or years after that day |
//! | `9am`, `at 5:30 pm`, `17:00`, `noon` | that time, today if it is ahead, else tomorrow |
//! | `midnight` | the end of the day, which is 00:00 of the next |
//! | `end of day`, `eod` | today at 23:59:59 |
//! | `morning`, `afternoon`, `evening`, `night` | 09:00, 15:00, 18:00, 20:00, today if that is ahead, else tomorrow |
//! | `tonight`, `this evening` | that part of today; its end, once its hour has passed |
//!
//! A day and a time go together in either order: `tomorrow 9am`, `at 9:30 on friday`, `dec 24 at noon`, `in 2 days at
//! 17:00`, `friday evening`, `tonight at 9`. A day alone means its end, 23:59:59. Where a phrase means the first day of
//! some kind from today on and the time has passed today, it means the next such day.
//!
//! Month arithmetic ends at the last day of a shorter month. Case, commas and the words `the`, `of`, `on`, `by` and `due`
//! do not matter; names of weekdays and months may be cut down to three letters. Times that clocks skip or show twice
//! are read as in [`Due::parse`].

mod amount;
mod clock;
mod day;

use jiff::Timestamp;
use jiff::civil::{Date, Time};

use self::amount::Amount;
use self::clock::Clock;
use self::day::{Calendar, Day};
use super::{Due, DueError, check_year};
use crate::text::quoted;
use crate::zone::Zone;

/// Most words a time of day has: `at 9 in morning`.
const MAX_CLOCK_WORDS: usize = 4;

impl Due {
    /// Longest phrase, in characters.
    pub const MAX_PHRASE_CHARS: usize = 100;

    /// Reads what [`Due::parse`] reads, or one of the [phrases](self) as they are meant at `now` in `zone`.
    ///
    /// ```
    /// use nudge_domain::{Due, Zone};
    ///
    /// let zone: Zone = "Europe/Berlin".parse()?;
    /// let now = "2026-12-01T08:00:00Z".parse()?; // a Tuesday
    /// let due = |text| Due::parse_or_phrase(text, &zone, now).map(|due| due.to_string());
    /// assert_eq!(due("tomorrow 9am")?, "2026-12-02T09:00:00+01:00");
    /// assert_eq!(due("in 3 hours")?, "2026-12-01T12:00:00+01:00");
    /// assert_eq!(due("next friday")?, "2026-12-11T23:59:59+01:00");
    /// assert_eq!(due("2026-12-24")?, "2026-12-24T23:59:59+01:00");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Due::parse`], with [`DueError::UnknownPhrase`] in place of [`DueError::Unreadable`];
    /// [`DueError::AmbiguousPhrase`] for `at 5` and `3/4`, which people read in two ways; and
    /// [`DueError::OtherWeekday`].
    pub fn parse_or_phrase(text: &str, zone: &Zone, now: Timestamp) -> Result<Self, DueError> {
        Self::read(text, zone, now).map(|(due, _)| due)
    }

    /// Reads what [`Due::parse_or_phrase`] reads, but a day alone means its beginning, 00:00, or the first instant after it
    /// where clocks skip midnight: what "from monday on" and "before monday" count from.
    ///
    /// ```
    /// use nudge_domain::{Due, Zone};
    ///
    /// let zone: Zone = "Europe/Berlin".parse()?;
    /// let now = "2026-12-01T08:00:00Z".parse()?; // a Tuesday
    /// let beginning = |text| Due::beginning(text, &zone, now).map(|due| due.to_string());
    /// assert_eq!(beginning("tomorrow")?, "2026-12-02T00:00:00+01:00");
    /// assert_eq!(beginning("tomorrow 9am")?, "2026-12-02T09:00:00+01:00");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Due::parse_or_phrase`].
    pub fn beginning(text: &str, zone: &Zone, now: Timestamp) -> Result<Self, DueError> {
        let (due, day_alone) = Self::read(text, zone, now)?;
        if !day_alone {
            return Ok(due);
        }
        let midnight = due.local().date().to_datetime(Time::midnight());
        let at = zone
            .time_zone()
            .to_timestamp(midnight)
            .map_err(|source| DueError::NoSuchTime {
                text: quoted(text),
                source,
            })?;
        Self::new(at, zone.clone())
    }

    /// A due, and whether the text is a day alone.
    fn read(text: &str, zone: &Zone, now: Timestamp) -> Result<(Self, bool), DueError> {
        match Self::parse_written(text, zone) {
            Err(DueError::Unreadable { .. }) => {}
            read => return read,
        }
        let unknown = || DueError::UnknownPhrase { text: quoted(text) };
        if text.chars().nth(Self::MAX_PHRASE_CHARS).is_some() {
            return Err(unknown());
        }
        let phrase = text
            .to_lowercase()
            .replace(',', " ")
            .replace("a.m.", "am")
            .replace("p.m.", "pm");
        let words: Vec<&str> = phrase
            .split_whitespace()
            .map(|word| word.strip_suffix('.').unwrap_or(word))
            .filter(|word| !["the", "of", "on", "by", "due", ""].contains(word))
            .collect();
        let phrase = Phrase { text, zone, now };
        phrase.read(&words)?.ok_or_else(unknown)
    }
}

/// A phrase that is being read, and what it is read with.
struct Phrase<'a> {
    text: &'a str,
    zone: &'a Zone,
    now: Timestamp,
}

impl Phrase<'_> {
    /// What the words mean, and whether they are a day alone.
    fn read(&self, words: &[&str]) -> Result<Option<(Due, bool)>, DueError> {
        if let Some(amount) = Amount::from_now(words) {
            return amount.after(self.now, self.zone).map(|due| Some((due, false)));
        }
        if let Some(instead) = ambiguous(words) {
            return Err(self.ambiguous(instead));
        }
        let today = self.zone.time_zone().to_datetime(self.now).date();
        let mut from_today = Calendar {
            text: self.text,
            today,
            earliest: today,
        };
        let Some((due, day_alone)) = self.read_from(words, &from_today)? else {
            return Ok(None);
        };
        if due.at() > self.now {
            return Ok(Some((due, day_alone)));
        }
        // Its time has passed today: what means the first day of some kind now finds the next one.
        if let Ok(tomorrow) = today.tomorrow() {
            from_today.earliest = tomorrow;
        }
        let later = self.read_from(words, &from_today)?;
        if later.as_ref().is_some_and(|(later, _)| later.at() > self.now) {
            return Ok(later);
        }
        // `tonight`, late: until the end of the night.
        match from_today.day(words)? {
            Some(Day {
                date,
                part: Some(part),
            }) => self.due(date, &part.end()).map(|due| Some((due, false))),
            _ => Ok(Some((due, day_alone))),
        }
    }

    /// A day, a time, or both in either order.
    fn read_from(&self, words: &[&str], calendar: &Calendar<'_>) -> Result<Option<(Due, bool)>, DueError> {
        if let Some(day) = calendar.day(words)? {
            return self.at(day, None).map(Some);
        }
        let anyhow = Day {
            date: calendar.earliest,
            part: None,
        };
        if let Some(clock) = clock::read(words) {
            return self.at(anyhow, Some(clock)).map(Some);
        }
        for length in 1..=MAX_CLOCK_WORDS.min(words.len()) {
            let (front, back) = (
                words.split_at_checked(length),
                words.split_at_checked(words.len() - length),
            );
            let splits = [front.map(|(time, day)| (day, time)), back];
            for (day, time) in splits.into_iter().flatten() {
                if let Some(clock) = clock::read(time)
                    && let Some(day) = calendar.day(day)?
                {
                    return self.at(day, Some(clock)).map(Some);
                }
            }
        }
        Ok(None)
    }

    fn at(&self, day: Day, clock: Option<Clock>) -> Result<(Due, bool), DueError> {
        let day_alone = clock.is_none() && day.part.is_none();
        let clock = match (clock, day.part) {
            (None, None) => Clock::EndOfDay,
            (None, Some(part)) => part.start(),
            (Some(clock), part) => clock
                .said_of(part)
                .ok_or_else(|| self.ambiguous("the hour with am or pm, or in 24 hours such as 17:00"))?,
        };
        Ok((self.due(day.date, &clock)?, day_alone))
    }

    fn due(&self, date: Date, clock: &Clock) -> Result<Due, DueError> {
        let no_such = |source| DueError::NoSuchTime {
            text: quoted(self.text),
            source,
        };
        check_year(date.year())?;
        let local = clock.on(date).map_err(no_such)?;
        let at = self.zone.time_zone().to_timestamp(local).map_err(no_such)?;
        Due::new(at, self.zone.clone())
    }

    fn ambiguous(&self, instead: &'static str) -> DueError {
        DueError::AmbiguousPhrase {
            text: quoted(self.text),
            instead,
        }
    }
}

/// What to say instead of `3/4`, which is in March or in April.
fn ambiguous(words: &[&str]) -> Option<&'static str> {
    let slashed =
        |word: &&str| word.contains('/') && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'/');
    words.iter().any(slashed).then_some("2026-12-24 or dec 24")
}
