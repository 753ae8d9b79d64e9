//! The Model Context Protocol: tasks as tools for models.
//!
//! The services behind `/api/v1` do the work here as well. A tool reads its arguments into a command and turns the result into a
//! sentence and a structure. Nothing is kept between two requests, so there is no session.
//!
//! | file | holds |
//! | --- | --- |
//! | `protocol.rs` | JSON-RPC |
//! | `revision.rs` | the protocol's revisions and headers |
//! | `call.rs`, `tools.rs`, `tools/` | a call of a tool, the table of tools, and what each does |
//! | `schema.rs` | JSON Schemas of arguments and answers |
//! | `arguments.rs` | reading the arguments of a tool |
//! | `task.rs`, `text.rs` | a task for programs, and for people |
//! | `error.rs`, `suggest.rs` | refusals that a model can act on |

mod arguments;
mod call;
mod error;
mod protocol;
mod revision;
mod schema;
mod suggest;
mod task;
mod text;
mod tools;

use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};

use crate::caller::Identity;
use crate::error::ServiceError;
use crate::guard::rate_limit;
use error::Failure;
use protocol::{Message, Request, RpcError};
use revision::Revision;

/// Maximum number of messages per array (revision 2025-03-26).
const MAX_MESSAGES: usize = 50;

/// Once the answers to an array have this many bytes, the rest of its requests are refused.
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// How long a client may keep what does not depend on the user, in milliseconds.
const TTL_MS: u32 = 3_600_000;

/// What a model is told about the tools as a whole.
const INSTRUCTIONS: &str = "Nudge keeps the user's tasks, sends reminders by email and repeats recurring tasks. \
All tools act on the signed-in user's own data. \
Dates may be ISO 8601 or phrases such as \"tomorrow 9am\"; both are read in the user's time zone, and a date without time means the end of that day. \
recurrence_rule takes an RFC 5545 RRULE or a phrase such as \"every monday\", and needs a due_date. \
Tasks, categories and tags are named by UUIDs: find a task's with search_tasks or list_tasks, a label's with list_categories or list_tags; never guess one. \
A failed call says in code what is wrong and in errors which argument to fix; TASK_NOT_FOUND suggests tasks that may be meant: ask the user before changing one of those.";

/// What goes back over HTTP.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    /// `None` with 202: there is nothing to say.
    pub(crate) body: Option<Value>,
}

/// Who sends the POST, and its headers.
pub(crate) struct Exchange<'a> {
    pub(crate) identity: &'a Identity,
    pub(crate) headers: &'a HeaderMap,
}

/// Answers the body of one POST.
///
/// # Errors
///
/// What it costs is more than is left of the minute: nothing is done.
pub(crate) async fn answer(exchange: &Exchange<'_>, body: &[u8]) -> Result<Reply, ServiceError> {
    match crate::input::json::read(body) {
        Ok(Value::Array(messages)) => batch(exchange, messages).await,
        Ok(message) => {
            rate_limit::charge_rest(&exchange.identity.user.id, cost(&message)).await?;
            Ok(one(exchange, message).await)
        }
        Err(error) => Ok(refused(&Value::Null, &RpcError::parse(error))),
    }
}

fn refused(id: &Value, error: &RpcError) -> Reply {
    Reply {
        status: error.status,
        body: Some(error.response(id)),
    }
}

async fn one(exchange: &Exchange<'_>, message: Value) -> Reply {
    let request = match protocol::read(message) {
        Ok(Message::Request(request)) => request,
        Ok(Message::Notification | Message::Response) => {
            return Reply {
                status: StatusCode::ACCEPTED,
                body: None,
            };
        }
        Err((id, error)) => return refused(&id, &error),
    };
    match method(exchange, &request).await {
        Ok(result) => Reply {
            status: StatusCode::OK,
            body: Some(protocol::response(&request.id, result)),
        },
        Err(error) => refused(&request.id, &error),
    }
}

/// Several messages, one after the other. Only revision 2025-03-26 has arrays.
async fn batch(exchange: &Exchange<'_>, messages: Vec<Value>) -> Result<Reply, ServiceError> {
    let wrong = if !revision::takes_batches(exchange.headers) {
        Some("send one message per request: arrays are of revision 2025-03-26 only".to_owned())
    } else if messages.is_empty() || messages.len() > MAX_MESSAGES {
        Some(format!("an array has 1 to {MAX_MESSAGES} messages"))
    } else {
        None
    };
    if let Some(wrong) = wrong {
        return Ok(refused(&Value::Null, &RpcError::invalid_request(wrong)));
    }
    rate_limit::charge_parts(&exchange.identity.user.id, messages.iter().map(cost).sum()).await?;
    let mut answers = Vec::new();
    let mut bytes = 0;
    // Why the remaining messages are refused.
    let mut over: Option<RpcError> = None;
    for message in messages {
        if over.is_none() && bytes >= MAX_ANSWER_BYTES {
            over = Some(RpcError::not_now(
                "the answers so far are long: send this message again",
            ));
        }
        let starts = message.get("method").and_then(Value::as_str) == Some("initialize");
        let answer = if let Some(over) = &over {
            not_done(message, over)
        } else if starts {
            let id = message.get("id").cloned().unwrap_or_default();
            refused(
                &id,
                &RpcError::invalid_request("initialize comes alone, not in an array"),
            )
        } else {
            one(exchange, message).await
        };
        if let Some(body) = answer.body {
            bytes += body.to_string().len();
            answers.push(body);
        }
    }
    if answers.is_empty() {
        return Ok(Reply {
            status: StatusCode::ACCEPTED,
            body: None,
        });
    }
    Ok(Reply {
        status: StatusCode::OK,
        body: Some(Value::Array(answers)),
    })
}

