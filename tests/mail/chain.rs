//! Sends emails from a task to a file of the mail server: email-delivery, a sidecar, the mail server.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dapr_sidecar::{App, Sidecars, Synchronous};
use http::Method;
use mail_sink::MailSink;
use nudge_contract::names::app;
use nudge_test_kit::components;
use nudge_test_kit::dapr::{BindingCall, FakeDapr};
use nudge_test_kit::http::Call;
use serde_json::{Value, json};
use spin_host::{Host, Manifest, RunningHost};
use step_clock::Clock;
use tempfile::TempDir;
use test_dapr::{Dapr, Daprd};

const NOW: &str = "2026-11-21T12:00:00Z";
const APP_TOKEN: &str = "app-token-of-this-test";
const APP_ID: &str = app::EMAIL_DELIVERY;

/// Which sidecar sends.
#[derive(Clone)]
pub(crate) enum Sidecar {
    Embedded,
    Daprd(Dapr),
}

/// Sends an email for each title, and returns the folder that they are in.
pub(crate) async fn send_all(
    sidecar: &Sidecar,
    titles: &[String],
    description: fn(&str) -> String,
) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let sink = MailSink::start(([127, 0, 0, 1], 0).into(), folder.path())
        .await
        .expect("a mail server");
    let (_running, address) = start(sidecar, sink.addr(), folder.path()).await;
    let (host, dapr) = email_delivery(folder.path()).await;
    for (number, title) in titles.iter().enumerate() {
        let task = task(number, title, &description(title));
        deliver(&host, &dapr, &task).await;
        let call = dapr.binding_calls().pop().expect("an email");
        let answer = Call::new(address, Method::POST, "/v1.0/bindings/smtp")
            .json(&invocation(&call))
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.status, 204, "{title:?}: {:?}", answer.body);
    }
    assert_eq!(dapr.binding_calls().len(), titles.len());
    sink.shutdown().await;
    folder
}

/// The request that the bridge would send to the sidecar.
fn invocation(call: &BindingCall) -> Value {
    let metadata: serde_json::Map<String, Value> = call
        .metadata
        .iter()
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect();
    let data: Value = serde_json::from_str(&call.data).expect("JSON");
    json!({ "operation": call.operation, "metadata": metadata, "data": data })
}

/// Makes email-delivery send the email of a task.
async fn deliver(host: &RunningHost, dapr: &FakeDapr, task: &Value) {
    let delivery = json!({ "decision": "send", "email": "alice@example.com", "timeZone": "Europe/Berlin", "task": task });
    dapr.answer_json(200, &json!({ "items": [delivery] }));
    let event = json!({
        "specversion": "1.0",
        "id": task["id"],
        "source": "notification",
        "type": "nudge.reminder.due.v1",
        "time": NOW,
        "datacontenttype": "application/json",
        "data": {
            "schemaVersion": 1,
            "reminderId": task["reminders"][0]["id"],
            "remindAt": task["reminders"][0]["remindAt"],
            "minutesLeft": 60,
            "task": task,
        },
        "pubsubname": "pubsub",
        "topic": "task-reminders",
    });
    let answer = Call::new(
        host.local_addr(),
        Method::POST,
        "/email-delivery/events/task-reminders",
    )
    .header("dapr-api-token", APP_TOKEN)
    .json(&event)
    .send()
    .await
    .expect("an answer");
    let answer = answer.json().expect("JSON");
    assert_eq!(answer["status"], "SUCCESS", "{answer}");
}

fn task(number: usize, title: &str, description: &str) -> Value {
    json!({
        "id": uuid::Uuid::from_u128(number as u128),
        "userId": "alice",
        "title": title,
        "description": description,
        "status": "pending",
        "priority": "medium",
        "due": "2026-11-21T14:30:00+01:00",
        "timeZone": "Europe/Berlin",
        "categoryId": null,
        "tagIds": [],
        "recurrence": null,
        "recurrenceFrom": "due",
        "reminders": [{
            "id": uuid::Uuid::from_u128(number as u128),
            "minutesBefore": 60,
            "remindAt": "2026-11-21T13:30:00+01:00",
            "status": "scheduled",
        }],
        "seriesId": null,
        "seriesStart": null,
        "occurrence": 1,
        "version": 1,
        "createdAt": "2026-11-21T11:00:00Z",
        "updatedAt": "2026-11-21T11:00:00Z",
        "completedAt": null,
    })
}

