//! What the API answers that is not in `nudge_contract`.

use nudge_domain::LocalInstant;
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

/// A category or a tag.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Label {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    /// `#rrggbb`.
    pub(crate) color: String,
    pub(crate) task_count: u32,
    pub(crate) version: u32,
}

/// Which of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LabelKind {
    Category,
    Tag,
}

impl LabelKind {
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Category => "/api/v1/categories",
            Self::Tag => "/api/v1/tags",
        }
    }
}

/// The profile.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Me {
    pub(crate) id: String,
    pub(crate) email: Option<String>,
    #[serde(default)]
    pub(crate) email_stopped: Option<EmailStopped>,
    #[serde(default)]
    pub(crate) unconfirmed_email: Option<UnconfirmedEmail>,
    pub(crate) time_zone: String,
    pub(crate) quiet_hours: Option<QuietHours>,
    pub(crate) default_reminder: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct EmailStopped {
    pub(crate) reason: String,
    pub(crate) since: String,
    pub(crate) detail: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct UnconfirmedEmail {
    pub(crate) email: String,
    pub(crate) until: String,
    /// Why no email can go there; none if one can.
    #[serde(default)]
    pub(crate) stopped: Option<EmailStopped>,
}

/// Times of day, `HH:MM`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct QuietHours {
    pub(crate) from: String,
    pub(crate) until: String,
}

/// A line of quick add, as the server understands it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Parsed {
    /// A body that creates it; none while there are questions.
    pub(crate) task: Option<Map<String, Value>>,
    #[serde(default)]
    pub(crate) new_tags: Vec<String>,
    #[serde(default)]
    pub(crate) new_category: Option<String>,
    #[serde(default)]
    pub(crate) parts: Vec<Part>,
    #[serde(default)]
    pub(crate) words: ParsedWords,
    #[serde(default)]
    pub(crate) occurrences: Vec<LocalInstant>,
    #[serde(default)]
    pub(crate) questions: Vec<Question>,
}

/// A part of the line; `start` and `end` count UTF-16 code units.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Part {
    pub(crate) kind: String,
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) text: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct ParsedWords {
    pub(crate) due: Option<String>,
    pub(crate) recurrence: Option<String>,
    pub(crate) reminders: Vec<String>,
}

/// What is ambiguous.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Question {
    pub(crate) field: String,
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) choices: Vec<LineChoice>,
}

/// An answer: the whole line with this choice made.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct LineChoice {
    pub(crate) label: String,
    pub(crate) text: String,
}

/// The next dates of a task.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Occurrences {
    pub(crate) recurrence: Option<String>,
    pub(crate) words: Option<String>,
    pub(crate) items: Vec<Occurrence>,
    #[serde(default)]
    pub(crate) ends: bool,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Occurrence {
    pub(crate) number: u32,
    pub(crate) due: LocalInstant,
}

/// A step of what happened to a task.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TrailItem {
    pub(crate) time: String,
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) by: Option<By>,
    /// `created`, `updated`, `completed`, `reopened` or `deleted`.
    #[serde(default)]
    pub(crate) change: Option<String>,
    #[serde(default)]
    pub(crate) changed: Vec<String>,
    #[serde(default)]
    pub(crate) version: Option<u32>,
    #[serde(default)]
    pub(crate) reminder_id: Option<Uuid>,
    #[serde(default)]
    pub(crate) trace_id: Option<String>,
    /// Why, and what to do.
    #[serde(default)]
    pub(crate) detail: Option<String>,
    #[serde(default)]
    pub(crate) late_by_seconds: Option<f64>,
    /// When a reminder that was held back is tried again.
    #[serde(default)]
    pub(crate) until: Option<String>,
}

/// Who made a change.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct By {
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) agent_id: Option<Uuid>,
    #[serde(default)]
    pub(crate) name: Option<String>,
}

/// A program with a token of its own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Agent {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    /// `read` or `write`.
    pub(crate) scope: String,
    pub(crate) created_at: String,
    #[serde(default)]
    pub(crate) expires_at: Option<String>,
    #[serde(default)]
    pub(crate) last_used_at: Option<String>,
}

/// A new agent, and its token, which is shown once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewAgent {
    pub(crate) agent: Agent,
    pub(crate) token: String,
}

/// What the answer to a new agent has besides the agent.
#[derive(Deserialize)]
pub(super) struct Token {
    pub(super) token: String,
}
