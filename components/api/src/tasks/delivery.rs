//! What notification and email-delivery ask and report about reminders.

use jiff::{SignedDuration, Timestamp};
use nudge_component::events::Disposition;
use nudge_component::trace::Traceparent;
use nudge_contract::api::{ArmedReminder, OverdueReminders, ReminderDelivery};
use nudge_contract::event::DeliveryOutcome;
use nudge_domain::id::ReminderId;
use nudge_domain::reminder::ReminderStatus;
use nudge_domain::task::Status;

use crate::db::{Database, DbError};
use crate::error::{ServiceError, retry};
use crate::profile;
use crate::tasks::service::change;
use crate::tasks::{record, reminders, store};
use crate::version::{Conditions, Thing};

/// A reminder counts as overdue after this time: longer than a job, the broker and the mail server take on a good day.
const OVERDUE: SignedDuration = SignedDuration::from_secs(30);

/// Maximum number of reminders per answer to the reconciling job.
const OVERDUE_AT_ONCE: u32 = 100;

/// Stores how the delivery of a reminder ended, if the reminder is still the one that was armed.
pub(crate) async fn reminder_ended(outcome: DeliveryOutcome) -> Result<(), Disposition> {
    let database = Database::open().await.map_err(retry)?;
    let remind_at = outcome.remind_at.at();
    let status = match outcome.failure {
        None => ReminderStatus::Sent,
        Some(_) => ReminderStatus::Failed,
    };
    let trace = outcome
        .traceparent
        .as_deref()
        .and_then(Traceparent::parse)
        .unwrap_or_else(Traceparent::start);
    let Some(task) = store::find_for_service(&database, outcome.task_id)
        .await
        .map_err(retry)?
    else {
        return Err(Disposition::Drop(format!("there is no task {}", outcome.task_id)));
    };
    let (user, task) = (&task.user_id, task.id);
    let ended = change(&database, user, task, &Conditions::NONE, &trace, |task, _| {
        let armed = task.reminders.iter_mut().find(|reminder| {
            reminder.id == outcome.reminder_id && reminder.remind_at.as_second() == remind_at.as_second()
        });
        match armed {
            Some(reminder)
                if matches!(
                    reminder.status,
                    ReminderStatus::Scheduled | ReminderStatus::Cancelled
                ) =>
            {
                reminder.status = status;
            }
            // It was moved while the email was on its way, or this outcome came before.
            _ => {}
        }
        Ok(())
    })
    .await;
    match ended {
        // Deleted meanwhile.
        Ok(_) | Err(ServiceError::NotFound(Thing::Task)) => Ok(()),
        Err(error) => Err(Disposition::Retry(error.to_string())),
    }
}

/// Decides whether a reminder is sent, and where to. One that is due in its owner's quiet hours moves to their end, as a change
/// of its task, so that it is armed again like any other (decision 0014).
pub(crate) async fn reminder_delivery(
    database: &Database,
    reminder: ReminderId,
    remind_at: Timestamp,
    trace: &Traceparent,
) -> Result<ReminderDelivery, ServiceError> {
    let skip = |reason: &str| {
        Ok(ReminderDelivery::Skip {
            reason: reason.to_owned(),
        })
    };
    let Some(task) = store::find_by_reminder(database, reminder).await? else {
        return skip("the reminder or its task is gone");
    };
    let Some(armed) = task.reminder(reminder) else {
        return skip("the reminder is gone");
    };
    if armed.remind_at.as_second() != remind_at.as_second() {
        return skip("the reminder was moved");
    }
    if armed.status != ReminderStatus::Scheduled || task.status == Status::Completed {
        return skip("the reminder was cancelled, or is sent");
    }
    if !profile::is_reminded_here(database, &task.user_id).await? {
        return skip("the system that Nudge replaces reminds its owner");
    }
    let Some(profile) = profile::find(database, &task.user_id).await? else {
        return Ok(ReminderDelivery::NoAddress);
    };
    if let Some(until) = profile.quiet_until(Timestamp::now()) {
        reminders::postpone(database, &task, reminder, until, trace).await?;
        return skip("its owner has quiet hours: it waits until they end");
    }
    Ok(match profile.email() {
        Some(email) => ReminderDelivery::Send {
            email: email.to_owned(),
            time_zone: profile.zone().name().to_owned(),
            task: Box::new(record::snapshot(&task)),
        },
        None => ReminderDelivery::NoAddress,
    })
}

/// Reminders that should have been sent a while ago.
pub(crate) async fn overdue_reminders(database: &Database) -> Result<OverdueReminders, DbError> {
    let before = Timestamp::now().saturating_sub(OVERDUE).unwrap_or(Timestamp::MIN);
    let rows = store::overdue(database, before, OVERDUE_AT_ONCE).await?;
    let items = rows.into_iter().filter_map(|(id, task)| {
        Some(ArmedReminder {
            reminder_id: id,
            remind_at: record::local(&task, task.reminder(id)?.remind_at),
            task: record::snapshot(&task),
            traceparent: None,
        })
    });
    Ok(OverdueReminders {
        items: items.collect(),
    })
}
