//! `POST|GET|DELETE /v1.0-alpha1/jobs/{name}`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use serde_json::{Value, json};

use super::schedule::{FailurePolicy, JobSpec};
use super::table;
use crate::app::chain;
use crate::body;
use crate::go_json::json_line;
use crate::go_json::sorted;
use crate::problem::Problem;
use crate::sidecar::Sidecar;

const SCHEDULE: &str = "DAPR_SCHEDULER_SCHEDULE_JOB";

/// A job as Dapr shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    schedule: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repeats: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<String>,
    data: Data,
    failure_policy: FailurePolicy,
}

/// A protobuf `Any` around a JSON value.
#[derive(Serialize)]
struct Data {
    #[serde(rename = "@type")]
    kind: &'static str,
    value: Value,
}

fn problem(sidecar: &Sidecar, status: StatusCode, code: &'static str, message: impl Into<String>) -> Problem {
    Problem::new(status, code, message)
        .info(code, json!({"appID": sidecar.app.app_id, "namespace": "default"}))
}

fn scheduler(sidecar: &Sidecar, code: &'static str, verb: &str, why: &str) -> Problem {
    let message = format!("failed to {verb} job due to: rpc error: code = {why}");
    problem(sidecar, StatusCode::INTERNAL_SERVER_ERROR, code, message)
}

/// The rule that Dapr's scheduler quotes, and the `_` and `:` that it accepts as well.
fn valid(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.starts_with(plain) && name.ends_with(plain) && name.chars().all(|c| plain(c) || "-._:".contains(c))
}

/// Schedules a job. 204 once it is durable.
pub(crate) async fn schedule(
    State(sidecar): State<Arc<Sidecar>>,
    Path(name): Path<String>,
    body: Body,
) -> Result<StatusCode, Problem> {
    let body = body::read(body).await.map_err(Problem::malformed)?;
    let malformed = |why: String| Problem::malformed(format!("failed deserializing HTTP body: {why}"));
    // An empty body is a job without fields.
    let text: &[u8] = if body.is_empty() { b"{}" } else { &body };
    let mut spec: JobSpec = serde_json::from_slice(text).map_err(|error| malformed(error.to_string()))?;
    let bad_request = |code, message: &str| problem(&sidecar, StatusCode::BAD_REQUEST, code, message);
    if spec.name.as_ref().is_some_and(|name| !name.is_empty()) {
        let code = "DAPR_SCHEDULER_JOB_NAME";
        let problem = Problem::new(StatusCode::BAD_REQUEST, code, "Set the job name in the url only");
        return Err(problem.info(code, json!({"appID": sidecar.app.app_id})));
    }
    if name.contains("||") {
        return Err(bad_request("DAPR_SCHEDULER_JOB_NAME_EMPTY", "Name is empty"));
    }
    if spec.schedule.is_none() && spec.due_time.is_none() {
        return Err(bad_request("DAPR_SCHEDULER_SCHEDULE_EMPTY", "Schedule is empty"));
    }
    if let Some(interval) = spec.failure_policy.as_ref().and_then(FailurePolicy::bad_interval) {
        return Err(malformed(format!(
            "proto: invalid google.protobuf.Duration value {interval:?}"
        )));
    }
    let refused = |why: &str| scheduler(&sidecar, SCHEDULE, "schedule", &format!("Unknown desc = {why}"));
    let full_name = format!("app||default||{}||{name}", sidecar.app.app_id);
    if !valid(&name) {
        return Err(refused(&format!(
            "job name is invalid {full_name:?}: a lowercase RFC 1123 subdomain must consist of lower case \
             alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character \
             (e.g. 'example.com', regex used for validation is \
             '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
        )));
    }
    let ticks = spec.ticks(sidecar.shared.clock.now());
    let ticks = ticks.map_err(|why| refused(&format!("job failed validation: {why}")))?;
    spec.failure_policy
        .get_or_insert_with(FailurePolicy::default_policy);
    let app_id = sidecar.app.app_id.clone();
    let stored = sidecar
        .shared
        .store
        .run(move |db| table::put(db, &app_id, &name, &spec, &ticks))
        .await;
    match stored {
        Ok(true) => {
            sidecar.shared.jobs.changed.send_replace(());
            Ok(StatusCode::NO_CONTENT)
        }
        Ok(false) => {
            let message = format!(
                "failed to schedule job due to: rpc error: code = AlreadyExists desc = job already exists: '{full_name}'"
            );
            Err(problem(&sidecar, StatusCode::CONFLICT, SCHEDULE, message))
        }
        Err(error) => Err(refused(&chain(&error))),
    }
}

/// Shows a job. A missing one is 500, and so is one without data, as recorded.
pub(crate) async fn get(
    State(sidecar): State<Arc<Sidecar>>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    const GET: &str = "DAPR_SCHEDULER_GET_JOB";
    let (app_id, key) = (sidecar.app.app_id.clone(), name.clone());
    let found = sidecar
        .shared
        .store
        .run(move |db| table::get(db, &app_id, &key))
        .await;
    let failed = |why: String| scheduler(&sidecar, GET, "get", &why);
    let spec = found.map_err(|error| failed(format!("Unknown desc = {}", chain(&error))))?;
    let spec = spec.ok_or_else(|| failed(format!("NotFound desc = job not found: {name}")))?;
    let Some(data) = spec.data else {
        let message = "failed to encode response as JSON: proto: google.protobuf.Value: none of the oneof fields is set";
        return Err(Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "ERR_INTERNAL",
            message,
        ));
    };
    Ok(json_line(&Shown {
        name,
        schedule: spec.schedule,
        repeats: spec.repeats,
        due_time: spec.due_time,
        ttl: spec.ttl,
        data: Data {
            kind: "type.googleapis.com/google.protobuf.Value",
            value: sorted(&data),
        },
        failure_policy: spec.failure_policy.unwrap_or_else(FailurePolicy::default_policy),
    }))
}

/// Deletes a job; 204 also if there was none.
pub(crate) async fn delete(
    State(sidecar): State<Arc<Sidecar>>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    let app_id = sidecar.app.app_id.clone();
    let deleted = sidecar
        .shared
        .store
        .run(move |db| table::delete(db, &app_id, &name))
        .await;
    deleted.map_err(|error| {
        let why = format!("Unknown desc = {}", chain(&error));
        scheduler(&sidecar, "DAPR_SCHEDULER_DELETE_JOB", "delete", &why)
    })?;
    Ok(StatusCode::NO_CONTENT)
}
