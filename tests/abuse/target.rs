//! The system under attack, on the system's clock, and its users.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::Result;
use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use mail_sink::{MailSink, emails_in};
use nudge::{DataDir, Email, System, SystemOptions, TokenRequest, mint};
use nudge_test_kit::components;
use nudge_test_kit::http::{Answer, Call};
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long something may take that is not measured.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A running system.
pub(crate) struct Target {
    pub(crate) folder: TempDir,
    pub(crate) system: System,
    read: Mutex<BTreeMap<PathBuf, (Timestamp, Email)>>,
}

impl Target {
    /// Starts one with other values for variables of `spin.toml`.
    pub(crate) async fn start(variables: &[(&str, &str)]) -> Self {
        // One at a time: the first one compiles the components for the others.
        static BOOTING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
        let _booting = BOOTING.lock().await;
        let folder = tempfile::tempdir().unwrap();
        let options = SystemOptions {
            variables: variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect::<BTreeMap<_, _>>(),
            ..SystemOptions::new(components::built(), DataDir::open(folder.path()).unwrap())
        };
        let system = System::start(options).await.unwrap();
        let target = Self {
            folder,
            system,
            read: Mutex::default(),
        };
        let address = target.address();
        until("the application is ready", async || {
            let ready = Call::new(address, Method::GET, "/health/ready").send().await;
            ready.is_ok_and(|answer| answer.status == StatusCode::OK)
        })
        .await;
        target
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.system.url().trim_start_matches("http://").parse().unwrap()
    }

    pub(crate) fn mail(&self) -> &MailSink {
        self.system.mail()
    }

    /// A user whose token names the address `{name}@example.com`.
    pub(crate) fn user(&self, name: &str) -> User {
        self.user_of(name, Some(&format!("{name}@example.com")))
    }

    /// A user whose token names this address, or none.
    pub(crate) fn user_of(&self, name: &str, email: Option<&str>) -> User {
        let request = TokenRequest {
            user: name.to_owned(),
            email: email.map(str::to_owned),
            time_zone: None,
            hours: 1,
        };
        let data = DataDir::open(self.folder.path()).unwrap();
        User {
            address: self.address(),
            token: mint(&data, &request, Timestamp::now().as_second()).unwrap(),
        }
    }

    /// The emails so far, each with the instant at which the mail server had it. A file is read once: reading thousands of them again
    /// and again would slow down what is measured.
    pub(crate) fn emails(&self) -> Vec<(Timestamp, Email)> {
        let mut read = self.read.lock().unwrap();
        for file in emails_in(self.system.mail_dir()).unwrap() {
            read.entry(file).or_insert_with_key(|file| {
                let name = file.file_stem().unwrap().to_string_lossy();
                let at = name.split('-').next().unwrap();
                let at = jiff::fmt::strtime::parse("%Y%m%dT%H%M%S%.fZ", at).unwrap();
                let at = at.to_datetime().unwrap().in_tz("UTC").unwrap().timestamp();
                (at, Email::parse(&std::fs::read(file).unwrap()).unwrap())
            });
        }
        read.values().cloned().collect()
    }
}

/// A user of the API.
#[derive(Clone)]
pub(crate) struct User {
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
}

impl User {
    pub(crate) fn call(&self, method: Method, path: &str) -> Call {
        Call::new(self.address, method, path).bearer(&self.token)
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        self.call(Method::POST, path).json(body).send().await
    }

    /// Creates tasks that must be accepted, as few requests as possible.
    pub(crate) async fn create_all(&self, tasks: Vec<Value>) {
        for tasks in tasks.chunks(100) {
            let answer = self.bulk(tasks).await;
            assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
            let answer = answer.json().unwrap();
            let items = answer["results"].as_array().unwrap();
            assert!(items.iter().all(|item| item["status"] == 201), "{answer}");
        }
    }

    /// Sends one bulk request that creates tasks.
    pub(crate) async fn bulk(&self, tasks: &[Value]) -> Answer {
        let operations: Vec<Value> = tasks
            .iter()
            .map(|task| json!({ "op": "create", "task": task }))
            .collect();
        let body = json!({ "operations": operations });
        self.post("/api/v1/tasks/bulk", &body).await.unwrap()
    }
}

/// The whole second that is so many seconds from now.
pub(crate) fn in_seconds(seconds: i64) -> Timestamp {
    let at = Timestamp::now() + SignedDuration::from_secs(seconds);
    Timestamp::from_second(at.as_second()).unwrap()
}

/// Waits until a condition holds.
pub(crate) async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !condition().await {
        assert!(begun.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
