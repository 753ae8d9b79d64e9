//! Routes that preview: a line of quick add, the dates of a recurrence; and the trail of a task.

use nudge_contract::api::Page;
use nudge_domain::id::TaskId;
use serde_json::Value;

use super::tasks::{object, with_query};
use super::{Api, ApiError, Call, Occurrences, Parsed, TrailItem};

/// Another rule than that of the task.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Preview<'a> {
    /// A rule or a phrase.
    pub(crate) recurrence: Option<&'a str>,
    /// In the forms of `due`.
    pub(crate) due: Option<&'a str>,
}

impl Api {
    /// How the server understands a line of quick add.
    pub(crate) async fn parse(&self, text: &str, zone: Option<&str>) -> Result<Parsed, ApiError> {
        let body = object([("text", Some(text.into())), ("timeZone", zone.map(Value::from))]);
        // Without a key: nothing is stored, and a line is parsed with every pause of typing.
        self.read(Call::new("POST", "/api/v1/tasks/parse").json(&body))
            .await
    }

    /// The next dates of a task, or those it would have.
    pub(crate) async fn occurrences(
        &self,
        id: TaskId,
        limit: u32,
        preview: Option<Preview<'_>>,
    ) -> Result<Occurrences, ApiError> {
        let preview = preview.unwrap_or_default();
        let limit = limit.to_string();
        let parameters = [
            ("limit", Some(limit.as_str())),
            ("recurrence", preview.recurrence),
            ("due", preview.due),
        ];
        let path = format!("/api/v1/tasks/{id}/occurrences");
        self.read(Call::get(with_query(&path, &parameters))).await
    }

    /// What happened to a task, oldest first.
    pub(crate) async fn trail(&self, id: TaskId, cursor: Option<&str>) -> Result<Page<TrailItem>, ApiError> {
        let path = format!("/api/v1/tasks/{id}/trail");
        self.read(Call::get(with_query(&path, &[("cursor", cursor)])))
            .await
    }
}
