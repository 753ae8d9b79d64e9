//! Many changes in one call. Each is made as if it had come alone, in the order given, and has its own result: one that is
//! refused does not hold up the others.

use http::StatusCode;
use nudge_component::Problem;
use nudge_component::trace::Traceparent;
use nudge_contract::api::{BulkAnswer, BulkResult};
use serde_json::{Map, Value};

use crate::auth::User;
use crate::guard::idempotency::NewIds;
use crate::input::conditions::{Conditions, INVALID_ETAG};
use crate::input::fields::{Field, Fields, path_id};
use crate::tasks::record::TaskRecord;
use crate::tasks::service;

/// Most operations of one call.
pub(crate) const MAX_OPERATIONS: usize = 100;

/// Runs the operations of a body.
pub(crate) async fn run(
    user: &User,
    body: Map<String, Value>,
    ids: &NewIds,
    trace: &Traceparent,
) -> Result<BulkAnswer, Problem> {
    let mut fields = Fields::new(body);
    let operations = match fields.list("operations") {
        Field::Value(operations) if (1..=MAX_OPERATIONS).contains(&operations.len()) => operations,
        Field::Value(_) => {
            let message = format!("give 1 to {MAX_OPERATIONS} operations");
            fields.error("operations", "invalid_operations", message);
            Vec::new()
        }
        Field::Null | Field::Absent => {
            if fields.errors.is_empty() {
                fields.error("operations", "required", "give a list of operations");
            }
            Vec::new()
        }
    };
    fields.finish()?;
    let mut results = Vec::with_capacity(operations.len());
    for (operation, index) in operations.into_iter().zip(0..) {
        results.push(match one(user, operation, (ids, index), trace).await {
            Ok((status, task)) => BulkResult {
                status: status.as_u16(),
                task: task.map(|task| task.view()),
                problem: None,
            },
            Err(problem) => BulkResult {
                status: problem.status().as_u16(),
                task: None,
                problem: Some(problem.into_value()),
            },
        });
    }
    Ok(BulkAnswer { results })
}

async fn one(
    user: &User,
    operation: Value,
    (ids, index): (&NewIds, u32),
    trace: &Traceparent,
) -> Result<(StatusCode, Option<TaskRecord>), Problem> {
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
        let task = object_field(&mut fields, "task");
        fields.finish()?;
        let task = service::create_as(user, ids, index, task, trace).await?;
        return Ok((StatusCode::CREATED, Some(task)));
    }
    let id = fields.text("id");
    if !matches!(id, Field::Value(_)) {
        fields.error("id", "required", "give the id of a task");
    }
    let id = id.value().unwrap_or_default();
    let expected = if_match(&mut fields);
    let done = |task| (StatusCode::OK, Some(task));
    match op.as_str() {
        "patch" => {
            let patch = object_field(&mut fields, "patch");
            fields.finish()?;
            service::patch(user, path_id(&id, "task")?, &expected, &patch, trace)
                .await
                .map(done)
        }
        "complete" => {
            fields.finish()?;
            service::complete(user, path_id(&id, "task")?, &expected, trace)
                .await
                .map(done)
        }
        "reopen" => {
            fields.finish()?;
            service::reopen(user, path_id(&id, "task")?, &expected, trace)
                .await
                .map(done)
        }
        "delete" => {
            let scope = fields.text("scope").value();
            fields.finish()?;
            let scope = scope.map_or(Ok(service::Scope::default()), |text| text.parse())?;
            service::delete(user, path_id(&id, "task")?, &expected, scope, trace).await?;
            Ok((StatusCode::NO_CONTENT, None))
        }
        _ => Err(Problem::field(
            "op",
            "invalid_op",
            "use create, patch, complete, reopen or delete",
        )),
    }
}

/// `ifMatch`, which is read as the header `If-Match` is.
fn if_match(fields: &mut Fields) -> Conditions {
    let Field::Value(text) = fields.text("ifMatch") else {
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
        Field::Value(Value::Object(object)) => return object,
        Field::Value(_) => fields.error(name, "wrong_type", "must be an object"),
        Field::Null | Field::Absent => fields.error(name, "required", "must be there"),
    }
    Map::new()
}
