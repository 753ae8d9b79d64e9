//! Parses RRULE text into a checked [`Rule`] (RFC 5545, section 3.3.10).

use std::ops::RangeInclusive;
use std::str::FromStr;

use jiff::civil::{Date, Time, Weekday};

use super::{ByDay, End, Frequency, Rule, RuleError, Until, WEEKDAYS, expand};
use crate::text::quoted;

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        if text.chars().nth(Self::MAX_TEXT_CHARS).is_some() {
            return Err(RuleError::TooLong);
        }
        let text = unfolded(text).trim().to_ascii_uppercase();
        let text = text.strip_prefix("RRULE:").unwrap_or(&text).trim();
        if text.is_empty() {
            return Err(RuleError::Empty);
        }
        let mut parts = Parts::default();
        // Google Calendar and others end a rule with a semicolon, Exchange puts spaces into its lists.
        for part in text.strip_suffix(';').unwrap_or(text).split(';') {
            parts.read(part)?;
        }
        let rule = parts.into_rule()?;
        check_against_table(&rule)?;
        if expand::never_matches(&rule) {
            return Err(RuleError::NeverMatches);
        }
        Ok(rule)
    }
}

/// The text unfolded to one line: a line of a calendar file may be folded anywhere (RFC 5545, section 3.1).
fn unfolded(text: &str) -> String {
    ["\r\n ", "\r\n\t", "\n ", "\n\t"]
        .iter()
        .fold(text.to_owned(), |text, fold| text.replace(fold, ""))
}

/// The parts read so far; `None` means not given.
#[derive(Default)]
struct Parts {
    frequency: Option<Frequency>,
    interval: Option<u16>,
    count: Option<u32>,
    until: Option<Until>,
    by_month: Option<Vec<i16>>,
    by_week_no: Option<Vec<i16>>,
    by_year_day: Option<Vec<i16>>,
    by_month_day: Option<Vec<i16>>,
    by_day: Option<Vec<ByDay>>,
    by_set_pos: Option<Vec<i16>>,
    week_start: Option<Weekday>,
}

impl Parts {
    fn read(&mut self, part: &str) -> Result<(), RuleError> {
        let (name, value) = part
            .split_once('=')
            .map(|(name, value)| (name.trim(), value.trim()))
            .ok_or_else(|| RuleError::MalformedPart { part: quoted(part) })?;
        match name {
            "FREQ" => set(&mut self.frequency, "FREQ", frequency(value)?),
            "INTERVAL" => {
                let range = 1..=i32::from(Rule::MAX_INTERVAL);
                let interval = number(value, range).and_then(|interval| u16::try_from(interval).ok());
                set(
                    &mut self.interval,
                    "INTERVAL",
                    or_invalid(interval, "INTERVAL", value, "give 1 to 1000")?,
                )
            }
            "COUNT" => {
                let count = number(value, 1..=10_000).and_then(|count| u32::try_from(count).ok());
                set(
                    &mut self.count,
                    "COUNT",
                    or_invalid(count, "COUNT", value, "give 1 to 10000")?,
                )
            }
            "UNTIL" => set(
                &mut self.until,
                "UNTIL",
                or_invalid(
                    until(value),
                    "UNTIL",
                    value,
                    "give 20261231, 20261231T090000 or 20261231T090000Z",
                )?,
            ),
            "BYMONTH" => set(
                &mut self.by_month,
                "BYMONTH",
                numbers("BYMONTH", value, 1..=12, "give 1 to 12")?,
            ),
            "BYWEEKNO" => set(
                &mut self.by_week_no,
                "BYWEEKNO",
                numbers("BYWEEKNO", value, -53..=53, "give 1 to 53 or -53 to -1")?,
            ),
            "BYYEARDAY" => set(
                &mut self.by_year_day,
                "BYYEARDAY",
                numbers("BYYEARDAY", value, -366..=366, "give 1 to 366 or -366 to -1")?,
            ),
            "BYMONTHDAY" => set(
                &mut self.by_month_day,
                "BYMONTHDAY",
                numbers("BYMONTHDAY", value, -31..=31, "give 1 to 31 or -31 to -1")?,
            ),
            "BYDAY" => {
                let mut days = values("BYDAY", value, "give weekdays such as MO, 1MO or -1FR", by_day)?;
                days.sort_by_key(|day| (day.ordinal, day.weekday.to_monday_zero_offset()));
                days.dedup();
                set(&mut self.by_day, "BYDAY", days)
            }
            "BYSETPOS" => set(
                &mut self.by_set_pos,
                "BYSETPOS",
                numbers("BYSETPOS", value, -366..=366, "give 1 to 366 or -366 to -1")?,
            ),
            "WKST" => {
                let expected = "give MO, TU, WE, TH, FR, SA or SU";
                set(
                    &mut self.week_start,
                    "WKST",
                    or_invalid(weekday(value), "WKST", value, expected)?,
                )
            }
            "BYHOUR" => Err(RuleError::UnsupportedPart { name: "BYHOUR" }),
            "BYMINUTE" => Err(RuleError::UnsupportedPart { name: "BYMINUTE" }),
            "BYSECOND" => Err(RuleError::UnsupportedPart { name: "BYSECOND" }),
            _ => Err(RuleError::UnknownPart { name: quoted(name) }),
        }
    }

