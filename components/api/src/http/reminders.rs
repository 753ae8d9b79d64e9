//! `/api/v1/tasks/{id}/reminders`.

use axum::Router;
use axum::extract::Extension;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::StatusCode;
use http::header::{ETAG, LOCATION};
use nudge_component::Problem;
use nudge_component::serve::{Json, PathText, PathTexts};
use nudge_contract::task::Reminder;
use nudge_domain::id::{ReminderId, TaskId};
use nudge_domain::task::{ReminderEdit, Task};
use serde::Serialize;

use super::body;
use crate::caller::Identity;
use crate::guard::idempotency::NewIds;
use crate::input::fields::{JsonObject, path_id};
use crate::tasks::{record, reminders, service};
use crate::version::{Conditions, Thing, etag};

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
fn ids(PathTexts(task, reminder): &PathTexts) -> Result<(TaskId, ReminderId), Problem> {
    Ok((path_id(task, Thing::Task)?, path_id(reminder, Thing::Reminder)?))
}

#[derive(Serialize)]
struct Reminders {
    items: Vec<Reminder>,
}

/// One reminder of a task, with the entity tag of the task.
fn answer(status: StatusCode, task: &Task, id: ReminderId) -> Result<Response, Problem> {
    let reminder = record::view_reminder(task, reminders::find(task, id)?);
    Ok((status, [(ETAG, etag(task.version))], Json(reminder)).into_response())
}

async fn list(identity: Identity, PathText(id): PathText) -> Result<Response, Problem> {
    let id = path_id(&id, Thing::Task)?;
    let task = service::read(&identity.open().await?, id).await?;
    let items = record::view(&task).reminders;
    Ok(([(ETAG, etag(task.version))], Json(Reminders { items })).into_response())
}

async fn read(identity: Identity, path: PathTexts) -> Result<Response, Problem> {
    let (task, reminder) = ids(&path)?;
    let task = service::read(&identity.open().await?, task).await?;
    answer(StatusCode::OK, &task, reminder)
}

async fn create(
    identity: Identity,
    PathText(id): PathText,
    Extension(new): Extension<NewIds>,
    conditions: Conditions,
    JsonObject(object): JsonObject,
) -> Result<Response, Problem> {
    let (id, reminder) = (path_id(&id, Thing::Task)?, ReminderId::from(new.nth(0)));
    let edit = ReminderEdit::Add(body::reminder_time(object));
    let task = reminders::edit(&identity.open().await?, id, reminder, &conditions, &edit).await?;
    let location = format!("/api/v1/tasks/{}/reminders/{reminder}", task.id);
    Ok((
        [(LOCATION, location)],
        answer(StatusCode::CREATED, &task, reminder)?,
    )
        .into_response())
}

async fn patch(
    identity: Identity,
    path: PathTexts,
    conditions: Conditions,
    JsonObject(object): JsonObject,
) -> Result<Response, Problem> {
    let edit = ReminderEdit::Move(body::reminder_time(object));
    change(identity, path, &conditions, edit).await
}

async fn snooze(
    identity: Identity,
    path: PathTexts,
    conditions: Conditions,
    JsonObject(object): JsonObject,
) -> Result<Response, Problem> {
    let edit = ReminderEdit::Snooze(body::snooze(object));
    change(identity, path, &conditions, edit).await
}

async fn change(
    identity: Identity,
    path: PathTexts,
    conditions: &Conditions,
    edit: ReminderEdit,
) -> Result<Response, Problem> {
    let (task, reminder) = ids(&path)?;
    let task = reminders::edit(&identity.open().await?, task, reminder, conditions, &edit).await?;
    answer(StatusCode::OK, &task, reminder)
}

async fn delete(identity: Identity, path: PathTexts, conditions: Conditions) -> Result<Response, Problem> {
    let ((task, reminder), edit) = (ids(&path)?, ReminderEdit::Remove);
    let task = reminders::edit(&identity.open().await?, task, reminder, &conditions, &edit).await?;
    Ok((StatusCode::NO_CONTENT, [(ETAG, etag(task.version))]).into_response())
}
