//! What one `POST /api/v1/tasks` costs: opened databases, statements and calls of the sidecar, in order.
//!
//! The instance is warm: it has read its variables and its secret, and applied its settings of the database. The rate limit, which
//! takes many requests from the count with one statement, is off.

use std::collections::BTreeMap;

use expect_test::{Expect, expect};
use http::Method;
use nudge_test_kit::dapr::Function;
use nudge_test_kit::http::DEADLINE;
use serde_json::{Value, json};

use crate::host_log::{self, Line};
use crate::support::{Service, Setup, json as body, send};

/// How often a service is started until its requests meet a warm instance: one that waits for a second without a request ends.
const ATTEMPTS: u32 = 50;

async fn api() -> Service {
    Setup::new("api")
        .variable("rate_limit_per_minute", "0")
        .start()
        .await
}

/// A statement in short: its verb, and the tables that it names, in their order.
fn short(sql: &str) -> String {
    let words: Vec<&str> = sql
        .split([' ', '(', ')', ','])
        .filter(|word| !word.is_empty())
        .collect();
    let names = words.windows(2).filter_map(|pair| match pair {
        ["FROM" | "INTO" | "JOIN" | "UPDATE", table] if *table != "SET" => Some(*table),
        _ => None,
    });
    let verb = words.first().copied().unwrap_or_default();
    format!("{verb} {}", names.collect::<Vec<_>>().join(", "))
}

/// Returns once every stored event is published and marked.
async fn marked(api: &Service) {
    let database = api.database();
    let left = || -> i64 {
        let sql = "SELECT COUNT(*) FROM task_event WHERE published_at IS NULL";
        database.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let marked = async {
        while left() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, marked)
        .await
        .expect("events are published");
}

fn published(api: &Service) -> BTreeMap<&'static str, usize> {
    ["task-events", "task-updates", "task-recurrence"]
        .into_iter()
        .map(|topic| (topic, api.dapr.published(topic).len()))
        .collect()
}

/// What `requests` does until everything is published; `None` if an instance was new.
async fn once(api: &Service, requests: impl AsyncFn()) -> Option<String> {
    let before = published(api);
    host_log::record();
    requests().await;
    marked(api).await;
    let lines = host_log::take();
    let is_cold = |line: &Line| matches!(line, Line::Statement(text) if text.contains("schema_migration"));
    if lines.iter().any(is_cold) {
        return None;
    }
    let mut text = String::new();
    for line in &lines {
        text += &match line {
            Line::Opened(name) => format!("open {name}\n"),
            Line::Statement(sql) => format!("{}\n", short(sql)),
            Line::Sidecar(function) => format!("sidecar: {function}\n"),
        };
    }
    let after = published(api);
    let events = after.iter().map(|(topic, count)| (topic, count - before[topic]));
    for (topic, count) in events.filter(|(_, count)| *count > 0) {
        text += &format!("published on {topic}: {count}\n");
    }
    Some(text)
}

/// Compares what `requests` does on a warm instance with what is expected. It is called with a service and what `prepare` made
/// there: the body of a task.
async fn check(
    prepare: impl AsyncFn(&Service) -> Value,
    requests: impl AsyncFn(&Service, &Value),
    expected: Expect,
) {
    for _ in 0..ATTEMPTS {
        // Each attempt has a host of its own: one that once had two instances could use either.
        let api = api().await;
        let task = prepare(&api).await;
        requests(&api, &task).await;
        marked(&api).await;
        if let Some(cost) = once(&api, async || requests(&api, &task).await).await {
            expected.assert_eq(&cost);
            return;
        }
    }
    panic!("no request met a warm instance");
}

async fn create(api: &Service, task: &Value) {
    api.user("alice").create("/api/v1/tasks", task).await;
}

