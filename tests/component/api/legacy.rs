//! What the system that Nudge replaces says, and what it is told.

use std::collections::BTreeSet;

use nudge_contract::legacy::{category_id, tag_id, task_id};
use serde_json::{Value, json};

use super::{delivery, relay, settled};
use crate::support::{Service, json as body, text};

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
    let taken_over = sidecar.post("/internal/legacy/take-over", &done).await;
    assert_eq!(taken_over.status, 204, "{:?}", taken_over.body);
    let number = async |id: &str| {
        let path = format!("/internal/legacy/tasks/{id}");
        body(&sidecar.post(&path, &json!({})).await, 200)
    };
    number(&task_id(42).to_string()).await;
    let mine = api
        .user("7")
        .create("/api/v1/tasks", &json!({ "title": "Mine" }))
        .await;
    number(text(&mine, "id")).await;
    let some = json!({ "master": "legacy", "users": ["7", "8"] });
    body(&sidecar.post("/internal/legacy/masters", &some).await, 200);
    body(&sidecar.get("/internal/legacy/masters").await, 200);
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
            stored(T1, json!({ "title": null })),
            stored(T1, json!({ "title": "Rent", "priority": "someday" })),
            stored(T1, json!({ "title": "Rent", "tags": Vec::from_iter(1..12) })),
            stored(T1, json!({ "title": "Rent" })),
            json!({ "eventId": "e9", "at": T2, "userId": "8", "task": 42, "kind": "deleted" }),
        ],
    )
    .await;
    for (answer, words) in answers.iter().zip([
        "recurrence_rule: a recurring task needs a due date",
        "title: ",
        "title: a task needs a title",
        "priority: `someday` is not a priority",
        "tag_ids: a task has at most 10 tags",
        "created",
        "user_id: task 42 belongs to user 7",
    ]) {
        assert!(answer.starts_with(words), "{answer} does not begin with {words}");
    }
}

