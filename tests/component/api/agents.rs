//! Agents: programs that act for a user with a token of their own.

use http::Method;
use nudge_test_kit::http::Answer;
use serde_json::{Value, json};

use super::{relay, settled};
use crate::openapi::{METHODS, contract};
use crate::support::{Caller, Service, Setup, json as body, send, text};

const AGENTS: &str = "/api/v1/agents";
const TASKS: &str = "/api/v1/tasks";

/// How long removing an agent may take.
const LATEST: u64 = 10;

/// A new agent of a user: its id and its token.
pub(crate) async fn agent_of(user: &Caller<'_>, name: &str, scope: &str) -> (String, String) {
    let agent = user
        .create(AGENTS, &json!({ "name": name, "scope": scope }))
        .await;
    (text(&agent, "id").to_owned(), text(&agent, "token").to_owned())
}

/// The status of a request with a token.
async fn status(api: &Service, token: &str) -> u16 {
    api.bearer(token).get(TASKS).await.status.as_u16()
}

fn code(answer: &Answer, status: u16) -> String {
    text(&body(answer, status), "code").to_owned()
}

/// The codes of the mistakes that a refusal names, with their fields.
fn mistakes(answer: &Answer) -> Vec<(String, String)> {
    let problem = body(answer, 400);
    let errors = problem["errors"].as_array().expect("errors");
    let of = |error: &Value| (text(error, "field").to_owned(), text(error, "code").to_owned());
    errors.iter().map(of).collect()
}

pub(crate) async fn an_agent_acts_until_it_is_removed(api: &Service, other: &Service) {
    let alice = api.user("alice");
    let (id, token) = agent_of(&alice, "Laptop", "write").await;
    let (_, kept) = agent_of(&alice, "Phone", "read").await;
    let task = json!({ "title": "Water the plants" });
    let created = api.bearer(&token).create(TASKS, &task).await;
    assert_eq!(created["timeZone"], crate::support::ZONE, "that of the user");
    let tasks = body(&alice.get(TASKS).await, 200);
    assert_eq!(tasks["items"][0]["id"], created["id"]);
    for replica in [api, other] {
        assert_eq!(status(replica, &token).await, 200);
    }
    let one = format!("{AGENTS}/{id}");
    assert_eq!(api.user("bob").delete(&one).await.status, 404, "of another user");
    assert_eq!(alice.delete(&one).await.status, 204);
    assert_eq!(alice.delete(&one).await.status, 404);
    let answer = api.bearer(&token).get(TASKS).await;
    let problem = body(&answer, 401);
    assert!(text(&problem, "detail").contains("removed"), "{problem}");
    assert!(!problem.to_string().contains(&token), "{problem}");
    api.pass(LATEST);
    assert_eq!(status(other, &token).await, 401, "on another replica");
    for replica in [api, other] {
        assert_eq!(status(replica, &kept).await, 200);
    }
}

#[tokio::test]
async fn an_agent_acts_for_its_user_until_it_is_removed_on_every_replica() {
    let api = Service::start("api").await;
    let other = Setup::new("api").beside(&api).start().await;
    an_agent_acts_until_it_is_removed(&api, &other).await;
}

