//! `GET /api/v1/tasks`.

use serde_json::{Value, json};

use super::titles;
use crate::support::{Caller, Service, json, text};

async fn create(api: &Service, alice: &Caller<'_>, title: &str) -> Value {
    // Instants are stored in milliseconds; the order of one instant is that of the ids.
    api.pass(1);
    alice.create("/api/v1/tasks", &json!({ "title": title })).await
}

#[tokio::test]
async fn pages_stay_right_while_tasks_come_and_go() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let mut tasks = Vec::new();
    for title in ["a", "b", "c", "d", "e"] {
        tasks.push(create(&api, &alice, title).await);
    }
    let first = json(&alice.get("/api/v1/tasks?limit=2").await, 200);
    assert_eq!(titles(&first), ["e", "d"]);

    create(&api, &alice, "f").await;
    assert_eq!(
        alice
            .delete(&format!("/api/v1/tasks/{}", text(&tasks[3], "id")))
            .await
            .status,
        204
    );
    assert_eq!(
        alice
            .delete(&format!("/api/v1/tasks/{}", text(&tasks[1], "id")))
            .await
            .status,
        204
    );

    let second = json(
        &alice
            .get(&format!(
                "/api/v1/tasks?limit=2&cursor={}",
                text(&first, "nextCursor")
            ))
            .await,
        200,
    );
    assert_eq!(titles(&second), ["c", "a"]);
    assert_eq!(second["nextCursor"], Value::Null);
}

#[tokio::test]
async fn tasks_of_one_instant_are_each_listed_once() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    for title in ["a", "b", "c"] {
        alice.create("/api/v1/tasks", &json!({ "title": title })).await;
    }
    let first = json(&alice.get("/api/v1/tasks?limit=2").await, 200);
    let second = json(
        &alice
            .get(&format!(
                "/api/v1/tasks?limit=2&cursor={}",
                text(&first, "nextCursor")
            ))
            .await,
        200,
    );
    let mut all = titles(&first);
    all.extend(titles(&second));
    all.sort_unstable();
    assert_eq!(all, ["a", "b", "c"]);
}

#[tokio::test]
async fn a_status_narrows_the_list() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let done = create(&api, &alice, "done").await;
    create(&api, &alice, "open").await;
    alice
        .post(
            &format!("/api/v1/tasks/{}/complete", text(&done, "id")),
            &json!({}),
        )
        .await;
    for (query, expected) in [
        ("", vec!["open", "done"]),
        ("?status=all&cursor=", vec!["open", "done"]),
        ("?status=pending", vec!["open"]),
        ("?status=completed", vec!["done"]),
    ] {
        assert_eq!(
            titles(&json(&alice.get(&format!("/api/v1/tasks{query}")).await, 200)),
            expected,
            "{query}"
        );
    }
}

#[tokio::test]
async fn the_last_page_has_no_cursor_even_when_it_is_full() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    create(&api, &alice, "a").await;
    create(&api, &alice, "b").await;
    assert_eq!(
        json(&alice.get("/api/v1/tasks?limit=2").await, 200)["nextCursor"],
        Value::Null
    );
}

/// All pages of a list, two tasks each.
async fn all(alice: &Caller<'_>, query: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = json(
            &alice
                .get(&format!("/api/v1/tasks?limit=2&{query}&cursor={cursor}"))
                .await,
            200,
        );
        found.extend(titles(&page).into_iter().map(str::to_owned));
        match page["nextCursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => return found,
        }
    }
}

#[tokio::test]
async fn every_order_goes_either_way_page_by_page() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    for (title, priority, due) in [
        ("b", "low", json!("2026-12-03")),
        ("C", "urgent", Value::Null),
        ("a", "medium", json!("2026-12-01")),
        ("é", "high", json!("2026-12-02")),
        ("d", "medium", Value::Null),
    ] {
        api.pass(1);
        let task = json!({ "title": title, "priority": priority, "due": due });
        alice.create("/api/v1/tasks", &task).await;
    }
    for (query, expected) in [
        ("sort=created", ["d", "é", "a", "C", "b"]),
        ("sort=created&order=asc", ["b", "C", "a", "é", "d"]),
        ("sort=title", ["a", "b", "C", "d", "é"]),
        ("sort=title&order=desc", ["é", "d", "C", "b", "a"]),
        ("sort=due", ["a", "é", "b", "C", "d"]),
        // Tasks without a due date come last either way.
        ("sort=due&order=desc", ["b", "é", "a", "d", "C"]),
        ("sort=priority", ["C", "é", "d", "a", "b"]),
        ("sort=priority&order=asc", ["b", "a", "d", "é", "C"]),
    ] {
        assert_eq!(all(&alice, query).await, expected, "{query}");
    }
    let b = &json(&alice.get("/api/v1/tasks?sort=title&limit=2").await, 200)["items"][1];
    api.pass(1);
    json(
        &alice
            .patch(
                &format!("/api/v1/tasks/{}", text(b, "id")),
                &json!({ "priority": "high" }),
            )
            .await,
        200,
    );
    assert_eq!(all(&alice, "sort=updated").await, ["b", "d", "é", "a", "C"]);
}

