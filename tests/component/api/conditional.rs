//! Conditional requests (RFC 9110, section 13) on everything that docs/openapi.json gives an entity tag: a table of
//! methods, headers and states. A resource that is new in the document is in the table.

use std::collections::BTreeSet;

use http::{HeaderMap, Method};
use nudge_test_kit::http::Answer;
use serde_json::{Value, json};

use crate::openapi::{METHODS, contract};
use crate::support::{Caller, Service, json as body, send, text};

const UNKNOWN: &str = "018f0000-0000-7000-8000-00000000ffff";

/// An operation that conditions apply to.
struct Operation {
    template: &'static str,
    method: Method,
    /// A body that it takes.
    body: Option<&'static Value>,
}

/// The operations of the document that take a condition, and HEAD for each that reads.
fn operations() -> Vec<Operation> {
    let mut operations = Vec::new();
    for (template, item) in contract().paths() {
        for name in METHODS {
            let Some(operation) = item.get(name).filter(|operation| conditional(operation)) else {
                continue;
            };
            let body = &operation["requestBody"]["content"]["application/json"]["example"];
            let method: Method = name.to_uppercase().parse().expect("a method");
            let head = (method == Method::GET).then_some(Method::HEAD);
            operations.extend([method].into_iter().chain(head).map(|method| Operation {
                template,
                method,
                body: (!body.is_null()).then_some(body),
            }));
        }
    }
    operations
}

fn conditional(operation: &Value) -> bool {
    ["If-Match", "If-None-Match"]
        .iter()
        .any(|name| takes(operation, name))
}

fn takes(operation: &Value, name: &str) -> bool {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    parameters
        .map(|parameter| contract().resolve(parameter))
        .any(|parameter| parameter["name"] == name)
}

#[test]
fn everything_that_has_an_entity_tag_takes_conditions() {
    let tagged = |operation: &Value| {
        let mut answers = operation["responses"].as_object().into_iter().flatten();
        answers.any(|(status, answer)| status.starts_with('2') && answer["headers"].get("ETag").is_some())
    };
    let mut count = 0;
    for (template, item) in contract().paths() {
        for method in METHODS {
            let Some(operation) = item.get(method) else {
                continue;
            };
            // What is created has a tag; where it is created has none.
            let about = template.contains('{') || method == "get";
            let changes = method != "get" && item.get("get").is_some_and(tagged);
            if (about && tagged(operation)) || changes || conditional(operation) {
                let what = format!("{method} {template}");
                assert!(takes(operation, "If-Match"), "{what}");
                assert!(takes(operation, "If-None-Match"), "{what}");
                for status in ["400", "412"] {
                    assert!(operation["responses"].get(status).is_some(), "{what} {status}");
                }
                let not_modified = operation["responses"].get("304").is_some();
                assert_eq!(not_modified, method == "get", "{what}");
                count += 1;
            }
        }
    }
    assert!(count > 20, "only {count} operations were found");
}

/// What the paths are about, in the hands of a user.
struct Things<'a> {
    user: Caller<'a>,
    task: String,
    reminder: String,
    category: String,
    tag: String,
    agent: String,
}

impl<'a> Things<'a> {
    /// The things of a new user.
    async fn new(api: &'a Service, number: usize) -> Self {
        let user = api.user(&format!("user-{number}"));
        let category = user
            .create("/api/v1/categories", &json!({ "name": "Work" }))
            .await;
        let tag = user.create("/api/v1/tags", &json!({ "name": "soon" })).await;
        let agent = json!({ "name": "Laptop", "scope": "read" });
        let agent = user.create("/api/v1/agents", &agent).await;
        let task = json!({ "title": "x", "due": "2026-12-01T09:00", "reminders": [{ "minutesBefore": 45 }], "categoryId": category["id"] });
        let task = user.create("/api/v1/tasks", &task).await;
        Self {
            task: text(&task, "id").to_owned(),
            reminder: text(&task["reminders"][0], "id").to_owned(),
            category: text(&category, "id").to_owned(),
            tag: text(&tag, "id").to_owned(),
            agent: text(&agent, "id").to_owned(),
            user,
        }
    }

