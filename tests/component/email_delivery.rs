//! Email-delivery: due reminders in, one email each out, and its outcome.

mod ending;
mod lane;
mod mail;
mod once;

use nudge_test_kit::dapr::BindingCall;
use serde_json::{Value, json};

use crate::sample::task;
use crate::support::{Service, json};

const EVENTS: &str = "/email-delivery/events/task-reminders";

/// Email-delivery with an api that sends the sample's reminders to alice.
async fn start() -> Service {
    let email = Service::start("email-delivery").await;
    email
        .dapr
        .answer_json(200, &send_to("alice@example.com", &task()));
    email
}

/// The response of the api if a reminder of `task` is to be sent.
fn send_to(address: &str, task: &Value) -> Value {
    json!({ "decision": "send", "email": address, "timeZone": "Europe/Berlin", "task": task })
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