    fn into_rule(self) -> Result<Rule, RuleError> {
        Ok(Rule {
            frequency: self.frequency.ok_or(RuleError::MissingFrequency)?,
            interval: self.interval.unwrap_or(1),
            end: match (self.count, self.until) {
                (None, None) => End::Never,
                (Some(count), None) => End::Count(count),
                (None, Some(until)) => End::Until(until),
                (Some(_), Some(_)) => return Err(RuleError::CountAndUntil),
            },
            by_month: self.by_month.unwrap_or_default(),
            by_week_no: self.by_week_no.unwrap_or_default(),
            by_year_day: self.by_year_day.unwrap_or_default(),
            by_month_day: self.by_month_day.unwrap_or_default(),
            by_day: self.by_day.unwrap_or_default(),
            by_set_pos: self.by_set_pos.unwrap_or_default(),
            week_start: self.week_start.unwrap_or(Weekday::Monday),
        })
    }
}

/// The combinations that section 3.3.10 rules out, most of them in its table.
fn check_against_table(rule: &Rule) -> Result<(), RuleError> {
    let frequency = rule.frequency;
    let not_with = |name| Err(RuleError::NotWithFrequency { name, frequency });
    if !rule.by_week_no.is_empty() && frequency != Frequency::Yearly {
        return not_with("BYWEEKNO");
    }
    if !rule.by_year_day.is_empty() && frequency != Frequency::Yearly {
        return not_with("BYYEARDAY");
    }
    if !rule.by_month_day.is_empty() && frequency == Frequency::Weekly {
        return not_with("BYMONTHDAY");
    }
    let ordinals_make_sense = match frequency {
        Frequency::Daily | Frequency::Weekly => false,
        Frequency::Monthly => true,
        Frequency::Yearly => rule.by_week_no.is_empty(),
    };
    if !ordinals_make_sense && rule.by_day.iter().any(|day| day.ordinal != 0) {
        return Err(RuleError::OrdinalNotAllowed);
    }
    let nothing_to_choose_from = rule.by_month.is_empty()
        && rule.by_week_no.is_empty()
        && rule.by_year_day.is_empty()
        && rule.by_month_day.is_empty()
        && rule.by_day.is_empty();
    if !rule.by_set_pos.is_empty() && nothing_to_choose_from {
        return Err(RuleError::SetPosAlone);
    }
    Ok(())
}

fn set<T>(slot: &mut Option<T>, name: &'static str, value: T) -> Result<(), RuleError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(RuleError::RepeatedPart { name }),
    }
}

fn or_invalid<T>(
    parsed: Option<T>,
    name: &'static str,
    value: &str,
    expected: &'static str,
) -> Result<T, RuleError> {
    parsed.ok_or_else(|| RuleError::InvalidValue {
        name,
        value: quoted(value),
        expected,
    })
}

fn frequency(value: &str) -> Result<Frequency, RuleError> {
    let unsupported = |frequency| Err(RuleError::UnsupportedFrequency { frequency });
    match value {
        "DAILY" => Ok(Frequency::Daily),
        "WEEKLY" => Ok(Frequency::Weekly),
        "MONTHLY" => Ok(Frequency::Monthly),
        "YEARLY" => Ok(Frequency::Yearly),
        "HOURLY" => unsupported("HOURLY"),
        "MINUTELY" => unsupported("MINUTELY"),
        "SECONDLY" => unsupported("SECONDLY"),
        _ => or_invalid(None, "FREQ", value, "use DAILY, WEEKLY, MONTHLY or YEARLY"),
    }
}

/// A whole number within `range`, with at most five digits and an optional sign.
fn number(text: &str, range: RangeInclusive<i32>) -> Option<i32> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let plain = (1..=5).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| plain && range.contains(number))
}

/// A comma-separated list of numbers within `range`, but not 0, sorted.
fn numbers(
    name: &'static str,
    list: &str,
    range: RangeInclusive<i32>,
    expected: &'static str,
) -> Result<Vec<i16>, RuleError> {
    let mut numbers = values(name, list, expected, |text| {
        number(text, range.clone())
            .filter(|number| *number != 0)
            .and_then(|number| i16::try_from(number).ok())
    })?;
    numbers.sort_unstable();
    numbers.dedup();
    Ok(numbers)
}

fn values<T>(
    name: &'static str,
    list: &str,
    expected: &'static str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, RuleError> {
    if list.split(',').nth(Rule::MAX_VALUES).is_some() {
        return Err(RuleError::TooManyValues { name });
    }
    list.split(',')
        .map(|value| or_invalid(parse(value.trim()), name, value, expected))
        .collect()
}

fn weekday(text: &str) -> Option<Weekday> {
    WEEKDAYS
        .iter()
        .find(|(name, _)| *name == text)
        .map(|(_, weekday)| *weekday)
}

fn by_day(text: &str) -> Option<ByDay> {
    let (ordinal, name) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let ordinal = match ordinal {
        "" => 0,
        _ => number(ordinal, -53..=53).filter(|number| *number != 0)?,
    };
    Some(ByDay {
        ordinal: i16::try_from(ordinal).ok()?,
        weekday: weekday(name)?,
    })
}

fn until(text: &str) -> Option<Until> {
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let [century, year, month, day] = two_digit_numbers(date)?;
    let date = Date::new(i16::from(century) * 100 + i16::from(year), month, day).ok()?;
    let Some(time) = time else {
        return Some(Until::Date(date));
    };
    let (digits, utc) = match time.strip_suffix('Z') {
        Some(digits) => (digits, true),
        None => (time, false),
    };
    let [hour, minute, second] = two_digit_numbers(digits)?;
    let local = date.to_datetime(Time::new(hour, minute, second, 0).ok()?);
    Some(if utc {
        Until::Utc(local)
    } else {
        Until::Local(local)
    })
}

/// `N` numbers of two digits each, and nothing else.
fn two_digit_numbers<const N: usize>(text: &str) -> Option<[i8; N]> {
    if text.len() != 2 * N || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut numbers = [0; N];
    for (index, slot) in numbers.iter_mut().enumerate() {
        *slot = text.get(2 * index..2 * index + 2)?.parse().ok()?;
    }
    Some(numbers)
}
