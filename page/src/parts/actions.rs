//! What a person does to a task from a list: completing, moving, deleting, each with a way back.

use leptos::prelude::*;
use nudge_domain::id::TaskId;
use nudge_domain::task::{Priority, Status};
use nudge_page_model::{Patch, Scope, day};

use super::clock::{self, Clock};
use super::ui::Ui;
use crate::store::{Store, use_store};

/// A context of the whole page.
#[derive(Clone, Copy)]
pub(crate) struct Actions {
    store: Store,
    clock: Clock,
    ui: Ui,
    /// A recurring task that is to be deleted: is it the occurrence, or the series?
    pub(crate) deleting: RwSignal<Option<TaskId>>,
}

impl Actions {
    /// Provides the context.
    pub(crate) fn provide() -> Self {
        let actions = Self {
            store: use_store(),
            clock: Clock::get(),
            ui: Ui::get(),
            deleting: RwSignal::new(None),
        };
        provide_context(actions);
        actions
    }

    /// The context.
    pub(crate) fn get() -> Self {
        expect_context()
    }

    /// Completes a task, or reopens it.
    pub(crate) fn toggle(self, id: TaskId) {
        let Some(task) = self.store.tasks().with_untracked(|tasks| tasks.get(id).cloned()) else {
            return;
        };
        self.ui.settle_later();
        if task.status == Status::Completed {
            self.store.reopen(id);
        } else {
            self.store.complete(id);
        }
    }

    /// Moves the due date by so many days, or to that many days from today if the task has none.
    pub(crate) fn move_by(self, id: TaskId, days: i32) {
        match self.due_date(id) {
            Some(_) => self.moved(id, days),
            None => self.put_on(id, days),
        }
    }

    /// Puts the task on a day: so many days from today. The time of day stays.
    pub(crate) fn put_on(self, id: TaskId, days: i32) {
        let today = self.clock.today.get_untracked();
        if let Some(date) = self.due_date(id) {
            let by = day::between(date, today) + days;
            return self.moved(id, by);
        }
        if let Some((date, end)) = self.clock.end_of(days) {
            self.store
                .patch(id, Patch::new().due_shown_as(&date.to_string(), end));
        }
    }

    /// Moves all of these to today. Their times of day stay.
    pub(crate) fn all_to_today(self, tasks: &[TaskId]) {
        let today = self.clock.today.get_untracked();
        for id in tasks {
            let by = self.due_date(*id).map_or(0, |date| day::between(date, today));
            self.moved(*id, by);
        }
    }

    /// Gives the task a priority.
    pub(crate) fn prioritize(self, id: TaskId, priority: Priority) {
        self.store.patch(id, Patch::new().priority(priority));
    }

    /// Deletes the task; of a recurring one, after a question.
    pub(crate) fn delete(self, id: TaskId) {
        let recurs = self
            .store
            .tasks()
            .with_untracked(|tasks| tasks.get(id).is_some_and(|task| task.recurrence.is_some()));
        if recurs {
            self.deleting.set(Some(id));
        } else {
            self.delete_scope(id, Scope::Series);
        }
    }

    /// Deletes an occurrence or a series.
    pub(crate) fn delete_scope(self, id: TaskId, scope: Scope) {
        self.store.delete(id, scope);
    }

    fn moved(self, id: TaskId, days: i32) {
        if days != 0 {
            self.store.move_days(id, days);
        }
    }

    fn due_date(self, id: TaskId) -> Option<jiff::civil::Date> {
        let due = self.store.tasks().with_untracked(|tasks| tasks.get(id)?.due)?;
        Some(clock::date_of(due.at(), &self.clock.zone.get_untracked()))
    }
}
