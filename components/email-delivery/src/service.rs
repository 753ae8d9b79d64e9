//! Sends one email for each due reminder.
//!
//! What happens after a crash at each point:
//!
//! | crash after | consequence |
//! | --- | --- |
//! | the claim | the lease runs out, the reminder is still overdue in the database, a recurring job repeats its event |
//! | the mail server accepted the email | as above: the email is sent a second time. SMTP has no way to ask; the window is one state write |
//! | the record says done | the repeated event finds it and publishes the outcome again |
//!
//! If an email cannot be sent for now, the event is not answered with RETRY, which would hold up every other reminder of the
//! partition. The reminder is released, and the recurring job repeats its event.

use jiff::{SignedDuration, Timestamp};
use nudge_component::ask;
use nudge_component::dapr::state::Outcome;
use nudge_component::events::Disposition;
use nudge_component::publish;
use nudge_component::subscriber::retry;
use nudge_contract::api::{AskDeliveries, Deliveries, DueReminder, ReminderDelivery};
use nudge_contract::event::{DeliveryOutcome, Payload, ReminderDue, SCHEMA_VERSION};
use nudge_contract::names::{app, route, topic};
use nudge_contract::task::Snapshot;
use nudge_domain::Zone;

use crate::smtp::Failure;
use crate::store::{Claim, Ended, Lease, claim};
use crate::{lane, mail, smtp};

/// How long after its instant a reminder is still attempted, and the minimum time it is retried: a reminder that was not
/// attempted, because nothing ran or the sidecar lacked its setting, has not failed.
const WORTH_TRYING: SignedDuration = SignedDuration::from_hours(24);

/// Handles a batch. Returns one result per event, in order.
pub(crate) async fn reminders_due(events: Vec<ReminderDue>) -> Vec<Result<(), Disposition>> {
    let mut results = Vec::new();
    for event in events {
        results.push(reminder_due(event).await);
    }
    results
}

/// Sends the email of a due reminder, unless it was sent already or is no longer wanted.
async fn reminder_due(event: ReminderDue) -> Result<(), Disposition> {
    if let Err(closed) = lane::check().await.map_err(retry)? {
        // Nothing is written: the reminder stays overdue, and its event is repeated until the setting is right.
        tracing::error!(reminder = %event.reminder_id, "not sent: {closed}");
        return Ok(());
    }
    match claim(event.reminder_id, event.remind_at.at())
        .await
        .map_err(retry)?
    {
        Claim::Done(ended) => tell(&event, ended).await,
        Claim::Busy => {
            tracing::info!(reminder = %event.reminder_id, "another delivery is sending it");
            Ok(())
        }
        Claim::Won(lease) => deliver(&event, lease).await,
    }
}

async fn deliver(event: &ReminderDue, lease: Lease) -> Result<(), Disposition> {
    let delivery = match ask_api(event).await {
        Ok(delivery) => delivery,
        Err(why) => {
            release(lease).await;
            return Err(why);
        }
    };
    match delivery {
        ReminderDelivery::Skip { reason } => {
            tracing::info!(reminder = %event.reminder_id, "not sent: {reason}");
            release(lease).await;
            Ok(())
        }
        ReminderDelivery::NoAddress => {
            finish(
                event,
                lease,
                Some("there is no email address in your profile".to_owned()),
            )
            .await
        }
        ReminderDelivery::Send {
            email,
            time_zone,
            task,
        } => match send(&reference(event), &email, &time_zone, &task).await {
            Ok(()) => finish(event, lease, None).await,
            Err(Failure::Permanent(reason)) => finish(event, lease, Some(reason)).await,
            Err(Failure::Passing(reason))
                if Timestamp::now().duration_since(event.remind_at.at()) > WORTH_TRYING
                    && lease.tried_for(WORTH_TRYING) =>
            {
                tracing::error!(reminder = %event.reminder_id, attempts = lease.attempts(), "given up: {reason}");
                finish(
                    event,
                    lease,
                    Some("the email could not be sent for a day".to_owned()),
                )
                .await
            }
            Err(Failure::Passing(reason)) => {
                tracing::warn!(reminder = %event.reminder_id, attempts = lease.attempts(), "not sent for now: {reason}");
                release(lease).await;
                Ok(())
            }
        },
    }
}

/// The reminder and the instant, which also form the key of its claim.
fn reference(event: &ReminderDue) -> String {
    format!("{} {}", event.reminder_id, event.remind_at.at().as_second())
}

async fn send(reference: &str, email: &str, time_zone: &str, snapshot: &Snapshot) -> Result<(), Failure> {
    // The api returns only valid zones; should it not, an email in UTC is better than none.
    let zone = time_zone.parse().unwrap_or_else(|_| Zone::utc());
    let mail = mail::write(reference, &snapshot.task, &zone, Timestamp::now())
        .map_err(|error| Failure::Passing(format!("the email cannot be rendered: {error}")))?;
    let _turn = lane::enter().map_err(|taken| Failure::Passing(taken.to_string()))?;
    smtp::send(email, &mail).await
}

/// Marks the reminder done, then publishes its outcome. Called after the email is sent: a crash between must not lose the email.
async fn finish(event: &ReminderDue, lease: Lease, failure: Option<String>) -> Result<(), Disposition> {
    let ended = Ended {
        failure,
        at: Timestamp::now(),
    };
    match lease.finish(ended.clone()).await.map_err(retry)? {
        Outcome::Done => {}
        Outcome::Lost => {
            tracing::error!(reminder = %event.reminder_id, "the lease was lost while the email was sent")
        }
    }
    tell(event, ended).await
}

async fn tell(event: &ReminderDue, ended: Ended) -> Result<(), Disposition> {
    let task_id = event.task.task.id;
    let outcome = DeliveryOutcome {
        schema_version: SCHEMA_VERSION,
        reminder_id: event.reminder_id,
        task_id,
        remind_at: event.remind_at,
        failure: ended.failure,
        at: ended.at,
        traceparent: event.traceparent.clone(),
    };
    let id = format!(
        "{}:{}:{}",
        event.reminder_id,
        event.remind_at,
        outcome.event_type()
    );
    let event = publish::event(app::EMAIL_DELIVERY, id, task_id.to_string(), &outcome);
    publish::publish(topic::REMINDER_OUTCOMES, event)
        .await
        .map_err(retry)
}

/// Releases the lease. If that fails, it expires by itself.
async fn release(lease: Lease) {
    if let Err(error) = lease.release().await {
        tracing::warn!("a lease could not be released: {}", publish::describe(&error));
    }
}

async fn ask_api(event: &ReminderDue) -> Result<ReminderDelivery, Disposition> {
    let request = AskDeliveries {
        items: vec![DueReminder {
            reminder_id: event.reminder_id,
            remind_at: event.remind_at,
        }],
    };
    let answer: Deliveries = ask::post(route::DELIVERIES, &request).await?;
    answer.items.into_iter().next().ok_or_else(|| {
        Disposition::Retry(format!(
            "the api returned no decision for reminder {}",
            event.reminder_id
        ))
    })
}