#[tokio::test]
async fn filters_narrow_together() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let label = async |path: &str, name: &str| {
        let label = alice.create(path, &json!({ "name": name })).await;
        text(&label, "id").to_owned()
    };
    let work = label("/api/v1/categories", "Work").await;
    let (red, blue) = (
        label("/api/v1/tags", "red").await,
        label("/api/v1/tags", "blue").await,
    );
    for (title, body) in [
        (
            "a",
            json!({ "categoryId": work, "tagIds": [red], "priority": "high", "due": "2026-11-20T09:00" }),
        ),
        (
            "b",
            json!({ "categoryId": work, "tagIds": [red, blue], "due": "2026-11-22T09:00" }),
        ),
        (
            "c",
            json!({ "tagIds": [blue], "priority": "urgent", "due": "2026-11-25T09:00" }),
        ),
        ("d", json!({ "priority": "low" })),
    ] {
        let mut body = body;
        body["title"] = json!(title);
        api.pass(1);
        alice.create("/api/v1/tasks", &body).await;
    }
    for (query, expected) in [
        (format!("categoryId={work}"), "ba"),
        ("categoryId=none".to_owned(), "dc"),
        (format!("tagIds={red}"), "ba"),
        (format!("tagIds={red},{blue}"), "cba"),
        (format!("tagIds={red},{blue}&tagMatch=all"), "b"),
        (format!("tagIds={blue}&categoryId=none"), "c"),
        ("priority=high,urgent".to_owned(), "ca"),
        // The order of a list that asks for due dates is by them.
        ("dueAfter=2026-11-22".to_owned(), "bc"),
        ("dueBefore=2026-11-22".to_owned(), "a"),
        ("dueBefore=tomorrow%2010:00".to_owned(), "ab"),
        ("dueAfter=2026-11-22T09:00".to_owned(), "bc"),
        ("dueBefore=2026-11-22T09:00".to_owned(), "a"),
        (
            "dueAfter=2026-11-20&dueBefore=2026-11-23&order=desc".to_owned(),
            "ba",
        ),
        ("overdue=true".to_owned(), "a"),
        // Whole days of the calendar: today, and tomorrow.
        ("upcomingDays=1".to_owned(), ""),
        ("upcomingDays=2".to_owned(), "b"),
        ("upcomingDays=4".to_owned(), "b"),
        ("upcomingDays=5".to_owned(), "bc"),
        ("upcomingDays=5&priority=urgent".to_owned(), "c"),
    ] {
        assert_eq!(all(&alice, &query).await.concat(), expected, "{query}");
    }
}

#[tokio::test]
async fn the_end_of_the_month_has_its_last_day_before_it_and_upcoming_days_are_whole() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    // It is Saturday, 21 November, in Berlin.
    for (title, due) in [
        ("a", "today at 23:59"),
        ("b", "today"),
        ("c", "tomorrow at 0:00"),
        ("d", "2026-11-30T00:00"),
        ("e", "end of month"),
        ("f", "2026-12-01T00:00"),
    ] {
        api.pass(1);
        let body = json!({ "title": title, "due": due });
        alice.create("/api/v1/tasks", &body).await;
    }
    for (query, expected) in [
        ("dueBefore=end of month", "abcde"),
        ("dueBefore=eom", "abcde"),
        ("dueBefore=last day of the month", "abc"),
        ("dueBefore=end of day", "ab"),
        ("dueBefore=tomorrow", "ab"),
        ("dueBefore=today", ""),
        ("dueBefore=next month", "abcdef"),
        ("dueAfter=end of month", "f"),
        ("dueAfter=tomorrow&dueBefore=end of week", "c"),
        (
            "dueAfter=start of this month&dueBefore=end of next month",
            "abcdef",
        ),
        ("upcomingDays=1", "ab"),
        ("upcomingDays=2", "abc"),
        ("upcomingDays=9", "abc"),
        ("upcomingDays=10", "abcde"),
        ("upcomingDays=11", "abcdef"),
    ] {
        let found = all(&alice, &query.replace(' ', "%20")).await.concat();
        assert_eq!(found, expected, "{query}");
    }
    for (text, code) in [
        ("today at 9am", "invalid_due"),
        ("tonight at 9am", "invalid_due"),
        ("1/5/2027", "ambiguous_due"),
    ] {
        let body = json!({ "title": "never", "due": text });
        let problem = json(&alice.post("/api/v1/tasks", &body).await, 400);
        assert_eq!(problem["errors"][0]["code"], code, "{text}: {problem}");
    }
}

#[tokio::test]
async fn a_task_is_no_longer_found_by_a_label_that_was_removed() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let tag = alice.create("/api/v1/tags", &json!({ "name": "red" })).await;
    let by_tag = format!("tagIds={}", text(&tag, "id"));
    let worn = alice
        .create("/api/v1/tasks", &json!({ "title": "a", "tagIds": [tag["id"]] }))
        .await;
    let gone = alice
        .create("/api/v1/tasks", &json!({ "title": "b", "tagIds": [tag["id"]] }))
        .await;
    assert_eq!(all(&alice, &by_tag).await.len(), 2);
    alice
        .delete(&format!("/api/v1/tasks/{}", text(&gone, "id")))
        .await;
    assert_eq!(all(&alice, &by_tag).await, ["a"]);
    json(
        &alice
            .patch(
                &format!("/api/v1/tasks/{}", text(&worn, "id")),
                &json!({ "tagIds": [] }),
            )
            .await,
        200,
    );
    assert_eq!(all(&alice, &by_tag).await, Vec::<String>::new());
}
