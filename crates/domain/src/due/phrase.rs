//! English phrases for due dates, read in the owner's zone. "Today" is the current date in that zone.
//!
//! `docs/phrases.md` has the grammar and what each phrase means; the tests read it from there. In short: a day, a time of
//! day, or both in either order, with or without a part of the day between; or an amount of time from now.
//!
//! * A day without a time means the end of that day.
//! * Weeks begin on Monday. Month arithmetic ends at the last day of a shorter month.
//! * Hours from midnight to dawn belong to the night that begins in the evening of the named day.
//! * If a phrase means the first matching day from today on and its time has passed today, it means the next matching day, if that is
//!   at most two months away.
//! * Words are never ignored: a phrase that the grammar does not derive is refused.
//!
//! Case and commas do not matter; names of weekdays and months may be abbreviated to three letters. Times that clocks skip or
//! show twice are read as in [`Due::parse`].

mod amount;
mod clock;
mod date;
mod day;
mod part;
mod period;

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::Date;

use self::amount::Amount;
use self::clock::{Placed, Spoken};
use self::day::{Calendar, Day, Kind};
use self::part::{Misfit, Part};
use super::{Due, DueError, check_year, first_instant, last_second};
use crate::text::{plain, quoted};
use crate::zone::Zone;

/// Maximum number of words in a time of day: `by the end of the day in the evening`.
const MAX_CLOCK_WORDS: usize = 9;

/// Maximum number of days to the next matching date if the time has passed today: from 31 May to 31 July. `nov 28 9am`, said on
/// 28 November at noon, does not mean next year.
const MAX_DAYS_TO_THE_NEXT: i32 = 62;

impl Due {
    /// Maximum length of a phrase, in characters.
    pub const MAX_PHRASE_CHARS: usize = 100;

    /// Reads what [`Due::parse`] reads, or one of the [phrases](self), at the time `now` in `zone`.
    ///
    /// The result of a phrase is never before the current second, unless the phrase names a year.
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
    /// [`DueError::AmbiguousPhrase`] for `at 5` and `3/4`, which have two common readings; [`DueError::TimeWithoutColon`];
    /// [`DueError::OtherWeekday`]; [`DueError::OtherPart`]; and [`DueError::Passed`].
    pub fn parse_or_phrase(text: &str, zone: &Zone, now: Timestamp) -> Result<Self, DueError> {
        Self::read(text, zone, now, Use::Due)
    }

    /// Reads what [`Due::parse_or_phrase`] reads as a bound of a range: the instant of "from monday on" and "before monday",
    /// which belongs to the later side.
    ///
    /// A day alone means its beginning, 00:00, or the first instant after it where clocks skip midnight; so does a week,
    /// month, quarter or year. The end of something means the first instant that is no longer in it. A bound may
    /// be in the past.
    ///
    /// ```
    /// use nudge_domain::{Due, Zone};
    ///
    /// let zone: Zone = "Europe/Berlin".parse()?;
    /// let now = "2026-12-01T08:00:00Z".parse()?; // a Tuesday
    /// let bound = |text| Due::bound(text, &zone, now).map(|due| due.to_string());
    /// assert_eq!(bound("tomorrow")?, "2026-12-02T00:00:00+01:00");
    /// assert_eq!(bound("tomorrow 9am")?, "2026-12-02T09:00:00+01:00");
    /// assert_eq!(bound("end of month")?, "2027-01-01T00:00:00+01:00");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Due::parse_or_phrase`], except [`DueError::Passed`].
    pub fn bound(text: &str, zone: &Zone, now: Timestamp) -> Result<Self, DueError> {
        Self::read(text, zone, now, Use::Bound)
    }

