//! What a person has to decide: conflicts and refusals.

use nudge_domain::id::TaskId;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::fields::{EDITED, Values};
use crate::outbox::edit::{Edit, EditId, State, What};
use crate::problem::Problem;

/// An edit of fields that were changed elsewhere meanwhile.
#[derive(Debug, Clone, PartialEq)]
pub struct Conflict {
    /// Which edit.
    pub edit: EditId,
    /// Of which task.
    pub task: TaskId,
    /// Its title when it was edited.
    pub title: String,
    /// The edit deletes the task.
    pub deletion: bool,
    /// The fields that both sides changed.
    pub fields: Vec<FieldConflict>,
}

/// A field that both sides changed. Values are those of a task in JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldConflict {
    /// Its name.
    pub field: String,
    /// Before both.
    pub base: Value,
    /// What this edit makes of it; null if the edit is a deletion.
    pub mine: Value,
    /// What it is now.
    pub theirs: Value,
}

/// Whose value of a field stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// The edit is sent again.
    Mine,
    /// The edit is given up.
    Theirs,
}

/// Why an edit cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RefusalKind {
    /// The API says what is wrong with it.
    Invalid,
    /// The task was deleted elsewhere.
    Gone,
    /// The server failed again and again.
    Failed,
}

/// An edit that the API refused. It is kept until the person corrects it or gives it up.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// Which edit.
    pub edit: EditId,
    /// Of which task.
    pub task: TaskId,
    /// Its title when it was edited.
    pub title: String,
    /// What can be done about it.
    pub kind: RefusalKind,
    /// Why, field by field.
    pub problem: Problem,
    /// What was sent.
    pub input: Values,
}

impl Refusal {
    /// What is wrong with a field.
    pub fn beside(&self, field: &str) -> Option<&str> {
        self.problem.beside(field)
    }
}

impl Edit {
    pub(crate) fn conflict(&self) -> Option<Conflict> {
        let State::Conflict { theirs } = &self.state else {
            return None;
        };
        // A later edit may have taken the place of some fields.
        let is_open = |field: &&&str| self.patch().is_none_or(|patch| patch.sent.contains_key(**field));
        let fields = EDITED.iter().filter(is_open).filter_map(|field| {
            Some(FieldConflict {
                field: (*field).to_owned(),
                base: self.base_value(field),
                mine: self.patch().map(|patch| patch.value(field)).unwrap_or_default(),
                theirs: theirs.get(*field)?.clone(),
            })
        });
        Some(Conflict {
            edit: self.id,
            task: self.task,
            title: self.title(),
            deletion: matches!(self.what, What::Delete(_)),
            fields: fields.collect(),
        })
    }

    pub(crate) fn refusal(&self) -> Option<Refusal> {
        let State::Refused { kind, problem } = &self.state else {
            return None;
        };
        Some(Refusal {
            edit: self.id,
            task: self.task,
            title: self.title(),
            kind: *kind,
            problem: problem.clone(),
            input: match &self.what {
                What::Create(body) => body.clone(),
                What::Patch(patch) => patch.sent.clone(),
                What::Snooze { until, .. } => [("until".to_owned(), until.to_string().into())]
                    .into_iter()
                    .collect(),
                What::Complete | What::Reopen | What::Delete(_) => Values::new(),
            },
        })
    }
}