#[tokio::test]
async fn a_token_is_shown_once_and_stored_as_a_hash() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let call = alice.call(Method::POST, AGENTS).header("idempotency-key", "one");
    let call = call.json(&json!({ "name": " Laptop ", "scope": "read", "days": 1 }));
    let answer = send(call.clone()).await;
    let mut created = body(&answer, 201);
    let token = text(&created, "token").to_owned();
    created.as_object_mut().unwrap().remove("token");
    assert_eq!(
        created,
        json!({
            "id": created["id"], "name": "Laptop", "scope": "read", "createdAt": "2026-11-21T12:00:00Z",
            "expiresAt": "2026-11-22T12:00:00Z", "lastUsedAt": null,
        })
    );
    let one = format!("{AGENTS}/{}", text(&created, "id"));
    assert_eq!(answer.header("location"), one);
    assert_eq!(body(&alice.get(&one).await, 200), created);
    let list = json!({ "items": [created], "nextCursor": null });
    assert_eq!(body(&alice.get(AGENTS).await, 200), list);
    let export = body(&alice.get("/api/v1/me/export").await, 200);
    assert_eq!(export["agents"], list["items"]);
    let of_bob = body(&api.user("bob").get(AGENTS).await, 200);
    assert_eq!(of_bob["items"], json!([]));

    let again = send(call).await;
    assert_eq!(code(&again, 409), "idempotency_response_gone");
    for file in ["sqlite_db.db", "sqlite_db.db-wal"] {
        let stored = std::fs::read(api.state().join(file)).expect("a file of the database");
        let secret = token.strip_prefix("nudge_").expect("the prefix").as_bytes();
        assert!(!stored.windows(secret.len()).any(|part| part == secret), "{file}");
    }
}

/// The request is repeated as after a crash between the change and the response.
#[tokio::test]
async fn a_repeated_request_gives_the_same_agent_another_token() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let create = async || {
        let call = alice.call(Method::POST, AGENTS).header("idempotency-key", "one");
        let call = call.json(&json!({ "name": "Laptop", "scope": "read" }));
        body(&send(call).await, 201)
    };
    let lost = create().await;
    api.sql("UPDATE idempotency SET status = NULL, claimed_at = 0");
    let agent = create().await;
    assert_eq!(agent["id"], lost["id"]);
    assert_eq!(status(&api, text(&agent, "token")).await, 200);
    assert_eq!(status(&api, text(&lost, "token")).await, 401);
}

pub(crate) async fn names_and_number(api: &Service) {
    let alice = api.user("alice");
    let new = |name: &str| json!({ "name": name, "scope": "read" });
    alice.create(AGENTS, &new("Laptop")).await;
    for name in ["Laptop", "laptop", "LAPTOP "] {
        assert_eq!(code(&alice.post(AGENTS, &new(name)).await, 409), "name_taken");
    }
    api.user("bob").create(AGENTS, &new("Laptop")).await;
    for number in 1..20 {
        alice.create(AGENTS, &new(&format!("agent {number}"))).await;
    }
    let answer = alice.post(AGENTS, &new("one more")).await;
    let problem = body(&answer, 409);
    assert_eq!(problem["code"], "quota_exceeded");
    assert!(text(&problem, "detail").contains("20 agents"), "{problem}");
    let listed = body(&alice.get(AGENTS).await, 200);
    let last = &listed["items"][19];
    assert_eq!(last["name"], "agent 19", "the oldest first");
    assert_eq!(
        alice
            .delete(&format!("{AGENTS}/{}", text(last, "id")))
            .await
            .status,
        204
    );
    alice.create(AGENTS, &new("one more")).await;
}

#[tokio::test]
async fn names_are_unique_and_a_user_has_at_most_twenty_agents() {
    names_and_number(&Service::start("api").await).await;
}

