//! What needs the server's answer at once. The signals of the store are up to date when a method returns.

use std::sync::Arc;

use leptos::prelude::*;
use nudge_contract::api::Page;
use nudge_contract::task::Task;
use nudge_domain::id::TaskId;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{CompletedPages, Store};
use crate::api::{ApiError, Label, LabelKind, Me};
use crate::live::Message;

impl Store {
    /// Reads a task, also one that is completed, for a link that leads to it.
    pub(crate) async fn load_task(self, id: TaskId) -> Result<Arc<Task>, ApiError> {
        let id = self.real_id(id);
        let known = self.inner().borrow().model.snapshot().get(id).cloned();
        if let Some(task) = known {
            return Ok(task);
        }
        match self.api().task(id).await {
            Ok(task) => {
                self.inner().borrow_mut().model.read([task.clone()]);
                self.publish();
                Ok(Arc::new(task))
            }
            Err(ApiError::Refused(problem)) if problem.status == 404 => {
                self.inner().borrow_mut().model.missing(id);
                self.publish();
                Err(ApiError::Refused(problem))
            }
            Err(error) => Err(error),
        }
    }

    /// Reads the next page of completed tasks. Returns whether there are more.
    pub(crate) async fn load_completed(self) -> Result<bool, ApiError> {
        let cursor = match self.inner().borrow().completed.clone() {
            CompletedPages::First => None,
            CompletedPages::Next(cursor) => Some(cursor),
            CompletedPages::NoMore => return Ok(false),
        };
        let page = self.api().completed(cursor.as_deref()).await?;
        let more = page.next_cursor.is_some();
        let inner = self.inner();
        let mut guard = inner.borrow_mut();
        guard.completed = page
            .next_cursor
            .map_or(CompletedPages::NoMore, CompletedPages::Next);
        guard.model.read(page.items);
        drop(guard);
        self.publish();
        Ok(more)
    }

    /// The server's search, with completed tasks, in the order of the server.
    pub(crate) async fn search(self, text: &str, cursor: Option<&str>) -> Result<Page<Task>, ApiError> {
        let page = self.api().search(text, cursor).await?;
        self.inner().borrow_mut().model.read(page.items.clone());
        self.publish();
        Ok(page)
    }

    pub(crate) async fn create_label(
        self,
        kind: LabelKind,
        name: &str,
        color: Option<&str>,
    ) -> Result<Label, ApiError> {
        let label = self.api().create_label(kind, name, color).await?;
        self.put_label(kind, label.clone());
        Ok(label)
    }

    pub(crate) async fn patch_label(
        self,
        kind: LabelKind,
        id: Uuid,
        name: Option<&str>,
        color: Option<&str>,
    ) -> Result<Label, ApiError> {
        let label = self.api().patch_label(kind, id, name, color).await?;
        self.put_label(kind, label.clone());
        Ok(label)
    }

    /// Deletes a category or a tag; its tasks stay, without it.
    pub(crate) async fn delete_label(self, kind: LabelKind, id: Uuid) -> Result<(), ApiError> {
        self.api().delete_label(kind, id).await?;
        self.labels(kind)
            .update(|labels| Arc::make_mut(labels).retain(|label| label.id != id));
        crate::live::tell(self, &Message::Labels);
        Ok(())
    }

    fn put_label(self, kind: LabelKind, label: Label) {
        self.labels(kind).update(|labels| {
            let labels = Arc::make_mut(labels);
            labels.retain(|other| other.id != label.id);
            labels.push(label);
            let mut sorted: Vec<(String, Label)> = Vec::new();
            for label in labels.drain(..) {
                let name = label.name.to_lowercase();
                let place = sorted.partition_point(|(other, _)| *other <= name);
                sorted.insert(place, (name, label));
            }
            labels.extend(sorted.into_iter().map(|(_, label)| label));
        });
        crate::live::tell(self, &Message::Labels);
    }

    /// Reads categories and tags again.
    pub(crate) async fn reload_labels(self) -> Result<(), ApiError> {
        for kind in [LabelKind::Category, LabelKind::Tag] {
            let labels = self.api().labels(kind).await?;
            super::set_if_new(self.labels(kind), Arc::new(labels));
        }
        Ok(())
    }

    /// Changes the profile. If it was changed elsewhere meanwhile, it is read again and the error is that of the API (412).
    pub(crate) async fn patch_me(self, patch: Map<String, Value>) -> Result<Arc<Me>, ApiError> {
        let tag = self.inner().borrow().me_tag.clone();
        match self.api().patch_me(&patch, tag).await {
            Ok(answer) => Ok(self.put_me(answer)),
            Err(error) => {
                if matches!(&error, ApiError::Refused(problem) if problem.status == 412) {
                    self.reload_me().await?;
                }
                Err(error)
            }
        }
    }

    /// Reads the profile again.
    pub(crate) async fn reload_me(self) -> Result<Arc<Me>, ApiError> {
        let answer = self.api().me().await?;
        Ok(self.put_me(answer))
    }

    fn put_me(self, (me, tag): (Me, Option<String>)) -> Arc<Me> {
        let me = Arc::new(me);
        self.inner().borrow_mut().me_tag = tag;
        super::set_if_new(self.me, Some(me.clone()));
        me
    }
}
