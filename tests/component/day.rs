//! A day with the api: requests of every kind, and a transcript of what came back.

use http::Method;
use nudge_test_kit::http::Answer;
use serde_json::{Value, json};

use crate::api::feed::refuses_made_up_places;
use crate::support::{Caller, Service, json as body, send, text};

/// What was asked and what came back.
struct Transcript<'a> {
    caller: Caller<'a>,
    lines: Vec<Value>,
}

impl Transcript<'_> {
    fn note(&mut self, method: &Method, path: &str, answer: &Answer) -> Value {
        let body: Value = answer.json().unwrap_or_default();
        self.lines.push(json!({
            "request": format!("{method} {path}"),
            "status": answer.status.as_u16(),
            "etag": answer.header("etag"),
            "body": body,
        }));
        body
    }

    async fn send(&mut self, method: Method, path: &str, payload: Option<Value>) -> Value {
        let call = self.caller.call(method.clone(), path);
        let call = match &payload {
            Some(payload) => call.json(payload),
            None => call,
        };
        let answer = send(call).await;
        self.note(&method, path, &answer)
    }

    async fn get(&mut self, path: &str) -> Value {
        self.send(Method::GET, path, None).await
    }

    async fn post(&mut self, path: &str, payload: Value) -> Value {
        self.send(Method::POST, path, Some(payload)).await
    }

    /// All pages of a list. Cursors differ between databases where ids do, so only items are compared.
    async fn pages(&mut self, query: &str) {
        let mut cursor = String::new();
        let mut titles = Vec::new();
        loop {
            let path = format!("/api/v1/tasks?limit=2&{query}&cursor={cursor}");
            let page = body(&self.caller.get(&path).await, 200);
            let items = page["items"].as_array().expect("items");
            titles.extend(items.iter().map(|task| text(task, "title").to_owned()));
            match page["nextCursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => break,
            }
        }
        self.lines.push(json!({ "list": query, "titles": titles }));
    }
}

/// A day with the api. Every line is in the transcript.
pub(crate) async fn day(api: &Service) -> Vec<Value> {
    let mut alice = Transcript {
        caller: api.user("alice"),
        lines: Vec::new(),
    };
    let category = alice.post("/api/v1/categories", json!({ "name": "Work" })).await;
    let tag = alice.post("/api/v1/tags", json!({ "name": "soon" })).await;
    alice.post("/api/v1/tags", json!({ "name": "soon" })).await;
    for name in ["Zoo", "\u{e4}rger", "b-side", "bside"] {
        alice.post("/api/v1/tags", json!({ "name": name })).await;
    }
    let mut tasks = Vec::new();
    for (title, more) in [
        (
            "b",
            json!({ "priority": "low", "due": "2026-12-03", "categoryId": category["id"] }),
        ),
        ("C", json!({ "priority": "urgent", "tagIds": [tag["id"]] })),
        (
            "a",
            json!({ "due": "2026-12-01T09:00", "recurrence": "daily", "reminders": [{ "minutesBefore": 5 }] }),
        ),
        (
            "\u{e9}t\u{e9}",
            json!({ "priority": "high", "due": "2026-11-20", "tagIds": [tag["id"]] }),
        ),
        ("Zo\u{eb} % _ ' \\", json!({ "description": "\u{1f980}" })),
    ] {
        let mut task = more;
        task["title"] = json!(title);
        api.pass(1);
        tasks.push(alice.post("/api/v1/tasks", task).await);
    }
    let path = |index: usize| format!("/api/v1/tasks/{}", text(&tasks[index], "id"));
    api.pass(1);
    alice
        .send(
            Method::PATCH,
            &path(0),
            Some(json!({ "title": "bb", "tagIds": [tag["id"]] })),
        )
        .await;
    alice.post(&format!("{}/complete", path(1)), json!({})).await;
    alice.post(&format!("{}/reopen", path(1)), json!({})).await;
    alice
        .post(&format!("{}/move", path(2)), json!({ "by": "P1M" }))
        .await;
    for sort in ["created", "updated", "due", "priority", "title"] {
        for order in ["asc", "desc"] {
            alice.pages(&format!("sort={sort}&order={order}")).await;
        }
    }
    for query in [
        format!("categoryId={}", text(&category, "id")),
        "categoryId=none&priority=high,urgent".to_owned(),
        format!("tagIds={}&tagMatch=all&sort=title", text(&tag, "id")),
        "overdue=true".to_owned(),
        "upcomingDays=30&order=desc".to_owned(),
        "dueAfter=2026-12-02&dueBefore=2027-02-01&sort=updated".to_owned(),
        "status=pending&offset=1".to_owned(),
        "text=%c3%89T".to_owned(),
        "text=zoe&sort=title".to_owned(),
    ] {
        alice.pages(&query).await;
    }
    for query in ["b", "zoe", "ete", "%25", "b%20c"] {
        let path = format!("/api/v1/tasks/search?query={query}");
        alice.get(&path).await;
        alice.pages(&format!("text={query}x")).await;
    }
    alice.get("/api/v1/categories").await;
    alice.get("/api/v1/tags").await;
    alice
        .send(Method::DELETE, &format!("{}?scope=occurrence", path(2)), None)
        .await;
    alice.pages("sort=due").await;
    let operations = json!([
        { "op": "create", "task": { "title": "bulk" } },
        { "op": "delete", "id": text(&tasks[3], "id") },
    ]);
    alice
        .post("/api/v1/tasks/bulk", json!({ "operations": operations }))
        .await;
    alice
        .send(
            Method::DELETE,
            &format!("/api/v1/tags/{}", text(&tag, "id")),
            None,
        )
        .await;
    alice.get(&format!("{}/history", path(0))).await;

    for title in ["once", "once", "twice"] {
        let call = alice
            .caller
            .call(Method::POST, "/api/v1/tasks")
            .header("idempotency-key", "k")
            .json(&json!({ "title": title }));
        let answer = send(call).await;
        alice.note(&Method::POST, title, &answer);
    }
    feed(&mut alice).await;
    alice.lines
}

/// The whole feed, three at a time; places are of one database.
async fn feed(alice: &mut Transcript<'_>) {
    let (mut since, mut last) = (String::new(), String::new());
    loop {
        let path = format!("/api/v1/changes?limit=3&since={since}");
        let mut page = body(&alice.caller.get(&path).await, 200);
        text(&page, "next").clone_into(&mut since);
        let items = page["items"].as_array_mut().expect("items");
        if items.is_empty() {
            break;
        }
        for item in items {
            text(item, "id").clone_into(&mut last);
            item["id"].take();
            alice.lines.push(item.take());
        }
    }
    let end = body(&alice.caller.get("/api/v1/changes?since=now").await, 200);
    let path = format!("/api/v1/changes?since={}", text(&end, "next"));
    let rest = body(&alice.caller.get(&path).await, 200);
    assert_eq!(rest["items"], json!([]));
    // That of the last change: the end of a feed on PostgreSQL has no number.
    refuses_made_up_places(&alice.caller, &last).await;
}