#[tokio::test]
async fn a_new_agent_needs_a_name_a_scope_and_at_most_one_expiry() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let day = |number: i64| {
        let now: jiff::Timestamp = crate::support::START.parse().expect("an instant");
        (now + jiff::SignedDuration::from_hours(24 * number)).to_string()
    };
    for (new, expected) in [
        (json!({}), vec![("name", "required"), ("scope", "required")]),
        (
            json!({ "name": " ", "scope": "admin" }),
            vec![("name", "invalid_agent_name"), ("scope", "invalid_scope")],
        ),
        (
            json!({ "name": "x".repeat(51), "scope": "read" }),
            vec![("name", "invalid_agent_name")],
        ),
        (
            json!({ "name": "x", "scope": "read", "days": 0 }),
            vec![("days", "invalid_expiry")],
        ),
        (
            json!({ "name": "x", "scope": "read", "days": 367 }),
            vec![("days", "invalid_expiry")],
        ),
        (
            json!({ "name": "x", "scope": "read", "expiresAt": day(367) }),
            vec![("expiresAt", "invalid_expiry")],
        ),
        (
            json!({ "name": "x", "scope": "read", "expiresAt": day(0) }),
            vec![("expiresAt", "invalid_expiry")],
        ),
        (
            json!({ "name": "x", "scope": "read", "expiresAt": "tomorrow" }),
            vec![("expiresAt", "invalid_expiry")],
        ),
        (
            json!({ "name": "x", "scope": "read", "expiresAt": day(2), "days": 2 }),
            vec![("days", "ambiguous")],
        ),
        (
            json!({ "name": "x", "scope": "read", "token": "mine" }),
            vec![("token", "unknown_field")],
        ),
    ] {
        let found = mistakes(&alice.post(AGENTS, &new).await);
        let found: Vec<(&str, &str)> = found
            .iter()
            .map(|(field, code)| (field.as_str(), code.as_str()))
            .collect();
        assert_eq!(found, expected, "{new}");
    }
    for (name, expiry, at) in [
        ("a", json!({}), day(90)),
        ("b", json!({ "days": 366 }), day(366)),
        ("c", json!({ "expiresAt": day(366) }), day(366)),
        ("d", json!({ "expiresAt": day(1) }), day(1)),
    ] {
        let mut new = json!({ "name": name, "scope": "read" });
        new.as_object_mut()
            .unwrap()
            .extend(expiry.as_object().unwrap().clone());
        assert_eq!(
            alice.create(AGENTS, &new).await["expiresAt"],
            at.as_str(),
            "{new}"
        );
    }
}

#[tokio::test]
async fn an_expired_token_is_refused_and_its_agent_listed_for_a_month() {
    const DAY: u64 = 24 * 60 * 60;
    let api = Service::start("api").await;
    let new = json!({ "name": "Laptop", "scope": "read", "days": 1 });
    let agent = api.user("alice").create(AGENTS, &new).await;
    let token = text(&agent, "token");
    api.pass(DAY - 1);
    assert_eq!(status(&api, token).await, 200);
    api.pass(1);
    let answer = api.bearer(token).get(TASKS).await;
    assert!(text(&body(&answer, 401), "detail").contains("expired"));
    let listed = async || {
        relay(&api).await;
        let agents = body(&api.user("alice").get(AGENTS).await, 200);
        agents["items"].as_array().map(Vec::len)
    };
    api.pass(30 * DAY);
    assert_eq!(listed().await, Some(1));
    api.pass(1);
    assert_eq!(listed().await, Some(0));
}

/// Every operation of the contract that users have, with its path and method.
fn operations() -> Vec<(String, Method)> {
    let paths = contract().paths().iter();
    let paths = paths.filter(|(path, _)| path.starts_with("/api/v1/") && !path.ends_with("openapi.json"));
    paths
        .flat_map(|(path, item)| {
            let methods = METHODS.iter().filter(|method| item.get(**method).is_some());
            methods.map(|method| {
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
                (path.clone(), method)
            })
        })
        .collect()
}

