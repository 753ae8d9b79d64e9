//! What clients are told about the tools.

use expect_test::expect_file;
use serde_json::{Value, json};

use super::result;
use crate::support::Service;

const NAMES: [&str; 20] = [
    "add_task",
    "list_tasks",
    "get_task",
    "update_task",
    "complete_task",
    "delete_task",
    "search_tasks",
    "set_reminder",
    "get_overdue_tasks",
    "get_upcoming_tasks",
    "create_category",
    "list_categories",
    "update_category",
    "delete_category",
    "create_tag",
    "list_tags",
    "update_tag",
    "delete_tag",
    "add_tag_to_task",
    "remove_tag_from_task",
];

async fn tools() -> Vec<Value> {
    let api = Service::start("api").await;
    let mut listed = result(&api.user("alice"), "tools/list", json!({})).await;
    match listed["tools"].take() {
        Value::Array(tools) => tools,
        other => panic!("no tools: {other}"),
    }
}

#[tokio::test]
async fn the_tools_are_as_the_golden_file_has_them() {
    let tools = tools().await;
    let names: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, NAMES);
    let text = serde_json::to_string_pretty(&tools).unwrap();
    expect_file!["../../golden/mcp-tools.json"].assert_eq(&format!("{text}\n"));
}

#[tokio::test]
async fn schemas_are_closed_and_say_what_each_argument_means() {
    for tool in tools().await {
        let name = &tool["name"];
        for schema in [&tool["inputSchema"], &tool["outputSchema"]] {
            assert!(jsonschema::draft202012::meta::is_valid(schema), "{name}");
            assert_eq!(schema["type"], "object", "{name}");
        }
        assert_eq!(tool["inputSchema"]["additionalProperties"], false, "{name}");
        for (argument, schema) in tool["inputSchema"]["properties"].as_object().unwrap() {
            let meaning = schema["description"].as_str().unwrap_or_default();
            assert!(meaning.len() > 10, "{name} {argument}: {meaning}");
        }
        assert_eq!(tool["annotations"]["openWorldHint"], false, "{name}");
    }
}

#[tokio::test]
async fn clients_are_told_what_only_reads_and_what_takes_away() {
    let tools = tools().await;
    let with = |hint: &str| -> Vec<&str> {
        tools
            .iter()
            .filter(|tool| tool["annotations"][hint] == true)
            .map(|tool| tool["name"].as_str().unwrap())
            .collect()
    };
    assert_eq!(
        with("readOnlyHint"),
        [
            "list_tasks",
            "get_task",
            "search_tasks",
            "get_overdue_tasks",
            "get_upcoming_tasks",
            "list_categories",
            "list_tags",
        ]
    );
    assert_eq!(
        with("destructiveHint"),
        [
            "update_task",
            "delete_task",
            "update_category",
            "delete_category",
            "update_tag",
            "delete_tag",
            "remove_tag_from_task",
        ]
    );
    let repeated: Vec<&str> = NAMES
        .into_iter()
        .filter(|name| !with("idempotentHint").contains(name))
        .collect();
    assert_eq!(repeated, ["add_task", "create_category", "create_tag"]);
}
