//! Tools on one task.

use serde_json::{Value, json};

use super::{Model, field, told};
use crate::support::Service;

const UNKNOWN: &str = "018f0000-0000-7000-8000-00000000ffff";

#[tokio::test]
async fn a_task_is_added_with_everything_a_model_may_say() {
    let api = Service::start("api").await;
    let alice = Model::of(&api, "alice").await;
    let category = alice.get("create_category", json!({ "name": "Home" })).await["category"].take();
    let tag = alice.get("create_tag", json!({ "name": "money" })).await["tag"].take();
    let result = alice
        .call(
            "add_task",
            json!({
                "title": "Pay rent",
                "description": "to Mrs Smith",
                "priority": "high",
                "category_id": category["id"],
                "tag_ids": [tag["id"]],
                "due_date": "2026-12-01T09:00",
                "recurrence_rule": "monthly",
            }),
        )
        .await;
    let task = &result["structuredContent"]["task"];
    // That there are no others is up to the schema of get_task, which every task is validated against.
    for (name, value) in [
        ("title", json!("Pay rent")),
        ("description", json!("to Mrs Smith")),
        ("status", json!("pending")),
        ("priority", json!("high")),
        ("due_date", json!("2026-12-01T09:00:00+01:00")),
        ("time_zone", json!("Europe/Berlin")),
        ("category_id", category["id"].clone()),
        ("tag_ids", json!([tag["id"]])),
        ("recurrence_rule", json!("FREQ=MONTHLY")),
        ("reminders", json!([])),
        ("completed_at", Value::Null),
    ] {
        assert_eq!(task[name], value, "{name}");
    }
    assert_eq!(
        told(&result),
        format!(
            "Added “Pay rent”, due Tue 1 Dec 2026 09:00 (Europe/Berlin), repeats every month, high priority (id {})",
            task["id"].as_str().unwrap()
        )
    );
    let id = json!({ "task_id": task["id"] });
    assert_eq!(alice.get("get_task", id.clone()).await["task"], *task);
    assert!(alice.told("get_task", id).await.contains("to Mrs Smith"));
}

#[tokio::test]
async fn what_a_model_leaves_empty_is_left_out() {
    let api = Service::start("api").await;
    let alice = Model::of(&api, "alice").await;
    let empty = json!({
        "title": "x", "description": null, "priority": "", "category_id": "", "tag_ids": null, "due_date": "",
        "recurrence_rule": null,
    });
    let result = alice.ask("add_task", &empty).await;
    assert_eq!(result["isError"], false, "{result:#}");
    let task = &result["structuredContent"]["task"];
    assert_eq!(
        (&task["priority"], &task["due_date"]),
        (&json!("medium"), &Value::Null)
    );
}

#[tokio::test]
async fn a_phrase_is_a_date_in_the_users_zone() {
    let api = Service::start("api").await;
    let alice = Model::of(&api, "alice").await;
    let task = alice
        .task(json!({ "title": "x", "due_date": "tomorrow 9am", "recurrence_rule": "every monday" }))
        .await;
    assert_eq!(task["due_date"], "2026-11-22T09:00:00+01:00");
    assert_eq!(task["recurrence_rule"], "FREQ=WEEKLY;BYDAY=MO");
}

#[tokio::test]
async fn mistakes_have_a_code_and_name_the_argument() {
    let api = Service::start("api").await;
    let alice = Model::of(&api, "alice").await;
    let eleven: Vec<String> = (0..11)
        .map(|number| format!("018f0000-0000-7000-8000-{number:012}"))
        .collect();
    for (arguments, code, named) in [
        (json!({}), "VALIDATION_ERROR", "title"),
        (json!({ "title": "" }), "VALIDATION_ERROR", "title"),
        (json!({ "title": "x".repeat(201) }), "VALIDATION_ERROR", "title"),
        (
            json!({ "title": "x", "priority": "now" }),
            "INVALID_PRIORITY",
            "priority",
        ),
        (
            json!({ "title": "x", "due_date": "someday" }),
            "INVALID_DUE_DATE",
            "due_date",
        ),
        (
            json!({ "title": "x", "due_date": "2026-12-01", "recurrence_rule": "often" }),
            "INVALID_RECURRENCE_RULE",
            "recurrence_rule",
        ),
        (
            json!({ "title": "x", "recurrence_rule": "daily" }),
            "INVALID_RECURRENCE_RULE",
            "recurrence_rule",
        ),
        (
            json!({ "title": "x", "tag_ids": eleven }),
            "TOO_MANY_TAGS",
            "tag_ids",
        ),
        (
            json!({ "title": "x", "category_id": UNKNOWN }),
            "CATEGORY_NOT_FOUND",
            "category_id",
        ),
        (
            json!({ "title": "x", "category_id": "Home" }),
            "CATEGORY_NOT_FOUND",
            "category_id",
        ),
        (
            json!({ "title": "x", "tag_ids": [UNKNOWN] }),
            "TAG_NOT_FOUND",
            "tag_ids[0]",
        ),
        (
            json!({ "title": "x", "tag_ids": "money" }),
            "VALIDATION_ERROR",
            "tag_ids",
        ),
        (
            json!({ "title": "x", "dueDate": "2026-12-01" }),
            "VALIDATION_ERROR",
            "dueDate",
        ),
    ] {
        let refusal = alice.refusal("add_task", arguments.clone(), code).await;
        assert_eq!(field(&refusal), named, "{arguments}");
        let message = refusal["errors"][0]["message"].as_str().unwrap();
        assert!(message.len() > 9, "{arguments}: {message}");
    }
    let refusal = alice
        .refusal(
            "add_task",
            json!({ "title": "x", "priority": "now", "due_date": "someday" }),
            "VALIDATION_ERROR",
        )
        .await;
    assert_eq!(refusal["errors"].as_array().map(Vec::len), Some(2));
    assert_eq!(alice.get("list_tasks", json!({})).await["count"], 0);
}

