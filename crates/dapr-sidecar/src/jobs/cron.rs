//! Schedules as the library behind Dapr's scheduler reads them: six fields, seconds first, in UTC; `@every`; names
//! such as `@hourly`.
//!
//! An own reader, because the kept cron crates differ in what this one is held to: which day is 1, that the two
//! day fields are joined by "or" only if neither is `*`, and the words of its errors.

use std::time::{Duration, SystemTime};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use crate::duration;

/// Further ahead than a schedule can leave a gap: a 29 February on a given weekday takes up to 40 years.
const LONGEST_GAP_YEARS: i16 = 41;

/// When a job fires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Schedule {
    Every(Duration),
    Cron(Box<Fields>),
}

/// The allowed values of each field, as bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fields {
    second: u64,
    minute: u64,
    hour: u64,
    day: u64,
    month: u64,
    weekday: u64,
    /// Both day fields restrict, so one of them is enough.
    either_day: bool,
}

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

impl Schedule {
    /// Reads a schedule; an error is in the words of Dapr's scheduler as far as they were recorded.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if let Some(every) = text.strip_prefix("@every ") {
            let every = duration::go(every.trim()).filter(|every| !every.is_zero());
            return every
                .map(Self::Every)
                .ok_or_else(|| format!("failed to parse duration {text}"));
        }
        let text = match text {
            "@yearly" | "@annually" => "0 0 0 1 1 *",
            "@monthly" => "0 0 0 1 * *",
            "@weekly" => "0 0 0 * * 0",
            "@daily" | "@midnight" => "0 0 0 * * *",
            "@hourly" => "0 0 * * * *",
            other if other.starts_with('@') => return Err(format!("unrecognized descriptor: {other}")),
            other => other,
        };
        let fields: Vec<&str> = text.split_whitespace().collect();
        let &[second, minute, hour, day, month, weekday] = fields.as_slice() else {
            return Err(format!(
                "expected exactly 6 fields, found {}: [{text}]",
                fields.len()
            ));
        };
        let starred = |field: &str| field.starts_with(['*', '?']);
        Ok(Self::Cron(Box::new(Fields {
            second: bits(second, 0, 59, &[])?,
            minute: bits(minute, 0, 59, &[])?,
            hour: bits(hour, 0, 23, &[])?,
            day: bits(day, 1, 31, &[])?,
            month: bits(month, 1, 12, &MONTHS)?,
            weekday: bits(weekday, 0, 6, &WEEKDAYS)?,
            either_day: !starred(day) && !starred(weekday),
        })))
    }

    /// The first instant after `after`; `None` if there is none, as on 30 February.
    pub(crate) fn next(&self, after: SystemTime) -> Option<SystemTime> {
        match self {
            Self::Every(every) => after.checked_add(*every),
            Self::Cron(fields) => {
                let start = Timestamp::try_from(after)
                    .ok()?
                    .to_zoned(TimeZone::UTC)
                    .datetime();
                let next = fields.next(start)?.to_zoned(TimeZone::UTC).ok()?.timestamp();
                Some(SystemTime::from(next))
            }
        }
    }
}

impl Fields {
    fn next(&self, after: DateTime) -> Option<DateTime> {
        let allows = |set: u64, value: i8| set & (1 << value) != 0;
        let end = after.year().checked_add(LONGEST_GAP_YEARS)?;
        let mut at = after
            .with()
            .subsec_nanosecond(0)
            .build()
            .ok()?
            .checked_add(1.second())
            .ok()?;
        while at.year() <= end {
            // The largest unit that does not fit goes to its next value, and everything below it to its first.
            at = if !allows(self.month, at.month()) {
                at.first_of_month().start_of_day().checked_add(1.month()).ok()?
            } else if !self.allows_day(at) {
                at.start_of_day().checked_add(1.day()).ok()?
            } else if !allows(self.hour, at.hour()) {
                at.with()
                    .minute(0)
                    .second(0)
                    .build()
                    .ok()?
                    .checked_add(1.hour())
                    .ok()?
            } else if !allows(self.minute, at.minute()) {
                at.with().second(0).build().ok()?.checked_add(1.minute()).ok()?
            } else if !allows(self.second, at.second()) {
                at.checked_add(1.second()).ok()?
            } else {
                return Some(at);
            };
        }
        None
    }

