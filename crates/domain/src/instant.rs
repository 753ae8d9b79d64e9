//! Instants as JSON has them: RFC 3339.
//!
//! [`read`] and [`read_some`] are for `#[serde(deserialize_with = …)]` on a [`Timestamp`]. What they accept is what [`LocalInstant`]
//! accepts, and so is the refusal. Jiff's own `Deserialize` would bring the wording of all of its errors into the page, which is a tenth
//! of what a browser loads (decision 0048).

use std::ops::Range;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde::{Deserialize, Deserializer};

use crate::LocalInstant;

/// Reads an instant.
///
/// # Errors
///
/// The text is not an instant.
pub fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    Ok(LocalInstant::deserialize(deserializer)?.at())
}

/// Reads an instant, or `null`. With `#[serde(default)]`, the field may be missing.
///
/// # Errors
///
/// The text is not an instant.
pub fn read_some<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let instant: Option<LocalInstant> = Option::deserialize(deserializer)?;
    Ok(instant.map(|instant| instant.at()))
}

/// Reads what [`LocalInstant`] writes: `2026-12-01T09:00:00+01:00`, with up to nine decimals, or with `Z`, for which there is no offset.
pub(crate) fn written(text: &str) -> Option<(Timestamp, Option<Offset>)> {
    let number = |at: Range<usize>| digits(text.get(at)?);
    let separators = [(4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":")];
    if !separators
        .iter()
        .all(|(at, one)| text.get(*at..at + 1) == Some(*one))
    {
        return None;
    }
    let (decimals, zone) = match text.get(19..)?.strip_prefix('.') {
        Some(rest) => rest.split_at_checked(rest.find(|c: char| !c.is_ascii_digit())?)?,
        None => ("0", text.get(19..)?),
    };
    let scale = u32::try_from(decimals.len())
        .ok()
        .and_then(|length| 9_u32.checked_sub(length))?;
    let local = DateTime::new(
        number(0..4)?.try_into().ok()?,
        number(5..7)?.try_into().ok()?,
        number(8..10)?.try_into().ok()?,
        number(11..13)?.try_into().ok()?,
        number(14..16)?.try_into().ok()?,
        number(17..19)?.try_into().ok()?,
        digits(decimals)? * 10_i32.pow(scale),
    )
    .ok()?;
    let offset = offset(zone)?;
    let at = offset.unwrap_or(Offset::UTC).to_timestamp(local).ok()?;
    Some((at, offset))
}

/// `Z`, which is none, or `+01:00`.
fn offset(text: &str) -> Option<Option<Offset>> {
    let sign = match text.get(..1)? {
        "Z" if text.len() == 1 => return Some(None),
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    if hours.len() != 2 || minutes.len() != 2 {
        return None;
    }
    let minutes = digits(minutes).filter(|minutes| *minutes < 60)?;
    let seconds = sign * (digits(hours)? * 3_600 + minutes * 60);
    Offset::from_seconds(seconds).ok().map(Some)
}

/// A number of one to nine digits.
fn digits(text: &str) -> Option<i32> {
    let plain = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LocalInstant;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_a_local_instant_writes_is_read_as_jiff_reads_it(
            second in -62_000_000_000_i64..=253_000_000_000,
            nanosecond in prop_oneof![Just(0), 0..1_000_000_000_i32, (0..1_000_i32).prop_map(|milli| milli * 1_000_000)],
            minutes in proptest::option::of(-1_559_i32..=1_559),
        ) {
            let at = Timestamp::new(second, nanosecond).expect("within the range of jiff");
            let shown = match minutes {
                Some(minutes) => LocalInstant::new(at, Offset::from_seconds(minutes * 60).expect("below 26 hours")),
                None => at.into(),
            };
            let text = shown.to_string();
            let (at, offset) = written(&text).expect("a year of four digits");
            let read = offset.map_or(LocalInstant::from(at), |offset| LocalInstant::new(at, offset));
            prop_assert_eq!(read, shown);
            prop_assert_eq!(Ok(read), text.parse::<LocalInstant>().map_err(|error| error.to_string()));
        }

        #[test]
        fn what_is_read_here_is_read_alike_by_jiff(text in "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-5][0-9]:[0-5][0-9](\\.[0-9]{0,10})?(Z|[+-][0-9]{2}:[0-9]{2})") {
            if let Some((at, _)) = written(&text) {
                let shown: LocalInstant = text.parse().expect("jiff reads more");
                prop_assert_eq!(at, shown.at());
            }
        }
    }

    #[test]
    fn other_texts_are_none() {
        for text in [
            "",
            "2026-12-01",
            "2026-12-01T09:00:00",
            "2026-12-01T09:00:00+01",
            "2026-12-01T09:00:00+1:00",
            "2026-12-01T09:00:00+01:60",
            "2026-12-01T09:00:00+26:00",
            "2026-12-01T09:00:00.Z",
            "2026-12-01T09:00:00.1234567891Z",
            "2026-02-30T09:00:00Z",
            "2026-12-01T24:00:00Z",
            "2026-12-01T09:00:00Z[UTC]",
            "2026-12-01 09:00:00Z",
            "2026-1-01T09:00:00Z",
            "+026-12-01T09:00:00Z",
            "2026-12-01T09:00:00é",
            "tomorrow",
        ] {
            assert_eq!(written(text), None, "{text}");
        }
    }
}