/// The component with a Dapr that only records its calls.
async fn email_delivery(folder: &Path) -> (RunningHost, FakeDapr) {
    let dapr = FakeDapr::new();
    let manifest = Manifest::load(components::built().join("spin.toml")).expect("the manifest is valid");
    let now: jiff::Timestamp = NOW.parse().expect("an instant");
    let host = Host::builder(manifest)
        .components([APP_ID])
        .listen(([127, 0, 0, 1], 0).into())
        .state_dir(folder)
        .cache_dir(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"))
        .clock(Clock::stepped(now.into()))
        .extension(Arc::new(dapr.clone()))
        .variable("dapr_app_token", APP_TOKEN)
        .build()
        .await
        .expect("the component starts");
    (host.start(), dapr)
}

/// A sidecar that stops when this is dropped.
enum Running {
    Embedded(#[allow(dead_code, reason = "held")] Sidecars),
    Daprd(#[allow(dead_code, reason = "held")] Daprd),
}

/// Starts a sidecar whose smtp binding sends to a mail server.
async fn start(sidecar: &Sidecar, server: SocketAddr, folder: &Path) -> (Running, SocketAddr) {
    let resources = folder.join("resources");
    std::fs::create_dir(&resources).expect("a folder");
    let yaml = format!(
        "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {{name: smtp}}\nspec:\n  type: bindings.smtp\n  \
         version: v1\n  metadata:\n  - {{name: host, value: 127.0.0.1}}\n  - {{name: port, value: '{}'}}\n",
        server.port()
    );
    std::fs::write(resources.join("smtp.yaml"), yaml).expect("written");
    let (running, address) = match sidecar {
        Sidecar::Embedded => {
            let options = dapr_sidecar::Options {
                resources: vec![resources],
                working_dir: folder.to_owned(),
                data: folder.join("dapr.db"),
                clock: Clock::system(),
                await_clock: Clock::system(),
                synchronous: Synchronous::Full,
                apps: vec![App {
                    max_concurrency: app::max_concurrency(APP_ID).map(|limit| limit as usize),
                    ..App::new(APP_ID)
                }],
            };
            let mut sidecars = Sidecars::bind(options).await.expect("good resources");
            let no_app = "http://127.0.0.1:1".parse().expect("a URL");
            sidecars.serve([(APP_ID.to_owned(), no_app)].into());
            let address = sidecars.address(APP_ID).expect("bound");
            (Running::Embedded(sidecars), address)
        }
        Sidecar::Daprd(dapr) => {
            let configuration = folder.join("configuration.yaml");
            // By default daprd finds others by multicast.
            let yaml = format!(
                "apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata: {{name: mail}}\nspec:\n  \
                 nameResolution: {{component: sqlite, configuration: {{connectionString: {}}}}}\n",
                folder.join("names.db").display()
            );
            std::fs::write(&configuration, yaml).expect("written");
            let options = test_dapr::Options {
                app_id: APP_ID.to_owned(),
                resources: vec![resources],
                configuration: Some(configuration),
                working_dir: Some(folder.to_owned()),
                max_concurrency: app::max_concurrency(APP_ID),
                ..test_dapr::Options::default()
            };
            let dapr = dapr.clone();
            let daprd = tokio::task::spawn_blocking(move || dapr.daprd(&options)).await;
            let daprd = daprd.expect("no panic").expect("a sidecar");
            let address = daprd.address();
            (Running::Daprd(daprd), address)
        }
    };
    let ready = async {
        let ask = || Call::new(address, Method::GET, "/v1.0/healthz/outbound").send();
        while !ask().await.is_ok_and(|answer| answer.status == 204) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), ready)
        .await
        .expect("ready in time");
    (running, address)
}
