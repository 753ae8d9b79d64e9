//! Reminders that fire later than asked: because the user asked for it, or because it is night.

use jiff::{SignedDuration, Timestamp};
use nudge_domain::reminder::{
    MAX_SNOOZE_MINUTES, Reminder, ReminderError, ReminderStatus, ReminderWhen, cancel_all, rearm_cancelled,
    reschedule,
};
use uuid::Uuid;

use crate::given::{due, instant};

const STATUSES: [ReminderStatus; 4] = [
    ReminderStatus::Scheduled,
    ReminderStatus::Sent,
    ReminderStatus::Failed,
    ReminderStatus::Cancelled,
];

fn now() -> Timestamp {
    instant("2026-12-01T08:00:00Z")
}

/// Half an hour before ten o'clock, with that status.
fn reminder(status: ReminderStatus) -> Reminder {
    Reminder {
        id: Uuid::from_u128(1).into(),
        when: ReminderWhen::MinutesBefore(30),
        remind_at: instant("2026-12-01T09:30:00Z"),
        status,
    }
}

#[test]
fn a_snoozed_reminder_is_scheduled_whatever_had_become_of_it() {
    for status in STATUSES {
        let mut snoozed = reminder(status);
        let until = instant("2026-12-01T11:00:00Z");
        snoozed.snooze(until, now()).expect("ahead");
        let expected = Reminder {
            remind_at: until,
            ..reminder(ReminderStatus::Scheduled)
        };
        assert_eq!(snoozed, expected, "{status:?}");
    }
}

#[test]
fn a_snooze_ends_in_the_future_and_within_four_weeks() {
    let longest = now() + SignedDuration::from_mins(i64::from(MAX_SNOOZE_MINUTES));
    let tick = SignedDuration::from_nanos(1);
    for (until, error) in [
        (now() - tick, Some(ReminderError::InThePast { at: now() - tick })),
        (now(), Some(ReminderError::InThePast { at: now() })),
        (now() + tick, None),
        (longest, None),
        (
            longest + tick,
            Some(ReminderError::SnoozedTooFar {
                until: longest + tick,
            }),
        ),
        (
            Timestamp::MAX,
            Some(ReminderError::SnoozedTooFar {
                until: Timestamp::MAX,
            }),
        ),
    ] {
        let mut snoozed = reminder(ReminderStatus::Sent);
        let outcome = snoozed.snooze(until, now());
        if let Err(error) = &outcome {
            assert_eq!(error.code(), "invalid_reminder");
            assert_eq!(snoozed, reminder(ReminderStatus::Sent), "unchanged");
        }
        assert_eq!(outcome.err(), error, "{until}");
    }
    assert_eq!(MAX_SNOOZE_MINUTES, 40_320);
}

#[test]
fn a_snoozed_reminder_moves_with_the_due_all_the_same() {
    let mut reminders = [reminder(ReminderStatus::Sent)];
    reminders[0]
        .snooze(instant("2026-12-01T11:00:00Z"), now())
        .expect("ahead");
    let (old, new) = (due("2026-12-01T10:00", "UTC"), due("2026-12-02T10:00", "UTC"));
    reschedule(&mut reminders, Some(&old), Some(&new), now());
    assert_eq!(reminders[0].remind_at, instant("2026-12-02T09:30:00Z"));
}

#[test]
fn a_snooze_survives_completing_and_reopening() {
    let at = Reminder {
        when: ReminderWhen::At(instant("2026-12-01T07:00:00Z")),
        ..reminder(ReminderStatus::Sent)
    };
    let until = instant("2026-12-01T11:00:00Z");
    let mut reminders = [reminder(ReminderStatus::Sent), at];
    for reminder in &mut reminders {
        reminder.snooze(until, now()).expect("ahead");
    }
    let snoozed = reminders.clone();
    cancel_all(&mut reminders);
    rearm_cancelled(&mut reminders, Some(&due("2026-12-01T10:00", "UTC")), now());
    assert_eq!(reminders, snoozed);
}

#[test]
fn only_a_scheduled_reminder_is_postponed_and_only_to_later() {
    let until = instant("2026-12-02T07:00:00Z");
    for status in STATUSES {
        let mut postponed = reminder(status);
        let moves = status == ReminderStatus::Scheduled;
        assert_eq!(postponed.postpone(until), moves, "{status:?}");
        let remind_at = if moves { until } else { reminder(status).remind_at };
        assert_eq!(
            postponed,
            Reminder {
                remind_at,
                ..reminder(status)
            }
        );
    }
    for until in ["2026-12-01T09:30:00Z", "2026-12-01T08:00:00Z"] {
        let mut earlier = reminder(ReminderStatus::Scheduled);
        assert!(!earlier.postpone(instant(until)));
        assert_eq!(earlier, reminder(ReminderStatus::Scheduled));
    }
}
