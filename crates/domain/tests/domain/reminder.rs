use jiff::Timestamp;
use nudge_domain::Due;
use nudge_domain::reminder::{
    MAX_MINUTES_BEFORE, Reminder, ReminderError, ReminderStatus, ReminderWhen, cancel_all, rearm_cancelled,
    reschedule,
};
use uuid::Uuid;

use crate::given::{due, instant};

const NOW: &str = "2026-12-01T08:00:00Z";

fn now() -> Timestamp {
    instant(NOW)
}

fn new(when: ReminderWhen, due: Option<&Due>, existing: &[Reminder]) -> Result<Reminder, ReminderError> {
    let id = Uuid::from_u128(existing.len() as u128 + 1).into();
    Reminder::new(id, when, due, existing, now())
}

fn minutes(minutes: u32, due: &Due) -> Reminder {
    new(ReminderWhen::MinutesBefore(minutes), Some(due), &[]).expect("a reminder")
}

#[test]
fn a_relative_reminder_fires_that_many_minutes_before_the_due() {
    let reminder = minutes(30, &due("2026-12-01T10:00", "UTC"));
    assert_eq!(reminder.remind_at, instant("2026-12-01T09:30:00Z"));
    assert_eq!(reminder.status, ReminderStatus::Scheduled);
}

#[test]
fn a_relative_reminder_that_has_passed_fires_immediately_if_the_due_date_is_in_the_future() {
    let reminder = minutes(60, &due("2026-12-01T08:30", "UTC"));
    assert_eq!(reminder.remind_at, instant("2026-12-01T07:30:00Z"));
    assert_eq!(reminder.status, ReminderStatus::Scheduled);
}

#[test]
fn a_relative_reminder_is_cancelled_when_the_due_is_past_too() {
    assert_eq!(
        minutes(60, &due("2026-12-01T07:59", "UTC")).status,
        ReminderStatus::Cancelled
    );
}

#[test]
fn an_absolute_reminder_needs_an_instant_in_the_future_and_no_due_date() {
    let at = ReminderWhen::At(instant("2026-12-01T08:00:01Z"));
    assert_eq!(
        new(at, None, &[]).expect("a reminder").remind_at,
        instant("2026-12-01T08:00:01Z")
    );
    let past = instant("2026-12-01T07:59:59Z");
    assert_eq!(
        new(ReminderWhen::At(past), None, &[]),
        Err(ReminderError::InThePast { at: past })
    );
}

#[test]
fn a_relative_reminder_needs_a_due_and_at_most_four_weeks() {
    let due = due("2027-03-01", "UTC");
    let when = ReminderWhen::MinutesBefore;
    assert_eq!(new(when(10), None, &[]), Err(ReminderError::NoDue));
    assert!(new(when(0), Some(&due), &[]).is_ok());
    assert!(new(when(40_320), Some(&due), &[]).is_ok());
    assert_eq!(
        new(when(40_321), Some(&due), &[]),
        Err(ReminderError::TooEarly { minutes: 40_321 })
    );
    assert_eq!(MAX_MINUTES_BEFORE, 40_320);
}

#[test]
fn a_task_has_at_most_five_reminders_and_none_twice() {
    let due = due("2026-12-05", "UTC");
    let mut reminders = Vec::new();
    for minutes in 1..=5 {
        let when = ReminderWhen::MinutesBefore(minutes);
        reminders.push(new(when, Some(&due), &reminders).expect("up to five"));
    }
    assert_eq!(
        new(ReminderWhen::MinutesBefore(6), Some(&due), &reminders),
        Err(ReminderError::TooMany)
    );
    reminders.pop();
    assert_eq!(
        new(ReminderWhen::MinutesBefore(4), Some(&due), &reminders),
        Err(ReminderError::Duplicate)
    );
    assert!(new(ReminderWhen::MinutesBefore(6), Some(&due), &reminders).is_ok());
}

#[test]
fn moves_relative_reminders_with_the_due_date_and_arms_them_again() {
    let (old, new_due) = (due("2026-12-01T10:00", "UTC"), due("2026-12-02T10:00", "UTC"));
    let statuses = [
        ReminderStatus::Scheduled,
        ReminderStatus::Sent,
        ReminderStatus::Failed,
        ReminderStatus::Cancelled,
    ];
    for status in statuses {
        let mut reminders = [Reminder {
            status,
            ..minutes(30, &old)
        }];
        reschedule(&mut reminders, Some(&old), Some(&new_due), now());
        assert_eq!(
            reminders[0].remind_at,
            instant("2026-12-02T09:30:00Z"),
            "{status:?}"
        );
        assert_eq!(reminders[0].status, ReminderStatus::Scheduled, "{status:?}");
    }
}

