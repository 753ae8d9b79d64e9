//! What people set for themselves, and what follows from it.

use http::Method;
use nudge_test_kit::dapr::Function;
use nudge_test_kit::tokens;
use serde_json::{Value, json};

use super::{delivery, relay, settled};
use crate::support::{Caller, Service, json, send, text};

const ME: &str = "/api/v1/me";

async fn set(who: &Caller<'_>, body: Value) -> Value {
    json(&who.patch(ME, &body).await, 200)
}

async fn overdue(api: &Service) -> Value {
    json(&api.sidecar().get("/internal/reminders/overdue").await, 200)["items"].clone()
}

async fn read(who: &Caller<'_>, task: &Value) -> Value {
    json(
        &who.get(&format!("/api/v1/tasks/{}", text(task, "id"))).await,
        200,
    )
}

#[tokio::test]
async fn a_user_who_was_never_seen_is_what_the_token_says() {
    let api = Service::start("api").await;
    let answer = api.user("alice").get(ME).await;
    assert_eq!(answer.header("etag"), "\"1\"");
    assert_eq!(
        json(&answer, 200),
        json!({
            "id": "alice", "email": "alice@example.com", "emailStopped": null, "unconfirmedEmail": null,
            "timeZone": "Europe/Berlin", "quietHours": null, "defaultReminder": null,
        })
    );
    assert_eq!(api.anybody().get(ME).await.status, 401);
}

#[tokio::test]
async fn a_token_that_says_nothing_takes_nothing_away() {
    let api = Service::start("api").await;
    let before = json(&api.user("alice").get(ME).await, 200);
    let mut claims = tokens::claims("alice", "UTC", api.clock.now());
    let silent = claims.as_object_mut().expect("an object");
    silent.remove("email");
    silent.remove("zoneinfo");
    let token = tokens::signed(json!({ "alg": "HS256" }), claims, tokens::KEY);
    let call = |method: Method, path: &str| api.anybody().call(method, path).bearer(&token);
    assert_eq!(json(&send(call(Method::GET, ME)).await, 200), before);
    let task = json!({ "title": "x", "due": "2026-12-01T09:00" });
    let task = json(&send(call(Method::POST, "/api/v1/tasks").json(&task)).await, 201);
    assert_eq!(task["due"], "2026-12-01T09:00:00+01:00");
}

#[tokio::test]
async fn own_settings_win_over_the_token_until_they_are_taken_back() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    // As if it had been confirmed.
    set(&alice, json!({})).await;
    api.sql("UPDATE person SET own_email = 'a@example.org' WHERE id = 'alice'");
    let all = json!({
        "email": "a@example.org", "timeZone": "Asia/Tokyo", "quietHours": { "from": "22:00", "until": "07:00" }, "defaultReminder": 15,
    });
    let mut expected = all.clone();
    expected["id"] = json!("alice");
    expected["emailStopped"] = Value::Null;
    expected["unconfirmedEmail"] = Value::Null;
    let answer = alice.patch(ME, &all).await;
    assert_eq!(answer.header("etag"), "\"2\"");
    assert_eq!(json(&answer, 200), expected);
    assert_eq!(
        alice.patch(ME, &all).await.header("etag"),
        "\"2\"",
        "a change that changes nothing is none"
    );
    assert_eq!(set(&api.user("bob"), json!({})).await["email"], "bob@example.com");

    // Another token says other things; only what the person did not set follows it.
    let mut claims = tokens::claims("alice", "Europe/Paris", api.clock.now());
    claims["email"] = json!("new@example.com");
    let token = tokens::signed(json!({ "alg": "HS256" }), claims, tokens::KEY);
    let get = api.anybody().call(Method::GET, ME).bearer(&token);
    assert_eq!(json(&send(get).await, 200), expected);
    let taken_back = json!({ "email": null, "timeZone": null });
    let patch = api
        .anybody()
        .call(Method::PATCH, ME)
        .bearer(&token)
        .json(&taken_back);
    let now = json(&send(patch).await, 200);
    assert_eq!(
        (&now["email"], &now["timeZone"]),
        (&json!("new@example.com"), &json!("Europe/Paris"))
    );
    assert_eq!(now["defaultReminder"], 15);
}

