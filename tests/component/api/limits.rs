//! What one user may do and store. The cases that end in statements run on PostgreSQL as well (`postgres/limits.rs`).

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http::Method;
use nudge_test_kit::http::{Answer, DEADLINE};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;

use super::{relay, settled};
use crate::support::{Caller, Service, Setup, ZONE, json as body, send, text};

/// Small limits, so that a test reaches them.
pub(crate) fn small(setup: Setup) -> Setup {
    [
        ("rate_limit_per_minute", "250"),
        ("max_tasks", "3"),
        ("max_tags", "2"),
        ("max_categories", "2"),
        ("max_reminders_per_minute", "3"),
        ("max_kept_response_bytes", "4000"),
        ("max_open_feeds", "2"),
        ("max_task_versions", "100"),
    ]
    .into_iter()
    .fold(setup, |setup, (name, value)| setup.variable(name, value))
}

/// The cases that end in statements.
pub(crate) async fn everything(api: &Service) {
    tasks(api).await;
    occurrences(api).await;
    labels(api).await;
    pages(api).await;
    reminders(api).await;
    kept(api).await;
    streams(api).await;
    costs(api).await;
}

#[tokio::test]
async fn every_limit_names_itself_and_the_way_out() {
    everything(&small(Setup::new("api")).start().await).await;
}

/// A refusal because of a quota, which names the variable.
fn over(answer: &Answer, variable: &str) {
    let problem = body(answer, 409);
    assert_eq!(problem["code"], "quota_exceeded");
    assert!(text(&problem, "detail").ends_with(variable), "{problem}");
}

/// A refusal because of a rate, which names the variable. Returns the seconds until it may succeed.
fn too_much(answer: &Answer, variable: &str) -> u32 {
    let problem = body(answer, 429);
    assert_eq!(problem["code"], "rate_limited");
    assert!(text(&problem, "detail").ends_with(variable), "{problem}");
    answer.header("retry-after").parse().expect("seconds")
}

fn path(task: &Value) -> String {
    format!("/api/v1/tasks/{}", text(task, "id"))
}

async fn tasks(api: &Service) {
    let ann = api.user("ann");
    let new = json!({ "title": "Water the plants" });
    let first = ann.create("/api/v1/tasks", &new).await;
    let second = ann.create("/api/v1/tasks", &new).await;
    ann.create("/api/v1/tasks", &new).await;
    over(&ann.post("/api/v1/tasks", &new).await, "max_tasks");
    let operations =
        json!({ "operations": [{ "op": "create", "task": new }, { "op": "complete", "id": first["id"] }] });
    let results = body(&ann.post("/api/v1/tasks/bulk", &operations).await, 200);
    assert_eq!(results["results"][0]["problem"]["code"], "quota_exceeded");
    assert_eq!(results["results"][1]["status"], 200, "a change needs no room");
    let message = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "add_task", "arguments": { "title": "Water the plants" } },
    });
    let call = ann
        .call(Method::POST, "/mcp")
        .header("accept", "application/json, text/event-stream");
    let answer = body(&send(call.json(&message)).await, 200);
    assert_eq!(answer["result"]["structuredContent"]["code"], "QUOTA_EXCEEDED");
    api.user("ben").create("/api/v1/tasks", &new).await;

    // The key of a refused request is free: the same request succeeds once there is room.
    over(&keyed(&ann, "/api/v1/tasks", "again", &new).await, "max_tasks");
    assert_eq!(ann.delete(&path(&second)).await.status, 204);
    let again = keyed(&ann, "/api/v1/tasks", "again", &new).await;
    body(&again, 201);
    over(&ann.post("/api/v1/tasks", &new).await, "max_tasks");
}

/// The next occurrence is stored in any case. At twice the limit, completing a recurring task is refused.
async fn occurrences(api: &Service) {
    let cleo = api.user("cleo");
    let daily = json!({ "title": "Stretch", "due": "2026-12-01T09:00", "recurrence": "daily" });
    let mut task = Value::Null;
    for _ in 0..3 {
        task = cleo.create("/api/v1/tasks", &daily).await;
    }
    for number in 2..=4_u32 {
        let done = body(
            &cleo.post(&format!("{}/complete", path(&task)), &json!({})).await,
            200,
        );
        task = followed(api, &done, number).await;
    }
    over(
        &cleo.post(&format!("{}/complete", path(&task)), &json!({})).await,
        "max_tasks",
    );
    assert_eq!(cleo.delete(&path(&task)).await.status, 204);
}

