//! Tools that find tasks.

use serde_json::{Value, json};

use super::{Model, field, titles};
use crate::support::Service;

/// It is Saturday, 21 November 2026, 13:00 in Berlin.
async fn filled(alice: &Model<'_>) -> Value {
    let home = alice.get("create_category", json!({ "name": "Home" })).await["category"].take();
    let tag = alice.get("create_tag", json!({ "name": "money" })).await["tag"].take();
    for arguments in [
        json!({ "title": "a rent", "priority": "urgent", "due_date": "2026-11-20", "tag_ids": [tag["id"]] }),
        json!({ "title": "b plants", "category_id": home["id"], "due_date": "2026-11-23T09:00" }),
        json!({ "title": "c mum", "priority": "low", "due_date": "2026-12-24" }),
        json!({ "title": "d someday", "description": "the rent again" }),
    ] {
        alice.task(arguments).await;
    }
    let done = alice
        .task(json!({ "title": "e done", "due_date": "2026-11-19" }))
        .await;
    alice
        .call("complete_task", json!({ "task_id": done["id"] }))
        .await;
    json!({ "home": home["id"], "money": tag["id"] })
}

#[tokio::test]
async fn tasks_are_filtered_and_sorted() {
    let api = Service::start("api").await;
    let alice = Model::of(&api, "alice").await;
    let ids = filled(&alice).await;
    for (mut arguments, expected) in [
        (
            json!({}),
            vec!["a rent", "b plants", "c mum", "d someday", "e done"],
        ),
        (
            json!({ "status": "all" }),
            vec!["a rent", "b plants", "c mum", "d someday", "e done"],
        ),
        (
            json!({ "status": "pending" }),
            vec!["a rent", "b plants", "c mum", "d someday"],
        ),
        (json!({ "status": "completed" }), vec!["e done"]),
        (json!({ "priority": "urgent" }), vec!["a rent"]),
        (json!({ "priority": "low,urgent" }), vec!["a rent", "c mum"]),
        (json!({ "category_id": ids["home"] }), vec!["b plants"]),
        (
            json!({ "category_id": "none", "status": "completed" }),
            vec!["e done"],
        ),
        (json!({ "tag_ids": [ids["money"]] }), vec!["a rent"]),
        (json!({ "due_before": "2026-11-22" }), vec!["a rent", "e done"]),
        (json!({ "due_before": "nov 23" }), vec!["a rent", "e done"]),
        (
            json!({ "due_before": "end of month" }),
            vec!["a rent", "b plants", "e done"],
        ),
        (
            json!({ "due_before": "end of dec 2026" }),
            vec!["a rent", "b plants", "c mum", "e done"],
        ),
        (json!({ "due_after": "end of month" }), vec!["c mum"]),
        (json!({ "due_after": "next monday" }), vec!["b plants", "c mum"]),
        (
            json!({ "due_after": "2026-11-22T00:00", "due_before": "2026-12-01" }),
            vec!["b plants"],
        ),
    ] {
        if arguments.get("sort_by").is_none() {
            arguments["sort_by"] = json!("title");
        }
        let answer = alice.get("list_tasks", arguments.clone()).await;
        assert_eq!(titles(&answer), expected, "{arguments}");
    }
    let sorted = async |by: &str, order: &str| {
        let arguments = json!({ "status": "pending", "sort_by": by, "sort_order": order });
        let answer = alice.get("list_tasks", arguments).await;
        titles(&answer).first().map(|title| (*title).to_owned()).unwrap()
    };
    assert_eq!(sorted("due_date", "asc").await, "a rent");
    assert_eq!(sorted("due_date", "desc").await, "c mum");
    assert_eq!(sorted("priority", "desc").await, "a rent");
    assert_eq!(sorted("title", "desc").await, "d someday");
    assert_eq!(sorted("created_at", "asc").await, "a rent");
    assert_eq!(sorted("updated_at", "asc").await, "a rent");
}

