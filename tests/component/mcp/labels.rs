//! Tools on categories and tags.

use serde_json::{Value, json};

use super::{Model, field};
use crate::support::Service;

const UNKNOWN: &str = "018f0000-0000-7000-8000-00000000ffff";

/// Names that differ between the two kinds: thing, things, argument, code.
const KINDS: [(&str, &str, &str, &str); 2] = [
    ("category", "categories", "category_id", "CATEGORY_NOT_FOUND"),
    ("tag", "tags", "tag_id", "TAG_NOT_FOUND"),
];

#[tokio::test]
async fn a_label_is_created_listed_changed_and_deleted() {
    let api = Service::start("api").await;
    let alice = Model::of(&api, "alice").await;
    for (one, many, argument, code) in KINDS {
        let tool = |verb: &str| format!("{verb}_{one}");
        let work = alice
            .get(&tool("create"), json!({ "name": "Work", "color": "#AABBCC" }))
            .await[one]
            .take();
        assert_eq!(
            work,
            json!({ "id": work["id"], "name": "Work", "color": "#aabbcc" })
        );
        let home = alice.get(&tool("create"), json!({ "name": "Home" })).await[one].take();
        let listed = alice.get(&format!("list_{many}"), json!({})).await;
        assert_eq!(
            listed,
            json!({ many: [home, work], "count": 2, "has_more": false, "next_offset": null })
        );
        let first = alice.get(&format!("list_{many}"), json!({ "limit": 1 })).await;
        assert_eq!(
            first,
            json!({ many: [home], "count": 1, "has_more": true, "next_offset": 1 })
        );
        let rest = alice
            .get(&format!("list_{many}"), json!({ "limit": 1, "offset": 1 }))
            .await;
        assert_eq!(
            rest,
            json!({ many: [work], "count": 1, "has_more": false, "next_offset": null })
        );

        let mut change = json!({ "name": "Office" });
        change[argument] = work["id"].clone();
        let changed = alice.get(&tool("update"), change).await[one].take();
        assert_eq!(
            (&changed["name"], &changed["color"]),
            (&json!("Office"), &work["color"])
        );

        let mut id = json!({});
        id[argument] = work["id"].clone();
        let mut deleted = json!({ "deleted": true });
        deleted[argument] = work["id"].clone();
        assert_eq!(alice.get(&tool("delete"), id.clone()).await, deleted);
        alice.refusal(&tool("delete"), id.clone(), code).await;
        id["name"] = json!("x");
        alice.refusal(&tool("update"), id, code).await;
        let mut named = json!({ "name": "x" });
        named[argument] = json!("home");
        let refusal = alice.refusal(&tool("update"), named, code).await;
        assert_eq!(
            refusal["suggestions"],
            json!([{ "id": home["id"], "title": "Home" }])
        );
    }
}

#[tokio::test]
async fn a_label_with_a_bad_or_a_taken_name_is_refused() {
    let api = Service::start("api").await;
    let alice = Model::of(&api, "alice").await;
    for (one, _, argument, _) in KINDS {
        let create = format!("create_{one}");
        alice.call(&create, json!({ "name": "Work" })).await;
        let home = alice.get(&create, json!({ "name": "Home" })).await[one].take();
        for (arguments, named) in [
            (json!({}), "name"),
            (json!({ "name": "" }), "name"),
            (json!({ "name": "x".repeat(51) }), "name"),
            (json!({ "name": "Work" }), "name"),
            (json!({ "name": "x", "color": "red" }), "color"),
        ] {
            let refusal = alice
                .refusal(&create, arguments.clone(), "VALIDATION_ERROR")
                .await;
            assert_eq!(field(&refusal), named, "{arguments}");
        }
        let color = json!({ "color": "red" });
        let refusal = alice.refusal(&create, color, "VALIDATION_ERROR").await;
        assert_eq!(
            refusal["errors"][0]["field"], "name",
            "it is missing all the same"
        );
        assert_eq!(refusal["errors"][1]["field"], "color");
        let mut taken = json!({ "name": "Work" });
        taken[argument] = home["id"].clone();
        let refusal = alice
            .refusal(&format!("update_{one}"), taken, "VALIDATION_ERROR")
            .await;
        assert_eq!(refusal["errors"][0]["code"], "name_taken");
    }
}

#[tokio::test]
async fn a_tag_is_put_on_a_task_and_taken_off_once() {
    let api = Service::start("api").await;
    let alice = Model::of(&api, "alice").await;
    let tag = alice.get("create_tag", json!({ "name": "money" })).await["tag"].take();
    let task = alice.task(json!({ "title": "Pay rent" })).await;
    let both = json!({ "task_id": task["id"], "tag_id": tag["id"] });
    for (tool, worn) in [
        ("add_tag_to_task", json!([tag["id"]])),
        ("add_tag_to_task", json!([tag["id"]])),
        ("remove_tag_from_task", json!([])),
        ("remove_tag_from_task", json!([])),
    ] {
        assert_eq!(
            alice.get(tool, both.clone()).await["task"]["tag_ids"],
            worn,
            "{tool}"
        );
    }
    for tool in ["add_tag_to_task", "remove_tag_from_task"] {
        for unknown in [UNKNOWN, "mony"] {
            let arguments = json!({ "task_id": task["id"], "tag_id": unknown });
            alice.refusal(tool, arguments, "TAG_NOT_FOUND").await;
            let arguments = json!({ "task_id": unknown, "tag_id": tag["id"] });
            alice.refusal(tool, arguments, "TASK_NOT_FOUND").await;
        }
    }
}

#[tokio::test]
async fn an_eleventh_tag_is_one_too_many() {
    let api = Service::start("api").await;
    let alice = Model::of(&api, "alice").await;
    let mut tags = Vec::new();
    for number in 0..11 {
        let name = json!({ "name": format!("tag {number}") });
        tags.push(alice.get("create_tag", name).await["tag"]["id"].take());
    }
    let last = tags.pop().unwrap_or(Value::Null);
    let task = alice.task(json!({ "title": "x", "tag_ids": tags })).await;
    let arguments = json!({ "task_id": task["id"], "tag_id": last });
    alice.refusal("add_tag_to_task", arguments, "TOO_MANY_TAGS").await;
}

#[tokio::test]
async fn a_title_that_changes_the_text_direction_does_not_affect_the_line_around_it() {
    let api = Service::start("api").await;
    let alice = Model::of(&api, "alice").await;
    let turned = "a\u{202e}b";
    let shown = "“\u{2068}a\u{202e}b\u{2069}”";
    let told = alice.told("add_task", json!({ "title": turned })).await;
    assert!(told.contains(shown), "{told:?}");
    let told = alice.told("create_tag", json!({ "name": turned })).await;
    assert!(told.contains(shown), "{told:?}");
    let task = alice.get("search_tasks", json!({ "query": "ab" })).await["tasks"][0].take();
    assert_eq!(task["title"], turned);
    let told = alice.told("delete_task", json!({ "task_id": task["id"] })).await;
    assert!(told.contains(shown), "{told:?}");
}
