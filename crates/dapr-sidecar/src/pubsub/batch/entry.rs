//! Messages as entries of a batch.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::super::broker::Stored;
use super::super::deliver::Delivery;
use super::super::envelope::{self, CLOUD_EVENT};
use crate::go_json::{as_floats, sorted};

/// A message of a batch.
pub(super) enum Entry<'b> {
    /// It is not a JSON object, so the app never gets it.
    Unreadable,
    /// It has expired.
    Dropped,
    Deliverable {
        /// Where to deliver it.
        path: String,
        stored: &'b Stored,
        /// The event, or the Base64 text of a raw message.
        event: Value,
        content_type: &'static str,
        /// The event's trace context.
        parent: Option<String>,
    },
}

impl Delivery {
    /// Reads and routes a message. One that has expired or matches no route is dead-lettered, if there is a topic for it.
    pub(super) async fn entry<'b>(&self, stored: &'b Stored) -> Entry<'b> {
        let app_id = &self.sidecar.app.app_id;
        if self.subscription.raw {
            // A raw bulk subscription has no rules.
            let path = self.subscription.routes.path(&Map::new());
            return Entry::Deliverable {
                path: path.unwrap_or_default().to_owned(),
                stored,
                event: Value::String(STANDARD.encode(&stored.body)),
                content_type: "application/octet-stream",
                parent: None,
            };
        }
        let event: Map<String, Value> = match serde_json::from_slice(&stored.body) {
            Ok(event) => event,
            Err(error) => {
                tracing::error!(
                    app_id,
                    topic = self.topic.name,
                    position = stored.position,
                    %error,
                    "a message of a batch is not a CloudEvent"
                );
                return Entry::Unreadable;
            }
        };
        if envelope::expired(&event, self.sidecar.shared.now()) {
            self.skip(stored, "an expired event is dropped").await;
            return Entry::Dropped;
        }
        let path = self.subscription.routes.path(&event).map(str::to_owned);
        if path.is_none() {
            // daprd 1.16.0 then continues with the empty path.
            self.skip(stored, "an event without a matching route is sent to /")
                .await;
        }
        Entry::Deliverable {
            path: path.unwrap_or_default(),
            stored,
            parent: event
                .get("traceparent")
                .and_then(Value::as_str)
                .map(str::to_owned),
            // daprd reads the event into a map of Go and writes it again.
            event: as_floats(&sorted(&Value::Object(event))),
            content_type: CLOUD_EVENT,
        }
    }

    async fn skip(&self, stored: &Stored, why: &str) {
        tracing::warn!(
            app_id = self.sidecar.app.app_id,
            topic = self.topic.name,
            position = stored.position,
            "{why}"
        );
        if let Some(dead_letter) = &self.subscription.dead_letter {
            self.dead_letter(&[stored], dead_letter).await;
        }
    }
}