/// What a message costs.
fn cost(message: &Value) -> u32 {
    let called = message.pointer("/params/name").and_then(Value::as_str);
    called.and_then(tools::named).map_or(1, tools::Tool::cost)
}

/// Refuses a request without doing it. Notifications get no answer.
fn not_done(message: Value, error: &RpcError) -> Reply {
    match protocol::read(message) {
        Ok(Message::Request(request)) => refused(&request.id, error),
        Ok(Message::Notification | Message::Response) => Reply {
            status: StatusCode::ACCEPTED,
            body: None,
        },
        Err((id, error)) => refused(&id, &error),
    }
}

async fn method(exchange: &Exchange<'_>, request: &Request) -> Result<Value, RpcError> {
    let revision = revision::of(exchange.headers, request)?;
    match (request.method.as_str(), revision.is_stateless()) {
        ("initialize", false) => initialize(&request.params),
        ("ping", false) => Ok(json!({})),
        ("server/discover", true) => Ok(complete(
            json!({
                "supportedVersions": revision::revisions(),
                "capabilities": capabilities(),
                "instructions": INSTRUCTIONS,
                "ttlMs": TTL_MS,
                "cacheScope": "public",
            }),
            revision,
        )),
        ("tools/list", _) => list(exchange.identity, &request.params, revision),
        ("tools/call", _) => Ok(complete(
            call(exchange.identity, &request.params).await?,
            revision,
        )),
        (other, true) => Err(RpcError::no_method(StatusCode::NOT_FOUND, other)),
        (other, false) => Err(RpcError::no_method(StatusCode::OK, other)),
    }
}

fn server() -> Value {
    json!({ "name": "nudge", "title": "Nudge", "version": env!("CARGO_PKG_VERSION") })
}

fn capabilities() -> Value {
    json!({ "tools": {} })
}

/// Adds what every result has since 2026-07-28: that it is complete, and which server made it.
fn complete(mut result: Value, revision: Revision) -> Value {
    if let (true, Some(result)) = (revision.is_stateless(), result.as_object_mut()) {
        result.insert("resultType".to_owned(), json!("complete"));
        result.insert(
            "_meta".to_owned(),
            json!({ "io.modelcontextprotocol/serverInfo": server() }),
        );
    }
    result
}

fn initialize(params: &Map<String, Value>) -> Result<Value, RpcError> {
    let wanted = params
        .get("protocolVersion")
        .and_then(Value::as_str)
        .ok_or_else(|| RpcError::invalid_params("params.protocolVersion must be a string"))?;
    let revision = Revision::named(wanted)
        .filter(|revision| !revision.is_stateless())
        .unwrap_or(Revision::NEWEST_WITH_HANDSHAKE);
    Ok(json!({
        "protocolVersion": revision.as_str(),
        "capabilities": capabilities(),
        "serverInfo": server(),
        "instructions": INSTRUCTIONS,
    }))
}

fn list(identity: &Identity, params: &Map<String, Value>, revision: Revision) -> Result<Value, RpcError> {
    if params.get("cursor").is_some_and(|cursor| !cursor.is_null()) {
        return Err(RpcError::invalid_params(
            "there is one page of tools: leave cursor out",
        ));
    }
    let tools = tools::ALL.iter().filter(|tool| tool.is_for(&identity.user));
    let tools: Vec<Value> = tools.map(tools::Tool::describe).collect();
    let mut result = json!({ "tools": tools });
    if let (true, Some(result)) = (revision.is_stateless(), result.as_object_mut()) {
        result.insert("ttlMs".to_owned(), json!(TTL_MS));
        // An agent that may only read gets fewer.
        result.insert("cacheScope".to_owned(), json!("private"));
    }
    Ok(complete(result, revision))
}

async fn call(identity: &Identity, params: &Map<String, Value>) -> Result<Value, RpcError> {
    let name = params
        .get("name")
        .and_then(Value::as_str)
        .ok_or_else(|| RpcError::invalid_params("params.name must be the name of a tool"))?;
    let tool = tools::named(name)
        .ok_or_else(|| RpcError::invalid_params(format!("unknown tool: {}", protocol::shown(name))))?;
    let arguments = protocol::members(params.get("arguments").cloned())
        .ok_or_else(|| RpcError::invalid_params("params.arguments must be an object"))?;
    Ok(match tool.call(identity, arguments).await {
        Ok(done) => json!({
            "content": [{ "type": "text", "text": done.text }],
            "structuredContent": done.structured,
            "isError": false,
        }),
        Err(failure) => failed(name, &failure),
    })
}

fn failed(tool: &str, failure: &Failure) -> Value {
    tracing::info!(tool, code = failure.code, "refused");
    json!({
        "content": [{ "type": "text", "text": failure.text() }],
        "structuredContent": failure.structured(),
        "isError": true,
    })
}
