//! A task in one line: `Pay rent every month on the 1st 9am !high #home remind 30m before`.
//!
//! `docs/phrases.md`, section "A task in one line", says what is taken from a line, and what stays in the title. In short: marks
//! (`#tag`, `@category`, `!high`), reminders (`remind …`), and the longest spans of words that the grammars of due dates and
//! recurrences accept, where a reader would take them for one; the rest is the title. What those grammars refuse as ambiguous is
//! asked: a [`Question`] has choices, each of which is the whole line with one reading.
//!
//! | file | holds |
//! | --- | --- |
//! | `line.rs` | the words of a line, and lines with other words |
//! | `marks.rs` | tags, categories, priorities |
//! | `reminders.rs` | reminders |
//! | `dates.rs`, `context.rs`, `vocabulary.rs` | which spans are dates and recurrences |
//! | `schedule.rs` | one due date and one recurrence out of these spans |
//! | `questions.rs`, `readings.rs` | what is asked, and the choices |

mod context;
mod dates;
mod line;
mod marks;
mod questions;
mod readings;
mod reminders;
mod schedule;
mod vocabulary;

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::Timestamp;

use self::line::Line;
use crate::characters::name_key;
use crate::due::Due;
use crate::id::{CategoryId, TagId};
use crate::recurrence::Rule;
use crate::reminder::{MAX_REMINDERS, ReminderWhen};
use crate::task::{MAX_TAGS, Priority, Title, ValueError};
use crate::zone::Zone;

/// Maximum length of a line, in characters.
pub const MAX_LINE_CHARS: usize = 1000;

/// A user's categories and tags, by what their names look like.
#[derive(Debug, Clone, Default)]
pub struct Labels {
    categories: BTreeMap<String, CategoryId>,
    tags: BTreeMap<String, TagId>,
}

impl Labels {
    /// The categories and tags of these names.
    pub fn new<'n>(
        categories: impl IntoIterator<Item = (CategoryId, &'n str)>,
        tags: impl IntoIterator<Item = (TagId, &'n str)>,
    ) -> Self {
        Self {
            categories: categories
                .into_iter()
                .map(|(id, name)| (name_key(name), id))
                .collect(),
            tags: tags.into_iter().map(|(id, name)| (name_key(name), id)).collect(),
        }
    }
}

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuickAdd {
    /// What is to be done: the words that mean nothing else.
    pub title: Title,
    /// When it is due; for a recurrence without a date, its first date from now on.
    pub due: Option<Due>,
    /// How it repeats.
    pub recurrence: Option<Rule>,
    /// How much it matters, if the line says so.
    pub priority: Option<Priority>,
    /// The user's category.
    pub category: Option<CategoryId>,
    /// Name of a category that the user does not have.
    pub new_category: Option<String>,
    /// The user's tags, each once.
    pub tags: Vec<TagId>,
    /// Names of tags that the user does not have.
    pub new_tags: Vec<String>,
    /// Reminders, each once.
    pub reminders: Vec<ReminderWhen>,
    /// What each part of the line was taken for, in order.
    pub parts: Vec<Part>,
    /// What has to be decided first. If there are any, the other fields are what is certain so far.
    pub questions: Vec<Question>,
}

/// A part of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it was taken for.
    pub kind: PartKind,
    /// Where it is in the line, in bytes.
    pub range: Range<usize>,
}

/// What a part of a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartKind {
    /// A part of the title.
    Title,
    /// When the task is due.
    Due,
    /// How it repeats.
    Recurrence,
    /// How much it matters.
    Priority,
    /// One of its tags.
    Tag,
    /// Its category.
    Category,
    /// One of its reminders.
    Reminder,
}

/// Something in a line that is not clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What it is about.
    pub about: PartKind,
    /// What is unclear, and what can be done.
    pub message: String,
    /// Lines that say it clearly. There may be none.
    pub choices: Vec<Choice>,
}

