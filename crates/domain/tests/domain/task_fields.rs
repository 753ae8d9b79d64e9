//! Creating tasks and changing their fields.

use jiff::Timestamp;
use nudge_domain::id::{TagId, UserId};
use nudge_domain::reminder::ReminderStatus;
use nudge_domain::task::{
    Context, FieldName, MAX_TAGS, Mistake, MoveDue, NewTask, Owner, Patch, ReminderEdit, ReminderField,
    ReminderItem, ReminderRefusal, ReminderTime, Snooze, Status, Task, TaskFields, TaskPatch,
};
use nudge_domain::{Zone, task};
use uuid::Uuid;

pub(crate) fn context() -> Context {
    Context {
        now: at("2026-11-28T12:00:00Z"),
        new_id: Uuid::now_v7,
    }
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().expect("a timestamp")
}

fn text(text: &str) -> Patch<String> {
    Patch::Value(text.to_owned())
}

pub(crate) fn before(minutes: u32) -> ReminderTime {
    ReminderTime {
        minutes_before: Patch::Value(minutes),
        ..ReminderTime::default()
    }
}

fn new_reminder(time: ReminderTime) -> ReminderItem {
    let id = Patch::Absent;
    ReminderItem::Read { id, time }
}

fn create_by(default_reminder: Option<u32>, fields: TaskFields) -> Result<Task, Vec<Mistake>> {
    let id: UserId = "alice".parse().expect("a user id");
    let zone: Zone = "Europe/Berlin".parse().expect("a zone");
    let owner = Owner {
        id: &id,
        zone: &zone,
        default_reminder,
    };
    Task::create(Uuid::from_u128(1).into(), owner, &NewTask { fields }, &context())
}

fn create(fields: TaskFields) -> Result<Task, Vec<Mistake>> {
    create_by(None, fields)
}

/// A task that is due on 1 December at nine, with a reminder an hour before.
pub(crate) fn rent() -> Task {
    create(TaskFields {
        title: text("Pay rent"),
        due: text("2026-12-01T09:00"),
        reminders: Patch::Value(vec![new_reminder(before(60))]),
        ..TaskFields::default()
    })
    .expect("a task")
}

fn patch(task: &mut Task, fields: TaskFields) -> Result<(), Vec<Mistake>> {
    let patch = TaskPatch {
        fields,
        status: Patch::Absent,
    };
    task.patch(&patch, &context())
}

fn fields_of(mistakes: Result<impl std::fmt::Debug, Vec<Mistake>>) -> Vec<(FieldName, String)> {
    let mistakes = mistakes.expect_err("it should be refused");
    mistakes
        .into_iter()
        .map(|mistake| (mistake.field, mistake.code.into_owned()))
        .collect()
}

#[test]
fn a_task_needs_nothing_but_a_title() {
    let task = create(TaskFields {
        title: text(" Pay rent "),
        ..TaskFields::default()
    })
    .expect("a task");
    assert_eq!(task.title.as_str(), "Pay rent");
    assert_eq!(
        (task.status, task.version, task.occurrence),
        (Status::Pending, 1, 1)
    );
    assert_eq!(task.zone.name(), "Europe/Berlin");
    assert_eq!(
        fields_of(create(TaskFields::default())),
        [(FieldName::Title, "required".to_owned())]
    );
}

#[test]
fn everything_that_is_wrong_is_named_what_the_door_could_not_read_first() {
    let unreadable = Mistake {
        field: FieldName::Named("priority".to_owned()),
        code: "wrong_type".into(),
        message: "must be a string".to_owned(),
    };
    let refused = create(TaskFields {
        title: Patch::Unreadable,
        due: text("someday"),
        recurrence: text("every day"),
        reminders: Patch::Value(vec![new_reminder(before(60))]),
        unreadable: vec![unreadable],
        ..TaskFields::default()
    });
    let named = fields_of(refused);
    let names: Vec<&FieldName> = named.iter().map(|(field, _)| field).collect();
    assert_eq!(
        names,
        [
            &FieldName::Named("priority".to_owned()),
            &FieldName::Due,
            &FieldName::Recurrence,
            &FieldName::ReminderAt(0, None),
        ]
    );
}

