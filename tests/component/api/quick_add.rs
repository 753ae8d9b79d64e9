//! `POST /api/v1/tasks/parse` and `GET /api/v1/tasks/{id}/occurrences`.

use serde_json::{Value, json};

use crate::support::{Caller, Service, json, text};

async fn parsed(alice: &Caller<'_>, line: &str) -> Value {
    json(
        &alice.post("/api/v1/tasks/parse", &json!({ "text": line })).await,
        200,
    )
}

/// What `text` is refused with.
async fn refused(alice: &Caller<'_>, body: Value) -> (Value, Value) {
    let problem = json(&alice.post("/api/v1/tasks/parse", &body).await, 400);
    let error = &problem["errors"][0];
    (error["field"].clone(), error["code"].clone())
}

#[tokio::test]
async fn a_line_becomes_a_task_that_can_be_created_as_it_is() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let tag = alice.create("/api/v1/tags", &json!({ "name": "Home" })).await;
    let line = "Pay rent every month on the 1st 9am !high #home #flat remind 30m before";

    let answer = parsed(&alice, line).await;

    assert_eq!(
        answer,
        json!({
            "task": {
                "title": "Pay rent",
                "due": "2026-12-01T09:00:00+01:00",
                "timeZone": "Europe/Berlin",
                "priority": "high",
                "tagIds": [tag["id"]],
                "recurrence": "FREQ=MONTHLY;BYMONTHDAY=1",
                "reminders": [{ "minutesBefore": 30 }],
            },
            "newTags": ["flat"],
            "newCategory": null,
            "parts": [
                { "kind": "title", "start": 0, "end": 8, "text": "Pay rent" },
                { "kind": "recurrence", "start": 9, "end": 31, "text": "every month on the 1st" },
                { "kind": "due", "start": 32, "end": 35, "text": "9am" },
                { "kind": "priority", "start": 36, "end": 41, "text": "!high" },
                { "kind": "tag", "start": 42, "end": 47, "text": "#home" },
                { "kind": "tag", "start": 48, "end": 53, "text": "#flat" },
                { "kind": "reminder", "start": 54, "end": 71, "text": "remind 30m before" },
            ],
            "words": {
                "due": "Tuesday, 1 December 2026, 09:00",
                "recurrence": "every month on the 1st",
                "reminders": ["30 minutes before"],
            },
            "occurrences": ["2026-12-01T09:00:00+01:00", "2027-01-01T09:00:00+01:00", "2027-02-01T09:00:00+01:00"],
            "questions": [],
        })
    );
    let task = alice.create("/api/v1/tasks", &answer["task"]).await;
    for field in ["title", "due", "timeZone", "priority", "tagIds", "recurrence"] {
        assert_eq!(task[field], answer["task"][field], "{field}");
    }
    assert_eq!(task["reminders"][0]["minutesBefore"], 30);
}

#[tokio::test]
async fn what_is_ambiguous_is_asked_and_each_choice_answers_it() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let answer = parsed(&alice, "Call mom tomorrow at 5 #home").await;
    assert_eq!(answer["task"], Value::Null);
    let question = &answer["questions"][0];
    assert_eq!(question["field"], "due");
    assert_eq!(
        question["choices"],
        json!([
            { "label": "tomorrow at 5am", "text": "Call mom tomorrow at 5am #home" },
            { "label": "tomorrow at 5pm", "text": "Call mom tomorrow at 5pm #home" },
            { "label": "keep “tomorrow at 5” in the title", "text": "Call mom \\tomorrow \\at \\5 #home" },
        ])
    );
    let mut due_dates = Vec::new();
    for choice in question["choices"].as_array().expect("choices") {
        let chosen = parsed(&alice, text(choice, "text")).await;
        assert_eq!(chosen["questions"], json!([]));
        due_dates.push((chosen["task"]["title"].clone(), chosen["task"]["due"].clone()));
    }
    assert_eq!(
        due_dates,
        [
            (json!("Call mom"), json!("2026-11-22T05:00:00+01:00")),
            (json!("Call mom"), json!("2026-11-22T17:00:00+01:00")),
            (json!("Call mom tomorrow at 5"), Value::Null),
        ]
    );
}

