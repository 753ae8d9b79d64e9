//! What the system that Nudge replaces says, and what it is told.

use nudge_contract::legacy::{category_id, tag_id, task_id};
use serde_json::{Value, json};

use super::{delivery, relay, settled};
use crate::support::{Service, Setup, json as body, text};

/// A change of user 7's task 42, as the adapter hands it on.
fn change(event: &str, at: &str, what: Value) -> Value {
    let mut change = json!({ "eventId": event, "at": at, "userId": "7", "task": 42 });
    change
        .as_object_mut()
        .expect("an object")
        .extend(what.as_object().expect("an object").clone());
    change
}

fn stored(at: &str, fields: Value) -> Value {
    change("e1", at, json!({ "kind": "stored", "fields": fields }))
}

fn updated(event: &str, at: &str, fields: Value) -> Value {
    change(event, at, json!({ "kind": "updated", "fields": fields }))
}

/// Applies changes, and gives back what became of them.
async fn apply(api: &Service, changes: &[Value]) -> Vec<String> {
    let answer = api
        .sidecar()
        .post("/internal/legacy/changes", &json!({ "changes": changes }))
        .await;
    let answer = body(&answer, 200);
    let results = answer["results"].as_array().expect("results");
    let word = |result: &Value| match result["reason"].as_str() {
        Some(reason) => reason.to_owned(),
        None => text(result, "outcome").to_owned(),
    };
    results.iter().map(word).collect()
}

async fn task(api: &Service) -> Value {
    body(&api.user("7").get(&path("")).await, 200)
}

fn path(rest: &str) -> String {
    format!("/api/v1/tasks/{}{rest}", task_id(42))
}

const T1: &str = "2026-11-21T10:00:01.123456Z";
const T2: &str = "2026-11-21T10:00:02Z";
const T3: &str = "2026-11-21T10:00:03Z";

/// Everything that there is to ask, for those who look at the statements.
pub(crate) async fn everything(api: &Service) {
    let labels = [
        json!({ "eventId": "import", "at": T1, "userId": "7", "kind": "category", "number": 3, "name": "Home" }),
        json!({ "eventId": "import", "at": T1, "userId": "7", "kind": "tag", "number": 4, "name": "green" }),
    ];
    apply(api, &labels).await;
    let fields = json!({ "title": "Rent", "due": "2026-12-01T09:00:00Z", "recurrence": "daily", "category": 3, "tags": [4] });
    apply(
        api,
        &[updated("e0", T2, json!({ "title": "Early" })), stored(T1, fields)],
    )
    .await;
    let done = change("e3", T3, json!({ "kind": "completed", "completedAt": T3 }));
    apply(api, std::slice::from_ref(&done)).await;
    let sidecar = api.sidecar();
    sidecar.post("/internal/legacy/take-over", &done).await;
    sidecar
        .post(&format!("/internal/legacy/tasks/{}", task_id(42)), &json!({}))
        .await;
    let mine = api
        .user("7")
        .create("/api/v1/tasks", &json!({ "title": "Mine" }))
        .await;
    sidecar
        .post(
            &format!("/internal/legacy/tasks/{}", text(&mine, "id")),
            &json!({}),
        )
        .await;
    sidecar
        .post(
            "/internal/legacy/masters",
            &json!({ "master": "legacy", "users": ["7", "8"] }),
        )
        .await;
    sidecar.get("/internal/legacy/masters").await;
    apply(api, &[change("e4", T3, json!({ "kind": "deleted" }))]).await;
}

