//! `/api/v1/tasks`.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query as AxumQuery};
use axum::response::{IntoResponse, Response};
use http::header::{ETAG, LOCATION};
use http::{HeaderMap, StatusCode};
use nudge_component::Problem;
use nudge_component::serve::PathText;
use nudge_component::trace::Traceparent;
use nudge_contract::task::Task;
use serde::Serialize;

use crate::auth::User;
use crate::cursor::Cursor;
use crate::db::Database;
use crate::input::{JsonObject, Query, etag, if_match, path_id};
use crate::record::TaskRecord;
use crate::service;
use crate::store::{self, StatusFilter};

/// Items of a page when the caller does not say.
const DEFAULT_LIMIT: u32 = 50;
/// Most items of a page.
const MAX_LIMIT: u32 = 100;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    items: Vec<Task>,
    next_cursor: Option<String>,
}

/// A task with its entity tag.
fn answer(status: StatusCode, task: &TaskRecord) -> Response {
    (status, [(ETAG, etag(task.version))], Json(task.view())).into_response()
}

pub(super) async fn create(
    user: User,
    Extension(trace): Extension<Traceparent>,
    JsonObject(body): JsonObject,
) -> Result<Response, Problem> {
    let task = service::create(&user, body, &trace).await?;
    let location = format!("/api/v1/tasks/{}", task.id);
    Ok(([(LOCATION, location)], answer(StatusCode::CREATED, &task)).into_response())
}

pub(super) async fn read(user: User, PathText(id): PathText) -> Result<Response, Problem> {
    let task = service::read(&user, path_id(&id, "task")?).await?;
    Ok(answer(StatusCode::OK, &task))
}

pub(super) async fn patch(
    user: User,
    PathText(id): PathText,
    Extension(trace): Extension<Traceparent>,
    headers: HeaderMap,
    JsonObject(body): JsonObject,
) -> Result<Response, Problem> {
    let task = service::patch(&user, path_id(&id, "task")?, &if_match(&headers)?, &body, &trace).await?;
    Ok(answer(StatusCode::OK, &task))
}

pub(super) async fn complete(
    user: User,
    PathText(id): PathText,
    Extension(trace): Extension<Traceparent>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let task = service::complete(&user, path_id(&id, "task")?, &if_match(&headers)?, &trace).await?;
    Ok(answer(StatusCode::OK, &task))
}

pub(super) async fn delete(
    user: User,
    PathText(id): PathText,
    Extension(trace): Extension<Traceparent>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    service::delete(&user, path_id(&id, "task")?, &if_match(&headers)?, &trace).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn list(
    user: User,
    query: Result<AxumQuery<Vec<(String, String)>>, QueryRejection>,
) -> Result<Response, Problem> {
    let AxumQuery(pairs) =
        query.map_err(|error| Problem::new(StatusCode::BAD_REQUEST, "invalid_query", error.body_text()))?;
    let query = Query::new(pairs, &["limit", "cursor", "status"])?;
    let limit = match query.text("limit").map(str::parse::<u32>) {
        None => DEFAULT_LIMIT,
        Some(Ok(limit)) if (1..=MAX_LIMIT).contains(&limit) => limit,
        Some(_) => {
            return Err(Problem::field(
                "limit",
                "invalid_limit",
                format!("give a whole number from 1 to {MAX_LIMIT}"),
            ));
        }
    };
    let filter = match query.text("status") {
        None | Some("all") => StatusFilter::All,
        Some("pending") => StatusFilter::Pending,
        Some("completed") => StatusFilter::Completed,
        Some(_) => {
            return Err(Problem::field(
                "status",
                "invalid_status",
                "use pending, completed or all",
            ));
        }
    };
    let after: Option<Cursor> = query
        .text("cursor")
        .map(|text| {
            text.parse().map_err(|()| {
                Problem::field(
                    "cursor",
                    "invalid_cursor",
                    "give the nextCursor of the page before, or none",
                )
            })
        })
        .transpose()?;
    let database = Database::open().await?;
    // One more than asked for tells whether there is a next page.
    let mut tasks = store::list(&database, user.id.as_str(), filter, after, limit + 1).await?;
    let more = tasks.len() > limit as usize;
    tasks.truncate(limit as usize);
    let last = tasks.last().filter(|_| more);
    let next_cursor = last.map(|task| {
        Cursor {
            created_at: task.created_at.as_millisecond(),
            id: task.id,
        }
        .to_string()
    });
    Ok(Json(Page {
        items: tasks.iter().map(TaskRecord::view).collect(),
        next_cursor,
    })
    .into_response())
}