#[tokio::test]
async fn a_profile_is_changed_at_the_version_that_was_read() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let patch = |tag: &'static str, minutes: u32| {
        let call = alice.call(Method::PATCH, ME).header("if-match", tag);
        send(call.json(&json!({ "defaultReminder": minutes })))
    };
    assert_eq!(patch("\"1\"", 5).await.status, 200);
    let problem = json(&patch("\"1\"", 6).await, 412);
    assert_eq!(problem["currentVersion"], 2);
    assert_eq!(patch("\"2\"", 6).await.status, 200);
    let problem = json(
        &alice
            .patch(ME, &json!({ "quietHours": { "from": "22:00" } }))
            .await,
        400,
    );
    assert_eq!(problem["errors"][0]["field"], "quietHours.until");
    let stale = send(alice.call(Method::DELETE, ME).header("if-match", "\"1\"")).await;
    assert_eq!(stale.status, 412, "nothing is deleted by mistake");
}

#[tokio::test]
async fn another_zone_changes_how_texts_are_read_and_not_what_is_there() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let body = json!({ "title": "x", "due": "2026-12-01T09:00" });
    let before = alice.create("/api/v1/tasks", &body).await;
    set(&alice, json!({ "timeZone": "Asia/Tokyo" })).await;
    let after = alice.create("/api/v1/tasks", &body).await;
    assert_eq!(after["due"], "2026-12-01T09:00:00+09:00");
    assert_eq!(after["timeZone"], "Asia/Tokyo");
    assert_eq!(read(&alice, &before).await, before);
}

#[tokio::test]
async fn a_new_task_with_a_due_date_has_the_default_reminder_unless_it_names_its_own() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    set(&alice, json!({ "defaultReminder": 30 })).await;
    let reminders = async |body: Value| {
        let task = alice.create("/api/v1/tasks", &body).await;
        let minutes = task["reminders"].as_array().unwrap().iter();
        minutes
            .map(|reminder| reminder["minutesBefore"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        reminders(json!({ "title": "x", "due": "2026-12-01T09:00" })).await,
        [30]
    );
    assert_eq!(
        reminders(json!({ "title": "x", "due": "tomorrow 9am" })).await,
        [30]
    );
    let own = json!({ "title": "x", "due": "2026-12-01T09:00", "reminders": [{ "minutesBefore": 5 }] });
    assert_eq!(reminders(own).await, [5]);
    for none in [
        json!({ "title": "x", "due": "2026-12-01T09:00", "reminders": [] }),
        json!({ "title": "x", "due": "2026-12-01T09:00", "reminders": null }),
        json!({ "title": "x", "due": "2026-11-20T09:00" }),
        json!({ "title": "x" }),
    ] {
        assert_eq!(reminders(none.clone()).await, [Value::Null; 0], "{none}");
    }
    let task = alice.create("/api/v1/tasks", &json!({ "title": "x" })).await;
    let path = format!("/api/v1/tasks/{}", text(&task, "id"));
    let patched = json(
        &alice.patch(&path, &json!({ "due": "2026-12-01T09:00" })).await,
        200,
    );
    assert_eq!(patched["reminders"], json!([]), "a patch adds nothing by itself");
    assert_eq!(
        api.user("bob")
            .create("/api/v1/tasks", &json!({ "title": "x", "due": "2026-12-01" }))
            .await["reminders"],
        json!([])
    );
}

#[tokio::test]
async fn reminders_go_to_the_address_and_the_zone_that_were_set() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let body = json!({ "title": "x", "due": "2026-12-01T09:00", "reminders": [{ "minutesBefore": 60 }] });
    let task = alice.create("/api/v1/tasks", &body).await;
    set(&alice, json!({ "timeZone": "Asia/Tokyo" })).await;
    api.sql("UPDATE person SET own_email = 'a@example.org' WHERE id = 'alice'");
    let delivery = delivery(&api, &task).await;
    assert_eq!(
        (&delivery["email"], &delivery["timeZone"]),
        (&json!("a@example.org"), &json!("Asia/Tokyo"))
    );
}

