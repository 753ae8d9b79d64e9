//! `/api/v1/tasks`.

use axum::extract::Extension;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{ETAG, LOCATION};
use jiff::Timestamp;
use nudge_component::Problem;
use nudge_component::serve::{Json, PathText, PathTexts};
use nudge_contract::api::{BulkAnswer, ChangeItem, Page};
use nudge_contract::task as contract;
use nudge_contract::trail::TrailItem;
use nudge_domain::id::{TagId, TaskId};
use nudge_domain::task::Task;

use super::{body, bulk, query};
use crate::caller::Identity;
use crate::events::feed;
use crate::guard::idempotency::NewIds;
use crate::guard::rate_limit;
use crate::input::fields::{JsonObject, Pairs, Query, invalid_cursor, path_id};
use crate::tasks::list::query::MAX_LIMIT;
use crate::tasks::record;
use crate::tasks::search;
use crate::tasks::service;
use crate::tasks::trail;
use crate::version::{Conditions, Thing, etag};

/// Versions of a page of a task's history when the caller does not say.
const HISTORY_LIMIT: u32 = 50;

/// A task with its entity tag.
fn answer(status: StatusCode, task: &Task) -> Response {
    (status, [(ETAG, etag(task.version))], Json(record::view(task))).into_response()
}

fn task_id(text: &str) -> Result<TaskId, Problem> {
    path_id(text, Thing::Task)
}

pub(super) async fn create(
    identity: Identity,
    Extension(ids): Extension<NewIds>,
    JsonObject(object): JsonObject,
) -> Result<Response, Problem> {
    let caller = identity.open().await?;
    let task = service::create(&caller, &ids, 0, &body::new_task(object)).await?;
    let location = format!("/api/v1/tasks/{}", task.id);
    Ok(([(LOCATION, location)], answer(StatusCode::CREATED, &task)).into_response())
}

pub(super) async fn bulk(
    identity: Identity,
    Extension(ids): Extension<NewIds>,
    JsonObject(object): JsonObject,
) -> Result<Json<BulkAnswer>, Problem> {
    let operations = bulk::operations(object)?;
    rate_limit::charge_parts(&identity.user.id, operations.len() as u32).await?;
    Ok(Json(bulk::run(&identity.open().await?, operations, &ids).await))
}

pub(super) async fn read(identity: Identity, PathText(id): PathText) -> Result<Response, Problem> {
    let id = task_id(&id)?;
    let task = service::read(&identity.open().await?, id).await?;
    Ok(answer(StatusCode::OK, &task))
}

pub(super) async fn patch(
    identity: Identity,
    PathText(id): PathText,
    conditions: Conditions,
    JsonObject(object): JsonObject,
) -> Result<Response, Problem> {
    let (id, patch) = (task_id(&id)?, body::task_patch(object));
    let task = service::patch(&identity.open().await?, id, &conditions, &patch).await?;
    Ok(answer(StatusCode::OK, &task))
}

pub(super) async fn complete(
    identity: Identity,
    PathText(id): PathText,
    conditions: Conditions,
) -> Result<Response, Problem> {
    let id = task_id(&id)?;
    let task = service::complete(&identity.open().await?, id, &conditions).await?;
    Ok(answer(StatusCode::OK, &task))
}

pub(super) async fn reopen(
    identity: Identity,
    PathText(id): PathText,
    conditions: Conditions,
) -> Result<Response, Problem> {
    let id = task_id(&id)?;
    let task = service::reopen(&identity.open().await?, id, &conditions).await?;
    Ok(answer(StatusCode::OK, &task))
}

pub(super) async fn move_due(
    identity: Identity,
    PathText(id): PathText,
    conditions: Conditions,
    JsonObject(object): JsonObject,
) -> Result<Response, Problem> {
    let (id, to) = (task_id(&id)?, body::move_due(object));
    let task = service::move_due(&identity.open().await?, id, &conditions, &to).await?;
    Ok(answer(StatusCode::OK, &task))
}

/// The ids of a task and of a tag.
fn ids(PathTexts(task, tag): &PathTexts) -> Result<(TaskId, TagId), Problem> {
    Ok((task_id(task)?, path_id(tag, Thing::Tag)?))
}

pub(super) async fn attach_tag(
    identity: Identity,
    path: PathTexts,
    conditions: Conditions,
) -> Result<Response, Problem> {
    let (id, tag) = ids(&path)?;
    let task = service::attach_tag(&identity.open().await?, id, tag, &conditions).await?;
    Ok(answer(StatusCode::OK, &task))
}

pub(super) async fn detach_tag(
    identity: Identity,
    path: PathTexts,
    conditions: Conditions,
) -> Result<Response, Problem> {
    let (id, tag) = ids(&path)?;
    let task = service::detach_tag(&identity.open().await?, id, tag, &conditions).await?;
    Ok(answer(StatusCode::OK, &task))
}

pub(super) async fn delete(
    identity: Identity,
    PathText(id): PathText,
    conditions: Conditions,
    Pairs(pairs): Pairs,
) -> Result<StatusCode, Problem> {
    let parameters = Query::new(pairs, &["scope"])?;
    let scope = query::scope(parameters.text("scope"))?;
    let id = task_id(&id)?;
    service::delete(&identity.open().await?, id, &conditions, scope).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which versions of which task are asked for: its id, the version before the first one, and how many at most.
fn versions(id: &str, pairs: Vec<(String, String)>) -> Result<(TaskId, u32, u32), Problem> {
    let query = Query::new(pairs, &["limit", "cursor"])?;
    let limit = query::limit(&query, HISTORY_LIMIT, MAX_LIMIT)?;
    let after = query
        .text("cursor")
        .map_or(Ok(0), |text| text.parse().map_err(|_| invalid_cursor()))?;
    Ok((task_id(id)?, after, limit))
}

/// A page of versions, which is there and has items.
fn page_of<T>(page: Option<Page<T>>) -> Result<Json<Page<T>>, Problem> {
    let page = page.ok_or_else(|| Problem::not_found(Thing::Task.name()))?;
    if page.items.is_empty() {
        // A cursor is given out only where there is more, and a history only grows.
        return Err(invalid_cursor());
    }
    Ok(Json(page))
}

pub(super) async fn history(
    identity: Identity,
    PathText(id): PathText,
    Pairs(pairs): Pairs,
) -> Result<Json<Page<ChangeItem>>, Problem> {
    let (id, after, limit) = versions(&id, pairs)?;
    let caller = identity.open().await?;
    page_of(feed::history(&caller.database, &caller.user.id, id, after, limit).await?)
}

pub(super) async fn trail(
    identity: Identity,
    PathText(id): PathText,
    Pairs(pairs): Pairs,
) -> Result<Json<Page<TrailItem>>, Problem> {
    let (id, after, limit) = versions(&id, pairs)?;
    let caller = identity.open().await?;
    page_of(trail::page(&caller.database, &caller.user.id, id, after, limit).await?)
}

pub(super) async fn list(
    identity: Identity,
    Pairs(pairs): Pairs,
) -> Result<Json<Page<contract::Task>>, Problem> {
    let wanted = query::list_tasks(pairs)?;
    if wanted.text.is_some() {
        rate_limit::charge_rest(&identity.user.id, search::COST).await?;
    }
    let (_, page) = service::list(&identity.open().await?, &wanted, Timestamp::now()).await?;
    Ok(Json(page))
}