    fn read(text: &str, zone: &Zone, now: Timestamp, usage: Use) -> Result<Self, DueError> {
        let phrase = Phrase {
            text,
            zone,
            now,
            usage,
        };
        let plain = plain(text);
        match Self::parse_written(&plain, zone) {
            Err(DueError::Unreadable { .. }) => {}
            Ok((_, Some(date))) if usage == Use::Bound => {
                return phrase.due(first_instant(date, zone));
            }
            read => return read.map(|(due, _)| due),
        }
        let unknown = || DueError::UnknownPhrase { text: quoted(text) };
        if text.chars().nth(Self::MAX_PHRASE_CHARS).is_some() {
            return Err(unknown());
        }
        let lower = plain
            .to_lowercase()
            .replace(',', " ")
            .replace("a.m.", "am")
            .replace("p.m.", "pm");
        let words: Vec<&str> = lower
            .split_whitespace()
            .map(|word| word.strip_suffix('.').unwrap_or(word))
            .filter(|word| !word.is_empty())
            .collect();
        let due = phrase.read(&words)?.ok_or_else(unknown)?;
        match amount_in_capitals(&plain) {
            Some(count) => Err(phrase.months_or_minutes(count)),
            None => Ok(due),
        }
    }
}

/// Whether a phrase is a time of day, or a part of the day, without a day: `9am`, `at noon`, `in the evening`, `at 5`.
pub(crate) fn is_time_alone(text: &str) -> bool {
    let lower = plain(text)
        .to_lowercase()
        .replace(',', " ")
        .replace("a.m.", "am")
        .replace("p.m.", "pm");
    let words: Vec<&str> = lower
        .split_whitespace()
        .map(|word| word.strip_suffix('.').unwrap_or(word))
        .collect();
    let coming = |words: &[&str]| matches!(when(words), Some(When::Coming(_)));
    (0..=words.len()).any(|length| {
        let Some((front, back)) = words.split_at_checked(length) else {
            return false;
        };
        [(front, back), (back, front)]
            .into_iter()
            .any(|(when, time)| coming(when) && (clock::read(time).is_some() || time.is_empty()))
    }) && !words.is_empty()
}

/// The minutes of an amount of time: `30m`, `1 hour`, `2 days`, `a week`. None for seconds, and for months and years, which have no
/// length.
pub(crate) fn minutes(text: &str) -> Option<u32> {
    let lower = plain(text).to_lowercase();
    let words: Vec<&str> = lower.split_whitespace().collect();
    Amount::read(&words)?.minutes()
}

/// How a phrase is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    /// As a due date.
    Due,
    /// As a bound of a range.
    Bound,
}

/// A phrase and the context in which it is read.
struct Phrase<'a> {
    text: &'a str,
    zone: &'a Zone,
    now: Timestamp,
    usage: Use,
}

/// The words of a phrase without its time of day.
enum When<'a> {
    /// None: the next such time, possibly in a part of the day.
    Coming(Option<Part>),
    /// `tonight`, `this evening`: that part of today.
    Today(Part),
    /// A day, possibly with a part of it.
    Day(&'a [&'a str], Option<Part>),
}

