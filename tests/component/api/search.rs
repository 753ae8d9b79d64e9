//! `GET /api/v1/tasks/search`, and the filter `text` of lists.

use serde_json::{Value, json};

use super::titles;
use crate::support::{Caller, Service, json, text};

async fn create(api: &Service, alice: &Caller<'_>, title: &str, description: &str) -> Value {
    api.pass(1);
    let body = json!({ "title": title, "description": description });
    alice.create("/api/v1/tasks", &body).await
}

/// `%`-encodes a text for a query string.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

async fn search(alice: &Caller<'_>, query: &str) -> Value {
    let path = format!("/api/v1/tasks/search?query={}", encoded(query));
    json(&alice.get(&path).await, 200)
}

async fn listed(alice: &Caller<'_>, text: &str, more: &str) -> Value {
    let path = format!("/api/v1/tasks?text={}{more}", encoded(text));
    json(&alice.get(&path).await, 200)
}

#[tokio::test]
async fn title_hits_come_first_and_newer_ones_before_older_ones() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    create(&api, &alice, "Water the plants", "").await;
    create(&api, &alice, "Call Bob", "about the water in the plants").await;
    create(&api, &alice, "Plants: water them", "daily").await;
    create(&api, &alice, "Water", "only plants need it").await;
    create(&api, &alice, "Pay rent", "by transfer").await;
    assert_eq!(
        titles(&search(&alice, "water plants").await),
        ["Plants: water them", "Water the plants", "Water", "Call Bob"]
    );
    assert_eq!(
        titles(&listed(&alice, "water plants", "&order=asc").await),
        ["Water the plants", "Call Bob", "Plants: water them", "Water"]
    );
    assert_eq!(
        titles(&listed(&alice, "water plants", "&sort=title&limit=2").await),
        ["Call Bob", "Plants: water them"]
    );
}

#[tokio::test]
async fn all_words_must_occur_and_the_last_one_may_be_a_beginning() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    create(&api, &alice, "Book the dentist", "").await;
    create(&api, &alice, "Book a table", "for the dentists' dinner").await;
    for (query, expected) in [
        ("dent", vec!["Book the dentist", "Book a table"]),
        ("d", vec!["Book the dentist", "Book a table"]),
        ("dentist", vec!["Book the dentist", "Book a table"]),
        ("dentists", vec!["Book a table"]),
        ("dent book", vec![]),
        ("book table din", vec!["Book a table"]),
        ("book cinema", vec![]),
        ("entist", vec![]),
    ] {
        assert_eq!(titles(&search(&alice, query).await), expected, "{query}");
    }
}

#[tokio::test]
async fn case_and_diacritics_make_no_difference() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    create(&api, &alice, "Café crème in der Königstraße", "").await;
    create(&api, &alice, "ΟΔΟΣ Привет", "").await;
    for (query, expected) in [
        ("CAFE creme", "Café crème in der Königstraße"),
        ("cafe\u{301} KÖNIGSTRASSE", "Café crème in der Königstraße"),
        ("konigstraße", "Café crème in der Königstraße"),
        ("οδος", "ΟΔΟΣ Привет"),
        ("ПРИВ", "ΟΔΟΣ Привет"),
    ] {
        assert_eq!(titles(&search(&alice, query).await), [expected], "{query}");
    }
}

#[tokio::test]
async fn what_was_changed_or_deleted_is_found_by_what_it_is_now() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let task = create(&api, &alice, "Buy apples", "red ones").await;
    let path = format!("/api/v1/tasks/{}", text(&task, "id"));
    json(&alice.patch(&path, &json!({ "title": "Buy pears" })).await, 200);
    assert_eq!(titles(&search(&alice, "apples").await), Vec::<&str>::new());
    assert_eq!(titles(&search(&alice, "pears red").await), ["Buy pears"]);

    json(&alice.patch(&path, &json!({ "description": null })).await, 200);
    assert_eq!(titles(&search(&alice, "red").await), Vec::<&str>::new());
    json(&alice.post(&format!("{path}/complete"), &json!({})).await, 200);
    assert_eq!(titles(&search(&alice, "pears").await), ["Buy pears"]);

    assert_eq!(alice.delete(&path).await.status, 204);
    assert_eq!(titles(&search(&alice, "pears").await), Vec::<&str>::new());
    assert_eq!(titles(&listed(&alice, "pears", "").await), Vec::<&str>::new());
}

#[tokio::test]
async fn users_find_only_their_own_tasks() {
    let api = Service::start("api").await;
    let (alice, bob) = (api.user("alice"), api.user("bob"));
    create(&api, &alice, "Secret of alice", "").await;
    create(&api, &bob, "Secret of bob", "").await;
    assert_eq!(titles(&search(&bob, "secret").await), ["Secret of bob"]);
    assert_eq!(titles(&search(&bob, "s").await), ["Secret of bob"]);
    assert_eq!(titles(&listed(&bob, "secret", "").await), ["Secret of bob"]);
}

#[tokio::test]
async fn pages_go_from_titles_to_descriptions_and_stay_right_while_tasks_come_and_go() {
    let api = Service::start("api").await;
    pages(&api, "alice").await;
}

