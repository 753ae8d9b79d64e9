//! Delivery: one message in flight per partition of a subscription.
//!
//! | the app answers | with dead-letter topic | without |
//! | --- | --- | --- |
//! | 2xx without a status, or `SUCCESS` | done | done |
//! | `RETRY`, an unknown status, 3xx to 5xx, no answer | dead-lettered after the inbound retry policy | redelivered every 5 s |
//! | `DROP` | dead-lettered | dropped |
//! | 404 | dropped | dropped |

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Request, StatusCode, header};
use bytes::Bytes;
use serde_json::{Map, Value};
use tokio::sync::Semaphore;

use super::broker::{Message, Stored, Topic};
use super::envelope::{self, CLOUD_EVENT};
use super::publish;
use crate::app::chain;
use crate::go_json::sorted;
use crate::policy::{Failed, Policy};
use crate::resources::Subscription;
use crate::sidecar::Sidecar;
use crate::store::millis;
use crate::trace;

/// How long Dapr's Kafka consumer waits before it delivers a failed message again.
pub(super) const REDELIVERY: Duration = Duration::from_secs(5);

/// The result of one delivery that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Done,
    /// The app rejects it; it goes to the dead-letter topic.
    Drop,
    /// The app has no such path. Dapr drops the event, also with a dead-letter topic.
    NotFound,
}

/// A subscription of one app, as its eight delivery tasks see it.
pub(crate) struct Delivery {
    pub(super) sidecar: Arc<Sidecar>,
    pub(super) subscription: Subscription,
    pub(super) topic: Topic,
    pub(super) policy: Policy,
}

impl Delivery {
    pub(crate) fn new(sidecar: Arc<Sidecar>, subscription: Subscription) -> Self {
        let topic = Topic {
            pubsub: subscription.pubsub.clone(),
            name: subscription.topic.clone(),
        };
        let policy = sidecar.inbound_policy(&subscription.pubsub);
        Self {
            sidecar,
            subscription,
            topic,
            policy,
        }
    }

    /// Delivers a partition, message by message, until the sidecar stops. A message in flight is finished.
    pub(crate) async fn run(&self, partition: u32) {
        let shared = &self.sidecar.shared;
        let app_id = &self.sidecar.app.app_id;
        loop {
            let next = async {
                let stored = shared.broker.next(app_id, &self.topic, partition).await;
                // Last, because the app may have become unhealthy during the wait for a message.
                self.sidecar.channel.ready().await;
                stored
            };
            let stored = tokio::select! {
                biased;
                () = shared.stopped() => return,
                stored = next => stored,
            };
            let finished = match stored {
                Ok(stored) => {
                    if !self.deliver(&stored).await {
                        return;
                    }
                    shared.broker.commit(app_id, &self.topic, &stored).await
                }
                Err(error) => Err(error),
            };
            if let Err(error) = finished {
                tracing::error!(
                    error = chain(&error),
                    topic = self.topic.name,
                    partition,
                    "delivery waits for the database"
                );
                shared.clock.sleep(REDELIVERY).await;
            }
        }
    }

    /// Runs an attempt by the inbound policy; `None` if the sidecar stopped before it ended.
    pub(super) async fn attempts<T, E, F: Future<Output = Result<T, E>>>(
        &self,
        mut attempt: impl FnMut() -> F,
    ) -> Option<Result<T, Failed<E>>> {
        let shared = &self.sidecar.shared;
        // Held during an attempt, so that stopping waits for that and not for the next one.
        let attempting = &Semaphore::new(1);
        let attempts = self.policy.run(&shared.clock, || {
            let attempt = attempt();
            async move {
                let _held = attempting.acquire().await;
                attempt.await
            }
        });
        let idle = async {
            shared.stopped().await;
            let _held = attempting.acquire().await;
        };
        tokio::select! {
            biased;
            result = attempts => Some(result),
            () = idle => None,
            () = shared.overdue() => None,
        }
    }

