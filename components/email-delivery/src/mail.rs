//! The contents of emails: of a reminder, and of a notice about an account.
//!
//! Dapr's binding sends HTML alone, so the template is written to read well without its tags, too (decision 0005): one statement
//! per line. It escapes every value once, and the subject is text, not HTML, so a title with `&` reads as it was written.
//!
//! Text from users is in blocks of its own with `dir="auto"`: each block takes the direction of its text, and unclosed directional
//! marks end with the block (UAX 9, rule X8), so they cannot reverse Nudge's own text. `lang=""` says that the language is not
//! that of the page, and `white-space:pre-wrap` preserves spaces.

use std::borrow::Cow;

use askama::Template;
use jiff::Timestamp;
use nudge_contract::api::Notice;
use nudge_contract::task::Task;
use nudge_domain::Zone;
use nudge_domain::task::Priority;

use crate::header;

/// Maximum length of a shown description, in characters.
const SHOWN: usize = 2_000;

/// Maximum length of a word that is dropped rather than split where a description is truncated, in characters.
const LONGEST_WORD: usize = 80;

/// An email without its addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mail {
    /// Encoded for the header, in ASCII.
    pub(crate) subject: String,
    pub(crate) html: String,
    /// `X-Priority`, 1 (highest) to 5.
    pub(crate) x_priority: u8,
}

#[derive(Template)]
#[template(path = "reminder.html")]
struct Reminder<'a> {
    reference: &'a str,
    title: &'a str,
    due: Option<String>,
    left: Option<String>,
    priority: &'static str,
    colour: &'static str,
    description: Option<Vec<String>>,
    stop_link: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "confirm.html")]
struct Confirm<'a> {
    reference: &'a str,
    link: &'a str,
    until: String,
    stop_link: &'a str,
}

#[derive(Template)]
#[template(path = "changed.html")]
struct Changed<'a> {
    reference: &'a str,
    at: String,
    stop_link: &'a str,
}

/// Renders the email of a notice. `reference` is its id, for programs. Nothing in it is text from a user.
pub(crate) fn notice(reference: &str, notice: &Notice, stop_link: &str) -> Result<Mail, askama::Error> {
    let (subject, html) = match notice {
        Notice::Confirm { link, until } => (
            "Confirm your address for Nudge",
            Confirm {
                reference,
                link,
                until: due_in(*until, &Zone::utc()),
                stop_link,
            }
            .render()?,
        ),
        Notice::Changed { at } => (
            "Your Nudge emails go to another address",
            Changed {
                reference,
                at: due_in(*at, &Zone::utc()),
                stop_link,
            }
            .render()?,
        ),
    };
    Ok(Mail {
        subject: header::subject(subject),
        html,
        x_priority: 3,
    })
}

/// Renders the email for a task, with its due time in the owner's zone. `reference` is the id of the reminder and its instant in
/// Unix seconds, for programs: two emails with the same reference are duplicates (decision 0019). `stop_link` is where the recipient
/// can stop emails.
pub(crate) fn write(
    reference: &str,
    task: &Task,
    zone: &Zone,
    stop_link: Option<&str>,
    now: Timestamp,
) -> Result<Mail, askama::Error> {
    let due = task.due.map(|due| due.at());
    let (priority, colour, x_priority) = match task.priority {
        Priority::Urgent => ("urgent", "#b91c1c", 1),
        Priority::High => ("high", "#c2410c", 2),
        Priority::Medium => ("medium", "#1d4ed8", 3),
        Priority::Low => ("low", "#52525b", 4),
    };
    let html = Reminder {
        reference,
        title: &task.title,
        due: due.map(|due| due_in(due, zone)),
        left: due.map(|due| left(due, now)),
        priority,
        colour,
        description: task.description.as_deref().map(paragraphs),
        stop_link,
    }
    .render()?;
    Ok(Mail {
        subject: header::subject(&format!("Reminder: {}", task.title)),
        html,
        x_priority,
    })
}

/// `Tuesday, 1 December 2026 at 09:00 (Europe/Berlin)`.
fn due_in(due: Timestamp, zone: &Zone) -> String {
    let local = due.to_zoned(zone.time_zone().clone());
    format!("{} ({})", local.strftime("%A, %-d %B %Y at %H:%M"), zone.name())
}

