//! A task in one line, and the next dates of a recurring task: what the page shows before anything is stored.

use nudge_domain::LocalInstant;
use nudge_domain::id::{CategoryId, TagId};
use nudge_domain::task::Priority;
use serde::{Deserialize, Serialize};

/// Body of `POST /api/v1/tasks/parse`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParseLine {
    /// The line, at most 1,000 characters.
    pub text: String,
    /// IANA name of the time zone that it is read in; the user's without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}

/// Response of `POST /api/v1/tasks/parse`: how a line is understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParsedLine {
    /// The task, a body for `POST /api/v1/tasks`; none while there are questions.
    pub task: Option<LineTask>,
    /// Names of tags in the line that the user does not have.
    pub new_tags: Vec<String>,
    /// Name of the category in the line, if the user does not have it.
    pub new_category: Option<String>,
    /// What each part of the line was taken for, in the order of the line.
    pub parts: Vec<LinePart>,
    /// The schedule in English.
    pub words: LineWords,
    /// The first dates of a recurring task, at most three, the due date first. Empty if it does not recur.
    pub occurrences: Vec<LocalInstant>,
    /// What has to be decided before there is a task.
    pub questions: Vec<LineQuestion>,
}

/// A task that `POST /api/v1/tasks` accepts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LineTask {
    /// The words of the line that mean nothing else.
    pub title: String,
    /// When it is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<LocalInstant>,
    /// The zone that the line was read in.
    pub time_zone: String,
    /// Its priority, if the line names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// The user's category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category_id: Option<CategoryId>,
    /// The user's tags.
    pub tag_ids: Vec<TagId>,
    /// RFC 5545 RRULE in canonical form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurrence: Option<String>,
    /// Its reminders; without any, the field is missing and the user's default applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reminders: Option<Vec<LineReminder>>,
}

/// A reminder of a [`LineTask`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LineReminder {
    /// Minutes before the due instant.
    MinutesBefore(u32),
    /// An instant.
    At(LocalInstant),
}

/// A part of a line. Positions count UTF-16 code units, as JavaScript does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LinePart {
    /// What it was taken for.
    pub kind: LinePartKind,
    /// Where it begins.
    pub start: u32,
    /// Where it ends.
    pub end: u32,
    /// As it is written.
    pub text: String,
}

/// What a part of a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LinePartKind {
    /// A part of the title.
    Title,
    /// When the task is due.
    Due,
    /// How it repeats.
    Recurrence,
    /// How much it matters.
    Priority,
    /// A tag.
    Tag,
    /// The category.
    Category,
    /// A reminder.
    Reminder,
}

/// A schedule in English.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LineWords {
    /// `Tuesday, 1 December 2026, 09:00`.
    pub due: Option<String>,
    /// `every month on the 1st`.
    pub recurrence: Option<String>,
    /// `30 minutes before`, one for each reminder.
    pub reminders: Vec<String>,
}

/// Something in a line that is not clear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LineQuestion {
    /// The field of the task that it is about: `due`, `recurrence`, `reminders`, `priority` or `categoryId`.
    pub field: String,
    /// What is unclear, and what can be done.
    pub message: String,
    /// Lines that say it clearly. Of a phrase, one leaves its words in the title.
    pub choices: Vec<LineChoice>,
}

/// An answer to a [`LineQuestion`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LineChoice {
    /// What it means, in a few words.
    pub label: String,
    /// The whole line with this choice made.
    pub text: String,
}

/// Response of `GET /api/v1/tasks/{id}/occurrences`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Occurrences {
    /// RFC 5545 RRULE in canonical form; none if the task does not recur.
    pub recurrence: Option<String>,
    /// The rule in English.
    pub words: Option<String>,
    /// The occurrences after the task, in order. Those of a task that counts from its completion are as if each were completed when it
    /// is due.
    pub items: Vec<Occurrence>,
    /// Whether nothing comes after the last of `items`.
    pub ends: bool,
}

/// An occurrence of a recurring task that does not exist yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Occurrence {
    /// Its number in the series.
    pub number: u32,
    /// When it is due, with the zone's offset.
    pub due: LocalInstant,
}