    fn allows_day(&self, at: DateTime) -> bool {
        let day = self.day & (1 << at.day()) != 0;
        let weekday = self.weekday & (1 << at.weekday().to_sunday_zero_offset()) != 0;
        if self.either_day {
            day || weekday
        } else {
            day && weekday
        }
    }
}

/// Reads one field: lists of `*`, `?`, `n`, `a-b`, each with an optional `/step`.
fn bits(field: &str, min: u32, max: u32, names: &[&str]) -> Result<u64, String> {
    let bad = || format!("failed to parse int from {field}");
    let number = |text: &str| {
        let named = names.iter().position(|name| text.eq_ignore_ascii_case(name));
        named
            .and_then(|index| u32::try_from(index).ok())
            .map(|index| index + min)
            .or_else(|| text.parse().ok())
    };
    let mut all = 0;
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (
                range,
                Some(step.parse::<usize>().ok().filter(|s| *s > 0).ok_or_else(bad)?),
            ),
            None => (part, None),
        };
        let (first, last) = match range.split_once('-') {
            _ if matches!(range, "*" | "?") => (min, max),
            Some((first, last)) => (number(first).ok_or_else(bad)?, number(last).ok_or_else(bad)?),
            None => {
                let first = number(range).ok_or_else(bad)?;
                (first, if step.is_some() { max } else { first })
            }
        };
        if first < min || last > max || first > last {
            return Err(format!("{part} is not within {min}-{max}"));
        }
        all |= (first..=last)
            .step_by(step.unwrap_or(1))
            .fold(0, |bits, value| bits | 1 << value);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(schedule: &str, after: &str, count: usize) -> Vec<String> {
        let schedule = Schedule::parse(schedule).expect("a schedule");
        let mut at = SystemTime::from(after.parse::<Timestamp>().expect("a literal instant"));
        let mut seen = Vec::new();
        while seen.len() < count {
            at = schedule.next(at).expect("a next instant");
            seen.push(Timestamp::try_from(at).expect("in range").to_string());
        }
        seen
    }

    #[test]
    fn finds_the_next_instants() {
        let after = "2026-11-21T20:57:11.5Z";
        assert_eq!(
            next("*/2 * * * * *", after, 2),
            ["2026-11-21T20:57:12Z", "2026-11-21T20:57:14Z"]
        );
        assert_eq!(
            next("@hourly", after, 2),
            ["2026-11-21T21:00:00Z", "2026-11-21T22:00:00Z"]
        );
        assert_eq!(
            next("@every 300ms", after, 2),
            ["2026-11-21T20:57:11.8Z", "2026-11-21T20:57:12.1Z"]
        );
        assert_eq!(
            next("0 30 9 * * mon-fri", after, 2),
            ["2026-11-23T09:30:00Z", "2026-11-24T09:30:00Z"]
        );
        assert_eq!(next("0 0 0 29 2 *", after, 1), ["2028-02-29T00:00:00Z"]);
        assert_eq!(next("0 0 0 1 JAN *", after, 1), ["2027-01-01T00:00:00Z"]);
        assert_eq!(
            next("5/20 0 0 1,15 12 ?", after, 2),
            ["2026-12-01T00:00:05Z", "2026-12-01T00:00:25Z"]
        );
    }

    #[test]
    fn two_day_fields_mean_either_day() {
        let days = next("0 0 0 1 * mon", "2026-11-24T00:00:00Z", 3);
        assert_eq!(
            days,
            [
                "2026-11-30T00:00:00Z",
                "2026-12-01T00:00:00Z",
                "2026-12-07T00:00:00Z"
            ]
        );
    }

    #[test]
    fn a_day_that_never_comes_has_no_next() {
        let never = Schedule::parse("0 0 0 30 2 *").expect("a schedule");
        assert_eq!(never.next(SystemTime::UNIX_EPOCH), None);
    }

    #[test]
    fn refuses_in_the_recorded_words() {
        let refusal = |text| Schedule::parse(text).expect_err("not a schedule");
        assert_eq!(
            refusal("*/5 * * * *"),
            "expected exactly 6 fields, found 5: [*/5 * * * *]"
        );
        assert_eq!(
            refusal("nonsense"),
            "expected exactly 6 fields, found 1: [nonsense]"
        );
        for bad in [
            "@never",
            "@every x",
            "60 * * * * *",
            "* * * 0 * *",
            "*/0 * * * * *",
            "5-1 * * * * *",
            "a * * * * *",
        ] {
            refusal(bad);
        }
    }
}