/// The time until the due instant, or since it, in one or two units. A started minute counts as a whole one, so that a reminder
/// an hour ahead does not say 59 minutes.
fn left(due: Timestamp, now: Timestamp) -> String {
    let seconds = due.duration_since(now).as_secs();
    let minutes = if seconds >= 0 {
        (seconds + 59) / 60
    } else {
        -(seconds / 60)
    };
    let one = |count: i64, unit: &str| {
        if count == 1 {
            format!("1 {unit}")
        } else {
            format!("{count} {unit}s")
        }
    };
    let (days, hours, rest) = (minutes / 1_440, minutes / 60 % 24, minutes % 60);
    let span = match (days, hours) {
        (0, 0) => one(rest, "minute"),
        (0, _) if rest == 0 => one(hours, "hour"),
        (0, _) => format!("{} {}", one(hours, "hour"), one(rest, "minute")),
        (_, 0) => one(days, "day"),
        _ => format!("{} {}", one(days, "day"), one(hours, "hour")),
    };
    match (seconds, minutes) {
        (_, 0) => "Due now".to_owned(),
        (0.., _) => format!("{span} left"),
        _ => format!("Overdue by {span}"),
    }
}

/// The lines of a description, without empty ones.
fn paragraphs(description: &str) -> Vec<String> {
    shortened(description)
        .split(['\n', '\r'])
        .map(str::trim_end)
        .filter(|line| !line.trim().is_empty())
        .map(str::to_owned)
        .collect()
}

/// Truncates a text to [`SHOWN`] characters. It is cut after a word or, if there is no space near the end, between grapheme
/// clusters: an accent stays with its letter, and a joined emoji stays whole.
fn shortened(text: &str) -> Cow<'_, str> {
    let Some((end, _)) = text.char_indices().nth(SHOWN) else {
        return Cow::Borrowed(text);
    };
    let (shown, _) = text.split_at(end);
    let words = shown.trim_end_matches(|c: char| !c.is_whitespace());
    let kept = if shown.chars().count() - words.chars().count() <= LONGEST_WORD {
        words
    } else {
        whole(text, shown)
    };
    Cow::Owned(format!("{}…", kept.trim_end()))
}

/// The start of a text without its last character if that goes on behind it.
fn whole<'a>(text: &str, mut start: &'a str) -> &'a str {
    let joins = |c: char| matches!(c, '\u{300}'..='\u{36f}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}');
    while text
        .get(start.len()..)
        .is_some_and(|rest| rest.starts_with(joins))
        || start.ends_with('\u{200d}')
    {
        let mut characters = start.chars();
        characters.next_back();
        start = characters.as_str();
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn says_how_long_there_is_in_words() {
        let due = at("2026-12-01T08:00:00Z");
        for (now, words) in [
            ("2026-12-01T07:30:00Z", "30 minutes left"),
            ("2026-12-01T07:00:01Z", "1 hour left"),
            ("2026-12-01T06:29:00Z", "1 hour 31 minutes left"),
            ("2026-11-30T08:00:00Z", "1 day left"),
            ("2026-11-28T05:00:00Z", "3 days 3 hours left"),
            ("2026-12-01T07:59:00Z", "1 minute left"),
            ("2026-12-01T08:00:00Z", "Due now"),
            ("2026-12-01T08:00:59Z", "Due now"),
            ("2026-12-01T08:05:30Z", "Overdue by 5 minutes"),
            ("2026-12-03T08:05:30Z", "Overdue by 2 days"),
        ] {
            assert_eq!(left(due, at(now)), words, "{now}");
        }
    }

    #[test]
    fn shows_the_due_time_where_its_owner_lives() {
        let zone: Zone = "Europe/Berlin".parse().unwrap();
        assert_eq!(
            due_in(at("2026-12-01T08:00:00Z"), &zone),
            "Tuesday, 1 December 2026 at 09:00 (Europe/Berlin)"
        );
        let zone: Zone = "Asia/Kolkata".parse().unwrap();
        assert_eq!(
            due_in(at("2026-12-31T20:00:00Z"), &zone),
            "Friday, 1 January 2027 at 01:30 (Asia/Kolkata)"
        );
    }

    #[test]
    fn a_description_keeps_its_indentation_and_loses_its_empty_lines() {
        assert_eq!(
            paragraphs("first\r\n\r\n  - second  two\t\rthird\n\u{3000}\n"),
            ["first", "  - second  two", "third"]
        );
    }

    #[test]
    fn a_long_description_is_cut_behind_a_word_or_a_whole_character() {
        assert_eq!(shortened("short"), "short");
        let all = "x".repeat(SHOWN);
        assert_eq!(shortened(&all), all);
        let words = "ab cde ".repeat(400);
        let cut = shortened(&words);
        assert!(cut.ends_with(" ab…") || cut.ends_with(" cde…"), "{cut}");
        let family = "👩\u{200d}👩\u{200d}👧\u{200d}👦";
        for before in 0..8 {
            let text = format!("{}{}", "x".repeat(SHOWN - before), family.repeat(3));
            let cut = shortened(&text);
            let end = cut.strip_suffix('…').expect("it is cut");
            assert!(!end.ends_with('\u{200d}'), "{cut}");
        }
        let accents = format!("{}e\u{301}e\u{301}", "x".repeat(SHOWN - 1));
        assert_eq!(shortened(&accents), format!("{}…", "x".repeat(SHOWN - 1)));
    }
}
