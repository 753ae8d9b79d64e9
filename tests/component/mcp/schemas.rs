//! What clients are told about the tools.

use expect_test::expect_file;
use serde_json::{Value, json};

use super::{post, request, result};
use crate::support::{Service, send};

/// `tools/list` is read by models, so its length costs their users money. In bytes of the answer.
const MAX_LIST_BYTES: usize = 25_000;

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
async fn the_list_of_tools_is_short() {
    let api = Service::start("api").await;
    let list = request("tools/list", &json!({}));
    let answer = send(post(&api.user("alice"), &list)).await;
    assert_eq!(answer.status, 200);
    let bytes = answer.body.len();
    assert!(bytes < MAX_LIST_BYTES, "{bytes} bytes");
}

#[tokio::test]
async fn an_output_schema_allows_an_answer_or_a_refusal_and_nothing_else() {
    let refusal = json!({ "code": "TASK_NOT_FOUND", "message": "…", "suggestions": [], "errors": [] });
    for tool in tools().await {
        let name = &tool["name"];
        let output = jsonschema::draft202012::new(&tool["outputSchema"]).expect("a schema");
        assert!(output.is_valid(&refusal), "{name}");
        let mut without_code = refusal.clone();
        without_code.as_object_mut().unwrap().remove("code");
        for neither in [json!({}), without_code] {
            assert!(!output.is_valid(&neither), "{name}: {neither}");
        }
        let answer = &tool["outputSchema"]["oneOf"][0];
        let members = answer["required"].as_array().expect("members");
        assert!(!members.is_empty(), "{name}");
        for member in members.iter().filter_map(Value::as_str) {
            assert!(refusal.get(member).is_none(), "{name}: {member}");
            let described = [answer, &tool["outputSchema"]]
                .iter()
                .any(|schema| schema["properties"].get(member).is_some());
            assert!(described, "{name}: {member}");
        }
    }
}

#[tokio::test]
async fn the_schema_of_get_task_describes_a_refusal_in_full() {
    let tools = tools().await;
    let get = tools.iter().find(|tool| tool["name"] == "get_task").unwrap();
    let output = jsonschema::draft202012::new(&get["outputSchema"]).expect("a schema");
    let refusal = json!({
        "code": "VALIDATION_ERROR",
        "message": "…",
        "suggestions": [{ "id": "018f0000-0000-7000-8000-00000000000a", "title": "…" }],
        "errors": [{ "field": "title", "code": "required", "message": "…" }],
    });
    assert!(output.is_valid(&refusal));
    for path in ["", "/suggestions/0", "/errors/0"] {
        let members = refusal.pointer(path).and_then(Value::as_object).unwrap();
        for member in members.keys().map(String::as_str).chain(["more"]) {
            let mut changed = refusal.clone();
            let part = changed.pointer_mut(path).and_then(Value::as_object_mut).unwrap();
            if part.remove(member).is_none() {
                part.insert(member.to_owned(), json!("…"));
            }
            assert!(!output.is_valid(&changed), "{path}/{member}");
        }
    }
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