#[tokio::test]
async fn a_plain_task() {
    let task = async |_: &Service| json!({ "title": "Water the plants" });
    check(
        task,
        create,
        expect![[r#"
            open default
            INSERT task, person, usage
            sidecar: PublishAll
            sidecar: PublishAll
            open default
            UPDATE task_event
            published on task-events: 1
            published on task-updates: 1
        "#]],
    )
    .await;
}

#[tokio::test]
async fn a_task_with_a_reminder() {
    let task = async |_: &Service| json!({ "title": "Call the bank", "due": "2026-12-01T09:00", "reminders": [{ "minutesBefore": 5 }] });
    check(
        task,
        create,
        expect![[r#"
            open default
            INSERT task, person, usage, reminder
            sidecar: PublishAll
            sidecar: PublishAll
            open default
            UPDATE task_event
            published on task-events: 1
            published on task-updates: 1
        "#]],
    )
    .await;
}

#[tokio::test]
async fn a_task_with_a_category_and_two_tags() {
    let task = async |api: &Service| {
        let alice = api.user("alice");
        let label = async |path, name| alice.create(path, &json!({ "name": name })).await["id"].clone();
        let category = label("/api/v1/categories", "Home").await;
        let tags = [
            label("/api/v1/tags", "green").await,
            label("/api/v1/tags", "soon").await,
        ];
        json!({ "title": "Water the plants", "categoryId": category, "tagIds": tags })
    };
    check(
        task,
        create,
        expect![[r#"
            open default
            INSERT task, person, category, tag, usage
            sidecar: PublishAll
            sidecar: PublishAll
            open default
            UPDATE task_event
            published on task-events: 1
            published on task-updates: 1
        "#]],
    )
    .await;
}

#[tokio::test]
async fn a_task_with_an_idempotency_key() {
    let task = async |_: &Service| json!({ "title": "Water the plants" });
    let create = async |api: &Service, task: &Value| {
        let call = api.user("alice").call(Method::POST, "/api/v1/tasks").json(task);
        let key = uuid::Uuid::now_v7().to_string();
        body(&send(call.header("idempotency-key", key)).await, 201);
    };
    check(
        task,
        create,
        expect![[r#"
            open default
            INSERT idempotency, usage, idempotency
            open default
            INSERT task, person, usage
            open default
            UPDATE idempotency
            sidecar: PublishAll
            sidecar: PublishAll
            open default
            UPDATE task_event
            published on task-events: 1
            published on task-updates: 1
        "#]],
    )
    .await;
}

/// While the event of the first is being published, two more are stored: theirs are published together.
#[tokio::test]
async fn tasks_at_the_same_time() {
    let task = async |_: &Service| json!({ "title": "Water the plants" });
    let creates = async |api: &Service, task: &Value| {
        let hold = api.dapr.hold_next(Function::PublishAll);
        create(api, task).await;
        hold.reached().await;
        create(api, task).await;
        create(api, task).await;
        hold.release();
    };
    check(
        task,
        creates,
        expect![[r#"
            open default
            INSERT task, person, usage
            sidecar: PublishAll
            open default
            INSERT task, person, usage
            open default
            INSERT task, person, usage
            sidecar: PublishAll
            open default
            UPDATE task_event
            sidecar: PublishAll
            sidecar: PublishAll
            open default
            UPDATE task_event
            published on task-events: 3
            published on task-updates: 3
        "#]],
    )
    .await;
}

/// What a token of an agent is good for is known from the request before, as the key of other tokens is.
#[tokio::test]
async fn a_plain_task_of_an_agent() {
    let agent = async |api: &Service| {
        let new = json!({ "name": "Laptop", "scope": "write" });
        api.user("alice").create("/api/v1/agents", &new).await
    };
    let create = async |api: &Service, agent: &Value| {
        let caller = api.bearer(agent["token"].as_str().expect("a token"));
        let task = json!({ "title": "Water the plants" });
        caller.create("/api/v1/tasks", &task).await;
    };
    check(
        agent,
        create,
        expect![[r#"
            open default
            INSERT task, person, usage
            sidecar: PublishAll
            sidecar: PublishAll
            open default
            UPDATE task_event
            published on task-events: 1
            published on task-updates: 1
        "#]],
    )
    .await;
}
