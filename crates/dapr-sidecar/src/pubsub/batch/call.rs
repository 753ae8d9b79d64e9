//! One call of the app with entries of a batch.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use axum::http::{HeaderValue, Request, header};
use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::super::broker::Stored;
use super::super::deliver::Delivery;
use super::super::statuses::{self, Response, Status};
use super::entry::Entry;
use super::results::Results;
use crate::app::chain;
use crate::trace;

/// The `type` of every bulk envelope.
const BULK_TYPE: &str = "com.dapr.event.sent.bulk";

/// The body, with its members in the order of their names, as Go writes a map.
#[derive(Serialize)]
struct Envelope<'c> {
    entries: Vec<Item<'c>>,
    id: &'c str,
    metadata: BTreeMap<&'static str, &'c str>,
    pubsubname: &'c str,
    topic: &'c str,
    r#type: &'static str,
}

/// An entry of the body, in the order of Dapr's struct.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Item<'c> {
    entry_id: String,
    event: &'c Value,
    metadata: BTreeMap<String, String>,
    content_type: &'static str,
}

/// How an attempt ended that is not retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Completed {
    Answered,
    /// daprd would have crashed.
    Crashed,
}

/// The calls with the entries of one path: the first, and those that the policy makes again.
pub(super) struct Call<'c> {
    delivery: &'c Delivery,
    path: &'c str,
    entries: &'c [Entry<'c>],
    /// The same for every attempt.
    id: String,
    /// The indices in the batch of the entries that the next attempt sends.
    pending: Mutex<Vec<usize>>,
    results: &'c Results,
}

