//! Events that no consumer could handle: kept, shown, published once more, forgotten.

use http::Method;
use nudge_test_kit::dapr::{Function, unavailable};
use serde_json::{Value, json};

use super::{relay, settled};
use crate::sample::{cloud_event, task, task_event};
use crate::support::{Service, json as body, send, text};

/// What a consumer puts on the topic.
fn rejected(id: &str, event: &str) -> Value {
    let data =
        json!({ "schemaVersion": 1, "consumer": "notification", "reason": "no such zone", "event": event });
    cloud_event(id, "notification", "nudge.event.rejected.v1", &data)
}

async fn arrives(api: &Service, event: impl Into<String>) {
    let call = api
        .sidecar()
        .call(Method::POST, "/internal/events/dead-letters")
        .body("application/cloudevents+json", event.into());
    assert_eq!(body(&send(call).await, 200)["status"], "SUCCESS");
}

/// Makes a user known to the api.
async fn known(api: &Service, user: &str) {
    api.user(user)
        .create("/api/v1/tasks", &json!({ "title": "x" }))
        .await;
    settled(api).await;
}

async fn list(api: &Service) -> Value {
    body(&api.sidecar().get("/internal/dead-letters").await, 200)
}

async fn decide(api: &Service, what: &str, ids: &[&str]) -> Value {
    let path = format!("/internal/dead-letters/{what}");
    body(&api.sidecar().post(&path, &json!({ "ids": ids })).await, 200)
}

/// All that the api does with them.
pub(crate) async fn everything(api: &Service) {
    for id in ["kept", "gone"] {
        arrives(
            api,
            rejected(id, &task_event("created", &task()).to_string()).to_string(),
        )
        .await;
    }
    list(api).await;
    body(&api.sidecar().get("/internal/dead-letters?after=kept").await, 200);
    decide(api, "replay", &["kept"]).await;
    decide(api, "discard", &["gone"]).await;
}

#[tokio::test]
async fn they_are_kept_with_their_reason_and_published_once_more_as_they_were() {
    let api = Service::start("api").await;
    known(&api, "alice").await;
    let event = task_event("created", &task());
    arrives(&api, rejected("r1", &event.to_string()).to_string()).await;
    api.pass(1);
    // Dapr's own: the event alone.
    let mut by_dapr = task_event("updated", &task());
    by_dapr["topic"] = json!("task-reminders");
    arrives(&api, by_dapr.to_string()).await;
    // Delivered again.
    arrives(&api, rejected("r1", &event.to_string()).to_string()).await;

    let listed = list(&api).await;
    assert_eq!(listed["count"], 2);
    let items = listed["items"].as_array().expect("a list");
    let first = items.iter().find(|item| item["id"] == "r1").expect("it is there");
    assert_eq!(
        (&first["consumer"], &first["reason"], &first["topic"]),
        (
            &json!("notification"),
            &json!("no such zone"),
            &json!("some-topic")
        )
    );
    assert_eq!(first["event"], event.to_string());
    let other = items.iter().find(|item| item["id"] != "r1").expect("it is there");
    assert_eq!(
        text(other, "id"),
        format!("task-reminders:{}", text(&by_dapr, "id"))
    );
    assert_eq!(other["consumer"], Value::Null);

    let answer = decide(&api, "replay", &["r1", "nothing"]).await;
    assert_eq!(answer["done"], json!(["r1"]));
    assert_eq!(answer["refused"][0]["id"], "nothing");
    let again = &api.dapr.published("some-topic")[0];
    assert_eq!(again.event.id, text(&event, "id"));
    assert_eq!(again.event.source, "api");
    assert_eq!(again.event.type_, "nudge.task.created.v1");
    assert_eq!(again.event.partition_key.as_deref(), event["subject"].as_str());
    assert_eq!(again.data().expect("JSON"), event["data"]);
    assert_eq!(list(&api).await["count"], 1);
    let repeated = decide(&api, "replay", &["r1"]).await;
    assert_eq!(
        repeated["done"],
        json!(["r1"]),
        "a request that is repeated has the same answer"
    );
    assert_eq!(api.dapr.published("some-topic").len(), 1, "once is enough");

    // It is refused once more, under another id or the same.
    arrives(&api, rejected("r1", &event.to_string()).to_string()).await;
    assert_eq!(list(&api).await["count"], 2);

    let discarded = decide(&api, "discard", &["r1", text(other, "id")]).await;
    assert_eq!(discarded["done"].as_array().map(Vec::len), Some(2));
    assert_eq!(list(&api).await, json!({ "items": [], "count": 0 }));
    assert_eq!(api.dapr.published("task-reminders").len(), 0);
}

