//! Notification: changes of tasks and jobs in, jobs and due reminders out.

mod arming;
mod firing;
mod pump;
mod recurring_jobs;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use nudge_test_kit::dapr::{FakeDapr, Invocation, Response};
use serde_json::{Value, json};

use crate::sample::task;

/// The api as notification sees it: reminders that are due, and what it was asked.
#[derive(Clone, Default)]
struct Api(Arc<Mutex<Reminders>>);

#[derive(Default)]
struct Reminders {
    due: VecDeque<Value>,
    leased: BTreeMap<String, Value>,
    /// How many requests for leases are answered with nothing, because too many reminders are in flight.
    congested: usize,
    /// Whether a reminder that is given back for later does not come again.
    rests: bool,
    /// Seconds in which reminders become due.
    seconds: Vec<i64>,
    asked: Vec<(String, Value)>,
}

impl Api {
    /// An api with that many due reminders.
    fn start(dapr: &FakeDapr, due: usize) -> Self {
        let api = Self::default();
        api.lock().due = (1..=due).map(due_reminder).collect();
        let answering = api.clone();
        dapr.answer(move |invocation| answering.lock().answer(invocation));
        api
    }

    fn lock(&self) -> MutexGuard<'_, Reminders> {
        self.0.lock().expect("no panic")
    }

    /// The bodies of the requests to a path.
    fn asked(&self, path: &str) -> Vec<Value> {
        let asked = self.lock().asked.clone();
        let bodies = asked.into_iter().filter(|(known, _)| known == path);
        bodies.map(|(_, body)| body).collect()
    }

    /// The requests for leases, without their ids.
    fn leases(&self) -> Vec<Value> {
        let mut leases = self.asked("internal/reminders/leases");
        for lease in &mut leases {
            lease.as_object_mut().expect("an object").remove("leaseId");
        }
        leases
    }

    /// The ids of the requests for leases.
    fn lease_ids(&self) -> Vec<Value> {
        let leases = self.asked("internal/reminders/leases");
        leases.iter().map(|lease| lease["leaseId"].clone()).collect()
    }

    fn deferrals(&self) -> Vec<Value> {
        self.asked("internal/reminders/deferrals")
    }
}

impl Reminders {
    fn answer(&mut self, invocation: &Invocation) -> Response {
        assert_eq!(invocation.app_id, "api");
        let request = &invocation.request;
        let body = request.body.as_deref().unwrap_or("null");
        let body: Value = serde_json::from_str(body).expect("JSON");
        self.asked.push((request.path.clone(), body.clone()));
        let (status, answer) = match (request.method.as_str(), request.path.as_str()) {
            ("POST", "internal/reminders/leases") => (200, self.lease(&body)),
            ("POST", "internal/reminders/deferrals") => {
                for item in body["items"].as_array().expect("a list") {
                    let id = item["reminderId"].as_str().expect("an id");
                    let reminder = self.leased.remove(id);
                    if !self.rests || item["afterSeconds"] == 0 {
                        self.due.extend(reminder);
                    }
                }
                (204, Value::Null)
            }
            ("GET", "internal/reminders/due-seconds?seconds=120") => {
                (200, json!({ "seconds": self.seconds }))
            }
            ("POST", "internal/relay") => (200, json!({ "published": 2, "left": 0 })),
            other => panic!("{other:?}"),
        };
        let body = answer.to_string().into_bytes();
        Response { status, body }
    }

    fn lease(&mut self, body: &Value) -> Value {
        let limit = body["limit"].as_u64().expect("a number") as usize;
        let mut items = Vec::new();
        if self.congested > 0 {
            self.congested -= 1;
        } else {
            items.extend(self.due.drain(..limit.min(self.due.len())));
        }
        for item in &items {
            let id = item["reminderId"].as_str().expect("an id").to_owned();
            self.leased.insert(id, item.clone());
        }
        json!({ "items": items, "more": !self.due.is_empty() })
    }
}

/// The lease that reminders are in.
const LEASE: &str = "0193f0c1-7a00-7000-8000-0000000000b1";

/// The id of a reminder.
fn reminder(number: usize) -> String {
    format!("018f0000-0000-7000-9000-{number:012x}")
}

/// A reminder that became due half an hour after the start, as the api leases it.
fn due_reminder(number: usize) -> Value {
    json!({ "reminderId": reminder(number), "remindAt": "2026-11-21T13:30:00+01:00", "leaseId": LEASE, "task": task() })
}