impl<'c> Call<'c> {
    pub(super) fn new(
        delivery: &'c Delivery,
        path: &'c str,
        entries: &'c [Entry<'c>],
        indices: Vec<usize>,
        results: &'c Results,
    ) -> Self {
        Self {
            delivery,
            path,
            entries,
            id: Uuid::new_v4().to_string(),
            pending: Mutex::new(indices),
            results,
        }
    }

    /// One attempt, after which only the entries that failed are pending. An error can be retried. An attempt that is cancelled
    /// changes nothing.
    pub(super) async fn attempt(&self) -> Result<Completed, String> {
        let pending = self.pending().clone();
        let answer = match self.request(&pending) {
            Ok(request) => self.delivery.sidecar.channel.send(request).await,
            Err(why) => return Err(self.all_failed(&pending, why)),
        };
        let read = match answer {
            Ok(answer) => statuses::read(answer.status(), answer.body()),
            Err(error) => Err(chain(&error)),
        };
        let completed = match read {
            Ok(Response::Statuses(statuses)) => self.apply(&pending, statuses).await,
            Ok(Response::NotFound) => {
                let (app_id, topic) = (&self.delivery.sidecar.app.app_id, &self.delivery.topic.name);
                tracing::error!(
                    app_id,
                    topic,
                    path = self.path,
                    "the app answers 404: a batch is dropped"
                );
                for index in pending {
                    self.results.set(index, false);
                }
                Ok(Completed::Answered)
            }
            Err(why) => Err(self.all_failed(&pending, why)),
        };
        self.pending().retain(|index| self.results.failed(*index));
        completed
    }

    fn pending(&self) -> std::sync::MutexGuard<'_, Vec<usize>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn all_failed(&self, pending: &[usize], why: String) -> String {
        for index in pending {
            self.results.set(*index, true);
        }
        why
    }

    fn request(&self, pending: &[usize]) -> Result<Request<Bytes>, String> {
        let topic = &self.delivery.topic;
        let mut items = Vec::with_capacity(pending.len());
        let mut last_parent = None;
        for index in pending {
            if let Some(Entry::Deliverable {
                stored,
                event,
                content_type,
                parent,
                ..
            }) = self.entries.get(*index)
            {
                items.push(Item {
                    entry_id: index.to_string(),
                    event,
                    metadata: self.delivery.metadata(stored),
                    content_type,
                });
                last_parent = parent.as_deref().or(last_parent);
            }
        }
        let body = serde_json::to_vec(&Envelope {
            entries: items,
            id: &self.id,
            metadata: BTreeMap::from([("pubsubName", topic.pubsub.as_str())]),
            pubsubname: &topic.pubsub,
            topic: &topic.name,
            r#type: BULK_TYPE,
        });
        let body = Bytes::from(body.map_err(|error| error.to_string())?);
        let slash = if self.path.starts_with('/') { "" } else { "/" };
        let request = Request::post(format!("{slash}{}", self.path)).body(body);
        let mut request = request.map_err(|error| error.to_string())?;
        let headers = request.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Ok(pubsub) = HeaderValue::try_from(&topic.pubsub) {
            headers.insert("pubsubname", pubsub);
        }
        let parent = last_parent.and_then(trace::child);
        if let Some(parent) = parent.and_then(|parent| HeaderValue::try_from(parent).ok()) {
            headers.insert(trace::TRACEPARENT, parent);
        }
        Ok(request)
    }

    /// Applies the statuses to all entries of the batch that they name, also to those of other paths.
    async fn apply(&self, pending: &[usize], statuses: Vec<(String, Status)>) -> Result<Completed, String> {
        let mut missing: Vec<usize> = pending.to_vec();
        let mut retry = 0;
        let mut results = Vec::new();
        for (id, status) in statuses {
            let known = id
                .parse()
                .ok()
                .filter(|index: &usize| index.to_string() == id && *index < self.entries.len());
            let Some(index) = known else {
                tracing::warn!(
                    topic = self.delivery.topic.name,
                    id,
                    "the app answers for an unknown entry"
                );
                continue;
            };
            missing.retain(|other| *other != index);
            if status == Status::Retry {
                retry += 1;
            }
            if status == Status::Drop && self.drop(pending, index).await == Completed::Crashed {
                return Ok(Completed::Crashed);
            }
            results.push((index, status == Status::Retry));
        }
        let (unanswered, failed) = (missing.len(), retry + missing.len());
        results.extend(missing.into_iter().map(|index| (index, true)));
        for (index, failed) in results {
            self.results.set(index, failed);
        }
        if failed > 0 {
            return Err(format!(
                "the app asks to retry {retry} entries and does not mention {unanswered}"
            ));
        }
        Ok(Completed::Answered)
    }

    /// Drops an entry. With a dead-letter topic this does exactly what daprd 1.16.0 does, because any milder behaviour would hide its
    /// defect until production: it applies the index of the entry in the batch to the list of those that it sent. If that list is
    /// shorter, since a part of the batch went elsewhere or is done, another event is dead-lettered and this one is lost, or daprd
    /// crashes. Here a crash is a failed delivery of the whole batch, with nothing committed.
    async fn drop(&self, sent: &[usize], index: usize) -> Completed {
        let Delivery {
            subscription, topic, ..
        } = self.delivery;
        let app_id = &self.delivery.sidecar.app.app_id;
        let Some(dead_letter) = &subscription.dead_letter else {
            tracing::warn!(app_id, topic = topic.name, "the app drops an event");
            return Completed::Answered;
        };
        let victim = sent.get(index).copied();
        if victim != Some(index) {
            let effect = if victim.is_some() {
                "dead-letters another event and loses this one"
            } else {
                "crashes"
            };
            tracing::error!(
                app_id,
                topic = topic.name,
                "DROP in a bulk subscription with a dead-letter topic: daprd {effect} here. Publish the dead letter yourself and answer \
                 SUCCESS"
            );
        }
        let Some(stored) = victim.and_then(|victim| self.stored(victim)) else {
            return Completed::Crashed;
        };
        self.delivery.dead_letter(&[stored], dead_letter).await;
        Completed::Answered
    }

    fn stored(&self, index: usize) -> Option<&'c Stored> {
        match self.entries.get(index) {
            Some(Entry::Deliverable { stored, .. }) => Some(stored),
            _ => None,
        }
    }
}