impl Phrase<'_> {
    fn read(&self, words: &[&str]) -> Result<Option<Due>, DueError> {
        let words = match words {
            ["due", words @ ..] | words => words,
        };
        if let Some(amount) = Amount::from_now(words) {
            if let Some(count) = amount.months_or_minutes() {
                return Err(self.months_or_minutes(count));
            }
            return amount.after(self.now, self.zone).map(Some);
        }
        // A day, a time, or both in either order.
        for length in 0..=MAX_CLOCK_WORDS.min(words.len()) {
            let front = words.split_at_checked(length);
            let back = words.split_at_checked(words.len() - length);
            let splits = [
                back,
                front.filter(|_| length > 0).map(|(time, when)| (when, time)),
            ];
            for (when, time) in splits.into_iter().flatten() {
                let clock = clock::read(time);
                if clock.is_none() && !time.is_empty() {
                    continue;
                }
                if let Some(due) = self.moment(when, clock)? {
                    return Ok(Some(due));
                }
            }
        }
        if self.usage == Use::Due && names_the_past(words) {
            return Err(self.passed());
        }
        Ok(None)
    }

    fn moment(&self, words: &[&str], clock: Option<Spoken>) -> Result<Option<Due>, DueError> {
        let Some(when) = when(words) else { return Ok(None) };
        match when {
            When::Coming(None) if clock.is_none() => Ok(None),
            When::Coming(part) => self.coming(self.placed(clock, part)?).map(Some),
            When::Today(part) => self.today(part, clock).map(Some),
            When::Day(words, part) => self.on_a_day(words, part, clock),
        }
    }

    /// The next such time: in the current night, today, or tomorrow.
    fn coming(&self, placed: Option<Placed>) -> Result<Due, DueError> {
        let Some(placed) = placed else {
            return Err(self.passed());
        };
        let today = self.date();
        for date in [today.yesterday().ok(), Some(today)].into_iter().flatten() {
            // When clocks go back, the time may come a second time.
            for due in [
                self.on(date, placed)?,
                self.due(placed.on_again(date, self.zone))?,
            ] {
                if due.at() > self.now {
                    return Ok(due);
                }
            }
        }
        match today.tomorrow() {
            Ok(tomorrow) => self.on(tomorrow, placed),
            Err(_) => Err(self.passed()),
        }
    }

    /// A part of today, or the rest of the current night.
    fn today(&self, part: Part, clock: Option<Spoken>) -> Result<Due, DueError> {
        let today = self.date();
        if clock.is_none() {
            return self.part_alone(today, part);
        }
        let placed = self.placed(clock, Some(part))?.unwrap_or_else(|| part.start());
        if let Ok(yesterday) = today.yesterday() {
            let due = self.on(yesterday, placed)?;
            if due.at() > self.now {
                return Ok(due);
            }
        }
        self.not_past(self.on(today, placed)?)
    }

    /// A part of the current day: its beginning, or its end if it has begun.
    fn part_alone(&self, today: Date, part: Part) -> Result<Due, DueError> {
        let start = self.on(today, part.start())?;
        if self.usage == Use::Bound || start.at() > self.now {
            return Ok(start);
        }
        self.not_past(self.on(today, part.end())?)
    }

    /// Replaces the first matching day from today on by the next one if its time has passed today.
    fn on_a_day(
        &self,
        words: &[&str],
        part: Option<Part>,
        clock: Option<Spoken>,
    ) -> Result<Option<Due>, DueError> {
        let today = self.date();
        let mut calendar = Calendar {
            text: self.text,
            today,
            earliest: today,
            timed: clock.is_some() || part.is_some(),
        };
        let Some(day) = calendar.day(words)? else {
            return Ok(None);
        };
        check_year(day.first.year())?;
        check_year(day.last.year())?;
        if clock.is_none() && part.is_none() {
            return self.days(&day).map(Some);
        }
        if day.kind == Kind::Span {
            return Ok(None);
        }
        let alone = part.filter(|_| clock.is_none());
        let Some(placed) = self.placed(clock, part)? else {
            return Ok(None);
        };
        let due = self.on(day.last, placed)?;
        if due.at() > self.now || day.absolute {
            return Ok(Some(due));
        }
        if let Some(part) = alone
            && day.last == today
            && let Ok(due) = self.part_alone(today, part)
        {
            return Ok(Some(due));
        }
        if let Ok(tomorrow) = today.tomorrow() {
            calendar.earliest = tomorrow;
        }
        // A weekday with a date rarely matches the next such date.
        if let Ok(Some(next)) = calendar.day(words)
            && next.last > day.last
            && day
                .last
                .until(next.last)
                .is_ok_and(|away| away.get_days() <= MAX_DAYS_TO_THE_NEXT)
        {
            return self.on(next.last, placed).map(Some);
        }
        self.not_past(due).map(Some)
    }

    /// Days without a time of day.
    fn days(&self, day: &Day) -> Result<Due, DueError> {
        if self.usage == Use::Due {
            let due = self.due(last_second(day.last, self.zone))?;
            return if day.absolute { Ok(due) } else { self.not_past(due) };
        }
        if day.kind == Kind::End {
            return self.on(day.last, Placed::Midnight);
        }
        self.due(first_instant(day.first, self.zone))
    }

    /// The time of day, or the beginning of the part; `None` if neither was given.
    fn placed(&self, clock: Option<Spoken>, part: Option<Part>) -> Result<Option<Placed>, DueError> {
        let Some(clock) = clock else {
            return Ok(part.map(Part::start));
        };
        clock.placed(part).map(Some).map_err(|misfit| match misfit {
            Misfit::Ambiguous(instead) => self.ambiguous(instead),
            Misfit::Outside { hour, part } => DueError::OtherPart {
                text: quoted(self.text),
                hour,
                part,
            },
        })
    }

    fn on(&self, date: Date, placed: Placed) -> Result<Due, DueError> {
        match placed {
            // "Until the end of the day" includes the last second.
            Placed::EndOfDay if self.usage == Use::Bound => self.on(date, Placed::Midnight),
            placed => self.due(placed.on(date, self.zone)),
        }
    }

    fn due(&self, at: Result<Timestamp, jiff::Error>) -> Result<Due, DueError> {
        let at = at.map_err(|source| DueError::NoSuchTime {
            text: quoted(self.text),
            source,
        })?;
        Due::new(at, self.zone.clone())
    }

    /// A due date that is not before the current second. A bound may be.
    fn not_past(&self, due: Due) -> Result<Due, DueError> {
        if self.usage == Use::Bound || due.at().as_second() >= self.now.as_second() {
            return Ok(due);
        }
        Err(self.passed())
    }

    fn passed(&self) -> DueError {
        DueError::Passed {
            text: quoted(self.text),
        }
    }

    fn ambiguous(&self, instead: Cow<'static, str>) -> DueError {
        DueError::AmbiguousPhrase {
            text: quoted(self.text),
            instead,
        }
    }

    fn months_or_minutes(&self, count: i32) -> DueError {
        self.ambiguous(format!("{count} months or {count} min").into())
    }

    fn date(&self) -> Date {
        self.zone.time_zone().to_datetime(self.now).date()
    }
}

