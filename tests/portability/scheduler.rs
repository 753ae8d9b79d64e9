//! Dapr's scheduler and reminders: replicas that share the work, and jobs that are lost.

use std::collections::BTreeMap;
use std::time::Instant;

use http::Method;
use jiff::{SignedDuration, Timestamp};
use nudge_contract::names::topic;
use serde_json::{Value, json};
use test_app::Scripted;
use test_dapr::Daprd;
use tokio::net::TcpListener;

use crate::system::{Combination, Data, System};
use test_real::{Parts, Platform, in_seconds};

/// Number of reminders that are due in the same second.
const REMINDERS: usize = 1_000;

/// Maximum number of operations per request.
const BULK: usize = 100;

/// The test's own consumer.
const WITNESS: &str = "witness";

/// Makes the witness consume a topic.
fn watch(platform: &mut Platform, topic: &str) {
    let folder = platform.folder.path().join(WITNESS);
    std::fs::create_dir(&folder).expect("a folder");
    let yaml = format!(
        "apiVersion: dapr.io/v2alpha1\nkind: Subscription\nmetadata: {{name: {WITNESS}}}\nspec:\n  \
         pubsubname: pubsub\n  topic: {topic}\n  routes: {{default: /event}}\nscopes: [{WITNESS}]\n"
    );
    std::fs::write(folder.join("subscription.yaml"), yaml).expect("written");
    platform.resources.push(folder);
}

/// The witness and its address.
async fn witness() -> (Scripted, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    (Scripted::on(listener), port)
}

async fn beside(system: &System, port: u16) -> Daprd {
    let [http] = test_dapr::free_ports().expect("a free port");
    system.platform.sidecar_of_a_test(WITNESS, http, port).await
}

/// Creates tasks with a reminder each, at one instant.
async fn remind(system: &System, count: usize, at: Timestamp) {
    let due = at + SignedDuration::from_hours(1);
    let numbers: Vec<usize> = (0..count).collect();
    for part in numbers.chunks(BULK) {
        let operations: Vec<Value> = part
            .iter()
            .map(|number| {
                json!({ "op": "create", "task": {
                    "title": format!("No. {number}"), "due": due.to_string(), "reminders": [{ "at": at.to_string() }],
                }})
            })
            .collect();
        let body = json!({ "operations": operations });
        let answer = system
            .send(Method::POST, "/api/v1/tasks/bulk", Some(body), 200)
            .await;
        for result in answer["results"].as_array().expect("a result for each") {
            assert_eq!(result["status"], 201, "{result:#}");
        }
    }
}

/// Waits until there is an email for each, and checks that there is exactly one.
async fn each_is_emailed_once(system: &System, count: usize) {
    system
        .until(&format!("{count} emails are there"), async |system| {
            system.subjects().len() >= count
        })
        .await;
    // A second mail would come with the outcome of the first at the latest.
    system
        .until("every reminder shows sent", async |system| {
            let mut cursor = String::new();
            loop {
                let path = format!("/api/v1/tasks?limit=100&cursor={cursor}");
                let page = system.send(Method::GET, &path, None, 200).await;
                let items = page["items"].as_array().expect("a page");
                if items.iter().any(|task| task["reminders"][0]["status"] != "sent") {
                    return false;
                }
                match page["nextCursor"].as_str() {
                    Some(next) => next.clone_into(&mut cursor),
                    None => return true,
                }
            }
        })
        .await;
    let mut subjects = system.subjects();
    subjects.sort();
    let mut expected: Vec<String> = (0..count)
        .map(|number| format!("Reminder: No. {number}"))
        .collect();
    expected.sort();
    assert_eq!(subjects, expected);
}