#[test]
fn a_reminder_moved_into_the_past_fires_immediately_only_if_the_due_date_is_in_the_future() {
    let old = due("2026-12-02T10:00", "UTC");
    let mut reminders = [minutes(60, &old)];
    reschedule(
        &mut reminders,
        Some(&old),
        Some(&due("2026-12-01T08:30", "UTC")),
        now(),
    );
    assert_eq!(reminders[0].status, ReminderStatus::Scheduled);
    reschedule(
        &mut reminders,
        Some(&old),
        Some(&due("2026-12-01T07:30", "UTC")),
        now(),
    );
    assert_eq!(reminders[0].status, ReminderStatus::Cancelled);
    assert_eq!(reminders[0].remind_at, instant("2026-12-01T06:30:00Z"));
}

#[test]
fn absolute_reminders_stay_where_they_are() {
    let at = ReminderWhen::At(instant("2026-12-01T09:00:00Z"));
    let mut reminders = [new(at, None, &[]).expect("a reminder")];
    reminders[0].status = ReminderStatus::Sent;
    let before = reminders.clone();
    reschedule(&mut reminders, None, Some(&due("2026-12-09", "UTC")), now());
    assert_eq!(reminders, before);
}

#[test]
fn a_due_that_keeps_its_instant_does_not_remind_again() {
    let old = due("2026-12-01T10:00", "UTC");
    let mut reminders = [Reminder {
        status: ReminderStatus::Sent,
        ..minutes(30, &old)
    }];
    reschedule(
        &mut reminders,
        Some(&old),
        Some(&due("2026-12-01T11:00", "Europe/Berlin")),
        now(),
    );
    assert_eq!(reminders[0].status, ReminderStatus::Sent);
}

#[test]
fn taking_the_due_away_cancels_relative_reminders_and_giving_one_back_arms_them() {
    let old = due("2026-12-01T10:00", "UTC");
    let mut reminders = [minutes(30, &old)];
    reschedule(&mut reminders, Some(&old), None, now());
    assert_eq!(reminders[0].status, ReminderStatus::Cancelled);
    reschedule(&mut reminders, None, Some(&old), now());
    assert_eq!(reminders[0].status, ReminderStatus::Scheduled);
}

#[test]
fn completing_or_deleting_cancels_what_has_not_fired() {
    use ReminderStatus::{Cancelled, Failed, Scheduled, Sent};
    let due = due("2026-12-01T10:00", "UTC");
    let mut reminders = [Scheduled, Sent, Failed, Cancelled].map(|status| Reminder {
        status,
        ..minutes(30, &due)
    });
    cancel_all(&mut reminders);
    assert_eq!(
        reminders.map(|reminder| reminder.status),
        [Cancelled, Sent, Failed, Cancelled]
    );
}

#[test]
fn reopening_schedules_cancelled_reminders_that_are_still_useful() {
    use ReminderStatus::{Cancelled, Failed, Scheduled, Sent};
    let due = due("2026-12-01T10:00", "UTC");
    let at = |text: &str| Reminder {
        when: ReminderWhen::At(instant(text)),
        remind_at: instant(text),
        ..minutes(0, &due)
    };
    let cancelled = |reminder: Reminder| Reminder {
        status: Cancelled,
        ..reminder
    };
    let mut reminders = [
        cancelled(minutes(30, &due)),
        cancelled(minutes(300, &due)),
        Reminder {
            status: Sent,
            ..minutes(30, &due)
        },
        Reminder {
            status: Failed,
            ..minutes(30, &due)
        },
        cancelled(at("2026-12-01T08:00:01Z")),
        cancelled(at("2026-12-01T08:00:00Z")),
    ];
    rearm_cancelled(&mut reminders, Some(&due), now());
    let statuses = reminders.each_ref().map(|reminder| reminder.status);
    assert_eq!(
        statuses,
        [Scheduled, Scheduled, Sent, Failed, Scheduled, Cancelled]
    );

    cancel_all(&mut reminders);
    rearm_cancelled(&mut reminders, None, now());
    let statuses = reminders.map(|reminder| reminder.status);
    assert_eq!(
        statuses,
        [Cancelled, Cancelled, Sent, Failed, Scheduled, Cancelled]
    );
}

#[test]
fn reads_and_writes_json_in_the_apis_words() {
    let reminder = minutes(30, &due("2026-12-01T10:00", "UTC"));
    let json = serde_json::json!({
        "id": "00000000-0000-0000-0000-000000000001",
        "when": { "minutesBefore": 30 },
        "remindAt": "2026-12-01T09:30:00Z",
        "status": "scheduled",
    });
    assert_eq!(serde_json::to_value(&reminder).expect("JSON"), json);
    assert_eq!(
        serde_json::from_value::<Reminder>(json).expect("a reminder"),
        reminder
    );
    let at = serde_json::to_value(ReminderWhen::At(now())).expect("JSON");
    assert_eq!(at, serde_json::json!({ "at": NOW }));
}
