//! `/api/v1/tasks`.

use axum::extract::Extension;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{ETAG, LOCATION};
use jiff::Timestamp;
use nudge_component::Problem;
use nudge_component::serve::{Json, PathText, PathTexts};
use nudge_component::trace::Traceparent;
use nudge_contract::api::{BulkAnswer, ChangeItem, Page};
use nudge_contract::task::Task;

use crate::auth::User;
use crate::db::Database;
use crate::events::feed;
use crate::guard::idempotency::NewIds;
use crate::input::conditions::{Conditions, etag};
use crate::input::fields::{JsonObject, Pairs, Query, invalid_cursor, path_id};
use crate::tasks::bulk;
use crate::tasks::list::query;
use crate::tasks::record::TaskRecord;
use crate::tasks::service::{self, Scope};

/// A task with its entity tag.
fn answer(status: StatusCode, task: &TaskRecord) -> Response {
    (status, [(ETAG, etag(task.version))], Json(task.view())).into_response()
}

pub(super) async fn create(
    user: User,
    Extension(trace): Extension<Traceparent>,
    Extension(ids): Extension<NewIds>,
    JsonObject(body): JsonObject,
) -> Result<Response, Problem> {
    let task = service::create_as(&user, &ids, 0, body, &trace).await?;
    let location = format!("/api/v1/tasks/{}", task.id);
    Ok(([(LOCATION, location)], answer(StatusCode::CREATED, &task)).into_response())
}

pub(super) async fn bulk(
    user: User,
    Extension(trace): Extension<Traceparent>,
    Extension(ids): Extension<NewIds>,
    JsonObject(body): JsonObject,
) -> Result<Json<BulkAnswer>, Problem> {
    bulk::run(&user, body, &ids, &trace).await.map(Json)
}

pub(super) async fn read(user: User, PathText(id): PathText) -> Result<Response, Problem> {
    let task = service::read(&user, path_id(&id, "task")?).await?;
    Ok(answer(StatusCode::OK, &task))
}

pub(super) async fn patch(
    user: User,
    PathText(id): PathText,
    Extension(trace): Extension<Traceparent>,
    conditions: Conditions,
    JsonObject(body): JsonObject,
) -> Result<Response, Problem> {
    let task = service::patch(&user, path_id(&id, "task")?, &conditions, &body, &trace).await?;
    Ok(answer(StatusCode::OK, &task))
}

pub(super) async fn complete(
    user: User,
    PathText(id): PathText,
    Extension(trace): Extension<Traceparent>,
    conditions: Conditions,
) -> Result<Response, Problem> {
    let task = service::complete(&user, path_id(&id, "task")?, &conditions, &trace).await?;
    Ok(answer(StatusCode::OK, &task))
}

pub(super) async fn reopen(
    user: User,
    PathText(id): PathText,
    Extension(trace): Extension<Traceparent>,
    conditions: Conditions,
) -> Result<Response, Problem> {
    let task = service::reopen(&user, path_id(&id, "task")?, &conditions, &trace).await?;
    Ok(answer(StatusCode::OK, &task))
}

pub(super) async fn move_due(
    user: User,
    PathText(id): PathText,
    Extension(trace): Extension<Traceparent>,
    conditions: Conditions,
    JsonObject(body): JsonObject,
) -> Result<Response, Problem> {
    let task = service::move_due(&user, path_id(&id, "task")?, &conditions, &body, &trace).await?;
    Ok(answer(StatusCode::OK, &task))
}

pub(super) async fn attach_tag(
    user: User,
    path: PathTexts,
    Extension(trace): Extension<Traceparent>,
    conditions: Conditions,
) -> Result<Response, Problem> {
    tag(&user, path, true, &conditions, &trace).await
}

pub(super) async fn detach_tag(
    user: User,
    path: PathTexts,
    Extension(trace): Extension<Traceparent>,
    conditions: Conditions,
) -> Result<Response, Problem> {
    tag(&user, path, false, &conditions, &trace).await
}

async fn tag(
    user: &User,
    PathTexts(id, tag): PathTexts,
    wear: bool,
    conditions: &Conditions,
    trace: &Traceparent,
) -> Result<Response, Problem> {
    let (id, tag) = (path_id(&id, "task")?, path_id(&tag, "tag")?);
    let task = service::tag(user, id, tag, wear, conditions, trace).await?;
    Ok(answer(StatusCode::OK, &task))
}

pub(super) async fn delete(
    user: User,
    PathText(id): PathText,
    Extension(trace): Extension<Traceparent>,
    conditions: Conditions,
    Pairs(pairs): Pairs,
) -> Result<StatusCode, Problem> {
    let query = Query::new(pairs, &["scope"])?;
    let scope = query
        .text("scope")
        .map_or(Ok(Scope::default()), |text| text.parse())?;
    service::delete(&user, path_id(&id, "task")?, &conditions, scope, &trace).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn history(
    user: User,
    PathText(id): PathText,
    Pairs(pairs): Pairs,
) -> Result<Json<Page<ChangeItem>>, Problem> {
    let query = Query::new(pairs, &["limit", "cursor"])?;
    let limit = query::limit(&query, 50, query::MAX_LIMIT)?;
    let after = query
        .text("cursor")
        .map_or(Ok(0), |text| text.parse().map_err(|_| invalid_cursor()))?;
    let database = Database::open().await?;
    feed::history(&database, user.id.as_str(), path_id(&id, "task")?, after, limit)
        .await
        .map(Json)
}

pub(super) async fn list(user: User, Pairs(pairs): Pairs) -> Result<Json<Page<Task>>, Problem> {
    let (_, page) = service::list_by(&user, pairs, Timestamp::now()).await?;
    Ok(Json(page))
}
