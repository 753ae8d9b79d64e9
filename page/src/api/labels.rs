//! Routes of categories and tags.

use nudge_contract::api::Page;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::tasks::{object, with_query};
use super::{Api, ApiError, Call, Label, LabelKind};

impl Api {
    /// All categories or tags, by name.
    pub(crate) async fn labels(&self, kind: LabelKind) -> Result<Vec<Label>, ApiError> {
        let mut labels = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let path = with_query(kind.path(), &[("cursor", cursor.as_deref())]);
            let page: Page<Label> = self.read(Call::get(path)).await?;
            labels.extend(page.items);
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok(labels);
            }
        }
    }

    pub(crate) async fn create_label(
        &self,
        kind: LabelKind,
        name: &str,
        color: Option<&str>,
    ) -> Result<Label, ApiError> {
        let call = Call::post(kind.path(), None);
        self.read(call.json(&label(Some(name), color))).await
    }

    pub(crate) async fn patch_label(
        &self,
        kind: LabelKind,
        id: Uuid,
        name: Option<&str>,
        color: Option<&str>,
    ) -> Result<Label, ApiError> {
        let call = Call::new("PATCH", format!("{}/{id}", kind.path()));
        self.read(call.json(&label(name, color))).await
    }

    pub(crate) async fn delete_label(&self, kind: LabelKind, id: Uuid) -> Result<(), ApiError> {
        self.send(Call::new("DELETE", format!("{}/{id}", kind.path())))
            .await?;
        Ok(())
    }
}

fn label(name: Option<&str>, color: Option<&str>) -> Map<String, Value> {
    object([("name", name.map(Value::from)), ("color", color.map(Value::from))])
}