#[test]
fn a_default_reminder_is_for_tasks_that_name_none_and_would_fire() {
    let named = |due: &str, reminders| {
        let task = create_by(
            Some(30),
            TaskFields {
                title: text("x"),
                due: text(due),
                reminders,
                ..TaskFields::default()
            },
        );
        task.expect("a task").reminders.len()
    };
    assert_eq!(named("2026-12-01T09:00", Patch::Absent), 1);
    assert_eq!(named("2026-12-01T09:00", Patch::Value(Vec::new())), 0);
    assert_eq!(named("2026-12-01T09:00", Patch::Null), 0);
    assert_eq!(named("2026-11-01T09:00", Patch::Absent), 0);
}

#[test]
fn a_title_from_under_older_rules_may_be_sent_back_and_no_other_like_it() {
    let old = "x".repeat(300);
    let mut task = rent();
    task.title = task::Title::stored(old.as_str());
    let same = TaskFields {
        title: text(&old),
        ..TaskFields::default()
    };
    assert_eq!(patch(&mut task, same), Ok(()));
    assert_eq!(task.title.as_str(), old);
    let longer = TaskFields {
        title: text(&format!("{old}x")),
        ..TaskFields::default()
    };
    assert_eq!(
        fields_of(patch(&mut task, longer)),
        [(FieldName::Title, "invalid_title".to_owned())]
    );
}

#[test]
fn a_zone_alone_keeps_the_instant_and_begins_another_series() {
    let mut task = rent();
    patch(
        &mut task,
        TaskFields {
            recurrence: text("monthly"),
            ..TaskFields::default()
        },
    )
    .expect("a recurrence");
    let (due, series) = (task.due.clone().expect("due"), task.series.clone());
    patch(
        &mut task,
        TaskFields {
            zone: Patch::Value("America/New_York".parse().expect("a zone")),
            ..TaskFields::default()
        },
    )
    .expect("a zone");
    let moved = task.due.clone().expect("due");
    assert_eq!(moved.at(), due.at());
    assert_eq!(moved.to_string(), "2026-12-01T03:00:00-05:00");
    assert_ne!(
        task.series.map(|series| series.id),
        series.map(|series| series.id)
    );
}

#[test]
fn another_due_date_keeps_the_series_and_another_rule_does_not() {
    let mut task = rent();
    let recur = |rule: &str| TaskFields {
        recurrence: text(rule),
        ..TaskFields::default()
    };
    patch(&mut task, recur("every week")).expect("a rule");
    let series = task.series.clone();
    let later = TaskFields {
        due: text("2026-12-02T09:00"),
        ..TaskFields::default()
    };
    patch(&mut task, later).expect("a date");
    assert_eq!(task.series, series);
    patch(&mut task, recur("every day")).expect("a rule");
    assert_ne!(task.series, series);
}

#[test]
fn a_recurrence_ends_with_its_due_date() {
    let mut task = rent();
    let recurring = TaskFields {
        recurrence: text("every week"),
        ..TaskFields::default()
    };
    patch(&mut task, recurring).expect("a rule");
    let without = TaskFields {
        due: Patch::Null,
        ..TaskFields::default()
    };
    assert_eq!(
        fields_of(patch(&mut task, without)),
        [(FieldName::Recurrence, "recurrence_without_due".to_owned())]
    );
}

#[test]
fn a_tag_counts_once_and_eleven_are_too_many() {
    let tag = |number: u128| TagId::from(Uuid::from_u128(number));
    let mut task = rent();
    let tags = |tags: Vec<TagId>| TaskFields {
        tags: Patch::Value(tags),
        ..TaskFields::default()
    };
    patch(&mut task, tags(vec![tag(1), tag(2), tag(1)])).expect("tags");
    assert_eq!(task.tags, [tag(1), tag(2)]);
    let many = (0..=MAX_TAGS as u128).map(tag).collect();
    assert_eq!(
        fields_of(patch(&mut task.clone(), tags(many))),
        [(FieldName::Tags, "too_many_tags".to_owned())]
    );
    for number in 3..=MAX_TAGS as u128 {
        task.attach_tag(tag(number)).expect("room");
    }
    task.attach_tag(tag(1)).expect("it has that one");
    assert!(task.attach_tag(tag(99)).is_err());
    task.detach_tag(tag(1));
    assert_eq!(task.attach_tag(tag(99)), Ok(()));
}