/// The next occurrence of a completed task, as recurring-task has it created.
async fn followed(api: &Service, done: &Value, occurrence: u32) -> Value {
    settled(api).await;
    let id = uuid::Uuid::now_v7();
    let due = format!("2026-12-{occurrence:02}T09:00:00+01:00");
    let next = json!({ "kind": "next", "id": id, "due": due, "occurrence": occurrence });
    let asked = json!({ "items": [{ "taskId": done["id"], "successor": next }] });
    let answer = body(&api.sidecar().post("/internal/successors", &asked).await, 200);
    assert_eq!(answer["items"][0]["result"], "done", "{answer}");
    body(&api.user("cleo").get(&format!("/api/v1/tasks/{id}")).await, 200)
}

async fn labels(api: &Service) {
    let dora = api.user("dora");
    for (path, variable) in [
        ("/api/v1/tags", "max_tags"),
        ("/api/v1/categories", "max_categories"),
    ] {
        let home = dora.create(path, &json!({ "name": "Home" })).await;
        dora.create(path, &json!({ "name": "Work" })).await;
        over(&dora.post(path, &json!({ "name": "Garden" })).await, variable);
        let taken = body(&dora.post(path, &json!({ "name": "home" })).await, 409);
        assert_eq!(taken["code"], "name_taken");
        assert_eq!(
            dora.delete(&format!("{path}/{}", text(&home, "id"))).await.status,
            204
        );
        dora.create(path, &json!({ "name": "Garden" })).await;
    }
}

/// Lists of labels have pages.
async fn pages(api: &Service) {
    let emma = api.user("emma");
    for name in ["b", "A"] {
        emma.create("/api/v1/tags", &json!({ "name": name })).await;
    }
    let first = body(&emma.get("/api/v1/tags?limit=1").await, 200);
    assert_eq!(first["items"][0]["name"], "A");
    let cursor = text(&first, "nextCursor");
    let rest = body(
        &emma.get(&format!("/api/v1/tags?limit=1&cursor={cursor}")).await,
        200,
    );
    assert_eq!(rest["items"][0]["name"], "b");
    assert_eq!(rest["nextCursor"], Value::Null);
    let whole = body(&emma.get("/api/v1/tags").await, 200);
    assert_eq!(whole["items"].as_array().map(Vec::len), Some(2));
    for wrong in ["limit=0", "limit=101", "cursor=x", "offset=1"] {
        assert_eq!(
            emma.get(&format!("/api/v1/tags?{wrong}")).await.status,
            400,
            "{wrong}"
        );
    }
}

async fn reminders(api: &Service) {
    let fred = api.user("fred");
    let due = |at: &str, before: &[u32]| {
        let reminders: Vec<Value> = before
            .iter()
            .map(|minutes| json!({ "minutesBefore": minutes }))
            .collect();
        json!({ "title": "Call the bank", "due": at, "reminders": reminders })
    };
    let early = fred
        .create("/api/v1/tasks", &due("2026-12-01T09:00:10", &[0, 10]))
        .await;
    let late = fred
        .create("/api/v1/tasks", &due("2026-12-01T09:10:59", &[10, 20]))
        .await;
    let post = async |new: Value| fred.post("/api/v1/tasks", &new).await;
    // Two at 9:00, and one more that is moved there.
    let path = path(&early);
    let moved = fred.patch(&path, &json!({ "due": "2026-12-01T09:00:50" })).await;
    body(&moved, 200);
    assert_eq!(
        post(due("2026-12-01T09:00", &[0])).await.status,
        201,
        "the third at 9:00"
    );
    let id = text(&late, "id");
    over(
        &fred
            .post(
                &format!("/api/v1/tasks/{id}/reminders"),
                &json!({ "at": "2026-12-01T09:00:30" }),
            )
            .await,
        "max_reminders_per_minute",
    );
    let both = json!({ "reminders": [{ "minutesBefore": 10 }, { "at": "2026-12-01T09:00:30" }] });
    let changed = fred.patch(&format!("/api/v1/tasks/{id}"), &both).await;
    over(&changed, "max_reminders_per_minute");
    let next = json!({ "at": "2026-12-01T09:01:00" });
    let set = fred.post(&format!("/api/v1/tasks/{id}/reminders"), &next).await;
    assert_eq!(set.status, 201, "another minute");
}

async fn keyed(caller: &Caller<'_>, path: &str, key: &str, body: &Value) -> Answer {
    let call = caller.call(Method::POST, path).header("idempotency-key", key);
    send(call.json(body)).await
}

