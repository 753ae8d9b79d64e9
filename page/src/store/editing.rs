//! Edits: applied at once, stored on the device, sent when possible. None of them fails here.

use jiff::{SignedDuration, Timestamp};
use nudge_domain::id::{ReminderId, TaskId};
use nudge_page_model::{EditId, Model, Patch, Scope, Stamp, Undo};
use serde_json::{Map, Value};

use super::Store;
use crate::api;

/// Now, and random bytes.
pub(super) fn stamp() -> Stamp {
    Stamp {
        now: api::now(),
        random: api::random(),
    }
}

impl Store {
    fn edit<T>(self, edit: impl FnOnce(&mut Model, Stamp) -> T) -> T {
        let inner = self.inner();
        let result = edit(&mut inner.borrow_mut().model, stamp());
        self.publish();
        result
    }

    /// Creates a task from a body of `POST /api/v1/tasks`, such as quick add gives it. The id is temporary, but stays valid here.
    pub(crate) fn create(self, body: Map<String, Value>) -> TaskId {
        self.edit(|model, stamp| model.create(body, stamp))
    }

    /// Changes fields of a task.
    pub(crate) fn patch(self, id: TaskId, patch: Patch) -> EditId {
        self.edit(|model, stamp| model.patch(id, patch, stamp)).edit()
    }

    /// Completes a task.
    pub(crate) fn complete(self, id: TaskId) {
        let undo = self.edit(|model, stamp| model.complete(id, stamp));
        self.offer(id, "Completed", undo);
    }

    /// Reopens a task.
    pub(crate) fn reopen(self, id: TaskId) {
        self.edit(|model, stamp| model.reopen(id, stamp));
    }

    /// Deletes a task.
    pub(crate) fn delete(self, id: TaskId, scope: Scope) {
        let title = self.title(id);
        let undo = self.edit(|model, stamp| model.delete(id, scope, stamp));
        self.toast(format!("Deleted: {title}"), false, Some(undo));
    }

    /// Moves the due date by days; the local time stays.
    pub(crate) fn move_days(self, id: TaskId, days: i32) {
        if let Some(undo) = self.edit(|model, stamp| model.move_days(id, days, stamp)) {
            self.offer(id, "Moved", undo);
        }
    }

    /// Snoozes a reminder.
    pub(crate) fn snooze(self, id: TaskId, reminder: ReminderId, minutes: u32) {
        let until = api::now().checked_add(SignedDuration::from_mins(i64::from(minutes)));
        self.snooze_until(id, reminder, until.unwrap_or(api::now()));
    }

    /// Snoozes a reminder until an instant.
    pub(crate) fn snooze_until(self, id: TaskId, reminder: ReminderId, until: Timestamp) {
        // The API has seconds.
        let until = Timestamp::from_second(until.as_second()).unwrap_or(until);
        self.edit(|model, stamp| model.snooze(id, reminder, until, stamp));
    }

    fn offer(self, id: TaskId, what: &str, undo: Undo) {
        self.toast(format!("{what}: {}", self.title(id)), false, Some(undo));
    }

    fn title(self, id: TaskId) -> String {
        let inner = self.inner();
        let guard = inner.borrow();
        guard
            .model
            .snapshot()
            .get(id)
            .map(|task| task.title.clone())
            .unwrap_or_default()
    }
}