#[test]
fn a_list_of_reminders_keeps_those_that_it_names_by_id_or_time() {
    let mut task = rent();
    task.reminders[0].status = ReminderStatus::Sent;
    let id = task.reminders[0].id;
    let list = |items: Vec<ReminderItem>| TaskFields {
        reminders: Patch::Value(items),
        ..TaskFields::default()
    };
    let by_id = ReminderItem::Read {
        id: Patch::Value(id),
        time: before(60),
    };
    let both = vec![by_id.clone(), new_reminder(before(30))];
    patch(&mut task, list(both)).expect("a list");
    assert_eq!(task.reminders[0].id, id);
    assert_eq!(task.reminders[0].status, ReminderStatus::Sent);
    assert_eq!(task.reminders[1].status, ReminderStatus::Scheduled);

    let other = ReminderItem::Read {
        id: Patch::Value(Uuid::from_u128(9).into()),
        time: before(10),
    };
    assert_eq!(
        fields_of(patch(&mut task.clone(), list(vec![other]))),
        [(
            FieldName::ReminderAt(0, Some(ReminderField::Id)),
            "unknown_reminder".to_owned()
        )]
    );
    let twice = vec![by_id.clone(), by_id];
    assert_eq!(
        fields_of(patch(&mut task.clone(), list(twice))),
        [(
            FieldName::ReminderAt(1, Some(ReminderField::Id)),
            "duplicate_reminder".to_owned()
        )]
    );
    let unknown = Mistake {
        field: FieldName::Named("reminders[0].channel".to_owned()),
        code: "unknown_field".into(),
        message: "there is no such field".to_owned(),
    };
    let item = |id, at: Patch<String>| ReminderItem::Read {
        id,
        time: ReminderTime {
            at,
            unreadable: vec![unknown.clone()],
            ..ReminderTime::default()
        },
    };
    for (item, expected) in [
        (
            item(Patch::Absent, Patch::Null),
            Some((ReminderField::MinutesBefore, "required")),
        ),
        (
            item(Patch::Unreadable, text("someday")),
            Some((ReminderField::At, "invalid_reminder")),
        ),
        (item(Patch::Unreadable, Patch::Null), None),
        (item(Patch::Absent, Patch::Unreadable), None),
        (item(Patch::Absent, text("2026-11-30T18:00")), None),
    ] {
        let mut named = vec![(unknown.field.clone(), "unknown_field".to_owned())];
        named.extend(expected.map(|(field, code)| (FieldName::ReminderAt(0, Some(field)), code.to_owned())));
        assert_eq!(fields_of(patch(&mut task.clone(), list(vec![item]))), named);
    }
    let neither = vec![new_reminder(ReminderTime::default())];
    assert_eq!(
        fields_of(patch(&mut task, list(neither))),
        [(
            FieldName::ReminderAt(0, Some(ReminderField::MinutesBefore)),
            "required".to_owned()
        )]
    );
}

