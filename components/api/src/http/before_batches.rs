//! Routes for services from before batches, which call them during a rolling upgrade. When no supported version calls them, delete
//! this file, its routes in `names.rs` and in the access policies, and `tasks::leases::lease_overdue`.

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query};
use axum::routing::{get, post};
use http::StatusCode;
use jiff::SignedDuration;
use nudge_component::Problem;
use nudge_component::serve::{Json, PathText};
use nudge_component::trace::Traceparent;
use nudge_contract::api::{DueReminder, LeasedReminders, ReminderDelivery, SuccessorOf, SuccessorResult};
use nudge_contract::names::route;
use nudge_domain::LocalInstant;
use serde::Deserialize;

use super::internal::read;
use crate::db::Database;
use crate::input::fields::path_id;
use crate::tasks::leases::MAX_LIMIT;
use crate::tasks::{delivery, leases, successors};
use crate::version::Thing;

/// Older versions schedule a job for each reminder, so what is left to find is due for longer than a job, the broker and the mail
/// server take on a good day.
const OVERDUE: SignedDuration = SignedDuration::from_secs(30);

pub(super) fn router() -> Router {
    Router::new()
        .route(route::OVERDUE_REMINDERS, get(overdue_reminders))
        .route(route::REMINDER_DELIVERY, get(reminder_delivery))
        .route(route::SUCCESSOR, post(successor))
}

/// `more` is new to older versions, which ignore it.
async fn overdue_reminders() -> Result<Json<LeasedReminders>, Problem> {
    let database = Database::open().await?;
    Ok(Json(leases::lease_overdue(&database, OVERDUE, MAX_LIMIT).await?))
}

/// The query of a question about the delivery of a reminder.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delivery {
    /// The instant that the reminder was armed for.
    remind_at: LocalInstant,
}

async fn reminder_delivery(
    PathText(id): PathText,
    Extension(trace): Extension<Traceparent>,
    query: Result<Query<Delivery>, QueryRejection>,
) -> Result<Json<ReminderDelivery>, Problem> {
    let Query(Delivery { remind_at }) = query.map_err(|_| {
        Problem::field(
            "remindAt",
            "invalid_instant",
            "give the instant the reminder was armed for",
        )
    })?;
    let asked = DueReminder {
        reminder_id: path_id(&id, Thing::Reminder)?,
        remind_at,
        lease_id: None,
    };
    let decided = delivery::decide(&Database::open().await?, &[asked], &trace).await?;
    let decided = decided.into_iter().next();
    decided
        .map(Json)
        .ok_or_else(|| Problem::internal("a reminder was asked about, and nothing was decided"))
}

async fn successor(
    PathText(id): PathText,
    Extension(trace): Extension<Traceparent>,
    body: Body,
) -> Result<StatusCode, Problem> {
    let successor = read(body).await?;
    let asked = SuccessorOf {
        task_id: path_id(&id, Thing::Task)?,
        traceparent: None,
        successor,
    };
    let results = successors::create(&Database::open().await?, &[asked], &trace).await?;
    match results.into_iter().next() {
        Some(SuccessorResult::Done) => Ok(StatusCode::NO_CONTENT),
        Some(SuccessorResult::Gone) | None => Err(Problem::not_found(Thing::Task.name())),
        Some(SuccessorResult::Refused { reason }) => Err(Problem::field("due", "invalid_due", reason)),
        Some(SuccessorResult::Later { reason }) => Err(Problem::unavailable("the next occurrence", reason)),
    }
}
