//! Replacing a task's reminders by a whole list.

use super::command::{Patch, ReminderItem, ReminderTime};
use super::fields::Task;
use super::life::Context;
use super::mistake::{FieldName, Mistake, ReminderField};
use crate::due::Due;
use crate::id::ReminderId;
use crate::reminder::{MAX_REMINDERS, Reminder, ReminderError, ReminderWhen};

impl Task {
    /// A reminder with the id, or the time, of one that the task has is that one, and keeps its status.
    pub(super) fn apply_reminders(
        &mut self,
        list: &Patch<Vec<ReminderItem>>,
        context: &Context,
        mistakes: &mut Vec<Mistake>,
    ) {
        let items = match list {
            Patch::Value(items) => items.as_slice(),
            Patch::Null => &[],
            Patch::Absent | Patch::Unreadable => return,
        };
        if items.len() > MAX_REMINDERS {
            let error = ReminderError::TooMany;
            mistakes.push(Mistake::new(FieldName::Reminders, error.code(), &error));
            return;
        }
        let mut kept: Vec<Reminder> = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let ReminderItem::Read { id, time } = item else {
                continue;
            };
            match self.listed(index, id, time, &kept, context) {
                Ok(reminder) => kept.push(reminder),
                Err(found) => mistakes.extend(found),
            }
        }
        self.reminders = kept;
    }

    /// The reminder that an item of a list names.
    fn listed(
        &self,
        index: usize,
        id: &Patch<ReminderId>,
        time: &ReminderTime,
        kept: &[Reminder],
        context: &Context,
    ) -> Result<Reminder, Vec<Mistake>> {
        let at = |field| FieldName::ReminderAt(index, field);
        let mut mistakes = Vec::new();
        let is_unreadable = *id == Patch::Unreadable;
        let id = id.clone().value();
        if id.is_some_and(|id| self.reminder(id).is_none()) {
            mistakes.push(Mistake::new(
                at(Some(ReminderField::Id)),
                "unknown_reminder",
                "the task has no such reminder: leave the id out for a new one",
            ));
        }
        let when = match self.when(time, context) {
            Ok((when, _)) => Some(when),
            Err(found) => {
                let others = is_unreadable || !mistakes.is_empty();
                mistakes.extend(of_item(index, found, others));
                None
            }
        };
        let Some(when) = when.filter(|_| mistakes.is_empty()) else {
            return Err(mistakes);
        };
        let known = self
            .reminders
            .iter()
            .find(|known| known.when == when && id.is_none_or(|id| known.id == id));
        let duplicate = kept.iter().any(|other| other.when == when);
        let id = known.filter(|_| !duplicate).map(|known| known.id).or(id);
        if id.is_some_and(|id| kept.iter().any(|other| other.id == id)) {
            return Err(vec![Mistake::new(
                at(Some(ReminderField::Id)),
                "duplicate_reminder",
                "the list has this reminder already: give it once",
            )]);
        }
        match known {
            Some(known) if !duplicate => Ok(known.clone()),
            _ => {
                let id = id.unwrap_or_else(|| (context.new_id)().into());
                self.arm(id, when, kept, context.now)
                    .map_err(|error| vec![Mistake::new(at(None), error.code(), &error)])
            }
        }
    }

    /// When a reminder fires, and which of the two fields said so.
    pub(super) fn when(
        &self,
        time: &ReminderTime,
        context: &Context,
    ) -> Result<(ReminderWhen, ReminderField), Vec<Mistake>> {
        let mut mistakes = time.unreadable.clone();
        let mut found = None;
        let mistake = |field, code, message: String| Mistake::new(FieldName::Reminder(field), code, message);
        match (&time.minutes_before, &time.at) {
            (Patch::Value(_), Patch::Value(_)) => mistakes.push(mistake(
                ReminderField::At,
                "invalid_reminder",
                "give minutesBefore or at, not both".to_owned(),
            )),
            (Patch::Value(minutes), _) => {
                found = Some((
                    ReminderWhen::MinutesBefore(*minutes),
                    ReminderField::MinutesBefore,
                ));
            }
            (_, Patch::Value(text)) => match Due::parse_or_phrase(text, &self.zone, context.now) {
                Ok(at) => found = Some((ReminderWhen::At(at.at()), ReminderField::At)),
                Err(error) => {
                    mistakes.push(mistake(ReminderField::At, "invalid_reminder", error.to_string()))
                }
            },
            _ if time.minutes_before.is_missing() && time.at.is_missing() => mistakes.push(mistake(
                ReminderField::MinutesBefore,
                "required",
                "give minutesBefore or at".to_owned(),
            )),
            _ => {}
        }
        match found {
            Some(found) if mistakes.is_empty() => Ok(found),
            _ => Err(mistakes),
        }
    }
}

/// The mistakes in the time of the item at this index. A missing time is not reported beside other mistakes of the item.
fn of_item(index: usize, found: Vec<Mistake>, others: bool) -> impl Iterator<Item = Mistake> {
    let reported = move |mistake: &Mistake| !(others && mistake.code == "required");
    let found = found.into_iter().filter(reported);
    found.map(move |mistake| Mistake {
        field: match mistake.field {
            FieldName::Reminder(field) => FieldName::ReminderAt(index, Some(field)),
            other => other,
        },
        ..mistake
    })
}