#[test]
fn a_due_date_moves_by_a_duration_and_takes_reminders_along() {
    let mut task = rent();
    let by = |by: Patch<String>, due: Patch<String>| MoveDue {
        by,
        due,
        ..MoveDue::default()
    };
    task.move_due(&by(text("P1D"), Patch::Absent), &context())
        .expect("a day");
    assert_eq!(
        task.due.as_ref().expect("due").to_string(),
        "2026-12-02T09:00:00+01:00"
    );
    assert_eq!(task.reminders[0].remind_at, at("2026-12-02T07:00:00Z"));
    for (to, field, code) in [
        (by(text("P1D"), text("tomorrow")), FieldName::By, "invalid_due"),
        (by(Patch::Absent, Patch::Absent), FieldName::Due, "required"),
        (
            by(text("a day"), Patch::Absent),
            FieldName::By,
            "invalid_duration",
        ),
    ] {
        let (found, found_code) = fields_of(task.clone().move_due(&to, &context())).remove(0);
        assert_eq!(found, field);
        if code != "invalid_duration" {
            assert_eq!(found_code, code);
        }
    }
    task.due = None;
    assert_eq!(
        fields_of(task.move_due(&by(text("P1D"), Patch::Absent), &context())),
        [(FieldName::By, "invalid_due".to_owned())]
    );
}

#[test]
fn a_patch_completes_and_reopens() {
    let mut task = rent();
    let status = |status| TaskPatch {
        status,
        ..TaskPatch::default()
    };
    task.patch(&status(Patch::Value(Status::Completed)), &context())
        .expect("done");
    assert_eq!(
        (task.status, task.completed_at),
        (Status::Completed, Some(context().now))
    );
    task.patch(&status(Patch::Value(Status::Pending)), &context())
        .expect("not done");
    assert_eq!((task.status, task.completed_at), (Status::Pending, None));
    assert_eq!(
        fields_of(task.patch(&status(Patch::Null), &context())),
        [(FieldName::Status, "required".to_owned())]
    );
}

#[test]
fn a_missing_time_is_named_beside_an_unknown_field_but_not_in_place_of_one_that_cannot_be_read() {
    let mistake = |name: &str| Mistake::new(FieldName::Named(name.to_owned()), "unknown_field", "");
    let codes = |mistakes: Vec<Mistake>| -> Vec<String> {
        let codes = mistakes.into_iter().map(|mistake| mistake.code.into_owned());
        codes.collect()
    };
    for (given, expected) in [
        (Patch::Absent, vec!["unknown_field", "required"]),
        (Patch::Null, vec!["unknown_field", "required"]),
        (Patch::Unreadable, vec!["unknown_field"]),
    ] {
        let unreadable = vec![mistake("x")];
        let to = MoveDue {
            due: given.clone(),
            unreadable: unreadable.clone(),
            ..MoveDue::default()
        };
        assert_eq!(codes(rent().move_due(&to, &context()).unwrap_err()), expected);

        let time = ReminderTime {
            at: given.clone(),
            unreadable: unreadable.clone(),
            ..ReminderTime::default()
        };
        let new = Uuid::from_u128(7).into();
        let refused = rent().set_reminder(new, &time, &context());
        assert_eq!(codes(refused.unwrap_err()), expected);

        let snooze = Snooze {
            until: given,
            unreadable,
            ..Snooze::default()
        };
        let mut task = rent();
        let reminder = task
            .reminders
            .first()
            .map(|reminder| reminder.id)
            .expect("a reminder");
        let refused = task.edit_reminder(reminder, &ReminderEdit::Snooze(snooze), &context());
        let Err(ReminderRefusal::Invalid(mistakes)) = refused else {
            panic!("refused for its fields, not {refused:?}");
        };
        assert_eq!(codes(mistakes), expected);
    }
}

#[test]
fn a_missing_time_is_not_named_beside_a_wrong_id_of_a_listed_reminder() {
    for id in [Patch::Unreadable, Patch::Value(Uuid::from_u128(9).into())] {
        let unreadable = match id {
            Patch::Unreadable => vec![Mistake::new(FieldName::Named("id".to_owned()), "wrong_type", "")],
            _ => Vec::new(),
        };
        let time = ReminderTime {
            unreadable,
            ..ReminderTime::default()
        };
        let fields = TaskFields {
            reminders: Patch::Value(vec![ReminderItem::Read { id, time }]),
            ..TaskFields::default()
        };
        let mistakes = patch(&mut rent(), fields).expect_err("a wrong id");
        assert!(
            mistakes.iter().all(|mistake| mistake.code != "required"),
            "{mistakes:?}"
        );
        assert_eq!(mistakes.len(), 1);
    }
}