#[tokio::test]
async fn a_task_of_the_other_system_is_the_same_task_here() {
    let api = Service::start("api").await;
    let labels = [
        json!({ "eventId": "import", "at": T1, "userId": "7", "kind": "category", "number": 3, "name": "Home", "color": "#2563eb" }),
        json!({ "eventId": "import", "at": T1, "userId": "7", "kind": "tag", "number": 4, "name": "green", "color": null }),
    ];
    assert_eq!(apply(&api, &labels).await, ["created", "created"]);
    assert_eq!(apply(&api, &labels).await, ["unchanged", "unchanged"]);
    let fields = json!({
        "title": "Rent", "priority": null, "due": "2026-12-01T09:00:00Z", "recurrence": "monthly", "category": 3, "tags": [4],
    });
    assert_eq!(apply(&api, &[stored(T1, fields)]).await, ["created"]);
    let task = task(&api).await;
    for (name, value) in [
        ("title", json!("Rent")),
        ("priority", json!("medium")),
        ("due", json!("2026-12-01T09:00:00+00:00")),
        ("recurrence", json!("FREQ=MONTHLY")),
        ("categoryId", json!(category_id(3))),
        ("tagIds", json!([tag_id(4)])),
        ("createdAt", json!("2026-11-21T10:00:01.123Z")),
        ("version", json!(1)),
    ] {
        assert_eq!(task[name], value, "{name} of {task:#}");
    }
    settled(&api).await;
    let event = api.dapr.published("task-events")[0].data().expect("JSON");
    assert_eq!(event["origin"], json!({ "eventId": "e1", "at": T1 }));
}

#[tokio::test]
async fn changes_count_by_their_time_and_not_by_their_arrival() {
    let api = Service::start("api").await;
    let orders: [&[usize]; 5] = [
        &[0, 1, 2, 3],
        &[3, 2, 1, 0],
        &[1, 3, 0, 2],
        &[0, 3, 3, 1, 2, 0, 1],
        &[2, 0, 1, 3],
    ];
    for order in orders {
        let api = if std::ptr::eq(order, orders[0]) {
            &api
        } else {
            &Service::start("api").await
        };
        let changes = [
            stored(T1, json!({ "title": "One", "priority": "low" })),
            updated("e2", T2, json!({ "title": "Two", "description": "Two" })),
            updated("e3", T3, json!({ "title": "Three" })),
            change("e4", T2, json!({ "kind": "completed", "completedAt": T2 })),
        ];
        for index in order {
            apply(api, std::slice::from_ref(&changes[*index])).await;
        }
        let task = task(api).await;
        let seen =
            ["title", "description", "priority", "status", "completedAt"].map(|name| task[name].clone());
        let expected = ["Three", "Two", "low", "completed", T2].map(|text| json!(text));
        assert_eq!(seen, expected, "{order:?}");
        let version = task["version"].clone();
        for change in &changes {
            assert_eq!(
                apply(api, std::slice::from_ref(change)).await,
                ["unchanged"],
                "{order:?}"
            );
        }
        assert_eq!(self::task(api).await["version"], version, "{order:?}");
        let masters = body(&api.sidecar().get("/internal/legacy/masters").await, 200);
        assert_eq!(masters["waiting"], 0, "{order:?}");
    }
}

#[tokio::test]
async fn what_was_changed_here_later_stays_field_by_field() {
    let api = Service::start("api").await;
    apply(&api, &[stored(T1, json!({ "title": "One", "priority": "low" }))]).await;
    // At noon, after all of the others.
    api.user("7").patch(&path(""), &json!({ "title": "Mine" })).await;
    let late = updated("e2", T2, json!({ "title": "Two", "priority": "urgent" }));
    assert_eq!(apply(&api, &[late]).await, ["updated"]);
    let merged = task(&api).await;
    assert_eq!(
        (&merged["title"], &merged["priority"]),
        (&json!("Mine"), &json!("urgent"))
    );
    let later = updated("e3", "2026-11-21T12:00:09Z", json!({ "title": "Theirs" }));
    assert_eq!(apply(&api, &[later]).await, ["updated"]);
    assert_eq!(task(&api).await["title"], "Theirs");
    let deleted = change("e5", T1, json!({ "kind": "deleted" }));
    assert_eq!(apply(&api, std::slice::from_ref(&deleted)).await, ["updated"]);
    assert_eq!(api.user("7").get(&path("")).await.status, 404);
    let again = stored("2026-11-21T12:00:10Z", json!({ "title": "Zombie" }));
    assert_eq!(apply(&api, &[deleted, again]).await, ["unchanged", "unchanged"]);
}