async fn kept(api: &Service) {
    let gina = api.user("gina");
    let new = json!({ "title": "Read", "description": "long ".repeat(2000) });
    let first = keyed(&gina, "/api/v1/tasks", "k0", &new).await;
    let task = body(&first, 201);
    let complete = format!("{}/complete", path(&task));
    let mut answers = Vec::new();
    let refused = loop {
        let key = format!("k{}", answers.len() + 1);
        let answer = keyed(&gina, &complete, &key, &json!({})).await;
        if answer.status == 429 {
            break answer;
        }
        assert_eq!(answer.status, 200);
        answers.push(answer);
    };
    // Each takes 512 bytes and a few for its version, whatever the task is like.
    assert_eq!(answers.len(), 7);
    let seconds = too_much(&refused, "max_kept_response_bytes");
    assert!((86_400..=86_460).contains(&seconds), "{seconds}");
    // What was done is known, and comes back as it was, although the task has changed since.
    body(
        &gina.patch(&path(&task), &json!({ "priority": "high" })).await,
        200,
    );
    let again = keyed(&gina, "/api/v1/tasks", "k0", &new).await;
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    for name in ["etag", "location", "content-type"] {
        assert_eq!(again.header(name), first.header(name), "{name}");
    }
    let again = keyed(&gina, &complete, "k3", &json!({})).await;
    assert_eq!((again.status, &again.body), (answers[2].status, &answers[2].body));
    assert_eq!(again.header("idempotency-replayed"), "true");
    // Without a key the same can be done.
    assert_eq!(gina.post(&complete, &json!({})).await.status, 200);
}

async fn streams(api: &Service) {
    let hugo = api.user("hugo");
    let call = || {
        hugo.call(Method::GET, "/api/v1/changes")
            .header("accept", "text/event-stream")
    };
    let mut first = call().open().await.expect("an answer");
    let second = call().open().await.expect("an answer");
    assert_eq!(first.chunk().await.expect("a frame"), "retry: 1000\n\n");
    let seconds = too_much(&send(call()).await, "max_open_feeds");
    assert!((1..=41).contains(&seconds), "{seconds}");
    assert_eq!(hugo.get("/api/v1/changes").await.status, 200, "not a stream");
    drop((first, second));
    // The process that served them may be gone: then they end by themselves.
    api.pass(41);
    let again = api.user("hugo");
    let call = again
        .call(Method::GET, "/api/v1/changes")
        .header("accept", "text/event-stream");
    assert_eq!(
        call.open().await.expect("an answer").header("content-type"),
        "text/event-stream"
    );
}

/// A request costs what it does: all of it is charged before it begins, or nothing is done.
async fn costs(api: &Service) {
    // To the beginning of a minute.
    api.pass(60);
    let ida = api.user("ida");
    let reads = |count: usize| json!({ "operations": vec![json!({ "op": "complete", "id": "x" }); count] });
    let bulk = async |count: usize| ida.post("/api/v1/tasks/bulk", &reads(count)).await;
    assert_eq!(bulk(100).await.status, 200);
    assert_eq!(bulk(100).await.status, 200);
    let seconds = too_much(&bulk(100).await, "rate_limit_per_minute");
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert_eq!(bulk(49).await.status, 200, "the refused one cost 1");
    too_much(&ida.get("/api/v1/me").await, "rate_limit_per_minute");
    assert_eq!(api.user("jack").get("/api/v1/me").await.status, 200);
    api.pass(60);
    assert_eq!(api.user("ida").get("/api/v1/me").await.status, 200);
}

/// In the security review five requests created 500 tasks, and a minute had room for 120,000.
#[tokio::test]
async fn a_minute_has_room_for_as_many_operations_as_requests() {
    let api = Setup::new("api")
        .variable("rate_limit_per_minute", "300")
        .start()
        .await;
    let alice = api.user("alice");
    let operations = json!({ "operations": vec![json!({ "op": "create", "task": { "title": "x" } }); 100] });
    let mut taken = 0;
    for _ in 0..5 {
        let answer = alice.post("/api/v1/tasks/bulk", &operations).await;
        taken += u32::from(answer.status == 200);
    }
    assert_eq!(taken, 3);
    let stored: i64 = api
        .database()
        .query_row("SELECT COUNT(*) FROM task", [], |row| row.get(0))
        .expect("a count");
    assert_eq!(stored, 300);
}

#[tokio::test]
async fn a_request_that_costs_more_than_a_minute_has_is_told_so() {
    let api = Setup::new("api")
        .variable("rate_limit_per_minute", "5")
        .start()
        .await;
    let operations = json!({ "operations": vec![json!({ "op": "create", "task": { "title": "x" } }); 6] });
    let answer = api.user("alice").post("/api/v1/tasks/bulk", &operations).await;
    too_much(&answer, "rate_limit_per_minute");
    assert!(text(&body(&answer, 429), "detail").contains("smaller parts"));
}