#[tokio::test]
async fn an_unknown_task_comes_with_those_that_may_be_meant() {
    let api = Service::start("api").await;
    let alice = Model::of(&api, "alice").await;
    let rent = alice.task(json!({ "title": "Pay the rent" })).await;
    alice.task(json!({ "title": "Call mum" })).await;
    for tool in [
        "get_task",
        "complete_task",
        "delete_task",
        "update_task",
        "set_reminder",
    ] {
        let mut arguments = json!({ "task_id": "pay rent" });
        if tool == "set_reminder" {
            arguments["remind_before_minutes"] = json!(5);
        }
        let refusal = alice.refusal(tool, arguments, "TASK_NOT_FOUND").await;
        assert_eq!(
            refusal["suggestions"],
            json!([{ "id": rent["id"], "title": "Pay the rent" }]),
            "{tool}"
        );
    }
    // One digit is wrong.
    let mut id = rent["id"].as_str().unwrap().to_owned();
    let last = if id.pop() == Some('0') { '1' } else { '0' };
    id.push(last);
    let refusal = alice
        .refusal("get_task", json!({ "task_id": id }), "TASK_NOT_FOUND")
        .await;
    assert_eq!(refusal["suggestions"][0]["id"], rent["id"]);
    let refusal = alice.refusal("get_task", json!({}), "VALIDATION_ERROR").await;
    assert_eq!(field(&refusal), "task_id");
}

#[tokio::test]
async fn an_unknown_label_comes_with_those_that_may_be_meant() {
    let api = Service::start("api").await;
    let alice = Model::of(&api, "alice").await;
    let home = alice.get("create_category", json!({ "name": "Home" })).await["category"].take();
    let refusal = alice
        .refusal(
            "add_task",
            json!({ "title": "x", "category_id": "home" }),
            "CATEGORY_NOT_FOUND",
        )
        .await;
    assert_eq!(
        refusal["suggestions"],
        json!([{ "id": home["id"], "title": "Home" }])
    );
}

#[tokio::test]
async fn an_update_changes_what_it_names_and_an_empty_text_clears() {
    let api = Service::start("api").await;
    let alice = Model::of(&api, "alice").await;
    let category = alice.get("create_category", json!({ "name": "Home" })).await["category"].take();
    let tag = alice.get("create_tag", json!({ "name": "money" })).await["tag"].take();
    let task = alice
        .task(json!({
            "title": "Pay rent",
            "description": "to Mrs Smith",
            "priority": "high",
            "category_id": category["id"],
            "tag_ids": [tag["id"]],
            "due_date": "2026-12-01",
            "recurrence_rule": "monthly",
        }))
        .await;
    let update = async |mut arguments: Value| {
        arguments["task_id"] = task["id"].clone();
        alice.get("update_task", arguments).await["task"].take()
    };
    let renamed = update(json!({ "title": "Pay the rent" })).await;
    assert_eq!(renamed["title"], "Pay the rent");
    for kept in [
        "description",
        "priority",
        "category_id",
        "tag_ids",
        "due_date",
        "recurrence_rule",
    ] {
        assert_eq!(renamed[kept], task[kept], "{kept}");
    }
    // For a list an empty string says nothing. The schema has no strings there, but models send them.
    for absent in ["", " ", "null"] {
        let arguments = json!({ "task_id": task["id"], "title": "Pay the rent", "tag_ids": absent });
        let result = alice.ask("update_task", &arguments).await;
        let kept = &result["structuredContent"]["task"]["tag_ids"];
        assert_eq!(kept, &task["tag_ids"], "{absent:?}: {result:#}");
    }
    let cleared = update(json!({
        "description": "", "priority": "", "category_id": "", "tag_ids": [], "due_date": "", "recurrence_rule": "",
    }))
    .await;
    assert_eq!(
        (
            &cleared["description"],
            &cleared["priority"],
            &cleared["category_id"]
        ),
        (&Value::Null, &json!("medium"), &Value::Null)
    );
    assert_eq!(
        (
            &cleared["tag_ids"],
            &cleared["due_date"],
            &cleared["recurrence_rule"]
        ),
        (&json!([]), &Value::Null, &Value::Null)
    );
    assert_eq!(cleared["title"], "Pay the rent");
    let refusal = alice
        .refusal(
            "update_task",
            json!({ "task_id": task["id"], "title": "" }),
            "VALIDATION_ERROR",
        )
        .await;
    assert_eq!(field(&refusal), "title");
}

