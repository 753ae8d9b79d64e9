//! What a tool did, in a sentence. It has the ids, because some clients show their model only the text.

use nudge_contract::task::{Reminder, Task};
use nudge_domain::characters::isolated;
use nudge_domain::reminder::ReminderStatus;
use nudge_domain::task::{Priority, Status};
use nudge_domain::{Due, LocalInstant, Rule, Zone};

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

/// A rule in words. One that was stored under older rules, and cannot be read any more, is shown as it is.
fn repeats(rule: &str) -> String {
    match rule.parse::<Rule>() {
        Ok(rule) => rule.in_words(),
        Err(_) => format!("by the rule {rule}"),
    }
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
    fn a_rule_is_shown_in_words() {
        assert_eq!(
            repeats("FREQ=MONTHLY;BYMONTHDAY=1;COUNT=3"),
            "every month on the 1st for 3 times"
        );
        assert_eq!(repeats("FREQ=HOURLY"), "by the rule FREQ=HOURLY");
    }
}