#[tokio::test]
async fn an_address_is_checked_when_it_is_set_and_kept_as_it_was_written() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    for (address, reason) in [
        (
            "a..b@example.com",
            "a dot before the @ must have another character on each side",
        ),
        ("grüße@example.com", "without SMTPUTF8"),
        ("al\u{200b}ice@example.com", "invisible character U+200B"),
        ("\"a\"@example.com", "quoted part"),
        ("a@[127.0.0.1]", "IP address"),
        ("a@example.com;b@example.com", "more than one"),
        ("", "it is empty"),
    ] {
        let problem = json(&alice.patch(ME, &json!({ "email": address })).await, 400);
        assert_eq!(problem["errors"][0]["field"], "email");
        assert_eq!(problem["errors"][0]["code"], "invalid_email");
        assert!(
            text(&problem["errors"][0], "message").contains(reason),
            "{problem}"
        );
    }
    let shown = set(&alice, json!({ "email": "user@bücher.example" })).await;
    assert_eq!(shown["unconfirmedEmail"]["email"], "user@bücher.example");
}

#[tokio::test]
async fn an_invalid_address_in_a_token_or_set_under_older_rules_locks_no_user_out() {
    let api = Service::start("api").await;
    let mut claims = tokens::claims("alice", "Europe/Berlin", api.clock.now());
    for claim in [
        json!("a..b@example.com"),
        json!("a@example.com;b@example.com"),
        json!(7),
    ] {
        claims["email"] = claim.clone();
        let token = tokens::signed(json!({ "alg": "HS256" }), claims.clone(), tokens::KEY);
        let me = send(api.anybody().call(Method::GET, ME).bearer(&token)).await;
        assert_eq!(json(&me, 200)["email"], Value::Null, "{claim}");
    }
    let bob = api.user("bob");
    let body = json!({ "title": "x", "due": "2026-12-01T09:00", "reminders": [{ "minutesBefore": 60 }] });
    let task = bob.create("/api/v1/tasks", &body).await;
    set(&bob, json!({ "defaultReminder": 15 })).await;
    // As it could be set before.
    api.sql("UPDATE person SET own_email = 'b..b@example.com' WHERE id = 'bob'");
    assert_eq!(json(&bob.get(ME).await, 200)["email"], "b..b@example.com");
    assert_eq!(
        set(&bob, json!({ "defaultReminder": 30 })).await["email"],
        "b..b@example.com"
    );
    assert_eq!(read(&bob, &task).await["title"], "x");
    // email-delivery says what is wrong with it.
    assert_eq!(delivery(&api, &task).await["email"], "b..b@example.com");
    assert_eq!(
        set(&bob, json!({ "email": null })).await["email"],
        "bob@example.com"
    );
}

/// A task with a reminder at 13:10 in Berlin, ten minutes after the start, in quiet hours until 14:00.
async fn quiet(api: &Service) -> Value {
    let alice = api.user("alice");
    set(
        &alice,
        json!({ "quietHours": { "from": "13:05", "until": "14:00" } }),
    )
    .await;
    let body = json!({ "title": "x", "due": "2026-11-21T13:20", "reminders": [{ "minutesBefore": 10 }] });
    let task = alice.create("/api/v1/tasks", &body).await;
    settled(api).await;
    task
}

#[tokio::test]
async fn a_reminder_that_is_due_in_quiet_hours_moves_to_their_end() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let task = quiet(&api).await;
    assert_eq!(
        task["reminders"][0]["remindAt"], "2026-11-21T13:10:00+01:00",
        "armed as it was asked for"
    );
    api.pass(10 * 60);
    let skip = delivery(&api, &task).await;
    assert_eq!(skip["decision"], "skip");
    assert!(text(&skip, "reason").contains("quiet hours"), "{skip}");

    let moved = read(&alice, &task).await;
    assert_eq!(moved["version"], 2);
    let reminder = &moved["reminders"][0];
    assert_eq!(
        reminder["remindAt"], "2026-11-21T14:00:00+01:00",
        "also when the task is due before"
    );
    assert_eq!(
        (&reminder["minutesBefore"], &reminder["status"]),
        (&json!(10), &json!("scheduled"))
    );
    settled(&api).await;
    let told = api.dapr.published("task-events").pop().unwrap().data().unwrap();
    assert_eq!(
        told["task"]["reminders"], moved["reminders"],
        "so that it is armed for then"
    );

    // The event of the old instant comes again: it was moved.
    assert_eq!(
        delivery(&api, &task).await,
        json!({ "decision": "skip", "reason": "the reminder was moved" })
    );
    api.pass(49 * 60);
    assert_eq!(
        overdue(&api).await,
        json!([]),
        "a reminder that waits is not overdue"
    );
    api.pass(60);
    assert_eq!(delivery(&api, &moved).await["decision"], "send");
    api.pass(31);
    assert_eq!(overdue(&api).await[0]["remindAt"], "2026-11-21T14:00:00+01:00");
}

