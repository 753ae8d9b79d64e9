//! One edit, as it is kept until the server has it.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use nudge_domain::id::{ReminderId, TaskId};
use nudge_domain::instant;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::fields::Values;
use crate::outbox::report::RefusalKind;
use crate::patch::Patch;
use crate::problem::Problem;

/// A UUIDv7: the order of edits, their key in the storage, and the `Idempotency-Key` of their requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EditId(pub(crate) Uuid);

impl EditId {
    /// The same number for the same edit.
    #[must_use]
    pub fn as_u128(self) -> u128 {
        self.0.as_u128()
    }
}

impl fmt::Display for EditId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for EditId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        Uuid::parse_str(text).map(Self)
    }
}

impl From<EditId> for TaskId {
    /// The temporary id of a task that an edit creates.
    fn from(id: EditId) -> Self {
        id.0.into()
    }
}

/// What a deletion of a recurring task means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// The series ends.
    #[default]
    Series,
    /// The series continues with the next occurrence.
    Occurrence,
}

impl Scope {
    /// The value of the query parameter `scope`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Series => "series",
            Self::Occurrence => "occurrence",
        }
    }
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum What {
    Create(Values),
    Patch(Patch),
    Complete,
    Reopen,
    Delete(Scope),
    /// Until an instant, not for some minutes: that can be repeated, and means the same when it is sent later.
    Snooze {
        reminder: ReminderId,
        #[serde(deserialize_with = "instant::read")]
        until: Timestamp,
    },
}

/// How far it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum State {
    Waiting,
    Sending,
    /// The same fields were changed elsewhere; `theirs` is what they are now.
    Conflict {
        theirs: Values,
    },
    Refused {
        kind: RefusalKind,
        problem: Problem,
    },
}

/// An edit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Edit {
    pub(crate) id: EditId,
    /// Which task; of one that is not created yet, the temporary id.
    pub(crate) task: TaskId,
    pub(crate) what: What,
    /// The version that the person saw; 0 for a task that is not created yet.
    pub(crate) version: u32,
    /// All edited fields as the person saw them, so that what someone else changed can be told from what was there.
    pub(crate) base: Values,
    pub(crate) state: State,
    /// Not sent before that, so that it can be undone.
    #[serde(
        default,
        deserialize_with = "instant::read_some",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) hold_until: Option<Timestamp>,
    /// A request was begun: the server may have it.
    #[serde(default)]
    pub(crate) attempted: bool,
    #[serde(skip)]
    pub(crate) failures: u32,
    #[serde(skip)]
    pub(crate) not_before: Option<Timestamp>,
    /// The version in the request was not the current one: read the task first.
    #[serde(skip)]
    pub(crate) stale: bool,
}

impl Edit {
    pub(crate) fn new(id: EditId, task: TaskId, what: What, version: u32, base: Values) -> Self {
        Self {
            id,
            task,
            what,
            version,
            base,
            state: State::Waiting,
            hold_until: None,
            attempted: false,
            failures: 0,
            not_before: None,
            stale: false,
        }
    }

    pub(crate) fn patch(&self) -> Option<&Patch> {
        match &self.what {
            What::Patch(patch) => Some(patch),
            _ => None,
        }
    }

    pub(crate) fn patch_mut(&mut self) -> Option<&mut Patch> {
        match &mut self.what {
            What::Patch(patch) => Some(patch),
            _ => None,
        }
    }

    /// Whether it compares this field with what is there.
    pub(crate) fn depends_on(&self, field: &str) -> bool {
        match &self.what {
            What::Patch(patch) => patch.sent.contains_key(field),
            What::Delete(_) => true,
            _ => false,
        }
    }

    /// Whether it is still on its way, without a decision of the person.
    pub(crate) fn is_pending(&self) -> bool {
        matches!(self.state, State::Waiting | State::Sending)
    }

    /// Whether the server cannot know it.
    pub(crate) fn can_be_cancelled(&self) -> bool {
        self.state == State::Waiting && !self.attempted
    }

    /// Whether the server is known not to have it, and waits for a decision of the person.
    pub(crate) fn was_not_made(&self) -> bool {
        match &self.state {
            State::Waiting | State::Sending => false,
            State::Conflict { .. } => true,
            State::Refused { kind, .. } => *kind != RefusalKind::Failed,
        }
    }

    pub(crate) fn title(&self) -> String {
        let body = match &self.what {
            What::Create(body) => body,
            _ => &self.base,
        };
        body.get("title")
            .and_then(|title| title.as_str())
            .unwrap_or_default()
            .to_owned()
    }

    pub(crate) fn base_value(&self, field: &str) -> serde_json::Value {
        self.base.get(field).cloned().unwrap_or_default()
    }
}
