//! An app of its own that subscribes to every topic. It records what the broker carries, and repeats some of it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use http::Method;
use jiff::Timestamp;
use nudge_contract::names::{component, topic};
use nudge_test_kit::http::Call;
use serde_json::{Value, json};
use test_app::Scripted;
use tokio::net::TcpListener;

use test_real::API_TOKEN;

/// Its app id.
pub(crate) const OBSERVER: &str = "observer";

/// How long a publication is waited for.
const IMPATIENCE: Duration = Duration::from_secs(1);

/// Subject of events that no consumer can handle.
pub(crate) const POISON: &str = "poison";

/// Topics that are repeated.
const REPEATED: [&str; 4] = [
    topic::TASK_EVENTS,
    topic::TASK_RECURRENCE,
    topic::TASK_REMINDERS,
    topic::REMINDER_OUTCOMES,
];

/// What a change of a task says about it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Version {
    pub(crate) task: String,
    pub(crate) version: u64,
    pub(crate) deleted: bool,
    pub(crate) at: Timestamp,
    pub(crate) reminders: Vec<Reminder>,
    /// All of it, to compare copies.
    data: Value,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reminder {
    pub(crate) id: String,
    pub(crate) at: Timestamp,
    pub(crate) status: String,
}

impl Reminder {
    pub(crate) fn read(reminder: &Value) -> Self {
        Self {
            id: text(reminder, "id"),
            at: instant(&reminder["remindAt"]),
            status: text(reminder, "status"),
        }
    }

    /// As a mail names it.
    pub(crate) fn reference(&self) -> String {
        format!("{} {}", self.id, self.at.as_second())
    }
}

pub(crate) fn text(value: &Value, field: &str) -> String {
    value[field].as_str().expect("a text").to_owned()
}

pub(crate) fn instant(value: &Value) -> Timestamp {
    value
        .as_str()
        .and_then(|text| text.parse().ok())
        .expect("an instant")
}

/// The app, and what it has learnt.
pub(crate) struct Observer {
    app: Scripted,
    pub(crate) listens: SocketAddr,
    pub(crate) sidecar: SocketAddr,
    /// Every task's versions, in the order in which each appeared first.
    pub(crate) versions: BTreeMap<String, Vec<Version>>,
    /// Deliveries of `task-events`, copies and all.
    pub(crate) deliveries: usize,
    /// Two events of one id that differ.
    pub(crate) contradictions: Vec<String>,
    /// Why events were rejected.
    pub(crate) dead: Vec<String>,
    /// Events to repeat, by topic.
    kept: Vec<(&'static str, Value)>,
}

impl Observer {
    pub(crate) async fn start(sidecar: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let listens = listener.local_addr().expect("bound");
        Self {
            app: Scripted::on(listener),
            listens,
            sidecar,
            versions: BTreeMap::new(),
            deliveries: 0,
            contradictions: Vec::new(),
            dead: Vec::new(),
            kept: Vec::new(),
        }
    }

    /// Writes its subscriptions into a folder of resources.
    pub(crate) fn subscribe(folder: &Path) {
        let mut yaml = String::new();
        for topic in REPEATED.into_iter().chain([topic::DEAD_LETTER]) {
            yaml += &format!(
                "---\napiVersion: dapr.io/v2alpha1\nkind: Subscription\nmetadata: {{name: observer-{topic}}}\nspec:\n  \
                 pubsubname: {}\n  topic: {topic}\n  routes: {{default: /{topic}}}\nscopes: [{OBSERVER}]\n",
                component::PUBSUB
            );
        }
        std::fs::create_dir_all(folder).expect("a folder");
        let yaml = yaml.trim_start_matches("---\n");
        std::fs::write(folder.join("observer.yaml"), yaml).expect("written");
    }

    /// Takes in what came since the last time.
    pub(crate) fn look(&mut self) {
        for topic in REPEATED {
            for seen in self.app.take(&format!("/{topic}")) {
                let event = seen.json();
                if event["subject"] == POISON {
                    continue;
                }
                if topic == topic::TASK_EVENTS {
                    self.note(&event);
                }
                self.kept.push((topic, event));
            }
        }
        // Enough to choose from.
        let surplus = self.kept.len().saturating_sub(2_000);
        self.kept.drain(..surplus);
        for seen in self.app.take(&format!("/{}", topic::DEAD_LETTER)) {
            // A consumer that refuses one twice says so twice.
            let data = &seen.json()["data"];
            self.dead.push(format!(
                "{} from {}: {}",
                data["event"], data["consumer"], data["reason"]
            ));
        }
    }

    fn note(&mut self, event: &Value) {
        self.deliveries += 1;
        let data = &event["data"];
        let task = &data["task"];
        let reminders = task["reminders"].as_array().expect("a list");
        let version = Version {
            task: text(task, "id"),
            version: task["version"].as_u64().expect("a number"),
            deleted: data["change"] == "deleted",
            at: instant(&task["updatedAt"]),
            reminders: reminders.iter().map(Reminder::read).collect(),
            data: data.clone(),
        };
        let id = text(event, "id");
        if id != format!("{}:{}", version.task, version.version) {
            self.contradictions
                .push(format!("the event {id} is of another version"));
        }
        let known = self.versions.entry(version.task.clone()).or_default();
        match known.iter().find(|known| known.version == version.version) {
            None => known.push(version),
            Some(first) if first.data == version.data => {}
            Some(first) => self
                .contradictions
                .push(format!("{id} is {} and {}", first.data, version.data)),
        }
    }

    /// Publishes events once more that came some time ago: copies for everybody, out of their order. How many were accepted.
    pub(crate) async fn repeat(&self, count: usize, random: &mut fastrand::Rng) -> usize {
        let mut accepted = 0;
        for _ in 0..count {
            // A sidecar that is down or frozen is not waited for: it has to be mended first.
            match random.choice(&self.kept) {
                Some((topic, event)) if self.publish(topic, event).await => accepted += 1,
                _ => break,
            }
        }
        accepted
    }

    /// Publishes an event that no consumer can handle, on every topic that has a consumer. How many were accepted.
    pub(crate) async fn poison(&self, number: u64) -> usize {
        let mut accepted = 0;
        for topic in REPEATED {
            let event = json!({
                "specversion": "1.0", "id": format!("{POISON}-{number}"), "source": OBSERVER, "subject": POISON,
                "type": "nudge.task.created.v1", "datacontenttype": "application/json", "data": { "task": number },
            });
            if !self.publish(topic, &event).await {
                break;
            }
            accepted += 1;
        }
        accepted
    }

    async fn publish(&self, topic: &str, event: &Value) -> bool {
        let pubsub = component::PUBSUB;
        let key = event["subject"].as_str().unwrap_or_default();
        let path = format!("/v1.0/publish/{pubsub}/{topic}?metadata.partitionKey={key}");
        let call = Call::new(self.sidecar, Method::POST, path)
            .header("dapr-api-token", API_TOKEN)
            .body("application/cloudevents+json", event.to_string());
        let answer = tokio::time::timeout(IMPATIENCE, call.send()).await;
        matches!(answer, Ok(Ok(answer)) if answer.status.is_success())
    }
}