#[tokio::test]
async fn an_agent_may_do_with_tasks_what_its_scope_says_and_nothing_with_the_account() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let agents = [
        agent_of(&alice, "a", "read").await.1,
        agent_of(&alice, "b", "write").await.1,
    ];
    let (mut account, mut changes) = (0, 0);
    for (path, method) in operations() {
        let target: Vec<&str> = path
            .split('/')
            .map(|part| match part.starts_with('{') {
                true => "018f0000-0000-7000-8000-000000000001",
                false => part,
            })
            .collect();
        let reads = method == Method::GET || path == "/api/v1/tasks/parse";
        let of_account = path.starts_with(AGENTS)
            || path.starts_with("/api/v1/me/")
            || path == "/api/v1/me" && method != Method::GET;
        for (token, may_write) in agents.iter().zip([false, true]) {
            let answer = send(api.bearer(token).call(method.clone(), &target.join("/"))).await;
            let what = format!("{method} {path}, may write: {may_write}");
            match (reads || may_write, of_account) {
                (false, _) => {
                    assert_eq!(code(&answer, 403), "insufficient_scope", "{what}");
                    let challenge = answer.header("www-authenticate");
                    assert!(challenge.contains("scope=\"write\""), "{what}: {challenge}");
                }
                (true, true) => assert_eq!(code(&answer, 403), "not_for_agents", "{what}"),
                (true, false) => {
                    let refused = [401, 403].contains(&answer.status.as_u16());
                    assert!(!refused, "{what}: {:?}", answer.body);
                }
            }
            account += u32::from(of_account);
            changes += u32::from(!reads);
        }
    }
    assert!(account > 10 && changes > 20, "{account} and {changes}");
    let left = body(&alice.get(AGENTS).await, 200);
    assert_eq!(left["items"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn the_last_use_is_noted_once_a_minute() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let (id, token) = agent_of(&alice, "Laptop", "read").await;
    let path = format!("{AGENTS}/{id}");
    let used = async || body(&alice.get(&path).await, 200)["lastUsedAt"].clone();
    // It is written after responding.
    let becomes = async |at: &str| {
        let noted = async {
            while used().await != at {
                tokio::task::yield_now().await;
            }
        };
        let noted = tokio::time::timeout(nudge_test_kit::http::DEADLINE, noted);
        noted.await.expect("the last use is noted");
    };
    assert_eq!(used().await, Value::Null);
    assert_eq!(status(&api, &token).await, 200);
    becomes("2026-11-21T12:00:00Z").await;
    api.pass(59);
    assert_eq!(status(&api, &token).await, 200);
    settled(&api).await;
    assert_eq!(used().await, "2026-11-21T12:00:00Z");
    api.pass(1);
    assert_eq!(status(&api, &token).await, 200);
    becomes("2026-11-21T12:01:00Z").await;
}

#[tokio::test]
async fn revoking_all_tokens_removes_the_agents_too() {
    let api = Service::start("api").await;
    let other = Setup::new("api").beside(&api).start().await;
    let alice = api.user("alice");
    let (_, token) = agent_of(&alice, "Laptop", "write").await;
    let (_, of_bob) = agent_of(&api.user("bob"), "Laptop", "write").await;
    assert_eq!(status(&other, &token).await, 200);
    let answer = alice.post("/api/v1/me/tokens/revoke", &json!({})).await;
    assert_eq!(answer.status, 204);
    assert_eq!(status(&api, &token).await, 401);
    api.pass(LATEST);
    for replica in [&api, &other] {
        assert_eq!(status(replica, &token).await, 401);
        assert_eq!(status(replica, &of_bob).await, 200);
    }
}

/// As a replica does that was started before there were agents: it stores the revocation and knows no agents.
#[tokio::test]
async fn a_revocation_ends_an_agent_whose_row_is_still_there() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let [one, two] = [
        agent_of(&alice, "a", "read").await,
        agent_of(&alice, "b", "read").await,
    ];
    api.sql(&format!(
        "INSERT INTO token_revocation VALUES ('alice', '{}', 0)",
        one.0
    ));
    assert_eq!(
        (status(&api, &one.1).await, status(&api, &two.1).await),
        (401, 200)
    );
    api.pass(1);
    let now = api.clock.now().duration_since(std::time::UNIX_EPOCH).unwrap();
    api.sql(&format!(
        "INSERT INTO token_revocation VALUES ('alice', '', {})",
        now.as_millis()
    ));
    api.pass(LATEST);
    assert_eq!(status(&api, &two.1).await, 401);
}