#[tokio::test]
async fn a_list_goes_on_where_it_says() {
    let api = Service::start("api").await;
    let alice = Model::of(&api, "alice").await;
    filled(&alice).await;
    let page = async |offset: u64| {
        let arguments = json!({ "sort_by": "title", "limit": 2, "offset": offset });
        alice.get("list_tasks", arguments).await
    };
    let mut seen = Vec::new();
    let mut offset = Some(0);
    while let Some(from) = offset {
        let answer = page(from).await;
        assert_eq!(answer["has_more"], !answer["next_offset"].is_null());
        seen.extend(titles(&answer).into_iter().map(str::to_owned));
        offset = answer["next_offset"].as_u64();
    }
    assert_eq!(seen, ["a rent", "b plants", "c mum", "d someday", "e done"]);
}

#[tokio::test]
async fn a_list_names_the_argument_that_is_wrong() {
    let api = Service::start("api").await;
    let alice = Model::of(&api, "alice").await;
    for (arguments, code, named) in [
        (json!({ "status": "open" }), "VALIDATION_ERROR", "status"),
        (json!({ "priority": "now" }), "INVALID_PRIORITY", "priority"),
        (
            json!({ "category_id": "Home" }),
            "CATEGORY_NOT_FOUND",
            "category_id",
        ),
        (
            json!({ "due_before": "someday" }),
            "INVALID_DUE_DATE",
            "due_before",
        ),
        (json!({ "sort_by": "due" }), "VALIDATION_ERROR", "sort_by"),
        (json!({ "sort_order": "up" }), "VALIDATION_ERROR", "sort_order"),
        (json!({ "limit": 101 }), "VALIDATION_ERROR", "limit"),
        (json!({ "limit": 0 }), "VALIDATION_ERROR", "limit"),
        (json!({ "offset": -1 }), "VALIDATION_ERROR", "offset"),
        (json!({ "sort": "due" }), "VALIDATION_ERROR", "sort"),
    ] {
        let refusal = alice.refusal("list_tasks", arguments.clone(), code).await;
        assert_eq!(field(&refusal), named, "{arguments}");
    }
}

#[tokio::test]
async fn overdue_and_upcoming_tasks_are_the_pending_ones_before_and_after_now() {
    let api = Service::start("api").await;
    let alice = Model::of(&api, "alice").await;
    filled(&alice).await;
    assert_eq!(
        titles(&alice.get("get_overdue_tasks", json!({})).await),
        ["a rent"]
    );
    assert_eq!(
        titles(&alice.get("get_upcoming_tasks", json!({})).await),
        ["b plants"]
    );
    // Today is the first day; the plants are due on the third.
    for (days, expected) in [(2, vec![]), (3, vec!["b plants"])] {
        let found = alice.get("get_upcoming_tasks", json!({ "days": days })).await;
        assert_eq!(titles(&found), expected, "{days}");
    }
    let days = json!({ "days": 60 });
    assert_eq!(
        titles(&alice.get("get_upcoming_tasks", days).await),
        ["b plants", "c mum"]
    );
    for days in [0, 367] {
        let refusal = alice
            .refusal("get_upcoming_tasks", json!({ "days": days }), "VALIDATION_ERROR")
            .await;
        assert_eq!(field(&refusal), "days");
    }
    let one = alice
        .get("get_upcoming_tasks", json!({ "days": 60, "limit": 1 }))
        .await;
    assert_eq!((titles(&one), &one["has_more"]), (vec!["b plants"], &json!(true)));
}

#[tokio::test]
async fn a_search_finds_words_of_title_and_description() {
    let api = Service::start("api").await;
    let alice = Model::of(&api, "alice").await;
    filled(&alice).await;
    let mut found = alice.get("search_tasks", json!({ "query": "RENT" })).await;
    found["tasks"]
        .as_array_mut()
        .unwrap()
        .sort_by_key(|task| task["title"].to_string());
    assert_eq!(titles(&found), ["a rent", "d someday"]);
    assert_eq!(
        titles(&alice.get("search_tasks", json!({ "query": "rent again" })).await),
        ["d someday"]
    );
    let one = alice
        .get("search_tasks", json!({ "query": "rent", "limit": 1 }))
        .await;
    assert_eq!((&one["count"], &one["has_more"]), (&json!(1), &json!(true)));
    assert_eq!(
        alice.get("search_tasks", json!({ "query": "nothing" })).await["count"],
        0
    );
    for query in [json!({}), json!({ "query": " " })] {
        let refusal = alice.refusal("search_tasks", query, "VALIDATION_ERROR").await;
        assert_eq!(field(&refusal), "query");
    }
}