    /// Delivers one message until it is settled; `false` if the sidecar stopped before that.
    async fn deliver(&self, stored: &Stored) -> bool {
        let shared = &self.sidecar.shared;
        loop {
            let Some(result) = self.attempts(|| self.attempt(stored)).await else {
                return false;
            };
            let settled = match (result, &self.subscription.dead_letter) {
                (Ok(Outcome::Done | Outcome::NotFound), _) | (Ok(Outcome::Drop), None) => true,
                (Ok(Outcome::Drop) | Err(_), Some(dead_letter)) => {
                    self.dead_letter(&[stored], dead_letter).await
                }
                (Err(_), None) => false,
            };
            if settled {
                return true;
            }
            tokio::select! {
                () = async {
                    shared.clock.sleep(REDELIVERY).await;
                    self.sidecar.channel.ready().await;
                } => {}
                () = shared.stopped() => return false,
            }
        }
    }

    /// One delivery. An error can be retried.
    async fn attempt(&self, stored: &Stored) -> Result<Outcome, ()> {
        let app_id = &self.sidecar.app.app_id;
        let log = |why: &str| {
            tracing::warn!(
                app_id,
                topic = self.topic.name,
                position = stored.position,
                "delivery failed: {why}"
            );
        };
        let event = match self.event(stored) {
            Ok(event) => event,
            Err(error) => {
                log(&format!("the message is not a CloudEvent: {error}"));
                return Err(());
            }
        };
        if envelope::expired(&event, self.sidecar.shared.now()) {
            tracing::warn!(
                app_id,
                topic = self.topic.name,
                position = stored.position,
                "an expired event is dropped"
            );
            return Ok(Outcome::Done);
        }
        let Some(path) = self.subscription.routes.path(&event) else {
            tracing::warn!(
                app_id,
                topic = self.topic.name,
                "an event without a matching route is dropped"
            );
            return Ok(Outcome::Done);
        };
        let body = if self.subscription.raw {
            Bytes::from(sorted(&Value::Object(event.clone())).to_string())
        } else {
            Bytes::from(stored.body.clone())
        };
        let request = self
            .request(stored, path, &event, body)
            .map_err(|error| log(&error.to_string()))?;
        let answer = self
            .sidecar
            .channel
            .send(request)
            .await
            .map_err(|error| log(&chain(&error)))?;
        let outcome = outcome(answer.status(), answer.body()).map_err(|why| log(&why))?;
        if outcome == Outcome::NotFound {
            tracing::warn!(
                app_id,
                path,
                topic = self.topic.name,
                "the app answers 404: the event is dropped"
            );
        }
        Ok(outcome)
    }

    fn event(&self, stored: &Stored) -> Result<Map<String, Value>, serde_json::Error> {
        if self.subscription.raw {
            return Ok(envelope::wrap_raw(
                &self.topic.pubsub,
                &self.topic.name,
                &stored.body,
            ));
        }
        serde_json::from_slice(&stored.body)
    }

