//! What models write as a text is read as what it means, by one rule for all tools: for every tool and every argument that
//! `tools/list` declares.

use serde_json::{Map, Value, json};

use super::result;
use crate::golden::stable;
use crate::support::{Caller, Service};

/// A user with a few things, and what they are.
struct Things<'a> {
    name: String,
    user: Caller<'a>,
    task: Value,
    category: Value,
    tags: [Value; 2],
}

impl<'a> Things<'a> {
    async fn new(api: &'a Service, number: usize) -> Self {
        let name = format!("user-{number}");
        let user = api.user(&name);
        let category = user
            .create("/api/v1/categories", &json!({ "name": "Work" }))
            .await;
        let one = user.create("/api/v1/tags", &json!({ "name": "one" })).await;
        let two = user.create("/api/v1/tags", &json!({ "name": "two" })).await;
        let mut tasks = Vec::new();
        for (title, due) in [
            ("a rent", "2026-11-20"),
            ("b rent", "2026-11-22"),
            ("c rent", "2026-11-23"),
        ] {
            let task = json!({
                "title": title, "due": due, "categoryId": category["id"], "tagIds": [one["id"]],
            });
            tasks.push(user.create("/api/v1/tasks", &task).await);
        }
        Self {
            name,
            user,
            task: tasks.remove(1),
            category,
            tags: [one, two],
        }
    }

    /// A value that the tool takes for an argument.
    fn valid(&self, name: &str, schema: &Value) -> Value {
        let least = schema["minimum"].as_u64().unwrap_or_default();
        match (name, schema["type"].as_str().expect("a type")) {
            (_, "integer") => json!(least + 1),
            (_, "boolean") => json!(true),
            (_, "array") => json!([self.tags[0]["id"], self.tags[1]["id"]]),
            ("task_id", _) => self.task["id"].clone(),
            ("category_id", _) => self.category["id"].clone(),
            ("tag_id", _) => self.tags[0]["id"].clone(),
            ("user_id", _) => json!(self.name),
            ("title" | "description" | "name", _) => json!("Water the plants"),
            ("query", _) => json!("rent"),
            ("text", _) => json!("Pay rent tomorrow 9am"),
            ("priority", _) => json!("high"),
            ("color", _) => json!("#ff0000"),
            ("recurrence_rule", _) => json!("every monday"),
            ("due_date" | "due_before" | "due_after" | "remind_at", _) => json!("2026-12-01T09:00"),
            _ => match schema["enum"].as_array().and_then(|choices| choices.first()) {
                Some(choice) => choice.clone(),
                None => panic!("say what a valid {name} is"),
            },
        }
    }

    /// Arguments with which a tool does what it is for, and this one among them.
    fn arguments(&self, tool: &Value, named: &str) -> Map<String, Value> {
        let schema = &tool["inputSchema"];
        let mut names: Vec<&str> = schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        match (tool["name"].as_str(), named) {
            (Some("set_reminder"), "remind_at") => {}
            (Some("set_reminder"), _) => names.push("remind_before_minutes"),
            (Some("add_task"), "text") => {}
            (Some("add_task"), "recurrence_rule") => names.extend(["title", "due_date"]),
            (Some("add_task"), _) => names.push("title"),
            (_, "recurrence_rule") => names.push("due_date"),
            _ => {}
        }
        names.push(named);
        names
            .into_iter()
            .map(|name| (name.to_owned(), self.valid(name, &schema["properties"][name])))
            .collect()
    }

    /// What a tool answers, with ids numbered.
    async fn ask(&self, tool: &Value, arguments: &Map<String, Value>) -> (bool, String) {
        let params = json!({ "name": tool["name"], "arguments": arguments });
        let result = result(&self.user, "tools/call", params).await;
        let failed = result["isError"].as_bool().expect("a truth");
        (failed, stable(&result["structuredContent"]))
    }
}

/// What models write for a value of this type.
fn forms(value: &Value, kind: &str, is_id: bool) -> Vec<Value> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match kind {
        "integer" => vec![
            json!(text),
            json!(format!(" {text} ")),
            json!(format!("{text}.0")),
            json!(value.as_f64()),
        ],
        "boolean" => vec![json!(text), json!("True"), json!("TRUE ")],
        "array" => {
            let ids: Vec<&str> = value
                .as_array()
                .unwrap()
                .iter()
                .filter_map(Value::as_str)
                .collect();
            vec![
                json!(text),
                json!(ids.join(",")),
                json!(ids.join(", ")),
                json!(format!("['{}']", ids.join("', '"))),
                json!(ids.iter().map(|id| format!(" {id} ")).collect::<Vec<_>>()),
            ]
        }
        _ if is_id => vec![json!(format!(" {text} ")), json!(format!("\"{text}\""))],
        _ => Vec::new(),
    }
}