    /// The path of a template.
    fn path(&self, template: &str) -> String {
        let id = match template
            .strip_prefix("/api/v1/")
            .and_then(|rest| rest.split('/').next())
        {
            Some("tasks") => &self.task,
            Some("categories") => &self.category,
            Some("tags") => &self.tag,
            Some("agents") => &self.agent,
            _ => {
                assert!(!template.contains("{id}"), "say what {template} is about");
                ""
            }
        };
        let path = template
            .replace("{id}", id)
            .replace("{reminderId}", &self.reminder)
            .replace("{tagId}", &self.tag);
        assert!(!path.contains('{'), "say what {template} is about");
        path
    }

    /// The same with something in the place of its last id that is not there; none for a path without.
    fn missing(&self, template: &str) -> Option<String> {
        let name = &template[template.rfind('{')?..=template.rfind('}')?];
        Some(self.path(&template.replace(name, UNKNOWN)))
    }

    /// The entity tag of what a template is about.
    async fn current(&self, template: &str) -> String {
        let owner = match template {
            "/api/v1/me" | "/api/v1/openapi.json" => template,
            "/api/v1/me/email/resume" => "/api/v1/me",
            _ => {
                let end = template.find("{id}").expect("a thing with an id") + "{id}".len();
                &template[..end]
            }
        };
        let answer = self.user.get(&self.path(owner)).await;
        assert_eq!(answer.status, 200, "{template}");
        answer.header("etag").to_owned()
    }

    async fn send(&self, operation: &Operation, path: &str, headers: &[(&str, String)]) -> Answer {
        let mut call = self.user.call(operation.method.clone(), path);
        for (name, value) in headers {
            call = call.header(name, value.clone());
        }
        send(match operation.body {
            Some(body) => call.json(body),
            None => call,
        })
        .await
    }
}

/// How a request ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// As it would without conditions.
    Done,
    /// 304.
    NotModified,
    /// 412 with a code.
    Failed(&'static str),
    /// 400.
    Refused,
}

use End::{Done, Failed, NotModified, Refused};

const MISMATCH: End = Failed("version_mismatch");
const MATCH: End = Failed("version_match");

