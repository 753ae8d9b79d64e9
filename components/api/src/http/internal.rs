//! What only the sidecar may call: events, and questions of the other services.

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query};
use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;
use nudge_component::serve::{Json, MAX_BATCH, read_body, read_body_up_to};
use nudge_component::trace::Traceparent;
use nudge_component::{Problem, subscriber};
use nudge_contract::api::{
    AskDeliveries, AskNotices, CreateSuccessors, DeferReminders, Deliveries, DueSeconds, LeaseReminders,
    LeasedReminders, NoticeOutcomes, Notices, RefusedRecipients, RelayReport, Successors,
};
use nudge_contract::names::app;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::db::Database;
use crate::recipients::{Mailbox, notices, standing};
use crate::tasks::leases::{MAX_HORIZON, MAX_LIMIT};
use crate::tasks::{delivery, leases, successors};
use crate::upkeep;

/// Maximum number of items of a batch that another service sends.
const MAX_ITEMS: usize = 100;

/// Reads a body that another service sent.
pub(super) async fn read<T: DeserializeOwned>(body: Body) -> Result<T, Problem> {
    parse(&read_body(body).await?)
}

/// The same for a batch.
async fn read_batch<T: DeserializeOwned>(body: Body) -> Result<T, Problem> {
    parse(&read_body_up_to(body, MAX_BATCH).await?)
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "invalid_body",
            format!("the body is not what this route takes: {error}"),
        )
    })
}

fn check_count<T>(items: &[T]) -> Result<(), Problem> {
    if items.len() <= MAX_ITEMS {
        return Ok(());
    }
    let message = format!("send at most {MAX_ITEMS} at a time, not {}", items.len());
    Err(Problem::field("items", "too_many_items", message))
}

pub(super) async fn reminder_outcomes(body: Body) -> Response {
    subscriber::consume_all(app::API, body, delivery::reminders_ended).await
}

pub(super) async fn relay() -> Result<Json<RelayReport>, Problem> {
    Ok(Json(upkeep::run(&Database::open().await?).await?))
}

pub(super) async fn lease(body: Body) -> Result<Json<LeasedReminders>, Problem> {
    let asked: LeaseReminders = read(body).await?;
    if asked.limit == 0 || asked.limit > MAX_LIMIT {
        let message = format!("use a number from 1 to {MAX_LIMIT}");
        return Err(Problem::field("limit", "invalid_limit", message));
    }
    Ok(Json(leases::lease(&Database::open().await?, &asked).await?))
}

/// The query of a question for due seconds.
#[derive(Deserialize)]
pub(super) struct Horizon {
    seconds: u32,
}

pub(super) async fn due_seconds(
    query: Result<Query<Horizon>, QueryRejection>,
) -> Result<Json<DueSeconds>, Problem> {
    let horizon = query
        .ok()
        .map(|Query(Horizon { seconds })| seconds)
        .filter(|seconds| (1..=MAX_HORIZON).contains(seconds))
        .ok_or_else(|| {
            let message = format!("give the horizon in seconds, from 1 to {MAX_HORIZON}");
            Problem::field("seconds", "invalid_seconds", message)
        })?;
    let seconds = leases::due_seconds(&Database::open().await?, horizon).await?;
    Ok(Json(DueSeconds { seconds }))
}

pub(super) async fn deliveries(
    Extension(trace): Extension<Traceparent>,
    body: Body,
) -> Result<Json<Deliveries>, Problem> {
    let asked: AskDeliveries = read_batch(body).await?;
    check_count(&asked.items)?;
    let items = delivery::decide(&Database::open().await?, &asked.items, &trace).await?;
    Ok(Json(Deliveries { items }))
}

pub(super) async fn deferrals(body: Body) -> Result<StatusCode, Problem> {
    let deferred: DeferReminders = read_batch(body).await?;
    check_count(&deferred.items)?;
    leases::defer(&Database::open().await?, &deferred.items).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn successors(
    Extension(trace): Extension<Traceparent>,
    body: Body,
) -> Result<Json<Successors>, Problem> {
    let asked: CreateSuccessors = read_batch(body).await?;
    check_count(&asked.items)?;
    let items = successors::create(&Database::open().await?, &asked.items, &trace).await?;
    Ok(Json(Successors { items }))
}

pub(super) async fn refused_recipients(body: Body) -> Result<StatusCode, Problem> {
    let refused: RefusedRecipients = read_batch(body).await?;
    check_count(&refused.items)?;
    let refused: Vec<_> = refused
        .items
        .into_iter()
        .map(|refused| ((refused.user_id, Mailbox::of(&refused.email)), refused.fault))
        .collect();
    standing::refuse(&Database::open().await?, &refused, Timestamp::now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn notices(body: Body) -> Result<Json<Notices>, Problem> {
    let asked: AskNotices = read_batch(body).await?;
    check_count(&asked.items)?;
    let items = notices::decide(&Database::open().await?, &asked.items).await?;
    Ok(Json(Notices { items }))
}

pub(super) async fn notice_outcomes(body: Body) -> Result<StatusCode, Problem> {
    let ended: NoticeOutcomes = read_batch(body).await?;
    check_count(&ended.items)?;
    notices::ended(&Database::open().await?, &ended.items).await?;
    Ok(StatusCode::NO_CONTENT)
}
