//! The trail of a task: what happened to it and to its reminders, step by step, with times (decision 0051).
//!
//! Nothing is written for it alone. A version of the task has its change, who made it, and its trace; what became of a reminder is part of
//! the version that says so ([`Delivery`]). What is still going on is in the row of the reminder. A page has the steps of some versions, by
//! their time; the last page also has what is going on.

use jiff::{SignedDuration, Timestamp};
use nudge_contract::api::Page;
use nudge_contract::event::{Delivery, DeliveryKind};
use nudge_contract::trail::{TrailItem, TrailKind};
use nudge_domain::id::{TaskId, UserId};

use self::store::{Going, Version};
use super::leases::{AHEAD, leased_at};
use crate::db::{Database, DbError, milliseconds};
use crate::events::outbox;

mod store;
mod words;

/// A page of the trail of a task: the steps of up to `limit` versions after one; without any if there is no version after it. None if the
/// user has no such task.
pub(crate) async fn page(
    database: &Database,
    user_id: &UserId,
    task: TaskId,
    after: u32,
    limit: u32,
) -> Result<Option<Page<TrailItem>>, DbError> {
    let now = milliseconds(Timestamp::now());
    let mut versions = store::versions(database, user_id, task, after, limit + 1).await?;
    if versions.is_empty() {
        let is_known = after > 0 && store::is_known(database, user_id, task).await?;
        return Ok(is_known.then(|| Page {
            items: Vec::new(),
            next_cursor: None,
        }));
    }
    let more = versions.len() > limit as usize;
    versions.truncate(limit as usize);
    let mut items = Vec::new();
    if let Some(first) = versions.first().filter(|first| after == 0 && first.number > 1) {
        items.push(deleted(first));
    }
    let next_cursor = versions
        .last()
        .filter(|_| more)
        .map(|last| last.number.to_string());
    for version in versions {
        of_version(version, now, &mut items);
    }
    if !more {
        for reminder in store::going_on(database, task, now).await? {
            of_reminder(&reminder, now, &mut items);
        }
    }
    // Steps of the same millisecond stay in their order.
    items.sort_by_key(|item| item.time);
    Ok(Some(Page { items, next_cursor }))
}

fn item(kind: TrailKind, time: Timestamp) -> TrailItem {
    TrailItem {
        time,
        kind,
        by: None,
        change: None,
        changed: Vec::new(),
        version: None,
        reminder_id: None,
        trace_id: None,
        until: None,
        detail: None,
        late_by_seconds: None,
    }
}

/// That versions before the first one are not stored any more.
fn deleted(first: &Version) -> TrailItem {
    TrailItem {
        detail: Some(words::deleted(first.number - 1)),
        ..item(TrailKind::VersionsDeleted, first.stored_at)
    }
}

/// The steps that a version tells of: what became of reminders, the change itself, and its event.
fn of_version(version: Version, now: Timestamp, items: &mut Vec<TrailItem>) {
    let number = Some(version.number);
    for delivery in &version.event.deliveries {
        of_delivery(delivery, items);
    }
    items.push(TrailItem {
        by: version.event.by,
        change: Some(version.event.change),
        changed: version.event.changed,
        version: number,
        trace_id: version.trace_id.clone(),
        ..item(TrailKind::Changed, version.stored_at)
    });
    let published = match version.published_at {
        Some(at) => item(TrailKind::Published, at),
        // Until then it is on its way.
        None if version.stored_at < outbox::pending_before(now) => TrailItem {
            detail: Some(words::UNPUBLISHED.to_owned()),
            ..item(TrailKind::Unpublished, now)
        },
        None => return,
    };
    items.push(TrailItem {
        version: number,
        trace_id: version.trace_id,
        ..published
    });
}

/// The steps of a reminder up to one that ended them.
fn of_delivery(delivery: &Delivery, items: &mut Vec<TrailItem>) {
    let due = delivery.remind_at.at();
    let of_reminder = |kind, time| TrailItem {
        reminder_id: Some(delivery.reminder_id),
        trace_id: delivery.trace_id.clone(),
        late_by_seconds: Some(late(due, time)),
        ..item(kind, time)
    };
    items.push(TrailItem {
        late_by_seconds: None,
        ..of_reminder(TrailKind::ReminderDue, due)
    });
    for (kind, time) in [
        (TrailKind::Leased, delivery.leased_at),
        (TrailKind::HandedOver, delivery.handed_over_at),
    ] {
        // An outcome that is reported again is that of an earlier lease.
        items.extend(
            time.filter(|time| *time <= delivery.at)
                .map(|time| of_reminder(kind, time)),
        );
    }
    let (kind, detail) = match delivery.kind {
        DeliveryKind::Sent => (TrailKind::Sent, words::sent(delivery.attempts)),
        DeliveryKind::Failed => (
            TrailKind::Failed,
            Some(words::failed(delivery.reason.as_deref().unwrap_or_default())),
        ),
        DeliveryKind::HeldBack => (TrailKind::HeldBack, Some(words::QUIET_HOURS.to_owned())),
        DeliveryKind::Other => return,
    };
    items.push(TrailItem {
        until: delivery.until,
        detail,
        ..of_reminder(kind, delivery.at)
    });
}

/// The steps of a reminder that is due and neither sent nor given up.
fn of_reminder(reminder: &Going, now: Timestamp, items: &mut Vec<TrailItem>) {
    let due = reminder.remind_at;
    let of_reminder = |kind, time| TrailItem {
        reminder_id: Some(reminder.id),
        late_by_seconds: Some(late(due, time)),
        ..item(kind, time)
    };
    // What is older is of an earlier instant of the reminder.
    let earliest = due.saturating_sub(AHEAD).unwrap_or(Timestamp::MIN);
    let leased_at = reminder.lease.and_then(leased_at).filter(|at| *at >= earliest);
    let held = reminder.held.filter(|(at, _)| *at >= earliest);
    items.push(TrailItem {
        late_by_seconds: Some(late(due, now)),
        detail: leased_at.is_none().then(|| words::NOT_LEASED.to_owned()),
        ..of_reminder(TrailKind::ReminderDue, due)
    });
    items.extend(leased_at.map(|at| of_reminder(TrailKind::Leased, at)));
    if let Some((at, why)) = held {
        let is_leased = reminder.leased_until.is_some_and(|until| until > now);
        items.push(TrailItem {
            until: (!is_leased).then_some(reminder.attempt_at),
            detail: Some(words::held_back(why).to_owned()),
            ..of_reminder(TrailKind::HeldBack, at)
        });
    }
}

/// Seconds from one instant to another, to the millisecond.
fn late(due: Timestamp, at: Timestamp) -> f64 {
    let passed: SignedDuration = at.duration_since(due);
    passed.as_millis() as f64 / 1000.0
}
