//! Other people: what they do during an attack, and what they notice.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use nudge_test_kit::http::Call;
use serde_json::json;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::target::{Target, User};

/// How late a reminder may be. The aim is a second; twelve systems of these tests and some builds share the processors.
pub(crate) const LATE: Duration = Duration::from_secs(8);

/// The longest that a request takes on a machine that is busy, if nothing holds it up.
pub(crate) const SLOW: Duration = Duration::from_secs(2);

/// Durations, sorted.
#[derive(Debug, Clone)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn new(mut all: Vec<Duration>) -> Self {
        assert!(!all.is_empty(), "nothing was measured");
        all.sort();
        Self(all)
    }

    pub(crate) fn median(&self) -> Duration {
        self.0[self.0.len() / 2]
    }

    /// The 99th percentile; of fewer than a hundred, the longest.
    pub(crate) fn p99(&self) -> Duration {
        self.0[(self.0.len() * 99).div_ceil(100) - 1]
    }

    pub(crate) fn longest(&self) -> Duration {
        self.0[self.0.len() - 1]
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "median {:.3} s, p99 {:.3} s, longest {:.3} s, of {}",
            self.median().as_secs_f64(),
            self.p99().as_secs_f64(),
            self.longest().as_secs_f64(),
            self.0.len()
        )
    }
}

/// Reminders of other people, by the subject of their email.
pub(crate) struct Reminders {
    due: BTreeMap<String, Timestamp>,
    user: String,
}

impl Reminders {
    /// Creates `each` reminders for `rounds` instants, `every` so many seconds, of a user of this name. The first is due at `first`.
    pub(crate) async fn create(
        target: &Target,
        name: &str,
        first: Timestamp,
        rounds: i64,
        every: i64,
        each: usize,
    ) -> Self {
        let mut due = BTreeMap::new();
        let mut tasks = Vec::new();
        for round in 0..rounds {
            let at = first + SignedDuration::from_secs(round * every);
            for number in 0..each {
                let title = format!("{name} {round}.{number}");
                tasks.push(json!({ "title": title, "reminders": [{ "at": at.to_string() }] }));
                due.insert(format!("Reminder: {title}"), at);
            }
        }
        target.user(name).create_all(tasks).await;
        Self {
            due,
            user: format!("{name}@example.com"),
        }
    }

    /// Waits until all emails are there, or until so much time has passed since the last one was due. Says how late each was; one
    /// that is missing counts as late until now.
    pub(crate) async fn late(&self, target: &Target, patience: Duration) -> Times {
        let last = *self.due.values().max().expect("there are reminders");
        let end = last + SignedDuration::try_from(patience).unwrap();
        loop {
            let now = Timestamp::now();
            let emails = target.emails();
            let came: BTreeMap<&str, Timestamp> = emails
                .iter()
                .filter(|(_, email)| email.to == self.user)
                .map(|(at, email)| (email.subject.as_str(), *at))
                .collect();
            if self.due.keys().all(|subject| came.contains_key(subject.as_str())) || now >= end {
                let missing = self.due.len() - came.len();
                if missing > 0 {
                    eprintln!("{}: {missing} of {} are missing", self.user, self.due.len());
                }
                let late = self.due.iter().map(|(subject, due)| {
                    let came = came.get(subject.as_str()).copied().unwrap_or(now);
                    Duration::try_from(came.duration_since(*due)).unwrap_or_default()
                });
                return Times::new(late.collect());
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }
}

/// Someone who sends a request again and again, each on a connection of its own.
pub(crate) struct Visitor {
    stop: oneshot::Sender<()>,
    requests: JoinHandle<(Vec<Duration>, BTreeMap<u16, usize>)>,
}

impl Visitor {
    /// `GET /api/v1/me` of a user, ten times a second at most.
    pub(crate) fn of(user: &User) -> Self {
        Self::sending(user.call(http::Method::GET, "/api/v1/me"))
    }

    /// The same of any request.
    pub(crate) fn sending(call: Call) -> Self {
        let (stop, mut stopped) = oneshot::channel();
        let requests = tokio::spawn(async move {
            let mut times = Vec::new();
            let mut statuses = BTreeMap::new();
            loop {
                let begun = Instant::now();
                // Zero: the connection was refused or cut.
                let status = call
                    .clone()
                    .send()
                    .await
                    .map_or(0, |answer| answer.status.as_u16());
                times.push(begun.elapsed());
                *statuses.entry(status).or_default() += 1;
                tokio::select! {
                    _ = &mut stopped => return (times, statuses),
                    () = tokio::time::sleep(Duration::from_millis(100)) => {}
                }
            }
        });
        Self { stop, requests }
    }

    /// What it noticed.
    pub(crate) async fn stop(self) -> Visits {
        let _ = self.stop.send(());
        let (times, statuses) = self.requests.await.expect("it does not panic");
        Visits {
            times: Times::new(times),
            statuses,
        }
    }
}

/// What a visitor noticed.
#[derive(Debug)]
pub(crate) struct Visits {
    pub(crate) times: Times,
    /// How many answers had which status; 0 for no answer.
    pub(crate) statuses: BTreeMap<u16, usize>,
}

impl Visits {
    /// Fails if a request was refused, or took longer than [`SLOW`].
    pub(crate) fn check(&self, attack: &str) {
        eprintln!("{attack}: another user's requests: {self}");
        assert!(
            self.statuses.keys().all(|status| [200, 201].contains(status)),
            "{attack}: another user's requests were refused: {self}"
        );
        assert!(
            self.times.longest() < SLOW,
            "{attack}: another user's request took longer than {SLOW:?}: {self}"
        );
    }
}

impl fmt::Display for Visits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; statuses {:?}", self.times, self.statuses)
    }
}

/// Prints how late other people's reminders were, and fails if one in a hundred was later than a bound.
pub(crate) fn check_late(attack: &str, late: &Times, bound: Duration) {
    eprintln!("{attack}: other people's reminders are late by {late}");
    assert!(
        late.p99() < bound,
        "{attack}: other people's reminders are later than {bound:?}: {late}"
    );
}
