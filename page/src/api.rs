//! Requests to the API.

use gloo_net::http::{Request, RequestBuilder, Response};
use nudge_contract::api::Page;
use nudge_contract::task::Task;
use serde::{Deserialize, Serialize};

use crate::sign_in::Account;

/// Why a request failed, in words for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure(pub(crate) String);

/// What the page reads of problem details (RFC 9457).
#[derive(Deserialize)]
struct Problem {
    title: Option<String>,
    detail: Option<String>,
}

/// Body of a new task.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewTask<'a> {
    pub(crate) title: &'a str,
}

/// The pending tasks, soonest first.
pub(crate) async fn pending(session: Account) -> Result<Vec<Task>, Failure> {
    let request = authorized(Request::get("/api/v1/tasks?status=pending&limit=100"), session).await;
    let page: Page<Task> = read(request.send().await).await?;
    Ok(page.items)
}

/// Creates a task.
pub(crate) async fn create(session: Account, task: &NewTask<'_>) -> Result<Task, Failure> {
    let request = authorized(Request::post("/api/v1/tasks"), session)
        .await
        .json(task)
        .map_err(|error| Failure(error.to_string()))?;
    read(request.send().await).await
}

async fn authorized(request: RequestBuilder, session: Account) -> RequestBuilder {
    match session.token().await {
        Some(token) => request.header("Authorization", &format!("Bearer {token}")),
        None => request,
    }
}

async fn read<T: for<'a> Deserialize<'a>>(response: Result<Response, gloo_net::Error>) -> Result<T, Failure> {
    let response = response.map_err(|_| Failure("Nudge cannot be reached".to_owned()))?;
    if response.ok() {
        return response.json().await.map_err(|error| Failure(error.to_string()));
    }
    let problem: Result<Problem, _> = response.json().await;
    let said = problem.ok().and_then(|problem| problem.detail.or(problem.title));
    Err(Failure(said.unwrap_or_else(|| {
        format!("Nudge answered {}", response.status())
    })))
}