/// On either database.
pub(crate) async fn pages(api: &Service, user: &str) {
    let alice = api.user(user);
    let mut tasks = Vec::new();
    for (title, description) in [
        ("d1", "milk"),
        ("milk 1", ""),
        ("d2", "milk"),
        ("milk 2", ""),
        ("milk 3", ""),
        ("d3", "milk"),
    ] {
        tasks.push(create(api, &alice, title, description).await);
    }
    let mut path = "/api/v1/tasks/search?query=milk&limit=2".to_owned();
    let first = json(&alice.get(&path).await, 200);
    assert_eq!(titles(&first), ["milk 3", "milk 2"]);

    // The task that the page ended with goes, and one comes that would have been on it.
    assert_eq!(
        alice
            .delete(&format!("/api/v1/tasks/{}", text(&tasks[3], "id")))
            .await
            .status,
        204
    );
    create(api, &alice, "milk 4", "").await;
    let mut found = Vec::new();
    let mut cursor = first["nextCursor"].clone();
    while let Some(next) = cursor.as_str() {
        path = format!("/api/v1/tasks/search?query=milk&limit=2&cursor={next}");
        let page = json(&alice.get(&path).await, 200);
        found.extend(titles(&page).into_iter().map(str::to_owned));
        cursor = page["nextCursor"].clone();
    }
    assert_eq!(found, ["milk 1", "d3", "d2", "d1"]);
}

#[tokio::test]
async fn a_word_is_found_whether_new_tasks_have_it_or_old_ones_do() {
    let api = Service::start("api").await;
    new_and_old(&api, "alice").await;
}

/// On either database.
pub(crate) async fn new_and_old(api: &Service, user: &str) {
    let alice = api.user(user);
    create(api, &api.user("bob"), "milk of bob", "").await;
    for hundred in 0..4 {
        let tasks = (0..100).map(|number| {
            let number = hundred * 100 + number;
            let description = if number < 50 { "bread" } else { "" };
            json!({ "op": "create", "task": { "title": format!("milk {number}"), "description": description } })
        });
        let body = json!({ "operations": tasks.collect::<Vec<_>>() });
        json(&alice.post("/api/v1/tasks/bulk", &body).await, 200);
    }
    for (word, newest) in [("milk", 399), ("mil", 399), ("bread", 49), ("milk+bre", 49)] {
        let expected: Vec<String> = (0..=newest)
            .rev()
            .map(|number| format!("milk {number}"))
            .collect();
        for list in ["/api/v1/tasks/search?query=", "/api/v1/tasks?text="] {
            let path = format!("{list}{word}&limit=70");
            let mut page = json(&alice.get(&path).await, 200);
            let mut found: Vec<String> = titles(&page).into_iter().map(str::to_owned).collect();
            while let Some(cursor) = page["nextCursor"].as_str() {
                page = json(&alice.get(&format!("{path}&cursor={cursor}")).await, 200);
                found.extend(titles(&page).into_iter().map(str::to_owned));
            }
            assert_eq!(found, expected, "{path}");
        }
    }
}

#[tokio::test]
async fn nothing_that_is_typed_is_syntax() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    create(&api, &alice, "x OR y", "").await;
    for query in [
        "\"x\"", "x*", "*x", "'x'", "x:", "x & y", "x | y", "!x", "(x", "x)", "x <-> y", "NEAR x", "x NOT y",
        "x OR", "-x", "^x", "{x}", "x\0y", "x%", "x_", "x\\", "$1 x", "terms:x", "x;--",
    ] {
        for path in ["/api/v1/tasks/search?query=", "/api/v1/tasks?text="] {
            let answer = alice.get(&format!("{path}{}", encoded(query))).await;
            assert_eq!(answer.status, 200, "{query:?}: {:?}", answer.body);
        }
    }
    assert_eq!(titles(&search(&alice, "(x | \"OR\"").await), ["x OR y"]);
}

#[tokio::test]
async fn a_query_without_words_or_with_too_many_is_refused() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    for (query, code) in [
        (String::new(), "empty"),
        ("query=%2b%2b".to_owned(), "empty"),
        (format!("query={}", "a".repeat(201)), "too_long"),
        ("query=a+b+c+d+e+f+g+h+i+j+k".to_owned(), "too_many_words"),
        ("query=a&limit=0".to_owned(), "invalid_limit"),
        ("query=a&limit=101".to_owned(), "invalid_limit"),
        ("query=a&cursor=x".to_owned(), "invalid_cursor"),
        ("query=a&sort=due".to_owned(), "unknown_parameter"),
    ] {
        let problem = json(&alice.get(&format!("/api/v1/tasks/search?{query}")).await, 400);
        assert_eq!(problem["errors"][0]["code"], code, "{problem}");
    }
    let problem = json(&alice.get("/api/v1/tasks?text=..").await, 400);
    assert_eq!(problem["errors"][0]["field"], "text", "{problem}");
    assert_eq!(
        api.anybody().get("/api/v1/tasks/search?query=a").await.status,
        401
    );
}

#[tokio::test]
async fn tasks_that_were_stored_before_there_was_an_index_are_found() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    create(&api, &alice, "Water the plants", "on Mondays").await;
    create(&api, &alice, "Plant a tree", "").await;
    let gone = create(&api, &alice, "Plan", "").await;
    let gone = format!("/api/v1/tasks/{}", text(&gone, "id"));
    assert_eq!(alice.delete(&gone).await.status, 204);
    let database = rusqlite::Connection::open(api.state().join("sqlite_db.db")).unwrap();
    let before = "DROP TRIGGER task_text_inserted; DROP TRIGGER task_text_changed; DROP TRIGGER task_text_removed; \
         DROP TABLE task_text; DROP TABLE task_number; \
         DROP INDEX task_with_old_terms; ALTER TABLE task DROP COLUMN terms; \
         DELETE FROM schema_migration WHERE number >= 4";
    database.execute_batch(before).unwrap();

    let api = api.start_again().await;
    let alice = api.user("alice");
    assert_eq!(
        titles(&search(&alice, "plan").await),
        ["Plant a tree", "Water the plants"]
    );
    assert_eq!(titles(&search(&alice, "monday").await), ["Water the plants"]);
    create(&api, &alice, "Plane", "").await;
    assert_eq!(titles(&search(&alice, "plane").await), ["Plane"]);
}