pub(crate) async fn three_replicas() {
    let (witness, port) = witness().await;
    let combination = Combination {
        parts: Parts::USUAL,
        data: Data::Postgresql,
    };
    let system = System::start_with(combination, 3, |platform| watch(platform, topic::TASK_REMINDERS)).await;
    let _beside_witness = beside(&system, port).await;

    let at = in_seconds(60);
    let begun = Instant::now();
    remind(&system, REMINDERS, at).await;
    let created = begun.elapsed();
    assert!(
        Timestamp::now() < at,
        "the machine is too slow: {created:?} for {REMINDERS} tasks"
    );
    each_is_emailed_once(&system, REMINDERS).await;

    // Jobs fire once, whichever replica they fire on.
    system
        .until("the witness has all", async |_| {
            witness.seen("/event").len() >= REMINDERS
        })
        .await;
    let mut fired: BTreeMap<String, usize> = BTreeMap::new();
    for due in witness.seen("/event") {
        let id = due.json()["id"].as_str().expect("an id").to_owned();
        *fired.entry(id).or_default() += 1;
    }
    let again: usize = fired.values().map(|times| times - 1).sum();
    assert_eq!(fired.len(), REMINDERS);
    let late = system.platform.mail.late(at);
    let latest = late[late.len() - 1];
    assert!(
        again == 0 || latest > 30.0,
        "{again} fired twice, and none was late enough for reconcile: the last after {latest} s"
    );
    eprintln!(
        "{REMINDERS} reminders of one second, created in {:.1} s: emailed p50 {:.1} s, p95 {:.1} s, last {:.1} s after it; \
         {again} said to be due once more by reconcile",
        created.as_secs_f64(),
        late[late.len() / 2],
        late[late.len() * 95 / 100],
        latest,
    );
}

/// While a consumer thinks about its first event, the others get theirs; then it gets what it missed, in order.
pub(crate) async fn slow_consumer() {
    let (witness, port) = witness().await;
    let gate = witness.gate("/event");
    let combination = Combination {
        parts: Parts::USUAL,
        data: Data::Sqlite,
    };
    let system = System::start_with(combination, 1, |platform| watch(platform, topic::TASK_EVENTS)).await;
    let _beside_witness = beside(&system, port).await;
    remind(&system, 1, in_seconds(8)).await;
    let page = system.send(Method::GET, "/api/v1/tasks", None, 200).await;
    let path = format!(
        "/api/v1/tasks/{}",
        page["items"][0]["id"].as_str().expect("an id")
    );
    for priority in ["low", "high", "urgent"] {
        let change = json!({ "priority": priority });
        system.send(Method::PATCH, &path, Some(change), 200).await;
    }
    each_is_emailed_once(&system, 1).await;
    assert_eq!(witness.seen("/event").len(), 1, "one event of a task at a time");

    let task = system.send(Method::GET, &path, None, 200).await;
    let version = task["version"].as_u64().expect("a version");
    // A publisher that waits too long for a broker publishes again; what counts is the first of each id.
    let seen = || {
        let mut ids: Vec<String> = Vec::new();
        for event in witness.seen("/event") {
            let id = event.json()["id"].as_str().expect("an id").to_owned();
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        ids
    };
    system
        .until("the witness has every version", async |_| {
            gate.notify_one();
            seen().len() as u64 >= version
        })
        .await;
    let task = task["id"].as_str().expect("an id");
    let expected: Vec<String> = (1..=version).map(|version| format!("{task}:{version}")).collect();
    assert_eq!(seen(), expected);
}

pub(crate) async fn loses_its_data() {
    let combination = Combination {
        parts: Parts::USUAL,
        data: Data::Sqlite,
    };
    let mut system = System::start(combination).await;
    let count = 20;
    let at = in_seconds(15);
    remind(&system, count, at).await;
    // The first whole second at which they are due.
    let job = format!("due-{}", at.as_second() + i64::from(at.subsec_nanosecond() > 0));
    system
        .until("their second is armed", async |system| system.has_job(&job).await)
        .await;
    assert!(Timestamp::now() < at, "armed in time");

    system.platform.scheduler.forget().expect("it starts empty");
    system
        .until("the recurring jobs are there again", async |system| {
            system.has_job("relay").await && system.has_job("reconcile").await
        })
        .await;
    assert!(!system.has_job(&job).await, "their job is lost");
    each_is_emailed_once(&system, count).await;
    let late = system.platform.mail.late(at);
    eprintln!(
        "{count} reminders whose job was lost: emailed p50 {:.1} s, last {:.1} s late",
        late[late.len() / 2],
        late[late.len() - 1],
    );
}
