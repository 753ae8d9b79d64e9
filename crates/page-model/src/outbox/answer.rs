//! What is sent, and what comes back.

use jiff::Timestamp;
use nudge_contract::task::Task;
use nudge_domain::id::{ReminderId, TaskId};

use crate::fields::Values;
use crate::outbox::edit::{EditId, Scope};
use crate::problem::Problem;

/// A request that the caller makes for an edit. Its answer goes to `Model::answer`.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Which edit. It is the `Idempotency-Key` of a POST.
    pub edit: EditId,
    /// What to call.
    pub call: Call,
}

/// A call of the API. Versions are for `If-Match`.
#[derive(Debug, Clone, PartialEq)]
pub enum Call {
    /// `POST /api/v1/tasks`.
    Create {
        /// The task.
        body: Values,
    },
    /// `PATCH /api/v1/tasks/{id}`.
    Patch {
        /// Which task.
        id: TaskId,
        /// On which version.
        version: u32,
        /// The merge patch.
        body: Values,
    },
    /// `POST /api/v1/tasks/{id}/complete`.
    Complete {
        /// Which task.
        id: TaskId,
    },
    /// `POST /api/v1/tasks/{id}/reopen`.
    Reopen {
        /// Which task.
        id: TaskId,
    },
    /// `DELETE /api/v1/tasks/{id}`.
    Delete {
        /// Which task.
        id: TaskId,
        /// On which version.
        version: u32,
        /// The occurrence or its series.
        scope: Scope,
    },
    /// `POST /api/v1/tasks/{id}/reminders/{reminder}/snooze`, then [`Call::Read`], since the answer is not the task.
    Snooze {
        /// Which task.
        id: TaskId,
        /// Which reminder.
        reminder: ReminderId,
        /// Until when.
        until: Timestamp,
    },
    /// `GET /api/v1/tasks/{id}`: answer with [`Answer::Current`] or [`Answer::Gone`].
    Read {
        /// Which task.
        id: TaskId,
    },
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It was done; the task that resulted, if the call has one.
    Done(Option<Box<Task>>),
    /// It had been done by an earlier request with the same key, whose answer this is (`Idempotency-Replayed`).
    Replayed {
        /// The task that resulted then.
        first: Box<Task>,
        /// The task as it is now, read afterwards; none if it was deleted.
        now: Option<Box<Task>>,
    },
    /// The task as it is now.
    Current(Box<Task>),
    /// The version was not the current one (412).
    Stale,
    /// There is no such task (404).
    Gone,
    /// It will be refused again.
    Refused(Problem),
    /// It may succeed later.
    Later {
        /// After so many seconds, if the server said so.
        seconds: Option<u32>,
        /// Other edits have to wait, too.
        all: bool,
        /// It cannot go on for ever.
        limited: bool,
    },
    /// There was no answer.
    Offline,
    /// The token is not accepted (401).
    SignedOut,
}

impl Answer {
    /// What a refusal of the API means for the edit.
    pub fn from_problem(problem: Problem) -> Self {
        let seconds = problem.retry_after;
        let later = |all, limited| Self::Later {
            seconds,
            all,
            limited,
        };
        match (problem.status, problem.code.as_str()) {
            (401, _) => Self::SignedOut,
            (404, "not_found") => Self::Gone,
            // A host or a proxy without the api behind it.
            (404, "") => later(false, true),
            (409, "idempotency_key_in_flight") => later(false, false),
            (412, _) => Self::Stale,
            (429 | 503, _) => later(true, false),
            (400, "body_incomplete") | (408 | 500..=599, _) => later(false, true),
            _ => Self::Refused(problem),
        }
    }
}
