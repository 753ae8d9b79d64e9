//! Rules of single fields: tags, due date, recurrence.

use super::MAX_TAGS;
use super::command::{MoveDue, Patch};
use super::fields::{Series, Task, TaskFields};
use super::life::{Context, Owner, TagError};
use super::mistake::{FieldName, Mistake};
use crate::due::Due;
use crate::phrase::{parse_recurrence, parse_recurrence_for};
use crate::recurrence::Rule;
use crate::reminder::{Reminder, ReminderStatus, ReminderWhen};

impl Task {
    /// Moves the due date. Reminders that count from it move along.
    ///
    /// # Errors
    ///
    /// What is wrong with the new date. The task is not to be used then.
    pub fn move_due(&mut self, to: &MoveDue, context: &Context) -> Result<(), Vec<Mistake>> {
        let mut mistakes = to.unreadable.clone();
        let before = self.due.clone();
        match (&to.due, &to.by) {
            (Patch::Value(_), Patch::Value(_)) => mistakes.push(Mistake::new(
                FieldName::By,
                "invalid_due",
                "give due or by, not both",
            )),
            (Patch::Value(text), _) => match Due::parse_or_phrase(text, &self.zone, context.now) {
                Ok(due) => self.due = Some(due),
                Err(error) => mistakes.push(Mistake::new(FieldName::Due, error.code(), error)),
            },
            (_, Patch::Value(text)) => match self.due.as_ref().map(|due| due.moved_by(text)) {
                Some(Ok(due)) => self.due = Some(due),
                Some(Err(error)) => mistakes.push(Mistake::new(FieldName::By, error.code(), error)),
                None => mistakes.push(Mistake::new(
                    FieldName::By,
                    "invalid_due",
                    "the task has no due date to move: send due",
                )),
            },
            _ if to.due.is_missing() && to.by.is_missing() => mistakes.push(Mistake::new(
                FieldName::Due,
                "required",
                "give due, a date, or by, a duration such as P1D",
            )),
            _ => {}
        }
        refuse(mistakes)?;
        self.reschedule(before.as_ref(), context.now);
        Ok(())
    }

    /// It was not asked for by name, so it refuses nothing, and one that would never fire is left out.
    pub(super) fn default_reminder(&self, owner: Owner<'_>, context: &Context) -> Option<Reminder> {
        let when = ReminderWhen::MinutesBefore(owner.default_reminder?);
        let id = (context.new_id)().into();
        let reminder = Reminder::new(id, when, Some(self.due.as_ref()?), &[], context.now).ok()?;
        (reminder.status == ReminderStatus::Scheduled).then_some(reminder)
    }

    pub(super) fn apply_tags(&mut self, fields: &TaskFields, mistakes: &mut Vec<Mistake>) {
        match &fields.tags {
            Patch::Value(tags) if tags.len() > MAX_TAGS => {
                mistakes.push(Mistake::new(FieldName::Tags, TagError.code(), TagError));
            }
            Patch::Value(tags) => {
                self.tags.clear();
                for tag in tags {
                    if !self.tags.contains(tag) {
                        self.tags.push(*tag);
                    }
                }
            }
            Patch::Null => self.tags.clear(),
            Patch::Absent | Patch::Unreadable => {}
        }
    }

    /// A zone that comes without a due date keeps the instant and changes how it is shown.
    pub(super) fn apply_due(&mut self, fields: &TaskFields, context: &Context, mistakes: &mut Vec<Mistake>) {
        match &fields.zone {
            Patch::Value(zone) => self.zone = zone.clone(),
            Patch::Null => mistakes.push(Mistake::new(
                FieldName::TimeZone,
                "required",
                "a task has a time zone",
            )),
            Patch::Absent | Patch::Unreadable => {}
        }
        match &fields.due {
            Patch::Value(text) => match Due::parse_or_phrase(text, &self.zone, context.now) {
                Ok(due) => self.due = Some(due),
                Err(error) => mistakes.push(Mistake::new(FieldName::Due, error.code(), error)),
            },
            Patch::Null => self.due = None,
            Patch::Absent | Patch::Unreadable => {
                if let Some(due) = self.due.take() {
                    match Due::new(due.at(), self.zone.clone()) {
                        Ok(due) => self.due = Some(due),
                        Err(error) => mistakes.push(Mistake::new(FieldName::TimeZone, error.code(), error)),
                    }
                }
            }
        }
    }

    /// Another rule, or another zone, begins another series; another due date does not.
    pub(super) fn apply_recurrence(
        &mut self,
        fields: &TaskFields,
        context: &Context,
        mistakes: &mut Vec<Mistake>,
    ) {
        let before = self.recurrence.clone();
        match &fields.recurrence {
            Patch::Value(text) => {
                let rule = match &self.due {
                    Some(due) => parse_recurrence_for(text, due, before.as_ref()),
                    None => parse_recurrence(text),
                };
                match rule {
                    Ok(rule) => self.recurrence = Some(rule),
                    Err(error) => mistakes.push(Mistake::new(FieldName::Recurrence, error.code(), error)),
                }
            }
            Patch::Null => self.recurrence = None,
            Patch::Absent | Patch::Unreadable => self.follow_zone(),
        }
        let (Some(rule), Some(due)) = (&self.recurrence, &self.due) else {
            if self.recurrence.is_some() && self.due.is_none() {
                mistakes.push(Mistake::new(
                    FieldName::Recurrence,
                    "recurrence_without_due",
                    "a recurring task needs a due date: give one as well",
                ));
            }
            self.series = None;
            self.occurrence = 1;
            return;
        };
        let goes_on = before.as_ref() == Some(rule)
            && self
                .series
                .as_ref()
                .is_some_and(|series| series.start.zone() == &self.zone);
        if goes_on {
            return;
        }
        if !matches_at_all(rule, due) {
            mistakes.push(Mistake::new(
                FieldName::Recurrence,
                "invalid_recurrence",
                "the recurrence names no date from the due date on: move its end (until), or the due date",
            ));
        }
        self.series = Some(Series {
            id: (context.new_id)().into(),
            start: due.clone(),
        });
        self.occurrence = 1;
    }

    /// In another zone the due date may be on another day, and the day of a phrase such as `monthly` moves with it.
    fn follow_zone(&mut self) {
        if let (Some(rule), Some(due), Some(series)) = (&self.recurrence, &self.due, &self.series)
            && series.start.zone() != &self.zone
        {
            self.recurrence = Some(rule.anchored_again(due.local().date()));
        }
    }
}

pub(super) fn or_default<T: Copy + Default>(field: &Patch<T>, to: &mut T) {
    match field {
        Patch::Value(value) => *to = *value,
        Patch::Null => *to = T::default(),
        Patch::Absent | Patch::Unreadable => {}
    }
}

fn matches_at_all(rule: &Rule, due: &Due) -> bool {
    rule.occurrences(due).next().is_some()
}

pub(super) fn value(field: FieldName, error: &super::ValueError) -> Mistake {
    Mistake::new(field, error.code(), error)
}

pub(super) fn title_required() -> Mistake {
    Mistake::new(FieldName::Title, "required", "a task needs a title")
}

pub(super) fn refuse(mistakes: Vec<Mistake>) -> Result<(), Vec<Mistake>> {
    if mistakes.is_empty() {
        Ok(())
    } else {
        Err(mistakes)
    }
}
