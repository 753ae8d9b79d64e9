//! `/api/v1/tasks/{id}/reminders`.

use axum::Router;
use axum::extract::Extension;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::StatusCode;
use http::header::{ETAG, LOCATION};
use nudge_component::Problem;
use nudge_component::serve::{Json, PathText, PathTexts};
use nudge_component::trace::Traceparent;
use nudge_contract::task::Reminder;
use serde::Serialize;
use uuid::Uuid;

use crate::auth::User;
use crate::guard::idempotency::NewIds;
use crate::input::conditions::{Conditions, etag};
use crate::input::fields::{JsonObject, path_id};
use crate::tasks::record::TaskRecord;
use crate::tasks::reminders;
use crate::tasks::service;

pub(super) fn router() -> Router {
    Router::new()
        .route("/api/v1/tasks/{id}/reminders", get(list).post(create))
        .route(
            "/api/v1/tasks/{id}/reminders/{reminder}",
            get(read).patch(patch).delete(delete),
        )
        .route("/api/v1/tasks/{id}/reminders/{reminder}/snooze", post(snooze))
}

/// The ids of a task and of one of its reminders.
fn ids(PathTexts(task, reminder): &PathTexts) -> Result<(Uuid, Uuid), Problem> {
    Ok((path_id(task, "task")?, path_id(reminder, "reminder")?))
}

#[derive(Serialize)]
struct Reminders {
    items: Vec<Reminder>,
}

/// One reminder of a task, with the entity tag of the task.
fn answer(status: StatusCode, task: &TaskRecord, id: Uuid) -> Result<Response, Problem> {
    let reminder = reminders::view(task, id)?;
    Ok((status, [(ETAG, etag(task.version))], Json(reminder)).into_response())
}

async fn list(user: User, PathText(id): PathText) -> Result<Response, Problem> {
    let task = service::read(&user, path_id(&id, "task")?).await?;
    let items = task.view().reminders;
    Ok(([(ETAG, etag(task.version))], Json(Reminders { items })).into_response())
}

async fn read(user: User, path: PathTexts) -> Result<Response, Problem> {
    let (task, reminder) = ids(&path)?;
    answer(StatusCode::OK, &service::read(&user, task).await?, reminder)
}

async fn create(
    user: User,
    PathText(id): PathText,
    Extension(trace): Extension<Traceparent>,
    Extension(new): Extension<NewIds>,
    conditions: Conditions,
    JsonObject(body): JsonObject,
) -> Result<Response, Problem> {
    let reminder = new.nth(0);
    let edit = reminders::Edit::Add(body);
    let task = reminders::edit(&user, path_id(&id, "task")?, reminder, &conditions, &edit, &trace).await?;
    let location = format!("/api/v1/tasks/{}/reminders/{reminder}", task.id);
    Ok((
        [(LOCATION, location)],
        answer(StatusCode::CREATED, &task, reminder)?,
    )
        .into_response())
}

async fn patch(
    user: User,
    path: PathTexts,
    Extension(trace): Extension<Traceparent>,
    conditions: Conditions,
    JsonObject(body): JsonObject,
) -> Result<Response, Problem> {
    change(&user, path, &conditions, reminders::Edit::Move(body), &trace).await
}

async fn snooze(
    user: User,
    path: PathTexts,
    Extension(trace): Extension<Traceparent>,
    conditions: Conditions,
    JsonObject(body): JsonObject,
) -> Result<Response, Problem> {
    change(&user, path, &conditions, reminders::Edit::Snooze(body), &trace).await
}

async fn change(
    user: &User,
    path: PathTexts,
    conditions: &Conditions,
    edit: reminders::Edit,
    trace: &Traceparent,
) -> Result<Response, Problem> {
    let (task, reminder) = ids(&path)?;
    let task = reminders::edit(user, task, reminder, conditions, &edit, trace).await?;
    answer(StatusCode::OK, &task, reminder)
}

async fn delete(
    user: User,
    path: PathTexts,
    Extension(trace): Extension<Traceparent>,
    conditions: Conditions,
) -> Result<Response, Problem> {
    let ((task, reminder), edit) = (ids(&path)?, reminders::Edit::Remove);
    let task = reminders::edit(&user, task, reminder, &conditions, &edit, &trace).await?;
    Ok((StatusCode::NO_CONTENT, [(ETAG, etag(task.version))]).into_response())
}
