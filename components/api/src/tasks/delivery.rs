//! What notification and email-delivery ask and say about reminders.

use jiff::{SignedDuration, Timestamp};
use nudge_component::Problem;
use nudge_component::events::Disposition;
use nudge_component::trace::Traceparent;
use nudge_contract::api::{ArmedReminder, OverdueReminders, ReminderDelivery};
use nudge_contract::event::DeliveryOutcome;
use nudge_contract::legacy::Master;
use nudge_domain::reminder::ReminderStatus;
use nudge_domain::task::Status;
use uuid::Uuid;

use crate::db::Database;
use crate::error::retry;
use crate::input::conditions::Conditions;
use crate::legacy;
use crate::profile;
use crate::tasks::reminders;
use crate::tasks::service::change;
use crate::tasks::store;

/// A reminder counts as overdue after this time: longer than a job, the broker and the mail server take on a good day.
const OVERDUE: SignedDuration = SignedDuration::from_secs(30);

/// Most reminders of one answer to the reconciling job.
const OVERDUE_AT_ONCE: u32 = 100;

/// Notes how a reminder's mail ended, if the reminder is still the one that was armed.
pub(crate) async fn reminder_ended(outcome: DeliveryOutcome) -> Result<(), Disposition> {
    let remind_at: Timestamp = outcome.remind_at.parse().map_err(|error| {
        Disposition::Drop(format!("remindAt {} is no instant: {error}", outcome.remind_at))
    })?;
    let status = if outcome.failure.is_none() {
        ReminderStatus::Sent
    } else {
        ReminderStatus::Failed
    };
    let trace = outcome
        .traceparent
        .as_deref()
        .and_then(Traceparent::parse)
        .unwrap_or_else(Traceparent::start);
    let database = Database::open().await.map_err(retry)?;
    let Some(task) = store::find_for_service(&database, outcome.task_id)
        .await
        .map_err(retry)?
    else {
        return Err(Disposition::Drop(format!("there is no task {}", outcome.task_id)));
    };
    let ended = change(
        &database,
        &task.user_id,
        task.id,
        &Conditions::NONE,
        &trace,
        |task, _| {
            let armed = task.reminders.iter_mut().find(|reminder| {
                Uuid::from(reminder.id) == outcome.reminder_id
                    && reminder.remind_at.as_second() == remind_at.as_second()
            });
            match armed {
                // It was cancelled or moved while the mail was on its way, or this outcome has come before.
                Some(reminder)
                    if reminder.status == ReminderStatus::Scheduled
                        || reminder.status == ReminderStatus::Cancelled =>
                {
                    reminder.status = status
                }
                _ => {}
            }
            Ok(())
        },
    )
    .await;
    match ended {
        Ok(_) => Ok(()),
        // Deleted meanwhile.
        Err(problem) if problem.status() == http::StatusCode::NOT_FOUND => Ok(()),
        Err(problem) => Err(Disposition::Retry(problem.detail().to_owned())),
    }
}

/// The last word on whether a reminder is to be sent, and whereto. One that is due in its owner's quiet hours moves to
/// their end, as a change of its task, so that it is armed again like any other (decision 0014).
pub(crate) async fn reminder_delivery(
    reminder: Uuid,
    remind_at: Timestamp,
    trace: &Traceparent,
) -> Result<ReminderDelivery, Problem> {
    let skip = |reason: &str| {
        Ok(ReminderDelivery::Skip {
            reason: reason.to_owned(),
        })
    };
    let database = Database::open().await?;
    let Some(task) = store::find_by_reminder(&database, reminder).await? else {
        return skip("the reminder or its task is gone");
    };
    let Some(armed) = task
        .reminders
        .iter()
        .find(|known| Uuid::from(known.id) == reminder)
    else {
        return skip("the reminder is gone");
    };
    if armed.remind_at.as_second() != remind_at.as_second() {
        return skip("the reminder was moved");
    }
    if armed.status != ReminderStatus::Scheduled || task.status == Status::Completed {
        return skip("the reminder was cancelled, or is sent");
    }
    if legacy::master_of(&database, &task.user_id).await? == Master::Legacy {
        return skip("the system that Nudge replaces reminds its owner");
    }
    let Some(person) = profile::find(&database, &task.user_id).await? else {
        return Ok(ReminderDelivery::NoAddress);
    };
    if let Some(until) = person.quiet_until(Timestamp::now()) {
        reminders::postpone(&database, &task, reminder, until, trace).await?;
        return skip("its owner has quiet hours: it waits until they end");
    }
    Ok(match person.email() {
        Some(email) => ReminderDelivery::Send {
            email: email.to_owned(),
            time_zone: person.zone().name().to_owned(),
            task: Box::new(task.snapshot()),
        },
        None => ReminderDelivery::NoAddress,
    })
}

/// Reminders that should have been sent a while ago.
pub(crate) async fn overdue_reminders() -> Result<OverdueReminders, Problem> {
    let database = Database::open().await?;
    let before = Timestamp::now().saturating_sub(OVERDUE).unwrap_or(Timestamp::MIN);
    let rows = store::overdue(&database, before, OVERDUE_AT_ONCE).await?;
    let items = rows.into_iter().filter_map(|(reminder_id, task)| {
        let reminder = task
            .reminders
            .iter()
            .find(|reminder| Uuid::from(reminder.id) == reminder_id)?;
        Some(ArmedReminder {
            reminder_id,
            remind_at: task.local(reminder.remind_at),
            task: task.snapshot(),
            traceparent: None,
        })
    });
    Ok(OverdueReminders {
        items: items.collect(),
    })
}
