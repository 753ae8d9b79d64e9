//! Minutes as people write them, and reminders as they are typed.

use crate::ReminderEdit;

/// Minutes in `90`, `1h 30m` or `2 days`. `None` for any other text: the caller sends that to the API, or refuses it.
///
/// ```
/// use nudge_page_model::duration::minutes;
///
/// assert_eq!(minutes("1h 30m"), Some(90));
/// assert_eq!(minutes("8pm"), None);
/// ```
pub fn minutes(text: &str) -> Option<u32> {
    let mut rest = text.trim();
    let mut sum: u32 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (number, after) = split(rest, |c| c.is_ascii_digit());
        let number: u32 = number.parse().ok()?;
        let (unit, after) = split(after.trim_start(), |c| c.is_ascii_alphabetic());
        let factor = match unit.to_ascii_lowercase().as_str() {
            "" | "m" | "min" | "mins" | "minute" | "minutes" => 1,
            "h" | "hour" | "hours" => 60,
            "d" | "day" | "days" => 1_440,
            "w" | "week" | "weeks" => 10_080,
            _ => return None,
        };
        sum = sum.checked_add(number.checked_mul(factor)?)?;
        rest = after.trim_start();
    }
    Some(sum)
}

/// `90 minutes`, `2 hours`, `1 day`: the largest unit that is exact. [`minutes`] reads it.
pub fn words(minutes: u32) -> String {
    let (count, unit) = match minutes {
        0 => (0, "minute"),
        minutes if minutes % 10_080 == 0 => (minutes / 10_080, "week"),
        minutes if minutes % 1_440 == 0 => (minutes / 1_440, "day"),
        minutes if minutes % 60 == 0 => (minutes / 60, "hour"),
        minutes => (minutes, "minute"),
    };
    [
        count.to_string().as_str(),
        " ",
        unit,
        if count == 1 { "" } else { "s" },
    ]
    .concat()
}

impl ReminderEdit {
    /// A new reminder as it is typed: `30 minutes before`, `when it is due`, or a time in a form that the API reads.
    pub fn read(text: &str) -> Self {
        let text = text.trim();
        let lower = text.to_ascii_lowercase();
        let minutes_before = match lower.as_str() {
            "when it is due" | "when due" | "at the due time" => Some(0),
            _ => minutes(lower.strip_suffix("before").unwrap_or(&lower)),
        };
        Self {
            id: None,
            minutes_before,
            at: minutes_before.is_none().then(|| text.to_owned()),
        }
    }
}

/// The characters at the start that match, and the rest.
fn split(text: &str, matches: fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c: char| !matches(c)).unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_are_read_with_and_without_units() {
        for (text, read) in [
            ("90", Some(90)),
            (" 45 min ", Some(45)),
            ("1h30m", Some(90)),
            ("2 Hours", Some(120)),
            ("1 week 1 day", Some(11_520)),
            ("", None),
            ("soon", None),
            ("8pm", None),
            ("-5", None),
            ("1.5 h", None),
            ("99999999 weeks", None),
        ] {
            assert_eq!(minutes(text), read, "{text:?}");
        }
    }

    #[test]
    fn words_are_read_back_as_the_same_minutes() {
        for (count, says) in [
            (0, "0 minutes"),
            (1, "1 minute"),
            (90, "90 minutes"),
            (120, "2 hours"),
            (1_440, "1 day"),
            (20_160, "2 weeks"),
        ] {
            assert_eq!(words(count), says);
            assert_eq!(minutes(says), Some(count));
        }
    }

    #[test]
    fn a_reminder_is_relative_only_if_it_is_all_minutes() {
        for (text, minutes_before, at) in [
            ("30 minutes before", Some(30), None),
            ("1h before", Some(60), None),
            ("30m", Some(30), None),
            ("When it is due", Some(0), None),
            ("tomorrow 8am", None, Some("tomorrow 8am")),
            ("in 30 minutes", None, Some("in 30 minutes")),
            ("8am", None, Some("8am")),
        ] {
            let read = ReminderEdit::read(text);
            assert_eq!(read.minutes_before, minutes_before, "{text:?}");
            assert_eq!(read.at.as_deref(), at, "{text:?}");
        }
    }
}
