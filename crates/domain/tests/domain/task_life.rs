//! What happens to a task and its reminders.

use nudge_domain::id::ReminderId;
use nudge_domain::reminder::ReminderStatus;
use nudge_domain::task::{
    FieldName, Patch, ReminderEdit, ReminderField, ReminderRefusal, ReminderTime, Snooze, Status, Task,
    TaskFields, TaskPatch,
};
use uuid::Uuid;

use crate::task_fields::{at, before, context, rent};

fn snooze(minutes: Patch<u32>, until: Patch<String>) -> ReminderEdit {
    ReminderEdit::Snooze(Snooze {
        minutes,
        until,
        ..Snooze::default()
    })
}

fn only(task: &Task) -> ReminderId {
    task.reminders[0].id
}

#[test]
fn completing_cancels_reminders_and_reopening_schedules_future_ones() {
    let mut task = rent();
    task.complete(at("2026-11-29T08:00:00Z"));
    assert_eq!(task.reminders[0].status, ReminderStatus::Cancelled);
    let done = task.completed_at;
    task.complete(at("2026-11-30T08:00:00Z"));
    assert_eq!(task.completed_at, done, "done once");
    task.reopen(at("2026-11-30T08:00:00Z"));
    assert_eq!(task.reminders[0].status, ReminderStatus::Scheduled);
    let same = task.clone();
    task.reopen(at("2026-11-30T09:00:00Z"));
    assert_eq!(task, same);
}

#[test]
fn the_next_occurrence_has_the_rule_and_copies_of_relative_reminders() {
    let mut task = rent();
    let patch = TaskPatch {
        fields: TaskFields {
            recurrence: Patch::Value("every week".to_owned()),
            ..TaskFields::default()
        },
        ..TaskPatch::default()
    };
    task.patch(&patch, &context()).expect("a rule");
    task.complete(at("2026-12-01T07:00:00Z"));
    let next = task.next().expect("the series goes on");
    let now = at("2026-12-01T07:00:01Z");
    let following = task.followed_by(next.clone(), now);
    assert_eq!(
        following.due.as_ref().expect("due").to_string(),
        "2026-12-08T09:00:00+01:00"
    );
    assert_eq!((following.occurrence, following.version), (2, 1));
    assert_eq!(
        (following.status, following.completed_at),
        (Status::Pending, None)
    );
    assert_eq!(following.reminders.len(), 1);
    assert_eq!(following.reminders[0].status, ReminderStatus::Scheduled);
    assert_eq!(
        following,
        task.followed_by(next, now),
        "the same ids, whenever it is made"
    );
    assert_eq!(rent().next(), None);
}

#[test]
fn a_reminder_is_added_once_however_often_the_request_comes() {
    let mut task = rent();
    let id = ReminderId::from(Uuid::from_u128(7));
    let add = ReminderEdit::Add(before(30));
    task.edit_reminder(id, &add, &context()).expect("room");
    let added = task.clone();
    task.edit_reminder(id, &add, &context())
        .expect("the same request");
    assert_eq!(task, added);
    let refused = task.edit_reminder(Uuid::from_u128(8).into(), &add, &context());
    let Err(ReminderRefusal::Invalid(mistakes)) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(mistakes[0].code, "duplicate_reminder");
    assert_eq!(
        mistakes[0].field,
        FieldName::Reminder(ReminderField::MinutesBefore)
    );
}

#[test]
fn setting_a_reminder_that_is_armed_gives_that_one() {
    let mut task = rent();
    let armed = only(&task);
    let new = ReminderId::from(Uuid::from_u128(7));
    assert_eq!(task.set_reminder(new, &before(60), &context()), Ok(armed));
    assert_eq!(task.reminders.len(), 1);
    task.reminders[0].status = ReminderStatus::Sent;
    assert!(
        task.set_reminder(new, &before(60), &context()).is_err(),
        "it was sent"
    );
    assert_eq!(task.set_reminder(new, &before(15), &context()), Ok(new));
}

#[test]
fn the_time_that_a_reminder_has_takes_a_snooze_back() {
    let mut task = rent();
    let (id, armed) = (only(&task), task.reminders[0].clone());
    task.edit_reminder(id, &snooze(Patch::Value(10), Patch::Absent), &context())
        .expect("ten minutes");
    assert_eq!(task.reminders[0].remind_at, at("2026-11-28T12:10:00Z"));
    task.edit_reminder(id, &ReminderEdit::Move(before(60)), &context())
        .expect("its own time");
    assert_eq!(task.reminders[0], armed);
}

#[test]
fn a_snooze_is_minutes_or_an_end_within_four_weeks() {
    let task = rent();
    let id = only(&task);
    let until = |text: &str| Patch::Value(text.to_owned());
    for (edit, field, code) in [
        (
            snooze(Patch::Value(0), Patch::Absent),
            ReminderField::Minutes,
            "invalid_reminder",
        ),
        (
            snooze(Patch::Value(10), until("tomorrow 9am")),
            ReminderField::Until,
            "invalid_reminder",
        ),
        (
            snooze(Patch::Absent, until("2026-11-01")),
            ReminderField::Until,
            "invalid_reminder",
        ),
        (
            snooze(Patch::Absent, Patch::Null),
            ReminderField::Minutes,
            "required",
        ),
    ] {
        let refused = task.clone().edit_reminder(id, &edit, &context());
        let Err(ReminderRefusal::Invalid(mistakes)) = refused else {
            panic!("{edit:?}: {refused:?}")
        };
        assert_eq!(mistakes[0].field, FieldName::Reminder(field), "{edit:?}");
        assert_eq!(mistakes[0].code, code, "{edit:?}");
    }
}

#[test]
fn a_reminder_of_a_completed_task_cannot_be_snoozed_and_a_new_one_waits() {
    let mut task = rent();
    let id = only(&task);
    task.complete(context().now);
    let edit = snooze(Patch::Value(10), Patch::Absent);
    assert_eq!(
        task.edit_reminder(id, &edit, &context()),
        Err(ReminderRefusal::Completed)
    );
    let new = ReminderId::from(Uuid::from_u128(7));
    let mut task = rent();
    task.complete(context().now);
    task.edit_reminder(new, &ReminderEdit::Add(before(30)), &context())
        .expect("a reminder");
    assert_eq!(
        task.reminder(new).map(|reminder| reminder.status),
        Some(ReminderStatus::Cancelled)
    );
}

#[test]
fn a_reminder_that_is_not_there_is_not_found_and_one_that_is_can_be_removed() {
    let mut task = rent();
    let (id, other) = (only(&task), ReminderId::from(Uuid::from_u128(7)));
    for edit in [ReminderEdit::Remove, ReminderEdit::Move(ReminderTime::default())] {
        assert_eq!(
            task.edit_reminder(other, &edit, &context()),
            Err(ReminderRefusal::NotFound)
        );
    }
    task.edit_reminder(id, &ReminderEdit::Remove, &context())
        .expect("it is there");
    assert!(task.reminders.is_empty());
}