/// An answer to a [`Question`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What it means, in a few words.
    pub label: String,
    /// The whole line with this reading.
    pub text: String,
}

/// Reads a line at the time `now`, with dates in `zone`.
///
/// ```
/// use nudge_domain::Zone;
/// use nudge_domain::quick_add::{Labels, read};
///
/// let zone: Zone = "Europe/Berlin".parse()?;
/// let now = "2026-11-21T12:00:00Z".parse()?;
/// let line = "Pay rent every month on the 1st 9am !high #home remind 30m before";
/// let task = read(line, &zone, now, &Labels::default())?;
/// assert_eq!(task.title.as_str(), "Pay rent");
/// assert_eq!(task.due.ok_or("a due date")?.to_string(), "2026-12-01T09:00:00+01:00");
/// assert_eq!(task.recurrence.ok_or("a recurrence")?.to_string(), "FREQ=MONTHLY;BYMONTHDAY=1");
/// assert_eq!(task.new_tags, ["home"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// A line that is too long or has no title, and what exceeds the limits of a task.
pub fn read(text: &str, zone: &Zone, now: Timestamp, labels: &Labels) -> Result<QuickAdd, QuickAddError> {
    if text.chars().nth(MAX_LINE_CHARS).is_some() {
        return Err(QuickAddError::TooLong);
    }
    let mut line = Line::new(text);
    let marks = marks::take(&mut line, labels)?;
    let asked = reminders::take(&mut line, zone, now);
    let found = dates::take(&mut line, zone, now);
    let schedule = schedule::of(&line, &found, zone, now);
    let (mut reminders, unclear) = reminders::resolve(&line, &asked, &schedule, zone, now);
    if let Some(when) = reminders::take_opening(&mut line, schedule.due.as_ref())
        && reminders.is_empty()
    {
        reminders.push(when);
    }
    if reminders.len() > MAX_REMINDERS {
        return Err(QuickAddError::TooManyReminders);
    }
    if marks.tags.len() + marks.new_tags.len() > MAX_TAGS {
        return Err(QuickAddError::TooManyTags);
    }
    let title = line.title();
    let title = match title.parse::<Title>() {
        Err(ValueError::Empty { .. }) => return Err(QuickAddError::NoTitle),
        title => title.map_err(QuickAddError::Value)?,
    };
    let mut questions = marks.questions;
    questions.extend(schedule.questions);
    questions.extend(unclear);
    Ok(QuickAdd {
        title,
        due: schedule.due,
        recurrence: schedule.rule,
        priority: marks.priority,
        category: marks.category,
        new_category: marks.new_category,
        tags: marks.tags,
        new_tags: marks.new_tags,
        reminders,
        parts: line.parts(),
        questions,
    })
}

/// Why a line was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QuickAddError {
    /// Over [`MAX_LINE_CHARS`].
    #[error("the line is too long: at most {MAX_LINE_CHARS} characters are allowed")]
    TooLong,
    /// Nothing is left for the title.
    #[error("the line has no title: say what is to be done, such as `Pay rent tomorrow 9am`")]
    NoTitle,
    /// A title or a name that a task or a label cannot have.
    #[error("{0}")]
    Value(ValueError),
    /// More than [`MAX_TAGS`].
    #[error("a task has at most {MAX_TAGS} tags: remove some")]
    TooManyTags,
    /// More than [`MAX_REMINDERS`].
    #[error("a task has at most {MAX_REMINDERS} reminders: remove some")]
    TooManyReminders,
}

impl QuickAddError {
    /// Stable code for programs: `line_too_long`, `required`, `too_many_tags`, `too_many_reminders`, or that of the value.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLong => "line_too_long",
            Self::NoTitle => "required",
            Self::Value(error) => error.code(),
            Self::TooManyTags => "too_many_tags",
            Self::TooManyReminders => "too_many_reminders",
        }
    }
}