#[tokio::test]
async fn an_invalid_event_stays_and_the_response_says_why() {
    let api = Service::start("api").await;
    known(&api, "alice").await;
    arrives(&api, rejected("job", r#"{"reminderId":1}"#).to_string()).await;
    let mut nowhere = task_event("created", &task());
    nowhere.as_object_mut().expect("an object").remove("topic");
    arrives(&api, rejected("nowhere", &nowhere.to_string()).to_string()).await;
    arrives(&api, "not even JSON").await;
    let answer = decide(&api, "replay", &["job", "nowhere"]).await;
    assert_eq!(answer["done"], json!([]));
    assert!(
        text(&answer["refused"][0], "reason").contains("not a complete event"),
        "{answer}"
    );
    assert!(
        text(&answer["refused"][1], "reason").contains("which topic"),
        "{answer}"
    );
    assert_eq!(list(&api).await["count"], 3);
}

#[tokio::test]
async fn what_the_broker_does_not_take_still_waits() {
    let api = Service::start("api").await;
    known(&api, "alice").await;
    arrives(
        &api,
        rejected("r1", &task_event("created", &task()).to_string()).to_string(),
    )
    .await;
    api.dapr
        .down(Function::Publish, unavailable("the broker is away"));
    let path = "/internal/dead-letters/replay";
    let refused = api.sidecar().post(path, &json!({ "ids": ["r1"] })).await;
    assert_eq!(body(&refused, 503)["code"], "unavailable");
    assert_eq!(list(&api).await["count"], 1);
    api.dapr.up(Function::Publish);
    assert_eq!(decide(&api, "replay", &["r1"]).await["done"], json!(["r1"]));
}

#[tokio::test]
async fn they_go_with_the_person_they_are_about_and_after_thirty_days() {
    let api = Service::start("api").await;
    known(&api, "alice").await;
    known(&api, "bob").await;
    arrives(
        &api,
        rejected("hers", &task_event("created", &task()).to_string()).to_string(),
    )
    .await;
    let mut of_bob = task();
    of_bob["userId"] = json!("bob");
    arrives(
        &api,
        rejected("his", &task_event("created", &of_bob).to_string()).to_string(),
    )
    .await;
    // A message of the system that is replaced, which is no CloudEvent.
    let message = json!({ "event_type": "task.created", "user_id": "alice", "title": "secret" });
    arrives(&api, rejected("old", &message.to_string()).to_string()).await;
    assert_eq!(list(&api).await["count"], 3);
    assert_eq!(api.user("alice").delete("/api/v1/me").await.status, 202);
    for _ in 0..3 {
        api.pass(10);
        relay(&api).await;
    }
    let listed = list(&api).await;
    assert_eq!(
        (&listed["count"], &listed["items"][0]["id"]),
        (&json!(1), &json!("his"))
    );

    // What comes later has nothing of hers in it.
    arrives(
        &api,
        rejected("late", &task_event("created", &task()).to_string()).to_string(),
    )
    .await;
    let listed = list(&api).await;
    assert_eq!(listed["count"], 2);
    let late = listed["items"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|item| item["id"] == "late");
    assert_eq!(late.expect("it is counted")["event"], "");

    api.pass(30 * 24 * 3_600 + 1);
    relay(&api).await;
    assert_eq!(list(&api).await["count"], 0);
}

#[tokio::test]
async fn there_may_be_more_than_a_page() {
    let api = Service::start("api").await;
    for number in 0..103 {
        arrives(&api, rejected(&format!("r+{number:03}"), "no event").to_string()).await;
    }
    let first = list(&api).await;
    assert_eq!(first["count"], 103);
    let ids = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().expect("a list").iter();
        items.map(|item| text(item, "id").to_owned()).collect()
    };
    let mut all = ids(&first);
    assert_eq!(all.len(), 100);
    let beginning = all[..99].to_vec();
    let last = all[99].clone();
    let path = format!("/internal/dead-letters?after={}", all[99].replace('+', "%2B"));
    all.extend(ids(&body(&api.sidecar().get(&path).await, 200)));
    all.sort();
    let expected: Vec<String> = (0..103).map(|number| format!("r+{number:03}")).collect();
    assert_eq!(all, expected);
    // The last one of the page before is deleted meanwhile: nothing is left out.
    decide(&api, "discard", &[last.as_str()]).await;
    let again = ids(&body(&api.sidecar().get(&path).await, 200));
    assert_eq!(again[..99], beginning);
    let many: Vec<String> = (0..101).map(|number| number.to_string()).collect();
    let refused = api
        .sidecar()
        .post("/internal/dead-letters/discard", &json!({ "ids": many }))
        .await;
    assert_eq!(body(&refused, 400)["errors"][0]["field"], "ids");
}

/// Lists all, page by page, and returns their ids.
async fn everyone(api: &Service) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    loop {
        let path = match all.last() {
            None => "/internal/dead-letters".to_owned(),
            Some(id) => format!("/internal/dead-letters?after={id}"),
        };
        let page = body(&api.sidecar().get(&path).await, 200);
        let items = page["items"].as_array().expect("a list");
        if items.is_empty() {
            return all;
        }
        all.extend(items.iter().map(|item| text(item, "id").to_owned()));
    }
}

/// One user's events neither push out those of another nor come before all of them, however many they are.
pub(crate) async fn bounded(api: &Service) {
    known(api, "alice").await;
    known(api, "bob").await;
    let of = |user: &str| {
        let mut task = task();
        task["userId"] = json!(user);
        task_event("created", &task).to_string()
    };
    for number in 0..120 {
        if number == 110 {
            arrives(api, rejected("bob-1", &of("bob")).to_string()).await;
            arrives(api, rejected("bob-2", &of("bob")).to_string()).await;
        }
        api.clock.advance(std::time::Duration::from_millis(1));
        arrives(
            api,
            rejected(&format!("alice-{number:03}"), &of("alice")).to_string(),
        )
        .await;
    }
    let all = everyone(api).await;
    assert_eq!(all.len(), 102);
    assert_eq!(
        all[..5],
        ["alice-020", "bob-1", "alice-021", "bob-2", "alice-022"],
        "the oldest are gone, and users take turns"
    );
    assert_eq!(all[101], "alice-119");
    // What was published again goes first.
    decide(api, "replay", &["alice-100"]).await;
    arrives(api, rejected("alice-120", &of("alice")).to_string()).await;
    let all = everyone(api).await;
    assert_eq!((all.len(), all[0].as_str()), (102, "alice-020"));
}

#[tokio::test]
async fn a_user_has_a_bounded_number_of_them_and_users_take_turns() {
    bounded(&Service::start("api").await).await;
}