#[tokio::test]
async fn an_operator_revokes_one_agent_by_its_id() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let [one, two] = [
        agent_of(&alice, "a", "read").await,
        agent_of(&alice, "b", "read").await,
    ];
    let revoke = json!({ "user": "alice", "id": one.0 });
    let answer = api.sidecar().post("/internal/tokens/revocations", &revoke).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        (status(&api, &one.1).await, status(&api, &two.1).await),
        (401, 200)
    );
}

#[tokio::test]
async fn closing_the_account_ends_its_agents() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let (_, token) = agent_of(&alice, "Laptop", "write").await;
    // Its data is not deleted yet: the broker does not take the events.
    alice.create(TASKS, &json!({ "title": "Pay the rent" })).await;
    settled(&api).await;
    let hold = api.dapr.hold_next(nudge_test_kit::dapr::Function::PublishAll);
    super::me_leaving::delete_account(&alice).await;
    api.pass(LATEST);
    assert_eq!(status(&api, &token).await, 401);
    hold.release();
    super::me_leaving::gone(&api).await;
    assert_eq!(status(&api, &token).await, 401);
    let agents = body(&alice.get(AGENTS).await, 200);
    assert_eq!(agents["items"], json!([]), "a new account has none");
}

#[tokio::test]
async fn agents_count_with_their_user() {
    let api = Setup::new("api")
        .variable("rate_limit_per_minute", "3")
        .start()
        .await;
    let alice = api.user("alice");
    let (_, token) = agent_of(&alice, "Laptop", "read").await;
    assert_eq!(status(&api, &token).await, 200);
    assert_eq!(alice.get(TASKS).await.status, 200);
    assert_eq!(status(&api, &token).await, 429);
    assert_eq!(alice.get(TASKS).await.status, 429);
}

#[tokio::test]
async fn what_is_not_a_token_of_an_agent_is_refused() {
    let api = Service::start("api").await;
    let unknown = format!("nudge_{}", "A".repeat(43));
    for token in [
        "nudge_",
        "nudge_x",
        &format!("{unknown}A"),
        &unknown[..48],
        &unknown.replace('A', "+"),
        &unknown,
        &unknown.to_uppercase(),
    ] {
        assert_eq!(status(&api, token).await, 401, "{token}");
    }
}

#[tokio::test]
async fn history_feed_and_events_say_which_agent_made_a_change() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let (id, token) = agent_of(&alice, "Laptop", "write").await;
    let task = alice.create(TASKS, &json!({ "title": "Pay the rent" })).await;
    let path = format!("{TASKS}/{}", text(&task, "id"));
    let patched = api
        .bearer(&token)
        .patch(&path, &json!({ "priority": "high" }))
        .await;
    assert_eq!(patched.status, 200);
    let call = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "complete_task", "arguments": { "task_id": task["id"] } },
    });
    assert_eq!(api.bearer(&token).post("/mcp", &call).await.status, 200);
    assert_eq!(alice.delete(&format!("{AGENTS}/{id}")).await.status, 204);

    let (user, agent) = (
        json!({ "kind": "user" }),
        json!({ "kind": "agent", "agentId": id, "name": "Laptop" }),
    );
    let expected = [&user, &agent, &agent];
    let by = |items: &[Value]| items.iter().map(|item| item["by"].clone()).collect::<Vec<_>>();
    let feed = body(&alice.get("/api/v1/changes").await, 200);
    assert_eq!(
        by(feed["items"].as_array().expect("items"))
            .iter()
            .collect::<Vec<_>>(),
        expected
    );
    let history = body(&alice.get(&format!("{path}/history")).await, 200);
    let mut versions = history["items"].as_array().expect("items").clone();
    versions.sort_by_key(|item| item["version"].as_u64());
    assert_eq!(by(&versions).iter().collect::<Vec<_>>(), expected);
    settled(&api).await;
    let events = api.dapr.published("task-events");
    let data: Vec<Value> = events.iter().map(|event| event.data().expect("JSON")).collect();
    assert_eq!(by(&data).iter().collect::<Vec<_>>(), expected);
}