/// What a user cannot send in smaller parts can be done in a minute of any size.
#[tokio::test]
async fn what_has_no_smaller_parts_costs_a_whole_minute_at_most() {
    let api = Setup::new("api")
        .variable("rate_limit_per_minute", "20")
        .start()
        .await;
    let tag = api
        .user("alice")
        .create("/api/v1/tags", &json!({ "name": "Home" }))
        .await;
    let task = json!({ "title": "x", "tagIds": [tag["id"]] });
    for count in [15, 10] {
        api.pass(60);
        let operations = json!({ "operations": vec![json!({ "op": "create", "task": task }); count] });
        body(
            &api.user("alice").post("/api/v1/tasks/bulk", &operations).await,
            200,
        );
    }
    api.pass(60);
    let path = format!("/api/v1/tags/{}", text(&tag, "id"));
    too_much(&api.user("alice").delete(&path).await, "rate_limit_per_minute");
    api.pass(60);
    assert_eq!(
        api.user("alice").delete(&path).await.status,
        204,
        "the first attempt removed it from 19 tasks"
    );
    api.pass(60);
    assert_eq!(api.user("alice").get("/api/v1/me/export").await.status, 200);
    too_much(
        &api.user("alice").get("/api/v1/me/export").await,
        "rate_limit_per_minute",
    );
}

/// In the security review a hundred answers to six completions of one task made the database grow by 24.6 MB.
#[tokio::test]
async fn what_is_kept_of_long_responses_is_short() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let task = alice
        .create(
            "/api/v1/tasks",
            &json!({ "title": "x", "description": "語".repeat(10_000) }),
        )
        .await;
    let complete = json!({ "op": "complete", "id": task["id"] });
    let operations = json!({ "operations": vec![complete; 6] });
    let mut sent = 0;
    for number in 0..20 {
        let answer = keyed(&alice, "/api/v1/tasks/bulk", &format!("k{number}"), &operations).await;
        assert_eq!(answer.status, 200);
        sent += answer.body.len();
    }
    assert!(sent > 3_000_000, "{sent}");
    let kept: i64 = api
        .database()
        .query_row(
            "SELECT kept_bytes FROM usage WHERE user_id = 'alice'",
            [],
            |row| row.get(0),
        )
        .expect("a number");
    assert!(kept < 40_000, "{kept}");
    let again = keyed(&alice, "/api/v1/tasks/bulk", "k7", &operations).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(body(&again, 200)["results"][5]["task"]["version"], 2);
}

/// A request that was done is not done again, even if nothing can be shown of it.
#[tokio::test]
async fn a_response_whose_versions_are_gone_is_not_made_again() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let new = json!({ "title": "x", "description": "long ".repeat(1000) });
    let task = body(&keyed(&alice, "/api/v1/tasks", "k", &new).await, 201);
    body(
        &alice.patch(&path(&task), &json!({ "priority": "high" })).await,
        200,
    );
    settled(&api).await;
    api.sql("DELETE FROM task_event WHERE version = 1");
    let again = keyed(&alice, "/api/v1/tasks", "k", &new).await;
    assert_eq!(body(&again, 409)["code"], "idempotency_response_gone");
    let page = body(&alice.get("/api/v1/tasks").await, 200);
    assert_eq!(page["items"].as_array().map(Vec::len), Some(1));
}

/// Of a task the newest versions are kept, and those that are not published yet.
#[tokio::test]
async fn the_history_of_a_task_does_not_grow_for_ever() {
    let api = small(Setup::new("api"))
        .variable("rate_limit_per_minute", "0")
        .start()
        .await;
    let alice = api.user("alice");
    let task = alice.create("/api/v1/tasks", &json!({ "title": "x" })).await;
    let path = path(&task);
    for version in 2..=160 {
        body(
            &alice.patch(&path, &json!({ "estimateMinutes": version })).await,
            200,
        );
    }
    settled(&api).await;
    let versions = || -> (i64, i64) {
        let sql = "SELECT MIN(version), COUNT(*) FROM task_event";
        api.database()
            .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
            .expect("numbers")
    };
    assert_eq!(versions(), (51, 110));
    let history = body(&alice.get(&format!("{path}/history")).await, 200);
    assert_eq!(history["items"][0]["version"], 51);
    let feed = body(&alice.get("/api/v1/changes?limit=1").await, 200);
    assert_eq!(feed["items"][0]["version"], 51);
}