/// Headers, where `{}` is the current entity tag; how a read ends with them; how a change does.
type Case = (&'static [(&'static str, &'static str)], End, End);

const TABLE: &[Case] = &[
    (&[], Done, Done),
    (&[("if-match", "{}")], Done, Done),
    (&[("if-match", "*")], Done, Done),
    (&[("if-match", "\"none\", {}")], Done, Done),
    (&[("if-match", "\"none\"")], MISMATCH, MISMATCH),
    (&[("if-match", "W/{}")], MISMATCH, MISMATCH),
    (&[("if-match", "none")], Refused, Refused),
    (&[("if-match", "")], Refused, Refused),
    (&[("if-none-match", "{}")], NotModified, MATCH),
    (&[("if-none-match", "*")], NotModified, MATCH),
    (&[("if-none-match", "W/{}")], NotModified, MATCH),
    (&[("if-none-match", "\"none\",W/{}")], NotModified, MATCH),
    (
        &[("if-none-match", "\"none\""), ("if-none-match", "{}")],
        NotModified,
        MATCH,
    ),
    (&[("if-none-match", "\"none\"")], Done, Done),
    (&[("if-none-match", "none")], Refused, Refused),
    (&[("if-none-match", "*, {}")], Refused, Refused),
    (&[("if-match", "{}"), ("if-none-match", "{}")], NotModified, MATCH),
    (
        &[("if-match", "\"none\""), ("if-none-match", "{}")],
        MISMATCH,
        MISMATCH,
    ),
    (&[("if-match", "{}"), ("if-none-match", "\"none\"")], Done, Done),
    // Nothing here has a date of modification.
    (
        &[("if-modified-since", "Thu, 31 Dec 2099 00:00:00 GMT")],
        Done,
        Done,
    ),
    (
        &[("if-unmodified-since", "Thu, 01 Jan 1970 00:00:00 GMT")],
        Done,
        Done,
    ),
    (
        &[
            ("if-none-match", "\"none\""),
            ("if-modified-since", "Thu, 31 Dec 2099 00:00:00 GMT"),
        ],
        Done,
        Done,
    ),
];

#[tokio::test]
async fn conditions_hold_for_every_method_of_everything_that_has_an_entity_tag() {
    let api = Service::start("api").await;
    let mut number = 0;
    let operations = operations();
    for operation in &operations {
        let template = operation.template;
        let reads = [Method::GET, Method::HEAD].contains(&operation.method);
        let mut things = Things::new(&api, number).await;
        let mut plain = HeaderMap::new();
        for (headers, read, change) in TABLE {
            let what = format!("{} {template} {headers:?}", operation.method);
            let current = things.current(template).await;
            let headers: Vec<(&str, String)> = headers
                .iter()
                .map(|(name, value)| (*name, value.replace("{}", &current)))
                .collect();
            let answer = things.send(operation, &things.path(template), &headers).await;
            let expected = if reads { *read } else { *change };
            check(&answer, expected, &current, operation, &what);
            if headers.is_empty() {
                plain.clone_from(&answer.headers);
            }
            if expected == NotModified {
                same(
                    &plain,
                    &answer.headers,
                    &["content-type", "content-length"],
                    &what,
                );
            }
            if reads || expected != Done {
                assert_eq!(
                    things.current(template).await,
                    current,
                    "{what}: nothing has changed"
                );
            } else {
                number += 1;
                things = Things::new(&api, number).await;
            }
            if let Some(missing) = things.missing(template) {
                let answer = things.send(operation, &missing, &headers).await;
                let malformed = expected == Refused && !reads;
                let status = if malformed { 400 } else { 404 };
                assert_eq!(answer.status, status, "{what} of what is not there");
            }
        }
        number += 1;
    }
    let methods: BTreeSet<&str> = operations
        .iter()
        .map(|operation| operation.method.as_str())
        .collect();
    assert_eq!(methods, ["DELETE", "GET", "HEAD", "PATCH", "POST"].into());
}

fn check(answer: &Answer, expected: End, current: &str, operation: &Operation, what: &str) {
    let status = answer.status.as_u16();
    let has_body = operation.method != Method::HEAD;
    match expected {
        Done => assert!(answer.status.is_success(), "{what}: {status} {:?}", answer.body),
        NotModified => {
            assert_eq!(status, 304, "{what}");
            assert_eq!(answer.header("etag"), current, "{what}");
            assert!(answer.body.is_empty(), "{what}");
            // It may only be that of the 200 (RFC 9110, section 8.6).
            assert!(!answer.headers.contains_key("content-length"), "{what}");
            assert!(!answer.headers.contains_key("content-type"), "{what}");
        }
        Failed(code) => {
            assert_eq!(status, 412, "{what}: {:?}", answer.body);
            assert_eq!(answer.header("etag"), current, "{what}");
            if has_body {
                assert_eq!(body(answer, 412)["code"], code, "{what}");
            }
        }
        Refused => {
            assert_eq!(status, 400, "{what}: {:?}", answer.body);
            if has_body {
                assert_eq!(body(answer, 400)["errors"][0]["code"], "invalid_etag", "{what}");
            }
        }
    }
}

/// Fails unless both have the same headers, but for these, and for those that are about the connection.
fn same(one: &HeaderMap, other: &HeaderMap, but: &[&str], what: &str) {
    let lines = |headers: &HeaderMap| -> BTreeSet<String> {
        headers
            .iter()
            .filter(|(name, _)| {
                let connection = ["date", "connection", "transfer-encoding"];
                !connection.contains(&name.as_str()) && !but.contains(&name.as_str())
            })
            .map(|(name, value)| format!("{name}: {value:?}"))
            .collect()
    };
    assert_eq!(lines(one), lines(other), "{what}");
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let api = Service::start("api").await;
    let things = Things::new(&api, 0).await;
    let mut paths: Vec<(String, &str)> = Vec::new();
    for (template, item) in contract().paths() {
        if let Some(operation) = item.get("get") {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let query = parameters
                .filter(|parameter| parameter["in"] == "query" && parameter["required"] == true)
                .map(|parameter| format!("?{}=x", text(parameter, "name")));
            let path = format!("{}{}", things.path(template), query.collect::<String>());
            paths.push((path, "*/*"));
        }
    }
    assert!(paths.len() > 12, "{paths:?}");
    paths.push((
        things.path("/api/v1/tasks/{id}").replace(&things.task, UNKNOWN),
        "*/*",
    ));
    paths.push(("/api/v1/tasks?limit=0".to_owned(), "*/*"));
    for (path, accept) in paths {
        let call = |method| things.user.call(method, &path).header("accept", accept);
        let (get, head) = (send(call(Method::GET)).await, send(call(Method::HEAD)).await);
        assert_eq!(get.status, head.status, "{path}");
        assert!(head.body.is_empty(), "{path}");
        same(&get.headers, &head.headers, &[], &path);
    }
    let stream = things
        .user
        .call(Method::HEAD, "/api/v1/changes")
        .header("accept", "text/event-stream");
    assert_eq!(send(stream).await.header("content-type"), "text/event-stream");
}

#[tokio::test]
async fn the_entity_tag_of_a_label_changes_with_its_task_count_and_its_version_does_not() {
    let api = Service::start("api").await;
    let things = Things::new(&api, 0).await;
    let path = things.path("/api/v1/categories/{id}");
    let ask = async |method: Method, name: &str, tag: &str| {
        let call = things.user.call(method, &path).header(name, tag);
        send(call.json(&json!({ "name": "Office" })))
            .await
            .status
            .as_u16()
    };
    let before = things.current("/api/v1/categories/{id}").await;
    assert_eq!(ask(Method::GET, "if-none-match", &before).await, 304);
    let task = json!({ "title": "y", "categoryId": things.category });
    things.user.create("/api/v1/tasks", &task).await;
    assert_eq!(ask(Method::GET, "if-none-match", &before).await, 200);
    assert_eq!(
        ask(Method::PATCH, "if-match", &before).await,
        412,
        "its taskCount is another"
    );
    assert_eq!(ask(Method::PATCH, "if-match", "\"1\"").await, 200);
    assert_eq!(ask(Method::PATCH, "if-match", "\"1\"").await, 412);
}

#[tokio::test]
async fn lists_have_no_entity_tag_and_conditions_on_them_are_ignored() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    for path in [
        "/api/v1/tasks",
        "/api/v1/tags",
        "/api/v1/changes",
        "/api/v1/me/export",
    ] {
        for (name, value) in [("if-none-match", "*"), ("if-match", "\"1\""), ("if-match", "1")] {
            let answer = send(alice.call(Method::GET, path).header(name, value)).await;
            assert_eq!(answer.status, 200, "{path} {name}: {value}");
        }
    }
    let call = alice
        .call(Method::POST, "/api/v1/tasks")
        .header("if-none-match", "*");
    assert_eq!(send(call.json(&json!({ "title": "x" }))).await.status, 201);
}

#[tokio::test]
async fn a_condition_is_part_of_what_an_idempotency_key_came_with() {
    let api = Service::start("api").await;
    let things = Things::new(&api, 0).await;
    let path = things.path("/api/v1/tasks/{id}/complete");
    let complete = async |name: &str, tag: &str| {
        let call = things
            .user
            .call(Method::POST, &path)
            .header("idempotency-key", "k")
            .header(name, tag);
        send(call).await.status.as_u16()
    };
    assert_eq!(complete("if-none-match", "\"7\"").await, 200);
    assert_eq!(complete("if-none-match", "\"7\"").await, 200);
    assert_eq!(complete("if-none-match", "\"8\"").await, 422);
    assert_eq!(
        complete("if-match", "\"7\"").await,
        422,
        "it demands the opposite"
    );
}