#[tokio::test]
async fn a_change_without_a_user_or_an_instant_is_not_read() {
    let api = Service::start("api").await;
    for (change, words) in [
        (stored("yesterday", json!({ "title": "Rent" })), "as year"),
        (
            json!({ "eventId": "e9", "at": T2, "userId": "", "task": 42, "kind": "deleted" }),
            "not a user id",
        ),
    ] {
        let answer = api
            .sidecar()
            .post("/internal/legacy/changes", &json!({ "changes": [change] }))
            .await;
        let answer = body(&answer, 400);
        assert_eq!(answer["code"], "invalid_body");
        assert!(text(&answer, "detail").contains(words), "{answer}");
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
    // By id: the recurring job takes changes of that age for pending while they are published after responding.
    let events = api.dapr.published("task-events").into_iter();
    let carried: BTreeSet<String> = events.map(|published| published.event.id).collect();
    assert_eq!(carried.len(), 2);
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
    let mut events = api.dapr.published("task-events");
    events.retain(|published| !carried.contains(&published.event.id));
    assert_eq!(events.len(), 1);
    assert!(events[0].data().expect("JSON").get("origin").is_none());
}

#[tokio::test]
async fn a_completion_that_is_taken_over_waits_for_its_task() {
    let api = Service::start("api").await;
    let done = change("e2", T2, json!({ "kind": "completed", "completedAt": T2 }));
    let take_over = async || {
        let answer = api.sidecar().post("/internal/legacy/take-over", &done).await;
        assert_eq!(answer.status, 204);
    };
    take_over().await;
    // The adapter reads it for its own sake as well.
    assert_eq!(apply(&api, std::slice::from_ref(&done)).await, ["waiting"]);
    let fields = json!({ "title": "Water", "due": "2026-12-01T09:00:00Z", "recurrence": "daily" });
    assert_eq!(apply(&api, &[stored(T1, fields)]).await, ["created"]);
    let completed = task(&api).await;
    assert_eq!(
        (&completed["status"], &completed["version"]),
        (&json!("completed"), &json!(2)),
        "what waited was applied, once"
    );
    let next = async || {
        let page = body(&api.user("7").get("/api/v1/tasks?status=pending").await, 200);
        let items = page["items"].as_array().expect("items").clone();
        items.iter().map(|task| task["due"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(next().await, ["2026-12-02T09:00:00+00:00"], "and followed");
    take_over().await;
    assert_eq!(next().await, ["2026-12-02T09:00:00+00:00"], "once");
    let masters = body(&api.sidecar().get("/internal/legacy/masters").await, 200);
    assert_eq!(masters["waiting"], 0);
}

#[tokio::test]
async fn what_waited_is_applied_in_the_order_in_which_it_was_done() {
    let api = Service::start("api").await;
    // A rule without a date would be refused; the rule came first.
    let rule = updated("e2", T3, json!({ "recurrence": "daily" }));
    let date = updated("e3", T2, json!({ "due": "2026-12-01T09:00:00Z" }));
    assert_eq!(apply(&api, &[rule, date]).await, ["waiting", "waiting"]);
    assert_eq!(
        apply(&api, &[stored(T1, json!({ "title": "Water" }))]).await,
        ["created"]
    );
    let task = task(&api).await;
    assert_eq!(
        (&task["due"], &task["recurrence"]),
        (&json!("2026-12-01T09:00:00+00:00"), &json!("FREQ=DAILY"))
    );
}

#[tokio::test]
async fn an_event_that_finds_things_as_it_says_still_counts_by_its_time() {
    let completed =
        |event: &str, at: &str| change(event, at, json!({ "kind": "completed", "completedAt": at }));
    let reopened = |event: &str, at: &str| updated(event, at, json!({ "status": "pending" }));
    let cases = [
        ([reopened("e2", T3), completed("e3", T2)], "pending", 2),
        ([completed("e2", T1), completed("e3", T3)], "completed", 3),
    ];
    for (changes, status, version) in cases {
        let api = Service::start("api").await;
        apply(&api, &[stored(T1, json!({ "title": "Rent" }))]).await;
        apply(&api, &changes).await;
        for late in [
            reopened("e4", T2),
            completed("e5", T2),
            changes[0].clone(),
            changes[1].clone(),
        ] {
            assert_eq!(
                apply(&api, std::slice::from_ref(&late)).await,
                ["unchanged"],
                "{late} is late, or a repetition"
            );
        }
        let task = task(&api).await;
        assert_eq!(
            (&task["status"], &task["version"]),
            (&json!(status), &json!(version))
        );
    }
}

#[tokio::test]
async fn an_import_changes_nothing_of_users_who_moved() {
    let api = Service::start("api").await;
    let row = |title: &str, number: i64, reminded: bool| {
        let mut row = change(
            "import",
            T1,
            json!({
                "kind": "stored", "reminded": reminded, "remindBefore": 60,
                "fields": { "title": title, "due": "2026-12-01T09:00:00Z", "category": null },
            }),
        );
        row["task"] = json!(number);
        row
    };
    assert_eq!(apply(&api, &[row("Rent", 42, false)]).await, ["created"]);
    let mine = api
        .user("7")
        .create("/api/v1/categories", &json!({ "name": "Mine" }))
        .await;
    api.user("7")
        .patch(&path(""), &json!({ "categoryId": mine["id"] }))
        .await;
    let before = task(&api).await;
    assert_eq!(before["reminders"][0]["status"], "scheduled");
    // Later than everything here, poorer, and with another mark.
    let later = |number: i64| {
        let mut row = row("Theirs", number, true);
        row["at"] = json!("2026-11-21T12:00:30Z");
        row
    };
    assert_eq!(
        apply(&api, &[later(42), later(43)]).await,
        ["unchanged", "created"]
    );
    assert_eq!(task(&api).await, before);
    // Of one who did not move, the row counts.
    let legacy = json!({ "master": "legacy", "users": ["7"] });
    body(
        &api.sidecar().post("/internal/legacy/masters", &legacy).await,
        200,
    );
    assert_eq!(apply(&api, &[later(42)]).await, ["updated"]);
    let after = task(&api).await;
    assert_eq!(
        (
            &after["title"],
            &after["categoryId"],
            &after["reminders"][0]["status"]
        ),
        (&json!("Theirs"), &Value::Null, &json!("sent"))
    );
}

#[tokio::test]
async fn the_number_of_a_task_outlives_its_owners_account() {
    let api = Service::start("api").await;
    apply(&api, &[stored(T1, json!({ "title": "Rent" }))]).await;
    let ask = async |id: String| {
        let path = format!("/internal/legacy/tasks/{id}");
        api.sidecar().post(&path, &json!({})).await
    };
    let here = body(&ask(task_id(42).to_string()).await, 200);
    assert_eq!(here["task"]["title"], "Rent");
    assert_eq!(api.user("7").delete("/api/v1/me").await.status, 202);
    let mut left = here;
    for _ in 0..10 {
        api.pass(10);
        relay(&api).await;
        left = body(&ask(task_id(42).to_string()).await, 200);
        if left["task"].is_null() {
            break;
        }
    }
    assert_eq!(
        left,
        json!({ "number": 42, "category": null, "tags": [], "task": null })
    );
    assert_eq!(ask(task_id(43).to_string()).await.status, 404);
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
    let no_one = json!({ "master": "nudge", "users": [""] });
    let refused = api.sidecar().post("/internal/legacy/masters", &no_one).await;
    assert_eq!(refused.status, 400);
    let users: Vec<String> = (0..1_001).map(|user| user.to_string()).collect();
    let too_many = json!({ "master": "nudge", "users": users });
    let refused = api.sidecar().post("/internal/legacy/masters", &too_many).await;
    let error = &body(&refused, 400)["errors"][0];
    assert_eq!(
        (&error["field"], &error["code"]),
        (&json!("users"), &json!("too_many_users"))
    );
    let all_at_once = json!({ "master": "nudge", "users": users[..1_000] });
    let answer = api.sidecar().post("/internal/legacy/masters", &all_at_once).await;
    assert_eq!(answer.status, 200);
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

/// On PostgreSQL, the first statement that looks for a task finds none, and later ones find it: as if it was stored in between.
#[allow(dead_code, reason = "only PostgreSQL has row-level security")]
const STORED_AFTER_ONE_LOOK: &str = "CREATE SEQUENCE look; \
     CREATE FUNCTION is_stored() RETURNS boolean LANGUAGE sql SECURITY DEFINER AS $$ SELECT nextval('look') > 1 $$; \
     ALTER TABLE task ENABLE ROW LEVEL SECURITY; ALTER TABLE task FORCE ROW LEVEL SECURITY; \
     CREATE POLICY look ON task FOR SELECT USING (is_stored()); \
     CREATE POLICY store ON task FOR INSERT WITH CHECK (true); CREATE POLICY change ON task FOR UPDATE USING (true);";

/// A change that arrives while its task is being stored is applied, and a completion is followed by the next occurrence where Nudge
/// creates it. `run` runs statements beside the api, which is not a superuser.
#[allow(dead_code, reason = "only PostgreSQL has row-level security")]
pub(crate) async fn stored_meanwhile(api: &Service, run: impl AsyncFn(&str)) {
    let of = |number: i64, mut change: Value| {
        change["task"] = json!(number);
        change
    };
    let done = change("e2", T2, json!({ "kind": "completed", "completedAt": T2 }));
    let moved = json!({ "title": "Wine", "due": "2026-12-05T09:00:00Z" });
    let changes = [
        of(42, done.clone()),
        of(43, updated("e2", T2, moved)),
        of(44, change("e2", T2, json!({ "kind": "deleted" }))),
    ];
    let done = of(45, done);
    let fields = json!({ "title": "Water", "due": "2026-12-01T09:00:00Z", "recurrence": "daily" });
    let tasks = [42, 43, 44, 45].map(|number| of(number, stored(T1, fields.clone())));
    assert_eq!(apply(api, &tasks).await, ["created"; 4]);
    run(STORED_AFTER_ONE_LOOK).await;

    for change in &changes {
        run("ALTER SEQUENCE look RESTART").await;
        assert_eq!(
            apply(api, std::slice::from_ref(change)).await,
            ["updated"],
            "{change}"
        );
    }
    run("ALTER SEQUENCE look RESTART").await;
    let answer = api.sidecar().post("/internal/legacy/take-over", &done).await;
    assert_eq!(answer.status, 204);

    let page = body(&api.user("7").get("/api/v1/tasks?sort=due").await, 200);
    let items = page["items"].as_array().expect("items").iter();
    let seen = items.map(|task| ["title", "status", "due"].map(|name| text(task, name)));
    assert_eq!(
        seen.collect::<Vec<_>>(),
        [
            ["Water", "completed", "2026-12-01T09:00:00+00:00"],
            ["Water", "completed", "2026-12-01T09:00:00+00:00"],
            ["Water", "pending", "2026-12-02T09:00:00+00:00"],
            ["Wine", "pending", "2026-12-05T09:00:00+00:00"],
        ]
    );
    let masters = body(&api.sidecar().get("/internal/legacy/masters").await, 200);
    assert_eq!(masters["waiting"], 0);
}

/// Numbers of tasks that are made here begin above those of the other system, and lead back to their task.
pub(crate) async fn numbers_begin_above(api: Service) {
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

#[tokio::test]
async fn numbers_of_tasks_made_here_begin_above_the_other_systems() {
    numbers_begin_above(Service::start("api").await).await;
}
