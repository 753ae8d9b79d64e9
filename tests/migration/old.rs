//! The old application: `old_app.py`, a process of its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use http::Method;
use nudge_test_kit::http::Call;
use serde_json::{Value, json};

/// The Python that has aiokafka.
pub(crate) fn python() -> Result<PathBuf> {
    let folder = test_dapr::cache()?.join("aiokafka-0.14.0");
    ensure!(
        folder.join("ready").is_file(),
        "there is no aiokafka 0.14.0 in {}: run scripts/get-aiokafka.sh",
        folder.display()
    );
    Ok(folder.join("bin/python"))
}

/// A consumer group of the old application, and its topics.
pub(crate) const GROUPS: [(&str, &[&str]); 4] = [
    ("notification-service", &["task-events"]),
    ("recurring-task-service", &["task-recurrence"]),
    ("audit", &["task-events", "task-recurrence", "task-reminders"]),
    (
        "nudge-apply",
        &["task-events", "task-recurrence", "task-reminders"],
    ),
];

/// The running application. It ends when it is dropped.
pub(crate) struct OldApp {
    child: Child,
    address: SocketAddr,
}

impl OldApp {
    pub(crate) fn start(kafka: SocketAddr, postgres: &str) -> Result<Self> {
        let mut child = Command::new(python()?)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/migration/old_app.py"))
            .args([&kafka.to_string(), postgres])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let out = child.stdout.take().context("no output")?;
        BufReader::new(out).read_line(&mut line)?;
        let port: u16 = line
            .trim()
            .strip_prefix("ready ")
            .context("the old application does not start")?
            .parse()?;
        Ok(Self {
            child,
            address: ([127, 0, 0, 1], port).into(),
        })
    }

    /// Sends a request; returns status and body.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let answer = Call::new(self.address, method, path)
            .json(body)
            .send()
            .await
            .expect("the old application answers");
        (answer.status.as_u16(), answer.json().unwrap_or_default())
    }

    async fn done(&self, method: Method, path: &str, body: &Value) -> Value {
        let (status, answer) = self.ask(method, path, body).await;
        assert!(status < 300, "{path}: {status} {answer}");
        answer
    }

    pub(crate) async fn start_group(&self, group: &str) {
        let (_, topics) = GROUPS.iter().find(|(name, _)| *name == group).expect("a group");
        self.done(
            Method::POST,
            &format!("/groups/{group}"),
            &json!({ "topics": topics }),
        )
        .await;
    }

    /// Stops it once it has processed and committed the messages that it received.
    pub(crate) async fn stop_group(&self, group: &str) {
        self.done(Method::DELETE, &format!("/groups/{group}"), &Value::Null)
            .await;
    }

    /// Committed offset and end of each partition of a group.
    pub(crate) async fn offsets(&self, group: &str) -> Vec<(i64, i64)> {
        let answer = self
            .done(Method::GET, &format!("/groups/{group}"), &Value::Null)
            .await;
        let places = answer.as_object().expect("offsets").values();
        places
            .map(|pair| {
                (
                    pair[0].as_i64().expect("an offset"),
                    pair[1].as_i64().expect("an end"),
                )
            })
            .collect()
    }

    /// Every message of a topic.
    pub(crate) async fn messages(&self, topic: &str) -> Vec<String> {
        let answer = self
            .done(Method::GET, &format!("/topics/{topic}"), &Value::Null)
            .await;
        serde_json::from_value(answer).expect("texts")
    }

    /// Writes a message that is not an event.
    pub(crate) async fn write_raw(&self, topic: &str, text: &str) {
        self.done(Method::POST, &format!("/raw/{topic}"), &json!({ "text": text }))
            .await;
    }
}

impl Drop for OldApp {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
