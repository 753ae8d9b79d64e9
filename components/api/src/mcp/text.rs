//! What a tool did, in a sentence. It has the ids, because some clients show their model only the text.

use nudge_contract::task::{Reminder, Task};
use nudge_domain::characters::isolated;
use nudge_domain::reminder::ReminderStatus;
use nudge_domain::task::{Priority, Status};
use nudge_domain::{Due, LocalInstant, Zone};

/// A task in one line: “Pay rent”, due Tue 1 Dec 2026 09:00 (Europe/Berlin), repeats every month, high priority (id …).
pub(crate) fn task(task: &Task) -> String {
    let mut line = format!("“{}”", isolated(&task.title));
    if task.status == Status::Completed {
        line.push_str(", completed");
    }
    if let Some(due) = &task.due {
        line.push_str(&format!(
            ", due {} ({})",
            moment(*due, &task.time_zone),
            task.time_zone
        ));
    }
    if let Some(rule) = &task.recurrence {
        line.push_str(&format!(", repeats {}", repeats(rule)));
    }
    if task.priority != Priority::default() {
        line.push_str(&format!(", {} priority", task.priority.as_str()));
    }
    line.push_str(&format!(" (id {})", task.id));
    line
}

/// A task with its description and reminders.
pub(crate) fn whole(shown: &Task) -> String {
    let mut text = task(shown);
    if let Some(description) = shown.description.as_deref().filter(|text| !text.is_empty()) {
        text.push('\n');
        text.push_str(description);
    }
    for reminder in &shown.reminders {
        text.push_str(&format!("\nReminder {}", self::reminder(reminder, shown)));
    }
    text
}

/// When a reminder is sent, and whether it was.
pub(crate) fn reminder(reminder: &Reminder, task: &Task) -> String {
    let at = moment(reminder.remind_at, &task.time_zone);
    let state = match reminder.status {
        ReminderStatus::Scheduled => "",
        ReminderStatus::Sent => ", sent",
        ReminderStatus::Failed => ", could not be sent",
        ReminderStatus::Cancelled => ", cancelled",
    };
    match reminder.minutes_before {
        Some(minutes) => format!("{minutes} minutes before, {at}{state}"),
        None => format!("at {at}{state}"),
    }
}

/// A list of tasks, with a headline.
pub(crate) fn tasks(headline: &str, tasks: &[Task]) -> String {
    let mut text = headline.to_owned();
    for shown in tasks {
        text.push_str("\n- ");
        text.push_str(&task(shown));
    }
    text
}

/// `1 task`, `3 tasks`.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    match number {
        0 => format!("No {many}"),
        1 => format!("1 {one}"),
        number => format!("{number} {many}"),
    }
}

/// `Tue 1 Dec 2026 09:00`; the end of a day is shown as the day alone. If the zone is not known, the instant as it is.
fn moment(instant: LocalInstant, zone: &str) -> String {
    let Ok(zone) = zone.parse::<Zone>() else {
        return instant.to_string();
    };
    let at = instant.at();
    let local = at.to_zoned(zone.time_zone().clone());
    let end_of_day = Due::new(at, zone).is_ok_and(|due| due.is_end_of_day());
    let format = if end_of_day {
        "%a %-d %b %Y"
    } else {
        "%a %-d %b %Y %H:%M"
    };
    local.strftime(format).to_string()
}

/// A rule in words if they are few, else the rule.
fn repeats(rule: &str) -> String {
    words(rule).unwrap_or_else(|| format!("by the rule {rule}"))
}

fn words(rule: &str) -> Option<String> {
    let (mut frequency, mut interval, mut end) = ("", "1", String::new());
    let (mut days, mut day, mut place, mut month) = (None, None, None, None);
    for part in rule.split(';') {
        match part.split_once('=')? {
            ("FREQ", value) => frequency = value,
            ("INTERVAL", value) => interval = value,
            ("BYDAY", value) => days = Some(value),
            ("BYMONTHDAY", value) => day = Some(value),
            ("BYSETPOS", value) => place = Some(value),
            ("BYMONTH", value) => month = Some(value),
            ("COUNT", value) => end = format!(", {value} times in all"),
            ("UNTIL", value) => {
                end = format!(
                    ", until {}-{}-{}",
                    value.get(..4)?,
                    value.get(4..6)?,
                    value.get(6..8)?
                )
            }
            ("WKST", _) => {}
            _ => return None,
        }
    }
    let unit = match frequency {
        "DAILY" => "day",
        "WEEKLY" => "week",
        "MONTHLY" => "month",
        "YEARLY" => "year",
        _ => return None,
    };
    let every = match interval {
        "1" => format!("every {unit}"),
        number => format!("every {number} {unit}s"),
    };
    if let (None, Some(day)) = (days, day_or_last(day, place)) {
        return match (frequency, month) {
            ("MONTHLY", None) if !matches!(day, "29" | "30" | "31") => {
                Some(format!("{every} on day {day}{end}"))
            }
            ("MONTHLY", None) => Some(format!("{every} on day {day} or the last day{end}")),
            ("YEARLY", Some("2")) if matches!(day, "29" | "30" | "31") => {
                Some(format!("{every} on {day} Feb or the last day of Feb{end}"))
            }
            _ => None,
        };
    }
    if place.or(month).is_some() {
        return None;
    }
    let on = on(frequency, days, day)?;
    Some(format!("{every}{on}{end}"))
}

