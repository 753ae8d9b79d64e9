//! English phrases for recurrences, each a shorthand for a rule: `every monday and thursday`, `last friday of the month`,
//! `every 2nd of the month until 2026-12-31`.
//!
//! The grammar in `docs/phrases.md` defines what is understood, ambiguous or refused, and the parser here follows it,
//! production by production. The tests generate phrases from that page and compare.
//!
//! A phrase is split into words, the words before the end of the recurrence are parsed as a rhythm, and the rhythm is written as
//! rule text, which the parser of [`Rule`] checks like any other. Only if the words are not a rhythm is the reason looked for.

mod end;
mod months;
mod parser;
mod refusal;
mod rhythm;
mod tokens;
mod years;

use self::tokens::{Cursor, tokens};
use crate::due::Due;
use crate::recurrence::{Rule, RuleError};
use crate::text::is_dash;

/// Reads a recurrence as `RRULE` text or as one of the [phrases](self).
///
/// ```
/// use nudge_domain::parse_recurrence;
///
/// assert_eq!(parse_recurrence("Every Monday and Thursday")?.to_string(), "FREQ=WEEKLY;BYDAY=MO,TH");
/// assert_eq!(parse_recurrence("RRULE:FREQ=DAILY;COUNT=3")?.to_string(), "FREQ=DAILY;COUNT=3");
/// # Ok::<(), nudge_domain::RuleError>(())
/// ```
///
/// # Errors
///
/// What the parser of [`Rule`] refuses, phrases that are not understood (the message shows some that are), and phrases
/// with two common readings, such as `bimonthly`.
pub fn parse_recurrence(text: &str) -> Result<Rule, RuleError> {
    let text = text.trim();
    if is_phrase(text) {
        parse_phrase(text)
    } else {
        text.parse()
    }
}

/// Reads a recurrence like [`parse_recurrence`] for a task that is due at `due` and has recurred by `before` so far.
///
/// A phrase that takes the day of the month from the due date means the last day in a month that lacks that day, and the rule says so:
/// `monthly` from the 31st is `FREQ=MONTHLY;BYMONTHDAY=-1,31;BYSETPOS=1`. If `before` has such a day and matches the due date,
/// that day is kept: given again on 28 February, `monthly`, or `every 2 months`, still means the 31st. Rule text stays as it is.
///
/// ```
/// use nudge_domain::phrase::parse_recurrence_for;
/// use nudge_domain::{Due, Zone};
///
/// let due = |date| Due::parse(date, &Zone::utc());
/// let rule = parse_recurrence_for("every 6 months", &due("2026-08-31")?, None)?;
/// assert_eq!(rule.to_string(), "FREQ=MONTHLY;INTERVAL=6;BYMONTHDAY=-1,31;BYSETPOS=1");
/// assert_eq!(parse_recurrence_for("every 6 months", &due("2027-02-28")?, Some(&rule))?, rule);
/// let monthly = parse_recurrence_for("monthly", &due("2027-02-28")?, Some(&rule))?;
/// assert_eq!(monthly.to_string(), "FREQ=MONTHLY;BYMONTHDAY=-1,31;BYSETPOS=1");
/// let moved = parse_recurrence_for("every 6 months", &due("2027-02-15")?, Some(&rule))?;
/// assert_eq!(moved.to_string(), "FREQ=MONTHLY;INTERVAL=6");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Those of [`parse_recurrence`].
pub fn parse_recurrence_for(text: &str, due: &Due, before: Option<&Rule>) -> Result<Rule, RuleError> {
    let rule = parse_recurrence(text)?;
    if is_phrase(text.trim()) {
        Ok(rule.anchored(due.local().date(), before))
    } else {
        Ok(rule)
    }
}

/// Whether a text is parsed as a phrase rather than as a rule. The parser of rules also refuses empty and too long texts.
fn is_phrase(text: &str) -> bool {
    !text.is_empty() && !text.contains('=') && text.chars().nth(Rule::MAX_TEXT_CHARS).is_none()
}

fn parse_phrase(text: &str) -> Result<Rule, RuleError> {
    let plain = text.replace(is_dash, "-");
    let phrase = plain.strip_suffix('.').unwrap_or(&plain).to_ascii_lowercase();
    let words = tokens(&phrase);
    let (body, end) = end::split(&words);
    let rhythm = parser::rhythm(Cursor::new(body)).ok_or_else(|| refusal::refusal(body, text))?;
    rhythm.check()?;
    let end = end.read(&plain)?;
    format!("{rhythm}{end}").parse()
}
