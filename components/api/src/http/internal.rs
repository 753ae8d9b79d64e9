//! What only the sidecar may call: events, and questions of the other services.

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query};
use axum::response::Response;
use http::StatusCode;
use nudge_component::serve::{Json, PathText, read_body};
use nudge_component::trace::Traceparent;
use nudge_component::{Problem, subscriber};
use nudge_contract::api::{OverdueReminders, RelayReport, ReminderDelivery, Successor};
use nudge_contract::names::app;
use nudge_domain::LocalInstant;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::db::Database;
use crate::input::fields::path_id;
use crate::tasks::delivery;
use crate::tasks::service;
use crate::upkeep;
use crate::version::Thing;

/// Reads a body that another service sent.
pub(super) async fn read<T: DeserializeOwned>(body: Body) -> Result<T, Problem> {
    serde_json::from_slice(&read_body(body).await?).map_err(|error| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "invalid_body",
            format!("the body is not what this route takes: {error}"),
        )
    })
}

pub(super) async fn reminder_outcome(body: Body) -> Response {
    subscriber::consume(app::API, body, delivery::reminder_ended).await
}

pub(super) async fn relay() -> Result<Json<RelayReport>, Problem> {
    Ok(Json(upkeep::run(&Database::open().await?).await?))
}

pub(super) async fn overdue_reminders() -> Result<Json<OverdueReminders>, Problem> {
    let database = Database::open().await?;
    Ok(Json(delivery::overdue_reminders(&database).await?))
}

/// The query of a question about the delivery of a reminder.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Delivery {
    /// The instant that the reminder was armed for.
    remind_at: LocalInstant,
}

pub(super) async fn reminder_delivery(
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
    let id = path_id(&id, Thing::Reminder)?;
    let database = Database::open().await?;
    let delivery = delivery::reminder_delivery(&database, id, remind_at.at(), &trace).await?;
    Ok(Json(delivery))
}

pub(super) async fn successor(
    PathText(id): PathText,
    Extension(trace): Extension<Traceparent>,
    body: Body,
) -> Result<StatusCode, Problem> {
    let successor: Successor = read(body).await?;
    let id = path_id(&id, Thing::Task)?;
    service::successor(&Database::open().await?, id, successor, &trace).await?;
    Ok(StatusCode::NO_CONTENT)
}