#[tokio::test]
async fn labels_are_matched_by_what_their_names_look_like_and_those_of_others_are_not() {
    let api = Service::start("api").await;
    let (alice, bob) = (api.user("alice"), api.user("bob"));
    let tag = alice
        .create("/api/v1/tags", &json!({ "name": "Follow up" }))
        .await;
    let category = alice
        .create("/api/v1/categories", &json!({ "name": "Büro" }))
        .await;
    let line = "Report #follow up @BU\u{308}RO";
    let answer = parsed(&alice, line).await;
    assert_eq!(answer["task"]["tagIds"], json!([tag["id"]]));
    assert_eq!(answer["task"]["categoryId"], category["id"]);
    assert_eq!(
        (&answer["newTags"], &answer["newCategory"]),
        (&json!([]), &Value::Null)
    );
    assert_eq!(answer["task"]["title"], "Report");

    let answer = parsed(&bob, line).await;
    assert_eq!(answer["task"]["tagIds"], json!([]));
    assert_eq!(
        (&answer["newTags"], &answer["newCategory"]),
        (&json!(["follow"]), &json!("BU\u{308}RO"))
    );
    assert_eq!(answer["task"]["title"], "Report up");
}

#[tokio::test]
async fn a_line_is_read_in_the_zone_of_the_user_or_in_the_one_that_is_given() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let patched = alice
        .patch("/api/v1/me", &json!({ "timeZone": "Asia/Kathmandu" }))
        .await;
    assert_eq!(patched.status, 200);
    let answer = parsed(&alice, "Call mom tomorrow 9am").await;
    assert_eq!(answer["task"]["due"], "2026-11-22T09:00:00+05:45");
    assert_eq!(answer["task"]["timeZone"], "Asia/Kathmandu");

    // Clocks skip 02:30 in New York on 14 March 2027.
    let body =
        json!({ "text": "Call mom every day 2:30am starting 2027-03-13", "timeZone": "america/new_york" });
    let answer = json(&alice.post("/api/v1/tasks/parse", &body).await, 200);
    assert_eq!(answer["task"]["timeZone"], "America/New_York");
    assert_eq!(
        answer["occurrences"],
        json!([
            "2027-03-13T02:30:00-05:00",
            "2027-03-14T03:30:00-04:00",
            "2027-03-15T02:30:00-04:00"
        ])
    );
}

#[tokio::test]
async fn positions_count_the_code_units_of_javascript() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let answer = parsed(&alice, "🎂👩‍👩‍👧 اتصل بأمي tomorrow !high").await;
    assert_eq!(answer["task"]["title"], "🎂👩‍👩‍👧 اتصل بأمي");
    assert_eq!(
        answer["parts"],
        json!([
            { "kind": "title", "start": 0, "end": 20, "text": "🎂👩‍👩‍👧 اتصل بأمي" },
            { "kind": "due", "start": 21, "end": 29, "text": "tomorrow" },
            { "kind": "priority", "start": 30, "end": 35, "text": "!high" },
        ])
    );
}

#[tokio::test]
async fn a_line_that_is_no_task_is_refused_for_its_text() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    for (body, code) in [
        (json!({}), "required"),
        (json!({ "text": null }), "required"),
        (json!({ "text": "" }), "required"),
        (json!({ "text": "tomorrow 9am !high" }), "required"),
        (json!({ "text": 5 }), "wrong_type"),
        (json!({ "text": "x".repeat(1001) }), "line_too_long"),
        (json!({ "text": "x".repeat(201) }), "invalid_title"),
    ] {
        assert_eq!(refused(&alice, body).await, (json!("text"), json!(code)));
    }
    let zone = json!({ "text": "a", "timeZone": "Mars/Phobos" });
    assert_eq!(refused(&alice, zone).await.0, "timeZone");
    let other = json!({ "text": "a", "title": "b" });
    assert_eq!(
        refused(&alice, other).await,
        (json!("title"), json!("unknown_field"))
    );
    assert_eq!(
        api.anybody()
            .post("/api/v1/tasks/parse", &json!({ "text": "a" }))
            .await
            .status,
        401
    );
    // Nothing was stored.
    assert_eq!(json(&alice.get("/api/v1/tasks").await, 200)["items"], json!([]));
}

async fn occurrences(alice: &Caller<'_>, task: &Value, query: &str) -> Value {
    let path = format!("/api/v1/tasks/{}/occurrences{query}", text(task, "id"));
    json(&alice.get(&path).await, 200)
}

