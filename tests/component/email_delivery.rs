//! Email-delivery: due reminders in, one email each out, and its outcome.

mod batch;
mod ending;
mod lane;
mod logs;
mod mail;
mod notices;
mod once;
mod slow;

use nudge_test_kit::dapr::{BindingCall, Response};
use serde_json::{Value, json};

use crate::sample::task;
use crate::support::{Service, json};

const EVENTS: &str = "/email-delivery/events/task-reminders";

const DELIVERIES: &str = "internal/reminders/deliveries";

const DEFERRALS: &str = "internal/reminders/deferrals";

const REFUSED: &str = "internal/recipients/refused";

/// Email-delivery with an api that sends the sample's reminders to alice.
async fn start() -> Service {
    let email = Service::start("email-delivery").await;
    decide(&email, send_to("alice@example.com", &task()));
    email
}

/// The decision of the api if a reminder of `task` is to be sent.
fn send_to(address: &str, task: &Value) -> Value {
    json!({ "decision": "send", "email": address, "timeZone": "Europe/Berlin", "task": task, "stopLink": "https://nudge.example/email/stop/x" })
}

/// Lets the api decide the same about every reminder.
fn decide(email: &Service, decision: Value) {
    answer(email, move |_| decision.clone());
}

/// Lets the api decide about each reminder, and take back every lease.
fn answer(email: &Service, decide: impl Fn(&Value) -> Value + Send + 'static) {
    email.dapr.answer(move |invocation| {
        let request = &invocation.request;
        let (status, body) = match (request.method.as_str(), request.path.as_str()) {
            ("POST", DELIVERIES) => {
                let asked = items(request.body.as_deref());
                // Whatever their order, each says what it is about.
                let decisions = asked.iter().rev().map(|reminder| {
                    let mut decision = decide(reminder);
                    decision["reminderId"] = reminder["reminderId"].clone();
                    decision["remindAt"] = reminder["remindAt"].clone();
                    decision
                });
                (200, json!({ "items": decisions.collect::<Vec<_>>() }))
            }
            ("POST", DEFERRALS | REFUSED) => (204, Value::Null),
            other => panic!("{other:?}"),
        };
        let body = body.to_string().into_bytes();
        Response { status, body }
    });
}

fn items(body: Option<&str>) -> Vec<Value> {
    let body: Value = serde_json::from_str(body.expect("a body")).expect("JSON");
    body["items"].as_array().expect("a list").clone()
}

/// The items of each request to a path of the api.
fn asked(email: &Service, path: &str) -> Vec<Vec<Value>> {
    let invocations = email.dapr.invocations().into_iter();
    let asked = invocations.filter(|asked| asked.app_id == "api" && asked.request.path == path);
    asked.map(|asked| items(asked.request.body.as_deref())).collect()
}

async fn deliver(email: &Service, event: &Value) -> String {
    let answer = json(&email.sidecar().post(EVENTS, event).await, 200);
    answer["status"].as_str().expect("one of Dapr's words").to_owned()
}

/// A field of an email.
fn field<'a>(mail: &'a BindingCall, name: &str) -> &'a str {
    let mut values = mail
        .metadata
        .iter()
        .filter(|(known, _)| known == name)
        .map(|(_, value)| value.as_str());
    let value = values
        .next()
        .unwrap_or_else(|| panic!("no {name} in {:?}", mail.metadata));
    assert_eq!(values.next(), None, "{name} is given once");
    value
}

/// The published outcomes: event id, event type and the reason of a failure.
fn outcomes(email: &Service) -> Vec<(String, String, Value)> {
    let published = email.dapr.published("reminder-outcomes");
    let outcome = |published: &nudge_test_kit::dapr::Published| {
        let failure = published.data().expect("JSON")["failure"].clone();
        (published.event.id.clone(), published.event.type_.clone(), failure)
    };
    published.iter().map(outcome).collect()
}