#[tokio::test]
async fn what_cannot_be_here_is_refused_in_the_other_systems_words() {
    let api = Service::start("api").await;
    let answers = apply(
        &api,
        &[
            stored(T1, json!({ "title": "Rent", "recurrence": "daily" })),
            stored(T1, json!({ "title": "" })),
            stored("yesterday", json!({ "title": "Rent" })),
            stored(T1, json!({ "title": "Rent" })),
            json!({ "eventId": "e9", "at": T2, "userId": "8", "task": 42, "kind": "deleted" }),
            json!({ "eventId": "e9", "at": T2, "userId": "", "task": 42, "kind": "deleted" }),
        ],
    )
    .await;
    for (answer, words) in answers.iter().zip([
        "recurrence_rule: a recurring task needs a due date",
        "title: ",
        "timestamp: \"yesterday\" is no instant",
        "created",
        "user_id: task 42 belongs to user 7",
        "user_id: ",
    ]) {
        assert!(answer.starts_with(words), "{answer} does not begin with {words}");
    }
}

#[tokio::test]
async fn nothing_follows_here_from_what_was_done_there() {
    let api = Service::start("api").await;
    let fields = json!({ "title": "Water", "due": "2026-12-01T09:00:00Z", "recurrence": "daily" });
    let done = change("e2", T2, json!({ "kind": "completed", "completedAt": T2 }));
    assert_eq!(
        apply(&api, &[stored(T1, fields), done.clone()]).await,
        ["created", "updated"]
    );
    settled(&api).await;
    api.pass(120);
    relay(&api).await;
    assert_eq!(api.dapr.published("task-events").len(), 2);
    assert!(api.dapr.published("task-recurrence").is_empty());
    let pending = async || {
        let page = body(&api.user("7").get("/api/v1/tasks?status=pending").await, 200);
        page["items"].as_array().expect("items").clone()
    };
    assert!(pending().await.is_empty());

    // Until Nudge takes the place of the service that would have made it.
    for _ in 0..2 {
        let answer = api.sidecar().post("/internal/legacy/take-over", &done).await;
        assert_eq!(answer.status, 204);
        let next = pending().await;
        assert_eq!(next.len(), 1);
        assert_eq!(next[0]["due"], "2026-12-02T09:00:00+00:00");
    }
    settled(&api).await;
    let events = api.dapr.published("task-events");
    assert!(
        events
            .last()
            .expect("an event")
            .data()
            .expect("JSON")
            .get("origin")
            .is_none()
    );
}

#[tokio::test]
async fn a_completion_that_is_taken_over_waits_for_its_task() {
    let api = Service::start("api").await;
    let done = change("e2", T2, json!({ "kind": "completed", "completedAt": T2 }));
    let answer = api.sidecar().post("/internal/legacy/take-over", &done).await;
    assert_eq!(answer.status, 503);
    let fields = json!({ "title": "Water", "due": "2026-12-01T09:00:00Z", "recurrence": "daily" });
    assert_eq!(apply(&api, &[stored(T1, fields)]).await, ["created"]);
    assert_eq!(task(&api).await["status"], "completed", "what waited was applied");
    let answer = api.sidecar().post("/internal/legacy/take-over", &done).await;
    assert_eq!(answer.status, 204);
}