/// The days of a rule in words, with a space before them; empty if the rule names none.
fn on(frequency: &str, days: Option<&str>, day: Option<&str>) -> Option<String> {
    Some(match (frequency, days, day) {
        (_, None, None) => String::new(),
        ("WEEKLY", Some("MO,TU,WE,TH,FR"), None) => " on weekdays".to_owned(),
        ("WEEKLY", Some(days), None) => {
            let names: Option<Vec<&str>> = days.split(',').map(weekday).collect();
            format!(" on {}", names?.join(", "))
        }
        ("MONTHLY", None, Some("-1")) => " on the last day".to_owned(),
        ("MONTHLY", None, Some(day)) if day.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!(" on day {day}")
        }
        _ => return None,
    })
}

/// The day of the month, or the last day if the month is shorter: how phrases are written as rules (`docs/phrases.md`).
fn day_or_last<'r>(days: Option<&'r str>, place: Option<&str>) -> Option<&'r str> {
    match (days?, place?) {
        (days, "1") => days.strip_prefix("-1,").filter(|day| !day.contains(',')),
        (days @ ("28,29" | "28,29,30" | "28,29,30,31"), "-1") => days.get(days.len() - 2..),
        _ => None,
    }
}

fn weekday(code: &str) -> Option<&'static str> {
    Some(match code {
        "MO" => "Mon",
        "TU" => "Tue",
        "WE" => "Wed",
        "TH" => "Thu",
        "FR" => "Fri",
        "SA" => "Sat",
        "SU" => "Sun",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_shown_in_the_zone_of_the_task_and_a_day_without_time() {
        for (text, zone, shown) in [
            (
                "2026-12-01T09:00:00+01:00",
                "Europe/Berlin",
                "Tue 1 Dec 2026 09:00",
            ),
            ("2026-12-01T23:59:59+01:00", "Europe/Berlin", "Tue 1 Dec 2026"),
            (
                "2026-12-01T09:00:00+01:00",
                "Mars/Base",
                "2026-12-01T09:00:00+01:00",
            ),
        ] {
            assert_eq!(moment(text.parse().unwrap(), zone), shown);
        }
    }

    #[test]
    fn a_rule_is_shown_in_words_if_they_are_few() {
        for (rule, told) in [
            ("FREQ=DAILY", "every day"),
            ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH", "every 2 weeks on Mon, Thu"),
            ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "every week on weekdays"),
            (
                "FREQ=MONTHLY;BYMONTHDAY=1;COUNT=3",
                "every month on day 1, 3 times in all",
            ),
            ("FREQ=MONTHLY;BYMONTHDAY=-1", "every month on the last day"),
            (
                "FREQ=YEARLY;UNTIL=20301231T225959Z",
                "every year, until 2030-12-31",
            ),
            (
                "FREQ=MONTHLY;BYMONTHDAY=-1,31;BYSETPOS=1",
                "every month on day 31 or the last day",
            ),
            ("FREQ=MONTHLY;BYMONTHDAY=-1,1;BYSETPOS=1", "every month on day 1"),
            (
                "FREQ=MONTHLY;INTERVAL=2;COUNT=3;BYMONTHDAY=28,29,30;BYSETPOS=-1",
                "every 2 months on day 30 or the last day, 3 times in all",
            ),
            (
                "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1,29;BYSETPOS=1",
                "every year on 29 Feb or the last day of Feb",
            ),
            (
                "FREQ=MONTHLY;BYMONTHDAY=1,28,29,30;BYSETPOS=-1,1",
                "by the rule FREQ=MONTHLY;BYMONTHDAY=1,28,29,30;BYSETPOS=-1,1",
            ),
            (
                "FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=15",
                "by the rule FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=15",
            ),
            ("FREQ=MONTHLY;BYDAY=2TU", "by the rule FREQ=MONTHLY;BYDAY=2TU"),
        ] {
            assert_eq!(repeats(rule), told, "{rule}");
        }
    }
}