/// Numbers of the migration and of the triggers are those that a count has.
#[tokio::test]
async fn what_a_user_has_is_counted_and_what_was_there_before_as_well() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let mut last = Value::Null;
    for number in 0..3 {
        let answer = keyed(
            &alice,
            "/api/v1/tasks",
            &format!("k{number}"),
            &json!({ "title": "x" }),
        )
        .await;
        last = body(&answer, 201);
    }
    assert_eq!(alice.delete(&path(&last)).await.status, 204);
    settled(&api).await;
    let counted = |api: &Service| -> (i64, i64) {
        api.database()
            .query_row(
                "SELECT tasks, kept_bytes FROM usage WHERE user_id = 'alice'",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .expect("a row")
    };
    let known = counted(&api);
    let stored: i64 = api
        .database()
        .query_row("SELECT SUM(512 + LENGTH(body)) FROM idempotency", [], |row| {
            row.get(0)
        })
        .expect("a number");
    assert_eq!(known, (2, stored));

    // As a database of the version before.
    for statement in [
        "DROP TABLE usage",
        "DROP TRIGGER task_counted",
        "DROP TRIGGER task_deletion_counted",
        "DROP TRIGGER task_purge_counted",
        "DROP TRIGGER idempotency_counted",
        "DROP TRIGGER idempotency_change_counted",
        "DROP TRIGGER idempotency_deletion_counted",
        "DELETE FROM schema_migration WHERE number = 13",
    ] {
        api.sql(statement);
    }
    let upgraded = api.start_again().await;
    assert_eq!(upgraded.user("alice").get("/api/v1/me").await.status, 200);
    assert_eq!(counted(&upgraded), known);

    // Responses are forgotten after a day.
    upgraded.pass(25 * 3600);
    relay(&upgraded).await;
    assert_eq!(counted(&upgraded), (2, 0));
}

/// Requests of one user at the same time.
const STUCK: usize = 40;

/// A request whose body never comes.
async fn stuck(api: &Service, token: &str) -> TcpStream {
    let mut stream = TcpStream::connect(api.host.local_addr())
        .await
        .expect("a connection");
    let head = format!(
        "POST /api/v1/tasks HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("it is sent");
    stream
}

/// The status of what was answered so far.
async fn status(stream: &mut (impl AsyncReadExt + Unpin)) -> u16 {
    let mut head = [0; 12];
    stream.read_exact(&mut head).await.expect("an answer");
    std::str::from_utf8(&head[9..])
        .expect("ASCII")
        .parse()
        .expect("a status")
}

/// Requests of alice whose bodies never come. Returns once `refused` of them are refused, with those that wait.
async fn flood(api: &Service, refused: usize) -> Vec<OwnedWriteHalf> {
    let token = nudge_test_kit::tokens::mint("alice", ZONE, api.clock.now());
    let mut answers = FuturesUnordered::new();
    let mut streams = Vec::new();
    for number in 0..STUCK {
        let (mut reading, writing) = stuck(api, &token).await.into_split();
        streams.push(Some(writing));
        answers.push(async move { (number, status(&mut reading).await) });
    }
    let refusals = async {
        for _ in 0..refused {
            let (number, status) = answers.next().await.expect("an answer");
            assert_eq!(status, 429);
            streams[number] = None;
        }
    };
    tokio::time::timeout(DEADLINE, refusals)
        .await
        .expect("refused without their bodies");
    drop(answers);
    streams.into_iter().flatten().collect()
}

/// In the security review requests of one user whose bodies never came took every place of every instance.
#[tokio::test]
async fn a_user_whose_bodies_never_come_leaves_half_of_each_instance_to_others() {
    let api = Service::start("api").await;
    // An instance has 16 places, so three take all of them at the same time, and keep eight each.
    let waiting = flood(&api, STUCK - 3 * 8).await;
    assert_eq!(api.user("bob").get("/api/v1/tasks").await.status, 200);
    drop(waiting);
    let free = async { while api.user("alice").get("/api/v1/tasks").await.status != 200 {} };
    tokio::time::timeout(DEADLINE, free)
        .await
        .expect("the places are given back");
}

/// Who it is is known before a byte of the body.
#[tokio::test]
async fn a_request_without_a_valid_token_is_refused_before_its_body() {
    let api = Service::start("api").await;
    let mut stream = stuck(&api, "no-token").await;
    let answered = tokio::time::timeout(DEADLINE, status(&mut stream)).await;
    assert_eq!(answered.expect("an answer without the body"), 401);
}
