//! Making edits, and undoing them.

use jiff::{SignedDuration, Timestamp};
use nudge_domain::LocalInstant;
use nudge_domain::id::{ReminderId, TaskId};

use super::{Model, Stamp};
use crate::day;
use crate::fields::{self, Values};
use crate::outbox::edit::{Edit, EditId, Scope, State, What};
use crate::patch::Patch;

/// How long a deletion, and the completion of a recurring task, are held before they are sent: the server cannot undo them exactly.
/// As long as the page offers to undo them, and a little longer.
pub const HELD: SignedDuration = SignedDuration::from_secs(9);

/// How to undo an edit.
#[derive(Debug, Clone, PartialEq)]
pub struct Undo {
    edit: EditId,
    task: TaskId,
    before: Values,
    what: What,
}

impl Model {
    /// Creates a task from a body of `POST /api/v1/tasks`. Its id is temporary until the server has it.
    pub fn create(&mut self, body: Values, stamp: Stamp) -> TaskId {
        let id = self.new_id(stamp);
        self.edited(Edit::new(id, id.into(), What::Create(body), 0, Values::new()));
        id.into()
    }

    /// Changes fields of a task.
    pub fn patch(&mut self, task: TaskId, patch: Patch, stamp: Stamp) -> Undo {
        let task = self.outbox.real(task);
        // What waits for a decision about the same field is decided by this.
        let undecided: Vec<EditId> = self
            .outbox
            .of(task)
            .filter(|edit| !edit.is_pending())
            .map(|edit| edit.id)
            .collect();
        let fields: Vec<String> = patch.sent.keys().cloned().collect();
        let undo = self.make(task, What::Patch(patch), None, stamp);
        for id in undecided {
            self.outbox.change(id, |edit| {
                if let Some(before) = edit.patch_mut() {
                    fields.iter().for_each(|field| before.remove(field));
                }
            });
        }
        undo
    }

    /// Completes a task.
    pub fn complete(&mut self, task: TaskId, stamp: Stamp) -> Undo {
        let recurs = self.shown.get(task).is_some_and(|task| task.recurrence.is_some());
        self.make(task, What::Complete, recurs.then_some(stamp.now), stamp)
    }

    /// Reopens a task.
    pub fn reopen(&mut self, task: TaskId, stamp: Stamp) -> Undo {
        self.make(task, What::Reopen, None, stamp)
    }

    /// Deletes a task.
    pub fn delete(&mut self, task: TaskId, scope: Scope, stamp: Stamp) -> Undo {
        self.make(task, What::Delete(scope), Some(stamp.now), stamp)
    }

    /// Snoozes a reminder.
    pub fn snooze(&mut self, task: TaskId, reminder: ReminderId, until: Timestamp, stamp: Stamp) -> Undo {
        self.make(task, What::Snooze { reminder, until }, None, stamp)
    }

    /// Moves the due date by days of the calendar: the local time stays, and a task that is due at the end of a day stays so. None if
    /// the task has no due date.
    pub fn move_days(&mut self, task: TaskId, days: i32, stamp: Stamp) -> Option<Undo> {
        let due = self.shown.get(task)?.due?;
        Some(self.patch(task, moved(due, days)?, stamp))
    }

    /// Undoes an edit: takes it back if it was not made, otherwise makes the opposite one. Returns the id of a task that had to be
    /// created again.
    pub fn undo(&mut self, undo: Undo, stamp: Stamp) -> Option<TaskId> {
        if self
            .outbox
            .find(undo.edit)
            .is_some_and(|edit| edit.can_be_cancelled() || edit.was_not_made())
        {
            self.cancel(undo.edit);
            return None;
        }
        let task = self.outbox.real(undo.task);
        let mut seen = undo.before.clone();
        let opposite = match undo.what {
            What::Complete => self.reopen(task, stamp),
            What::Reopen => self.complete(task, stamp),
            What::Patch(patch) => {
                seen.extend(patch.shown.clone());
                let before =
                    |field: &String| (field.clone(), undo.before.get(field).cloned().unwrap_or_default());
                let values: Values = patch.sent.keys().map(before).collect();
                let patch = values
                    .into_iter()
                    .fold(Patch::new(), |patch, (field, value)| patch.set(&field, value));
                self.patch(task, patch, stamp)
            }
            What::Delete(_) => return Some(self.create(fields::creation(&undo.before, stamp.now), stamp)),
            What::Create(_) | What::Snooze { .. } => return None,
        };
        // A task that is not there any more can only be created again from what was seen of it.
        if opposite.before.is_empty() {
            self.outbox.change(opposite.edit, |edit| edit.base = seen);
        }
        None
    }

    /// Nothing can be undone any more, since the page is about to close: what is held can be sent.
    pub fn release(&mut self) {
        let held: Vec<EditId> = self
            .outbox
            .edits
            .iter()
            .filter(|edit| edit.hold_until.is_some())
            .map(|edit| edit.id)
            .collect();
        for id in held {
            self.outbox.change(id, |edit| edit.hold_until = None);
        }
    }

    fn make(&mut self, task: TaskId, what: What, held_from: Option<Timestamp>, stamp: Stamp) -> Undo {
        let task = self.outbox.real(task);
        let id = self.new_id(stamp);
        let before = match self.shown.get(task) {
            Some(shown) => fields::of(shown),
            // It is not there any more: what was seen when it was edited before.
            None => self
                .outbox
                .of(task)
                .last()
                .map(|edit| edit.base.clone())
                .unwrap_or_default(),
        };
        let version = self.mirror.task(task).map_or(0, |task| task.version);
        let mut edit = Edit::new(id, task, what.clone(), version, before.clone());
        edit.hold_until = held_from.and_then(|now| now.checked_add(HELD).ok());
        self.edited(edit);
        Undo {
            edit: id,
            task,
            before,
            what,
        }
    }

    /// Removes an edit that the server cannot know.
    pub(super) fn cancel(&mut self, id: EditId) {
        let Some(edit) = self.outbox.find(id).cloned() else {
            return;
        };
        if let Some(patch) = edit.patch() {
            for field in patch.sent.keys() {
                self.outbox.hand_down(id, field);
            }
        }
        self.outbox.remove(id);
        self.refresh(edit.task);
    }

    /// The edit waits for nothing but its turn.
    pub(super) fn restart(edit: &mut Edit) {
        edit.state = State::Waiting;
        edit.failures = 0;
        edit.not_before = None;
    }
}

impl Undo {
    /// The edit that it undoes.
    pub fn edit(&self) -> EditId {
        self.edit
    }
}

/// The API reads a local time in the task's zone, which the page cannot compute; until it has answered, the offset is that of before.
fn moved(due: LocalInstant, days: i32) -> Option<Patch> {
    let text = due.to_string();
    let (date, rest) = text.split_at_checked(10)?;
    let date = day::plus(day::read(date)?, days)?;
    let shown: LocalInstant = format!("{date}{rest}").parse().ok()?;
    let time = rest.get(..9)?;
    Some(if time == "T23:59:59" {
        Patch::new().due_shown_as(&date.to_string(), shown)
    } else {
        Patch::new().due_shown_as(&format!("{date}{time}"), shown)
    })
}