#[tokio::test]
async fn a_task_is_completed_and_taken_back() {
    let api = Service::start("api").await;
    let alice = Model::of(&api, "alice").await;
    let task = alice.task(json!({ "title": "x" })).await;
    let id = json!({ "task_id": task["id"] });
    let completed = alice.get("complete_task", id.clone()).await["task"].take();
    assert_eq!(completed["status"], "completed");
    assert_eq!(
        alice.get("complete_task", id).await["task"],
        completed,
        "twice is once"
    );
    for (done, status) in [(false, "pending"), (true, "completed")] {
        let arguments = json!({ "task_id": task["id"], "completed": done });
        assert_eq!(
            alice.get("update_task", arguments).await["task"]["status"],
            status
        );
    }
    let wrong = json!({ "task_id": task["id"], "completed": "yes" });
    let refusal = alice.refusal("update_task", wrong, "VALIDATION_ERROR").await;
    assert_eq!(field(&refusal), "completed");
}

#[tokio::test]
async fn a_deleted_task_is_gone() {
    let api = Service::start("api").await;
    let alice = Model::of(&api, "alice").await;
    let task = alice.task(json!({ "title": "Pay rent" })).await;
    let id = json!({ "task_id": task["id"] });
    assert_eq!(
        alice.get("delete_task", id.clone()).await,
        json!({ "deleted": true, "task_id": task["id"], "title": "Pay rent" })
    );
    alice.refusal("get_task", id.clone(), "TASK_NOT_FOUND").await;
    alice.refusal("delete_task", id, "TASK_NOT_FOUND").await;
}

#[tokio::test]
async fn one_occurrence_of_a_recurring_task_may_be_skipped() {
    let api = Service::start("api").await;
    let alice = Model::of(&api, "alice").await;
    let arguments = json!({ "title": "Water plants", "due_date": "2026-12-01", "recurrence_rule": "weekly" });
    let task = alice.task(arguments).await;
    let scoped = json!({ "task_id": task["id"], "scope": "occurrence" });
    alice.call("delete_task", scoped).await;
    let left = alice.get("list_tasks", json!({})).await;
    assert_eq!(left["tasks"][0]["due_date"], "2026-12-08T23:59:59+01:00");
    let wrong = json!({ "task_id": left["tasks"][0]["id"], "scope": "all" });
    assert_eq!(
        field(&alice.refusal("delete_task", wrong, "VALIDATION_ERROR").await),
        "scope"
    );
}

#[tokio::test]
async fn a_task_is_added_by_one_line_of_text() {
    let api = Service::start("api").await;
    let alice = Model::of(&api, "alice").await;
    let tag = alice.get("create_tag", json!({ "name": "Home" })).await["tag"].take();
    let text = "Pay rent every month on the 1st 9am !high #home remind 30m before";
    let task = alice
        .get("add_task", json!({ "text": text, "description": "to Mrs Smith" }))
        .await["task"]
        .take();
    for (name, value) in [
        ("title", json!("Pay rent")),
        ("description", json!("to Mrs Smith")),
        ("priority", json!("high")),
        ("due_date", json!("2026-12-01T09:00:00+01:00")),
        ("tag_ids", json!([tag["id"]])),
        ("recurrence_rule", json!("FREQ=MONTHLY;BYMONTHDAY=1")),
    ] {
        assert_eq!(task[name], value, "{name}");
    }
    assert_eq!(task["reminders"][0]["remind_before_minutes"], 30);
}

#[tokio::test]
async fn what_a_line_leaves_open_is_an_error_with_its_choices_and_nothing_is_added() {
    let api = Service::start("api").await;
    let alice = Model::of(&api, "alice").await;
    for (arguments, field_name, code, says) in [
        (
            json!({ "text": "Call mom at 5" }),
            "text",
            "ambiguous",
            "“Call mom at 5am” (at 5am)",
        ),
        (
            json!({ "text": "Call mom #family" }),
            "text",
            "unknown_tag",
            "create_tag",
        ),
        (
            json!({ "text": "Call mom @family" }),
            "text",
            "unknown_category",
            "create_category",
        ),
        (json!({ "text": "tomorrow 9am" }), "text", "required", "no title"),
        (
            json!({ "text": "Call mom", "due_date": "tomorrow" }),
            "due_date",
            "not_with_text",
            "leave",
        ),
        (
            json!({ "text": "Call mom", "title": "Call dad" }),
            "title",
            "not_with_text",
            "leave",
        ),
        (json!({}), "title", "required", "title"),
    ] {
        let result = alice.ask("add_task", &arguments).await;
        assert_eq!(result["isError"], true, "{arguments}");
        let error = &result["structuredContent"]["errors"][0];
        assert_eq!(
            (&error["field"], &error["code"]),
            (&json!(field_name), &json!(code)),
            "{arguments}"
        );
        assert!(told(&result).contains(says), "{arguments}: {}", told(&result));
    }
    assert_eq!(alice.get("list_tasks", json!({})).await["tasks"], json!([]));
}