fn due_dates(answer: &Value) -> Vec<(u64, &str)> {
    let items = answer["items"].as_array().expect("items").iter();
    items
        .map(|item| (item["number"].as_u64().expect("a number"), text(item, "due")))
        .collect()
}

#[tokio::test]
async fn the_next_occurrences_of_a_task_are_those_that_will_be_created() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let body =
        json!({ "title": "Pay rent", "due": "2027-02-28T02:30", "recurrence": "every month on the 28th" });
    let task = alice.create("/api/v1/tasks", &body).await;
    let answer = occurrences(&alice, &task, "?limit=2").await;
    assert_eq!(answer["recurrence"], "FREQ=MONTHLY;BYMONTHDAY=28");
    assert_eq!(answer["words"], "every month on the 28th");
    // Clocks skip 02:30 on 28 March 2027.
    assert_eq!(
        due_dates(&answer),
        [(2, "2027-03-28T03:30:00+02:00"), (3, "2027-04-28T02:30:00+02:00")]
    );
    assert_eq!(answer["ends"], false);

    let path = format!("/api/v1/tasks/{}?scope=occurrence", text(&task, "id"));
    assert_eq!(alice.delete(&path).await.status, 204);
    let next = json(&alice.get("/api/v1/tasks").await, 200)["items"][0].clone();
    assert_eq!(
        (&next["occurrence"], &next["due"]),
        (&json!(2), &json!("2027-03-28T03:30:00+02:00"))
    );
}

#[tokio::test]
async fn another_recurrence_or_due_date_is_previewed_and_not_stored() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let body = json!({ "title": "Pay rent", "due": "2027-01-30T09:00", "recurrence": "daily" });
    let task = alice.create("/api/v1/tasks", &body).await;
    let answer = occurrences(
        &alice,
        &task,
        "?recurrence=every+month+for+3+times&due=2027-01-31+09:00",
    )
    .await;
    assert_eq!(
        due_dates(&answer),
        [(2, "2027-02-28T09:00:00+01:00"), (3, "2027-03-31T09:00:00+02:00")]
    );
    assert_eq!(
        (&answer["ends"], &answer["words"]),
        (
            &json!(true),
            &json!("every month on the 31st or the last day for 3 times")
        )
    );
    let same = json(
        &alice.get(&format!("/api/v1/tasks/{}", text(&task, "id"))).await,
        200,
    );
    assert_eq!(same, task);
    for (query, field) in [
        ("?recurrence=bimonthly", "recurrence"),
        ("?due=at+5", "due"),
        ("?limit=51", "limit"),
        ("?limit=0", "limit"),
        ("?rule=daily", "rule"),
    ] {
        let path = format!("/api/v1/tasks/{}/occurrences{query}", text(&task, "id"));
        assert_eq!(
            json(&alice.get(&path).await, 400)["errors"][0]["field"],
            field,
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_task_that_does_not_recur_has_no_occurrences_and_one_of_others_is_not_there() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let task = alice
        .create("/api/v1/tasks", &json!({ "title": "Breathe" }))
        .await;
    let answer = occurrences(&alice, &task, "").await;
    assert_eq!(
        answer,
        json!({ "recurrence": null, "words": null, "items": [], "ends": true })
    );
    let path = format!("/api/v1/tasks/{}/occurrences", text(&task, "id"));
    assert_eq!(api.user("bob").get(&path).await.status, 404);
    let without_due = alice.get(&format!("{path}?recurrence=daily")).await;
    assert_eq!(
        json(&without_due, 400)["errors"][0]["code"],
        "recurrence_without_due"
    );
}

#[tokio::test]
async fn occurrences_that_count_from_completion_are_as_if_each_were_done_when_it_is_due() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let body = json!({ "title": "Cut hair", "due": "2026-11-01T09:00", "recurrence": "every 4 weeks", "recurrenceFrom": "completion" });
    let task = alice.create("/api/v1/tasks", &body).await;
    let answer = occurrences(&alice, &task, "?limit=2").await;
    // Overdue since 1 November, so done today, 21 November, at the earliest.
    assert_eq!(
        due_dates(&answer),
        [(2, "2026-12-19T09:00:00+01:00"), (3, "2027-01-16T09:00:00+01:00")]
    );
}
