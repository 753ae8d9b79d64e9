//! What the templates of the document mean, at some instant in some zone. It goes through the calendar day by day and shares
//! nothing with the parser.

use jiff::Timestamp;
use jiff::civil::Date;
use nudge_domain::Zone;

use super::days::{self, Days};
use super::times::{self, Wall, first_instant, last_second};

/// Why nothing is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Refusal {
    Ambiguous,
    OtherPart,
    NoSuchTime,
    OutOfRange,
    OtherWeekday,
    Passed,
}

/// What a phrase is said for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Due,
    Bound,
}

struct Moment<'a> {
    zone: &'a Zone,
    now: Timestamp,
    today: Date,
    usage: Use,
}

pub(super) fn evaluate(meaning: &str, zone: &Zone, now: Timestamp, usage: Use) -> Result<Timestamp, Refusal> {
    let moment = Moment {
        zone,
        now,
        today: zone.time_zone().to_datetime(now).date(),
        usage,
    };
    let at = moment.evaluate(meaning)?;
    let year = zone.time_zone().to_datetime(at).year();
    if (1970..=2199).contains(&year) {
        Ok(Timestamp::from_second(at.as_second()).expect("in range"))
    } else {
        Err(Refusal::OutOfRange)
    }
}

impl Moment<'_> {
    fn evaluate(&self, meaning: &str) -> Result<Timestamp, Refusal> {
        let mut fields = meaning.split("; ");
        let first = fields.next().unwrap_or_default();
        let (mut part, mut time) = (None, None);
        for field in fields {
            match field.split_once(": ") {
                Some(("in", text)) => part = Some(text),
                Some(("at", text)) => time = Some(text),
                _ => panic!("no field: {field} in {meaning}"),
            }
        }
        match first.split_once(": ") {
            Some(("later", amount)) => {
                let zoned = self.now.to_zoned(self.zone.time_zone().clone());
                let later = zoned.checked_add(days::amount_of(amount)?);
                later
                    .map(|zoned| zoned.timestamp())
                    .map_err(|_| Refusal::OutOfRange)
            }
            Some(("this", part)) => self.this(part, time),
            Some(("on", day)) => {
                // What has a time of day beside it is none itself.
                let day = match (part, time) {
                    (None, None) => day.to_owned(),
                    _ => day.replace("year or time", "year"),
                };
                self.on(&days::read(&day, self.today)?, part, time)
            }
            None if first == "coming" => self.coming(part, time),
            _ => panic!("no meaning: {meaning}"),
        }
    }

    fn wall(&self, part: Option<&str>, time: Option<&str>) -> Result<Wall, Refusal> {
        match (part, time) {
            (part, Some(time)) => times::read(time, part),
            (Some(part), None) => Ok(times::start_of(part)),
            (None, None) => panic!("neither a part nor a time"),
        }
    }

    fn instant(&self, date: Date, wall: Wall) -> Timestamp {
        wall.on(date, self.zone, self.usage)
    }

    /// The first one ahead, also in the night that is still going on.
    fn coming(&self, part: Option<&str>, time: Option<&str>) -> Result<Timestamp, Refusal> {
        let wall = self.wall(part, time)?;
        let found = (-1..=1)
            .flat_map(|days| wall.every_time_on(days::plus(self.today, days), self.zone, self.usage))
            .find(|at| *at > self.now);
        Ok(found.expect("tomorrow is ahead"))
    }

    fn this(&self, part: &str, time: Option<&str>) -> Result<Timestamp, Refusal> {
        if time.is_none() {
            return self.part_of_today(part);
        }
        let wall = self.wall(Some(part), time)?;
        let night_before = self.instant(days::plus(self.today, -1), wall);
        if night_before > self.now {
            return Ok(night_before);
        }
        self.not_passed(self.instant(self.today, wall))
    }

    fn part_of_today(&self, part: &str) -> Result<Timestamp, Refusal> {
        let start = self.instant(self.today, times::start_of(part));
        if start > self.now || self.usage == Use::Bound {
            return Ok(start);
        }
        self.not_passed(self.instant(self.today, times::end_of(part)))
    }

    fn on(&self, days: &Days, part: Option<&str>, time: Option<&str>) -> Result<Timestamp, Refusal> {
        let (first, last) = days.list[0];
        if !(1970..=2199).contains(&first.year()) || !(1970..=2199).contains(&last.year()) {
            return Err(Refusal::OutOfRange);
        }
        if part.is_none() && time.is_none() {
            let at = match (self.usage, days.end) {
                (Use::Due, _) => last_second(last, self.zone),
                (Use::Bound, true) => first_instant(days::plus(last, 1), self.zone),
                (Use::Bound, false) => first_instant(first, self.zone),
            };
            return if days.absolute {
                Ok(at)
            } else {
                self.not_passed(at)
            };
        }
        let wall = self.wall(part, time)?;
        if days.absolute {
            return Ok(self.instant(last, wall));
        }
        if let (Some(part), None) = (part, time)
            && last == self.today
            && let Ok(at) = self.part_of_today(part)
        {
            return Ok(at);
        }
        let near = |date: Date| date <= days::plus(last, 62);
        let ahead = days.list.iter().filter(|(_, last)| near(*last));
        let ahead = ahead.map(|(_, last)| self.instant(*last, wall));
        let first = self.instant(last, wall);
        ahead
            .into_iter()
            .find(|at| *at > self.now)
            .map_or_else(|| self.not_passed(first), Ok)
    }

    fn not_passed(&self, at: Timestamp) -> Result<Timestamp, Refusal> {
        if self.usage == Use::Bound || at.as_second() >= self.now.as_second() {
            return Ok(at);
        }
        Err(Refusal::Passed)
    }
}