    fn request(
        &self,
        stored: &Stored,
        path: &str,
        event: &Map<String, Value>,
        body: Bytes,
    ) -> Result<Request<Bytes>, axum::http::Error> {
        let path = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("/{path}")
        };
        let mut request = Request::post(path).body(body)?;
        let headers = request.headers_mut();
        for (name, value) in self.metadata(stored) {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(&name), HeaderValue::try_from(&value)) {
                headers.insert(name, value);
            }
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CLOUD_EVENT));
        if let Ok(pubsub) = HeaderValue::try_from(&self.topic.pubsub) {
            headers.insert("pubsubname", pubsub);
        }
        let parent = event
            .get("traceparent")
            .and_then(Value::as_str)
            .and_then(trace::child);
        if let Some(parent) = parent.and_then(|parent| HeaderValue::try_from(parent).ok()) {
            headers.insert(trace::TRACEPARENT, parent);
        }
        Ok(request)
    }

    /// The metadata of a delivery: what Kafka adds, then what the message has. So a dead letter shows its
    /// original topic and position, as recorded.
    pub(super) fn metadata(&self, stored: &Stored) -> BTreeMap<String, String> {
        let mut metadata = BTreeMap::from([
            ("__offset".to_owned(), stored.position.to_string()),
            ("__partition".to_owned(), stored.partition.to_string()),
            ("__timestamp".to_owned(), millis(stored.published).to_string()),
            ("__topic".to_owned(), self.topic.name.clone()),
        ]);
        if let Some(key) = &stored.key {
            metadata.insert("__key".to_owned(), key.clone());
        }
        metadata.extend(stored.metadata.clone());
        metadata
    }

    /// Copies messages to the dead-letter topic, unchanged and without a reason; `false` if that failed.
    pub(super) async fn dead_letter(&self, messages: &[&Stored], dead_letter: &str) -> bool {
        let topic = Topic {
            pubsub: self.topic.pubsub.clone(),
            name: dead_letter.to_owned(),
        };
        // daprd publishes dead letters as the app.
        if let Err(problem) = publish::component(&self.sidecar, &topic.pubsub)
            .and_then(|topics| publish::allow(&self.sidecar, topics, &topic.pubsub, dead_letter))
        {
            let app_id = &self.sidecar.app.app_id;
            tracing::error!(app_id, "dead letters are refused: {}", problem.message());
            return false;
        }
        let copies = messages.iter().map(|stored| Message {
            metadata: self.metadata(stored),
            body: stored.body.clone(),
        });
        match self.sidecar.shared.broker.append(&topic, copies.collect()).await {
            Ok(()) => {
                tracing::warn!(
                    app_id = self.sidecar.app.app_id,
                    topic = self.topic.name,
                    dead_letter,
                    events = messages.len(),
                    "events were dead-lettered"
                );
                true
            }
            Err(error) => {
                tracing::error!(
                    error = chain(&error),
                    dead_letter,
                    "dead letters could not be stored"
                );
                false
            }
        }
    }
}

/// The meaning of the app's response; an error can be retried.
fn outcome(status: StatusCode, body: &[u8]) -> Result<Outcome, String> {
    if status == StatusCode::NOT_FOUND {
        return Ok(Outcome::NotFound);
    }
    if !status.is_success() {
        return Err(format!("the app answers {status}"));
    }
    // Without a status in the body, the event is done.
    let answer: Option<Value> = serde_json::from_slice(body).ok();
    match answer
        .as_ref()
        .and_then(|answer| answer.get("status"))
        .and_then(Value::as_str)
    {
        None | Some("" | "SUCCESS") => Ok(Outcome::Done),
        Some("DROP") => Ok(Outcome::Drop),
        Some("RETRY") => Err("the app asks for a retry".to_owned()),
        Some(other) => Err(format!("the app answers the unknown status {other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_answers_as_recorded() {
        let read = |status: u16, body: &str| {
            outcome(StatusCode::from_u16(status).expect("a status"), body.as_bytes()).ok()
        };
        assert_eq!(read(200, ""), Some(Outcome::Done));
        assert_eq!(read(204, ""), Some(Outcome::Done));
        assert_eq!(read(200, "thanks"), Some(Outcome::Done));
        assert_eq!(read(200, r#"{"status":"SUCCESS"}"#), Some(Outcome::Done));
        assert_eq!(read(200, r#"{"status":"DROP"}"#), Some(Outcome::Drop));
        assert_eq!(read(404, r#"{"status":"RETRY"}"#), Some(Outcome::NotFound));
        assert_eq!(read(200, r#"{"status":"RETRY"}"#), None);
        assert_eq!(read(200, r#"{"status":"BOGUS"}"#), None);
        assert_eq!((read(500, ""), read(302, ""), read(400, "")), (None, None, None));
    }
}