#[tokio::test]
async fn who_is_reminded_by_whom_is_what_was_said_last() {
    let api = Service::start("api").await;
    let set = async |whom: Value| {
        api.pass(1);
        body(&api.sidecar().post("/internal/legacy/masters", &whom).await, 200)
    };
    let all = |master: &str, others: Value| json!({ "everybody": master, "others": others, "waiting": 0 });
    let legacy = json!({ "master": "legacy" });
    assert_eq!(set(legacy).await, all("legacy", json!([])));
    let some = json!({ "master": "nudge", "users": ["7", "8"] });
    assert_eq!(set(some).await, all("legacy", json!(["7", "8"])));
    let one = json!({ "master": "legacy", "users": ["8"] });
    assert_eq!(set(one).await, all("legacy", json!(["7"])));

    let remind =
        json!({ "title": "Rent", "due": "2026-11-21T14:00:00Z", "reminders": [{ "minutesBefore": 90 }] });
    let (mine, theirs) = (api.user("7"), api.user("8"));
    let (mine, theirs) = (
        mine.create("/api/v1/tasks", &remind).await,
        theirs.create("/api/v1/tasks", &remind).await,
    );
    assert_eq!(delivery(&api, &mine).await["decision"], "send");
    assert_eq!(delivery(&api, &theirs).await["decision"], "skip");
    api.pass(3_600);
    let overdue = body(&api.sidecar().get("/internal/reminders/overdue").await, 200);
    assert_eq!(overdue["items"].as_array().map(Vec::len), Some(1), "{overdue:#}");
    assert_eq!(overdue["items"][0]["task"]["userId"], "7");
    assert_eq!(set(json!({ "master": "nudge" })).await, all("nudge", json!([])));
    assert_eq!(delivery(&api, &theirs).await["decision"], "send");
    let nobody = json!({ "master": "nudge", "users": [""] });
    let refused = api.sidecar().post("/internal/legacy/masters", &nobody).await;
    assert_eq!(refused.status, 400);
}

#[tokio::test]
async fn a_reminder_that_was_sent_there_is_not_sent_here() {
    let api = Service::start("api").await;
    let fields = json!({ "title": "Rent", "due": "2026-11-21T14:00:00Z" });
    let stored = |reminded: bool| {
        change(
            "e1",
            T1,
            json!({ "kind": "stored", "fields": fields, "reminded": reminded, "remindBefore": 60 }),
        )
    };
    assert_eq!(apply(&api, &[stored(false)]).await, ["created"]);
    let armed = task(&api).await;
    assert_eq!(armed["reminders"][0]["remindAt"], "2026-11-21T13:00:00+00:00");
    let reminded = change("e2", T2, json!({ "kind": "reminded" }));
    assert_eq!(
        apply(&api, &[reminded.clone(), reminded]).await,
        ["updated", "unchanged"]
    );
    assert_eq!(task(&api).await["reminders"][0]["status"], "sent");
    assert_eq!(delivery(&api, &armed).await["decision"], "skip");
}

#[tokio::test]
async fn numbers_of_tasks_made_here_begin_above_the_other_systems() {
    async fn check(api: Service) {
        everything(&api).await;
        let number = async |id: &str| {
            let path = format!("/internal/legacy/tasks/{id}");
            body(&api.sidecar().post(&path, &json!({})).await, 200)
        };
        let carried = number(&task_id(42).to_string()).await;
        assert_eq!(
            (&carried["number"], &carried["category"], &carried["tags"]),
            (&json!(42), &json!(3), &json!([4]))
        );
        let mut numbers = Vec::new();
        for title in ["a", "b"] {
            let task = api
                .user("8")
                .create("/api/v1/tasks", &json!({ "title": title }))
                .await;
            let first = number(text(&task, "id")).await["number"].clone();
            assert_eq!(number(text(&task, "id")).await["number"], first);
            numbers.push(first);
        }
        assert_eq!(numbers, [json!(1_000_000_001), json!(1_000_000_002)]);
        // And back: an event of that number is about that task.
        let event = json!({ "eventId": "e8", "at": "2026-11-21T12:30:00Z", "userId": "8", "task": 1_000_000_001, "kind": "updated", "fields": { "title": "aa" } });
        assert_eq!(apply(&api, &[event]).await, ["updated"]);
        let page = body(&api.user("8").get("/api/v1/tasks?sort=title").await, 200);
        assert_eq!(super::titles(&page), ["aa", "b"]);
    }
    check(Service::start("api").await).await;
    if let Some(server) = test_postgres::Server::start().await {
        check(Setup::new("api").on(&server).start().await).await;
    }
}