#[tokio::test]
async fn a_snoozed_reminder_waits_for_the_end_of_quiet_hours_as_well() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let task = quiet(&api).await;
    let snooze = format!(
        "/api/v1/tasks/{}/reminders/{}/snooze",
        text(&task, "id"),
        text(&task["reminders"][0], "id")
    );
    json(&alice.post(&snooze, &json!({ "minutes": 30 })).await, 200);
    let snoozed = read(&alice, &task).await;
    api.pass(30 * 60);
    assert_eq!(delivery(&api, &snoozed).await["decision"], "skip");
    assert_eq!(
        read(&alice, &task).await["reminders"][0]["remindAt"],
        "2026-11-21T14:00:00+01:00"
    );
}

#[tokio::test]
async fn quiet_hours_that_are_asked_about_twice_at_once_move_a_reminder_once() {
    let api = Service::start("api").await;
    let task = quiet(&api).await;
    api.pass(10 * 60);
    let (first, second) = tokio::join!(delivery(&api, &task), delivery(&api, &task));
    assert_eq!(
        (&first["decision"], &second["decision"]),
        (&json!("skip"), &json!("skip"))
    );
    assert_eq!(read(&api.user("alice"), &task).await["version"], 2);
}

#[tokio::test]
async fn a_crash_between_moving_a_reminder_and_announcing_it_loses_nothing() {
    let api = Service::start("api").await;
    let task = quiet(&api).await;
    api.pass(10 * 60);
    let hold = api.dapr.hold_next(Function::PublishAll);
    assert_eq!(delivery(&api, &task).await["decision"], "skip");
    hold.reached().await;

    let after = api.start_again().await;
    after.pass(10);
    assert_eq!(relay(&after).await, json!({ "published": 1, "left": 0 }));
    let told = after.dapr.published("task-events").pop().unwrap().data().unwrap();
    assert_eq!(
        told["task"]["reminders"][0]["remindAt"],
        "2026-11-21T14:00:00+01:00"
    );
    assert_eq!(overdue(&after).await, json!([]));
    after.pass(51 * 60);
    assert_eq!(
        overdue(&after).await[0]["task"]["id"],
        task["id"],
        "a missing job is made up for"
    );
    assert_eq!(delivery(&after, &told["task"]).await["decision"], "send");
}

#[tokio::test]
async fn a_reminder_outside_of_quiet_hours_and_of_others_goes_out() {
    let api = Service::start("api").await;
    set(
        &api.user("alice"),
        json!({ "quietHours": { "from": "22:00", "until": "07:00" } }),
    )
    .await;
    set(
        &api.user("bob"),
        json!({ "quietHours": { "from": "00:00", "until": "23:59" } }),
    )
    .await;
    let body = json!({ "title": "x", "due": "2026-11-21T13:20", "reminders": [{ "minutesBefore": 10 }] });
    let task = api.user("alice").create("/api/v1/tasks", &body).await;
    api.pass(10 * 60);
    assert_eq!(delivery(&api, &task).await["decision"], "send");
    set(
        &api.user("alice"),
        json!({ "timeZone": "Asia/Tokyo", "quietHours": { "from": "21:00", "until": "07:00" } }),
    )
    .await;
    assert_eq!(
        delivery(&api, &task).await["decision"],
        "skip",
        "the clock on the wall in Tokyo counts"
    );
}
