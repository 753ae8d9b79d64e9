//! Days of the calendar, counted. Jiff's spans, zoned times and parsers would be a tenth of what a browser loads (decision 0048).

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::Offset;

const SECONDS: i64 = 86_400;

/// Midnight of a day in UTC. None beyond the year 9999.
pub fn midnight(date: Date) -> Option<Timestamp> {
    Offset::UTC.to_timestamp(date.to_datetime(Time::midnight())).ok()
}

/// So many days later, or earlier.
pub fn plus(date: Date, days: i32) -> Option<Date> {
    let second = midnight(date)?
        .as_second()
        .checked_add(i64::from(days) * SECONDS)?;
    Some(
        Offset::UTC
            .to_datetime(Timestamp::from_second(second).ok()?)
            .date(),
    )
}

/// How many days it is from one day to another; negative if that is earlier.
pub fn between(from: Date, to: Date) -> i32 {
    let second = |date| midnight(date).map_or(0, Timestamp::as_second);
    i32::try_from((second(to) - second(from)) / SECONDS).unwrap_or_default()
}

/// Reads `2026-12-01`.
pub fn read(text: &str) -> Option<Date> {
    let mut parts = text.splitn(3, '-');
    let year = parts.next()?.parse().ok()?;
    let month = parts.next()?.parse().ok()?;
    let day = parts.next()?.parse().ok()?;
    Date::new(year, month, day).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_over_months_and_leap_years() {
        let date = |text| read(text).expect("a date");
        for (from, days, to) in [
            ("2026-11-30", 1, "2026-12-01"),
            ("2028-02-28", 1, "2028-02-29"),
            ("2027-02-28", 1, "2027-03-01"),
            ("2026-12-01", -1, "2026-11-30"),
            ("2026-12-01", 0, "2026-12-01"),
            ("2026-12-01", 3_652, "2036-11-30"),
        ] {
            assert_eq!(plus(date(from), days), Some(date(to)), "{from} + {days}");
            assert_eq!(between(date(from), date(to)), days, "{from} to {to}");
        }
        assert_eq!(plus(Date::MAX, 1), None);
    }

    #[test]
    fn a_text_that_is_not_a_day_is_none() {
        for text in [
            "",
            "2026",
            "2026-12",
            "2026-02-30",
            "2026-13-01",
            "2026-12-01T09:00",
            "x-1-1",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