fn when<'a>(words: &'a [&'a str]) -> Option<When<'a>> {
    let today = match words {
        ["by", words @ ..] | words => words,
    };
    match today {
        ["tonight"] => return Some(When::Today(Part::Night)),
        ["this", part] if let Some(part) = Part::named(part) => return Some(When::Today(part)),
        _ => {}
    }
    match words {
        [] => Some(When::Coming(None)),
        [part] | ["by", part] | ["by", "the", part] if let Some(part) = Part::named(part) => {
            Some(When::Coming(Some(part)))
        }
        words => {
            let Some((part, length)) = Part::behind(words) else {
                return Some(When::Day(words, None));
            };
            match words.get(..words.len().checked_sub(length)?)? {
                [] => Some(When::Coming(Some(part))),
                day => Some(When::Day(day, Some(part))),
            }
        }
    }
}

/// The number before a capital `M`, which can mean minutes, or months as in ISO 8601: `3M`, `3 M`.
fn amount_in_capitals(text: &str) -> Option<i32> {
    let mut before = None;
    for word in text.split(|character: char| character.is_whitespace() || character == ',') {
        let word = word.strip_suffix('.').unwrap_or(word);
        let count: Option<i32> = match word.strip_suffix('M') {
            Some("") => before,
            Some(count) => count.parse().ok(),
            None => None,
        };
        if count.is_some() {
            return count;
        }
        before = word.parse().ok();
    }
    None
}

/// Whether the words name something in the past that is not a day: `last night at 9`, `last month`, `2 days ago`.
fn names_the_past(words: &[&str]) -> bool {
    match words {
        [amount @ .., "ago"] => Amount::read(amount).is_some(),
        ["last", name, ..] => {
            let past = ["night", "evening", "week", "weekend", "month", "quarter", "year"];
            past.contains(name)
        }
        _ => false,
    }
}
