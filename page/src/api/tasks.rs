//! Routes of tasks, their reminders, their history, and the feed.

use nudge_contract::api::Page;
use nudge_contract::task::Task;
use nudge_domain::id::TaskId;
use nudge_page_model::feed::Items;
use nudge_page_model::{Answer, Call as Edit, Request};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Api, ApiError, Call};

/// Maximum number of tasks of one page.
const PAGE: u32 = 100;

fn of(id: TaskId) -> String {
    format!("/api/v1/tasks/{id}")
}

/// A path with parameters that have a value.
pub(super) fn with_query(path: &str, parameters: &[(&str, Option<&str>)]) -> String {
    let encode = |text: &str| String::from(js_sys::encode_uri_component(text));
    let given = parameters
        .iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", encode((*value)?))));
    let query: Vec<String> = given.collect();
    if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", query.join("&"))
    }
}

impl Api {
    /// A page of pending tasks, the first due first.
    pub(crate) async fn pending(&self, cursor: Option<&str>) -> Result<Page<Task>, ApiError> {
        self.tasks("pending", "due", cursor).await
    }

    /// A page of completed tasks, the last changed first.
    pub(crate) async fn completed(&self, cursor: Option<&str>) -> Result<Page<Task>, ApiError> {
        self.tasks("completed", "updated", cursor).await
    }

    async fn tasks(&self, status: &str, sort: &str, cursor: Option<&str>) -> Result<Page<Task>, ApiError> {
        let limit = PAGE.to_string();
        let parameters = [
            ("status", Some(status)),
            ("sort", Some(sort)),
            ("limit", Some(&limit)),
            ("cursor", cursor),
        ];
        self.read(Call::get(with_query("/api/v1/tasks", &parameters)))
            .await
    }

    pub(crate) async fn search(&self, text: &str, cursor: Option<&str>) -> Result<Page<Task>, ApiError> {
        let parameters = [("query", Some(text)), ("limit", Some("50")), ("cursor", cursor)];
        self.read(Call::get(with_query("/api/v1/tasks/search", &parameters)))
            .await
    }

    pub(crate) async fn task(&self, id: TaskId) -> Result<Task, ApiError> {
        self.read(Call::get(of(id))).await
    }

    /// The cursor to the end of the feed.
    pub(crate) async fn now(&self) -> Result<String, ApiError> {
        #[derive(Deserialize)]
        struct End {
            next: String,
        }
        let end: End = self.read(Call::get("/api/v1/changes?since=now")).await?;
        Ok(end.next)
    }

    /// The changes after a cursor.
    pub(crate) async fn changes(&self, since: &str) -> Result<Items, ApiError> {
        let parameters = [("since", Some(since)), ("limit", Some("500"))];
        self.read(Call::get(with_query("/api/v1/changes", &parameters)))
            .await
    }

    /// Makes the request of an edit.
    pub(crate) async fn edit(&self, request: &Request, closing: bool) -> Answer {
        let result = self.try_edit(request, closing).await;
        result.unwrap_or_else(|error| match error {
            ApiError::Offline | ApiError::TimedOut => Answer::Offline,
            ApiError::SignedOut => Answer::SignedOut,
            ApiError::Refused(problem) => Answer::from_problem(problem),
            ApiError::Unreadable(_) => Answer::Later {
                seconds: None,
                all: false,
                limited: true,
            },
        })
    }

    async fn try_edit(&self, request: &Request, closing: bool) -> Result<Answer, ApiError> {
        let post = |path: String| Call::post(path, Some(request.edit.to_string()));
        let call = match &request.call {
            Edit::Create { body } => post("/api/v1/tasks".to_owned()).json(body),
            Edit::Patch { id, version, body } => Call::new("PATCH", of(*id)).version(*version).json(body),
            Edit::Complete { id } => post(format!("{}/complete", of(*id))),
            Edit::Reopen { id } => post(format!("{}/reopen", of(*id))),
            Edit::Delete { id, version, scope } => {
                Call::new("DELETE", format!("{}?scope={}", of(*id), scope.as_str())).version(*version)
            }
            Edit::Snooze { id, reminder, until } => {
                post(format!("{}/reminders/{reminder}/snooze", of(*id))).json(&json!({ "until": until }))
            }
            Edit::Read { id } => return Ok(Answer::Current(Box::new(self.task(*id).await?))),
        };
        let answered = self.send(if closing { call.keepalive() } else { call }).await?;
        Ok(match &request.call {
            Edit::Delete { .. } => Answer::Done(None),
            // The answer is the reminder. If the task cannot be read now, the feed brings it.
            Edit::Snooze { id, .. } => Answer::Done(self.task(*id).await.ok().map(Box::new)),
            _ if answered.replayed => {
                let first: Box<Task> = answered.read()?;
                let now = match self.task(first.id).await {
                    Ok(task) => Some(Box::new(task)),
                    Err(ApiError::Refused(problem)) if problem.status == 404 => None,
                    Err(error) => return Err(error),
                };
                Answer::Replayed { first, now }
            }
            _ => Answer::Done(Some(answered.read()?)),
        })
    }
}

/// An object with these fields.
pub(super) fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Map<String, Value> {
    let mut object = Map::new();
    for (name, value) in fields {
        if let Some(value) = value {
            object.insert(name.to_owned(), value);
        }
    }
    object
}
