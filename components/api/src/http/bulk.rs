//! Many changes in one call. Each is made as if it had come alone, in the order given, and has its own result: one that is
//! refused does not hold up the others.

use http::StatusCode;
use nudge_component::Problem;
use nudge_contract::api::{BulkAnswer, BulkResult};
use nudge_domain::task::{Patch, Task};
use serde_json::{Map, Value};

use super::{body, query};
use crate::caller::Caller;
use crate::guard::idempotency::NewIds;
use crate::input::fields::{Fields, path_id};
use crate::tasks::{record, service};
use crate::version::{Conditions, INVALID_ETAG, Thing};

/// Maximum number of operations per call.
pub(crate) const MAX_OPERATIONS: usize = 100;

/// The operations of a body.
///
/// # Errors
///
/// 400 unless there are 1 to [`MAX_OPERATIONS`].
pub(super) fn operations(body: Map<String, Value>) -> Result<Vec<Value>, Problem> {
    let mut fields = Fields::new(body);
    let operations = match fields.list("operations") {
        Patch::Value(operations) if (1..=MAX_OPERATIONS).contains(&operations.len()) => operations,
        Patch::Value(_) => {
            let message = format!("give 1 to {MAX_OPERATIONS} operations");
            fields.error("operations", "invalid_operations", message);
            Vec::new()
        }
        Patch::Null | Patch::Absent => {
            fields.error("operations", "required", "give a list of operations");
            Vec::new()
        }
        Patch::Unreadable => Vec::new(),
    };
    fields.finish()?;
    Ok(operations)
}

/// Runs operations, one after the other.
pub(super) async fn run(caller: &Caller, operations: Vec<Value>, ids: &NewIds) -> BulkAnswer {
    let mut results = Vec::with_capacity(operations.len());
    for (operation, index) in operations.into_iter().zip(0..) {
        results.push(match one(caller, operation, (ids, index)).await {
            Ok((status, task)) => BulkResult {
                status: status.as_u16(),
                task: task.as_ref().map(record::view),
                problem: None,
            },
            Err(problem) => BulkResult {
                status: problem.status().as_u16(),
                task: None,
                problem: Some(problem.into_value()),
            },
        });
    }
    BulkAnswer { results }
}

async fn one(
    caller: &Caller,
    operation: Value,
    (ids, index): (&NewIds, u32),
) -> Result<(StatusCode, Option<Task>), Problem> {
    let Value::Object(object) = operation else {
        return Err(Problem::field(
            "op",
            "wrong_type",
            "an operation is an object with op",
        ));
    };
    let mut fields = Fields::new(object);
    let op = fields.text("op").value().unwrap_or_default();
    if op == "create" {
        let new = object_field(&mut fields, "task");
        fields.finish()?;
        let task = service::create(caller, ids, index, &body::new_task(new)).await?;
        return Ok((StatusCode::CREATED, Some(task)));
    }
    let id = fields.text("id");
    if !matches!(id, Patch::Value(_)) {
        fields.error("id", "required", "give the id of a task");
    }
    let id = id.value().unwrap_or_default();
    let expected = if_match(&mut fields);
    let task = match op.as_str() {
        "patch" => {
            let patch = object_field(&mut fields, "patch");
            fields.finish()?;
            let id = path_id(&id, Thing::Task)?;
            service::patch(caller, id, &expected, &body::task_patch(patch)).await?
        }
        "complete" => {
            fields.finish()?;
            service::complete(caller, path_id(&id, Thing::Task)?, &expected).await?
        }
        "reopen" => {
            fields.finish()?;
            service::reopen(caller, path_id(&id, Thing::Task)?, &expected).await?
        }
        "delete" => {
            let word = fields.text("scope").value();
            fields.finish()?;
            let scope = query::scope(word.as_deref())?;
            service::delete(caller, path_id(&id, Thing::Task)?, &expected, scope).await?;
            return Ok((StatusCode::NO_CONTENT, None));
        }
        _ => {
            return Err(Problem::field(
                "op",
                "invalid_op",
                "use create, patch, complete, reopen or delete",
            ));
        }
    };
    Ok((StatusCode::OK, Some(task)))
}

/// `ifMatch`, which is read as the header `If-Match` is.
fn if_match(fields: &mut Fields) -> Conditions {
    let Patch::Value(text) = fields.text("ifMatch") else {
        return Conditions::NONE;
    };
    Conditions::matching(&text).unwrap_or_else(|message| {
        fields.error("ifMatch", INVALID_ETAG, message);
        Conditions::NONE
    })
}

/// A field that must be an object.
fn object_field(fields: &mut Fields, name: &'static str) -> Map<String, Value> {
    match fields.json(name) {
        Patch::Value(Value::Object(object)) => return object,
        Patch::Value(_) => fields.error(name, "wrong_type", "must be an object"),
        Patch::Null | Patch::Absent => fields.error(name, "required", "must be there"),
        Patch::Unreadable => {}
    }
    Map::new()
}
