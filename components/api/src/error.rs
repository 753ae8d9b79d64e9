//! Why a service did not do what it was asked to. It knows no status and no JSON: `http/problem.rs` makes a problem document of it,
//! `mcp/error.rs` a failed tool call, `legacy/error.rs` a refused change.

use nudge_domain::task::{Mistake, ReminderRefusal};

use crate::db::DbError;
use crate::events::outbox::PublishError;
use crate::limit::{OverLimit, SettingError};
use crate::tasks::labels::Kind;
use crate::version::{ATTEMPTS, Mismatch, Thing};

/// Maximum number of mistakes that the text for the log names.
const DESCRIBED: usize = 5;

/// Why a service did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServiceError {
    /// There is no such thing, or it belongs to another user.
    #[error("there is no such {}", .0.name())]
    NotFound(Thing),
    /// The thing is at another version than the caller expects.
    #[error("the {} is at version {}", .0.thing.name(), .0.version)]
    Mismatch(Mismatch),
    /// The command is not valid: everything that is wrong with it.
    #[error("{}", describe(.0))]
    Invalid(Vec<Mistake>),
    /// The user has no such category or tags.
    #[error("{} labels are unknown", .0.len())]
    UnknownLabels(Vec<UnknownLabel>),
    /// The task is completed, so there is nothing to remind of.
    #[error("the task is completed, so there is nothing to remind of: reopen it first")]
    Completed,
    /// The user has another thing of that name.
    #[error("there is another {} of that name", .0.name())]
    NameTaken(Thing),
    /// Other requests changed the thing during every attempt.
    #[error("the {} {id} was changed by others {ATTEMPTS} times in a row", .thing.name())]
    Contended {
        /// What it is.
        thing: Thing,
        /// Its id, for the log.
        id: String,
    },
    /// The user has reached a limit.
    #[error("over the limit: {0}")]
    OverLimit(OverLimit),
    /// A variable of the component cannot be read.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The broker did not accept events.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The database refused, or cannot be reached.
    #[error(transparent)]
    Database(#[from] DbError),
}

/// A category or a tag that the user does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UnknownLabel {
    pub(crate) kind: Kind,
    /// Of a tag, where it is in the list of tags.
    pub(crate) index: usize,
}

impl ServiceError {
    /// Others changed a thing in each attempt.
    pub(crate) fn contended(thing: Thing, id: impl ToString) -> Self {
        Self::Contended {
            thing,
            id: id.to_string(),
        }
    }
}

impl From<Mismatch> for ServiceError {
    fn from(mismatch: Mismatch) -> Self {
        Self::Mismatch(mismatch)
    }
}

impl From<OverLimit> for ServiceError {
    fn from(over: OverLimit) -> Self {
        Self::OverLimit(over)
    }
}

impl From<Vec<Mistake>> for ServiceError {
    fn from(mistakes: Vec<Mistake>) -> Self {
        Self::Invalid(mistakes)
    }
}

impl From<ReminderRefusal> for ServiceError {
    fn from(refusal: ReminderRefusal) -> Self {
        match refusal {
            ReminderRefusal::NotFound => Self::NotFound(Thing::Reminder),
            ReminderRefusal::Completed => Self::Completed,
            ReminderRefusal::Invalid(mistakes) => Self::Invalid(mistakes),
        }
    }
}

fn describe(mistakes: &[Mistake]) -> String {
    let messages: Vec<&str> = mistakes
        .iter()
        .take(DESCRIBED)
        .map(|mistake| mistake.message.as_str())
        .collect();
    messages.join("; ")
}