/// Every argument of every tool: the tool, the argument's name, its schema.
async fn every_argument(api: &Service) -> Vec<(Value, String, Value)> {
    let listed = result(&api.user("alice"), "tools/list", json!({})).await;
    let tools = listed["tools"].as_array().expect("tools");
    let arguments = |tool: &Value| {
        let properties = tool["inputSchema"]["properties"]
            .as_object()
            .expect("properties")
            .clone();
        let tool = tool.clone();
        properties
            .into_iter()
            .map(move |(name, schema)| (tool.clone(), name, schema))
    };
    let all: Vec<_> = tools.iter().flat_map(arguments).collect();
    assert!(all.len() > 60, "only {} arguments were found", all.len());
    all
}

#[tokio::test]
async fn the_text_of_a_value_does_what_the_value_does() {
    let api = Service::start("api").await;
    let (mut number, mut compared) = (0, 0);
    for (tool, name, schema) in every_argument(&api).await {
        let what = format!("{} {name}", tool["name"]);
        let is_id = name != "user_id" && (schema["format"] == "uuid" || name.ends_with("_id"));
        let kind = schema["type"].as_str().expect("a type");
        let things = Things::new(&api, number).await;
        number += 1;
        let arguments = things.arguments(&tool, &name);
        let count = forms(&arguments[&name], kind, is_id).len();
        let (failed, expected) = things.ask(&tool, &arguments).await;
        assert!(!failed, "{what}: {expected}");
        for form in 0..count {
            let things = Things::new(&api, number).await;
            number += 1;
            let mut arguments = things.arguments(&tool, &name);
            let form = forms(&arguments[&name], kind, is_id)[form].clone();
            arguments.insert(name.clone(), form.clone());
            let (_, answer) = things.ask(&tool, &arguments).await;
            assert_eq!(answer, expected, "{what} as {form}");
            compared += 1;
        }
    }
    assert!(compared > 70, "only {compared} forms were compared");
}

#[tokio::test]
async fn null_is_the_same_as_leaving_an_argument_out() {
    let api = Service::start("api").await;
    let mut number = 0;
    for (tool, name, schema) in every_argument(&api).await {
        let what = format!("{} {name}", tool["name"]);
        let mut nothings = vec![Value::Null];
        if ["integer", "boolean", "array"].contains(&schema["type"].as_str().expect("a type")) {
            nothings.push(json!("null"));
        }
        let things = Things::new(&api, number).await;
        number += 1;
        let mut arguments = things.arguments(&tool, &name);
        arguments.remove(&name);
        let expected = things.ask(&tool, &arguments).await;
        for nothing in nothings {
            let things = Things::new(&api, number).await;
            number += 1;
            let mut arguments = things.arguments(&tool, &name);
            arguments.insert(name.clone(), nothing.clone());
            assert_eq!(
                things.ask(&tool, &arguments).await,
                expected,
                "{what} as {nothing}"
            );
        }
    }
}

#[tokio::test]
async fn what_is_not_plain_is_refused_by_the_name_of_the_argument() {
    let api = Service::start("api").await;
    let mut number = 0;
    for (tool, name, schema) in every_argument(&api).await {
        let unclear: &[Value] = match schema["type"].as_str().expect("a type") {
            "integer" => &[
                json!("soon"),
                json!("30 minutes"),
                json!("1,5"),
                json!(1.5),
                json!(true),
                json!([30]),
            ],
            "boolean" => &[json!("perhaps"), json!("yes"), json!(1), json!([true])],
            "array" => &[
                json!("money"),
                json!("money, rent"),
                json!(7),
                json!([7]),
                json!({ "0": "x" }),
            ],
            _ => continue,
        };
        for value in unclear {
            let things = Things::new(&api, number).await;
            number += 1;
            let mut arguments = things.arguments(&tool, &name);
            arguments.insert(name.clone(), value.clone());
            let (failed, answer) = things.ask(&tool, &arguments).await;
            let what = format!("{} {name} as {value}: {answer}", tool["name"]);
            assert!(failed, "{what}");
            let answer: Value = serde_json::from_str(&answer).expect("JSON");
            let errors = answer["errors"].as_array().expect("errors");
            let field = errors
                .first()
                .and_then(|error| error["field"].as_str())
                .unwrap_or_default();
            assert!(field.starts_with(&name), "{what}");
        }
    }
}
