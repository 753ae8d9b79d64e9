//! `/mcp`: the same tasks as tools for models.

mod access;
mod arguments;
mod batches;
mod cors;
mod labels;
mod lists;
mod reminders;
mod revisions;
mod rmcp;
mod schemas;
mod tasks;

use std::collections::HashMap;

use http::Method;
use jsonschema::Validator;
use nudge_test_kit::http::{Answer, Call};
use serde_json::{Value, json};

use crate::support::{Caller, Service, json as body, send};

/// What clients say they take.
pub(crate) const ACCEPTED: &str = "application/json, text/event-stream";

/// A POST of one message, in the revision of 2025-11-25.
fn post(caller: &Caller<'_>, message: &Value) -> Call {
    caller
        .call(Method::POST, "/mcp")
        .header("accept", ACCEPTED)
        .header("mcp-protocol-version", "2025-11-25")
        .json(message)
}

fn request(method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })
}

/// The result of a call that must have one.
async fn result(caller: &Caller<'_>, method: &str, params: Value) -> Value {
    let mut answer = body(&send(post(caller, &request(method, &params))).await, 200);
    assert_eq!((&answer["jsonrpc"], &answer["id"]), (&json!("2.0"), &json!(1)));
    assert!(answer.get("error").is_none(), "{answer:#}");
    answer["result"].take()
}

/// The error of an answer that must have one, with this status.
fn error(answer: &Answer, status: u16) -> Value {
    let mut answer = body(answer, status);
    assert!(answer.get("result").is_none(), "{answer:#}");
    answer["error"].take()
}

/// A model that calls tools for a user. It validates every answer against the tool's output schema, and every task and refusal in
/// it against that of `get_task`, which is the one that describes them in full.
struct Model<'a> {
    caller: Caller<'a>,
    outputs: HashMap<String, Validator>,
    inputs: HashMap<String, Validator>,
}

impl<'a> Model<'a> {
    async fn of(api: &'a Service, user: &str) -> Self {
        let caller = api.user(user);
        let listed = result(&caller, "tools/list", json!({})).await;
        let tools = listed["tools"].as_array().expect("tools");
        let schemas = |name: &str| {
            tools
                .iter()
                .map(|tool| {
                    let schema = jsonschema::draft202012::new(&tool[name]).expect("a schema");
                    (tool["name"].as_str().expect("a name").to_owned(), schema)
                })
                .collect()
        };
        Self {
            outputs: schemas("outputSchema"),
            inputs: schemas("inputSchema"),
            caller,
        }
    }

    /// The whole result, whatever the tool says.
    async fn ask(&self, tool: &str, arguments: &Value) -> Value {
        let params = json!({ "name": tool, "arguments": arguments });
        let result = result(&self.caller, "tools/call", params).await;
        let structured = &result["structuredContent"];
        if let Err(error) = self.outputs[tool].validate(structured) {
            panic!("{tool}: {error}\n{structured:#}");
        }
        for part in as_of_get_task(structured) {
            if let Err(error) = self.outputs["get_task"].validate(&part) {
                panic!("{tool}: {error}\n{part:#}");
            }
        }
        let content = result["content"].as_array().expect("content");
        assert_eq!(content.len(), 1);
        assert!(!content[0]["text"].as_str().expect("text").is_empty());
        result
    }

    /// The result of a call that must succeed, with arguments that the tool's schema allows.
    async fn call(&self, tool: &str, arguments: Value) -> Value {
        if let Err(error) = self.inputs[tool].validate(&arguments) {
            panic!("{tool}: {error}\n{arguments:#}");
        }
        let result = self.ask(tool, &arguments).await;
        assert_eq!(result["isError"], false, "{tool}: {result:#}");
        result
    }

    /// The structured answer of a call that must succeed.
    async fn get(&self, tool: &str, arguments: Value) -> Value {
        self.call(tool, arguments).await["structuredContent"].take()
    }

    /// The sentence of a call that must succeed.
    async fn told(&self, tool: &str, arguments: Value) -> String {
        told(&self.call(tool, arguments).await)
    }

    /// The refusal of a call that must fail with this code.
    async fn refusal(&self, tool: &str, arguments: Value, code: &str) -> Value {
        let mut result = self.ask(tool, &arguments).await;
        assert_eq!(result["isError"], true, "{tool}: {result:#}");
        let refusal = result["structuredContent"].take();
        assert_eq!(refusal["code"], code, "{tool}: {refusal:#}");
        assert!(told(&result).starts_with(code), "{result:#}");
        refusal
    }

    /// A task of these arguments.
    async fn task(&self, arguments: Value) -> Value {
        self.get("add_task", arguments).await["task"].take()
    }
}

/// The tasks of an answer, or its refusal, as `get_task` would return them.
fn as_of_get_task(structured: &Value) -> Vec<Value> {
    if structured.get("code").is_some() {
        return vec![structured.clone()];
    }
    let listed = structured["tasks"].as_array().into_iter().flatten();
    listed
        .chain(structured.get("task"))
        .map(|task| json!({ "task": task }))
        .collect()
}

fn told(result: &Value) -> String {
    result["content"][0]["text"].as_str().expect("text").to_owned()
}

/// The argument that a refusal names, which must be one.
fn field(refusal: &Value) -> &str {
    assert_eq!(refusal["errors"].as_array().map(Vec::len), Some(1), "{refusal:#}");
    refusal["errors"][0]["field"].as_str().expect("a field")
}

/// Titles of an answer that lists tasks.
fn titles(answer: &Value) -> Vec<&str> {
    let tasks = answer["tasks"].as_array().expect("tasks");
    assert_eq!(answer["count"], tasks.len());
    tasks
        .iter()
        .map(|task| task["title"].as_str().expect("a title"))
        .collect()
}
