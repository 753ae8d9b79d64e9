//! `/api/v1/me`.

use axum::extract::Extension;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, body::Body};
use http::StatusCode;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, ETAG};
use jiff::Timestamp;
use nudge_component::Problem;
use nudge_component::serve::Json;
use nudge_component::trace::Traceparent;

use crate::account::erasure;
use crate::account::export;
use crate::auth::User;
use crate::db::Database;
use crate::input::conditions::{Conditions, etag};
use crate::input::fields::JsonObject;
use crate::profile::{self, Person};

pub(super) fn router() -> Router {
    Router::new()
        .route("/api/v1/me", get(read).patch(patch).delete(delete))
        .route("/api/v1/me/export", get(everything))
}

fn answer(person: &Person) -> Response {
    ([(ETAG, etag(person.version))], Json(person.view())).into_response()
}

async fn read(user: User) -> Result<Response, Problem> {
    let person = profile::remember(&Database::open().await?, &user, Timestamp::now()).await?;
    Ok(answer(&person))
}

async fn patch(
    user: User,
    conditions: Conditions,
    JsonObject(body): JsonObject,
) -> Result<Response, Problem> {
    Ok(answer(&profile::patch(&user, &conditions, &body).await?))
}

/// 202: it is noted, and goes on behind the answer.
async fn delete(
    user: User,
    conditions: Conditions,
    Extension(trace): Extension<Traceparent>,
) -> Result<StatusCode, Problem> {
    erasure::begin(&user, &conditions, &trace).await?;
    Ok(StatusCode::ACCEPTED)
}

async fn everything(user: User) -> Result<Response, Problem> {
    let body: Body = export::begin(&user).await?;
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CONTENT_DISPOSITION, "attachment; filename=\"nudge.json\""),
    ];
    Ok((headers, body).into_response())
}
