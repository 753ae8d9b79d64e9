//! A running system, users, and ways to wait.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use http::{Method, StatusCode};
use jiff::Timestamp;
use nudge::{DataDir, Email, System, SystemOptions, TokenRequest, emails, mint};
use nudge_test_kit::components;
use nudge_test_kit::http::{Answer, Call};
use nudge_test_kit::limits;
use serde_json::Value;
use step_clock::Clock;
use tempfile::TempDir;

/// How long something may take, in real time, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// When the stepped clock begins.
pub(crate) const START: &str = "2026-11-21T12:00:00Z";

/// A system on a clock that a test steps.
pub(crate) struct Bench {
    pub(crate) clock: Clock,
    pub(crate) folder: TempDir,
    variables: BTreeMap<String, String>,
    system: Option<System>,
}

impl Bench {
    pub(crate) async fn start() -> Self {
        Self::start_with([]).await
    }

    /// Starts with other values for variables of `spin.toml`.
    pub(crate) async fn start_with(variables: impl IntoIterator<Item = (&str, String)>) -> Self {
        let start: Timestamp = START.parse().unwrap();
        let mut bench = Self {
            clock: Clock::stepped(start.into()),
            folder: tempfile::tempdir().unwrap(),
            // A test that polls sends more requests than a user may.
            // Tokens are minted once, and the clock is stepped over months.
            variables: limits::NONE
                .into_iter()
                .chain([("token_max_hours", "8784")])
                .map(|(name, value)| (name, value.to_owned()))
                .chain(variables)
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            system: None,
        };
        bench.boot().await;
        bench
    }

    async fn boot(&mut self) {
        // One at a time: the first one compiles the components for the others.
        static BOOTING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
        let booting = BOOTING.lock().await;
        let data = DataDir::open(self.folder.path()).unwrap();
        let options = SystemOptions {
            clock: self.clock.clone(),
            variables: self.variables.clone(),
            ..SystemOptions::new(components::built(), data)
        };
        self.system = Some(System::start(options).await.unwrap());
        drop(booting);
        self.wait_until("the application is ready", async |bench| {
            bench
                .call(Method::GET, "/health/ready")
                .send()
                .await
                .is_ok_and(|answer| answer.status == StatusCode::OK)
        })
        .await;
    }

    pub(crate) fn system(&self) -> &System {
        self.system.as_ref().expect("it is running")
    }

    /// Stops the system and starts it again, `later` on the clock.
    pub(crate) async fn restart(&mut self, later: Duration) {
        self.system.take().expect("it is running").shutdown().await;
        self.clock.advance(later);
        self.boot().await;
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::try_from(self.clock.now()).unwrap()
    }

    /// The instant that many seconds from now, in the API's format.
    pub(crate) fn in_seconds(&self, seconds: i64) -> String {
        self.now()
            .checked_add(jiff::SignedDuration::from_secs(seconds))
            .unwrap()
            .to_string()
    }

    pub(crate) fn call(&self, method: Method, path: &str) -> Call {
        Call::new(address(&self.system().url()), method, path)
    }

    pub(crate) fn user(&self, name: &str, zone: &str) -> User<'_> {
        User {
            bench: self,
            token: token(self.folder.path(), name, zone, self.clock.now()),
        }
    }

    /// A user whose token has no address.
    pub(crate) fn stranger(&self, name: &str) -> User<'_> {
        let token = mint_for(self.folder.path(), name, None, "UTC", self.clock.now());
        User { bench: self, token }
    }

    /// Waits until a condition holds, in real time.
    pub(crate) async fn wait_until(&self, what: &str, condition: impl AsyncFn(&Self) -> bool) {
        let begun = Instant::now();
        while !condition(self).await {
            assert!(
                begun.elapsed() < PATIENCE,
                "timed out after {PATIENCE:?} waiting until {what}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Steps the clock by seconds until a condition holds, at most `limit` times; after that it only waits.
    pub(crate) async fn step_until(&self, what: &str, limit: u64, condition: impl AsyncFn(&Self) -> bool) {
        for _ in 0..limit {
            // Each second gets time to take effect; a late effect is seen a step later.
            for _ in 0..10 {
                if condition(self).await {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            self.clock.advance(Duration::from_secs(1));
        }
        self.wait_until(what, condition).await;
    }

    /// Steps the clock by seconds.
    pub(crate) async fn step(&self, seconds: i64) {
        let until = self.in_seconds(seconds);
        let until: Timestamp = until.parse().unwrap();
        self.step_until("the clock has moved", seconds.unsigned_abs() + 1, async |bench| {
            bench.now() >= until
        })
        .await;
    }

    /// The emails so far, oldest first.
    pub(crate) fn emails(&self) -> Vec<Email> {
        emails(&self.folder.path().join("mail")).unwrap()
    }

    pub(crate) async fn wait_for_emails(&self, count: usize) -> Vec<Email> {
        self.wait_until(&format!("there are {count} emails"), async |bench| {
            bench.emails().len() >= count
        })
        .await;
        let emails = self.emails();
        assert_eq!(emails.len(), count, "{emails:#?}");
        emails
    }
}

/// A user of the API.
pub(crate) struct User<'a> {
    bench: &'a Bench,
    token: String,
}

impl User<'_> {
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let call = self.bench.call(method, path).bearer(&self.token);
        let call = match &body {
            Some(body) => call.json(body),
            None => call,
        };
        call.send().await.unwrap()
    }

    pub(crate) async fn create(&self, task: Value) -> Value {
        let answer = self.send(Method::POST, "/api/v1/tasks", Some(task)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{:?}", answer.body);
        answer.json().unwrap()
    }

    pub(crate) async fn read(&self, task: &Value) -> Value {
        let answer = self.send(Method::GET, &path(task), None).await;
        assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
        answer.json().unwrap()
    }

    pub(crate) async fn patch(&self, task: &Value, patch: Value) -> Value {
        let answer = self.send(Method::PATCH, &path(task), Some(patch)).await;
        assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
        answer.json().unwrap()
    }

    pub(crate) async fn complete(&self, task: &Value) -> Value {
        let answer = self
            .send(Method::POST, &format!("{}/complete", path(task)), None)
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
        answer.json().unwrap()
    }

    pub(crate) async fn delete(&self, task: &Value) {
        let answer = self.send(Method::DELETE, &path(task), None).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{:?}", answer.body);
    }

    pub(crate) async fn list(&self, query: &str) -> Vec<Value> {
        let answer = self
            .send(Method::GET, &format!("/api/v1/tasks?{query}"), None)
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
        answer.json().unwrap()["items"].as_array().unwrap().clone()
    }
}

pub(crate) fn path(task: &Value) -> String {
    format!("/api/v1/tasks/{}", task["id"].as_str().unwrap())
}

pub(crate) fn token(data: &Path, user: &str, zone: &str, now: SystemTime) -> String {
    mint_for(data, user, Some(format!("{user}@example.com")), zone, now)
}

fn mint_for(data: &Path, user: &str, email: Option<String>, zone: &str, now: SystemTime) -> String {
    let data = DataDir::open(data).unwrap();
    let request = TokenRequest {
        user: user.to_owned(),
        email,
        time_zone: Some(zone.to_owned()),
        hours: 24 * 365,
    };
    mint(&data, &request, Timestamp::try_from(now).unwrap().as_second()).unwrap()
}

pub(crate) fn address(url: &str) -> SocketAddr {
    url.trim_start_matches("http://").parse().unwrap()
}
