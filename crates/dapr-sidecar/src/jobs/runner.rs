//! Fires the jobs of one app.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::http::{HeaderValue, Request, StatusCode, header};
use bytes::Bytes;
use serde_json::Value;
use tokio::task::JoinSet;

use super::schedule::FailurePolicy;
use super::table::{self, Job};
use crate::app::chain;
use crate::go_json::sorted;
use crate::sidecar::Sidecar;
use crate::store::StoreError;

/// Maximum number of jobs per query of the table.
const BATCH: usize = 64;

/// How long to wait after the database has failed.
const PAUSE: Duration = Duration::from_secs(1);

/// Fires jobs until the sidecar stops, then waits for running callbacks. Jobs of one name never overlap.
pub(crate) async fn run(sidecar: Arc<Sidecar>) {
    let shared = &sidecar.shared;
    let mut changed = shared.jobs.changed.subscribe();
    let mut tasks: JoinSet<String> = JoinSet::new();
    let mut running = BTreeSet::new();
    loop {
        changed.mark_unchanged();
        let next = match begin_due(&sidecar, &mut tasks, &mut running).await {
            Ok(next) => next,
            Err(error) => {
                tracing::error!(
                    error = chain(&error),
                    app_id = sidecar.app.app_id,
                    "jobs wait for the database"
                );
                Some(shared.clock.now() + PAUSE)
            }
        };
        let due = async {
            match next {
                Some(next) => shared.clock.sleep_until(next).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = shared.stopped() => break,
            Some(name) = tasks.join_next() => {
                if let Ok(name) = name {
                    running.remove(&name);
                }
            }
            _ = changed.changed() => {}
            () = due => {}
        }
    }
    tokio::select! {
        () = async { while tasks.join_next().await.is_some() {} } => {}
        () = shared.overdue() => tasks.shutdown().await,
    }
}

/// Starts the jobs that are due and returns when to query the table again.
async fn begin_due(
    sidecar: &Arc<Sidecar>,
    tasks: &mut JoinSet<String>,
    running: &mut BTreeSet<String>,
) -> Result<Option<SystemTime>, StoreError> {
    let (app_id, limit) = (sidecar.app.app_id.clone(), running.len() + BATCH);
    let jobs = sidecar
        .shared
        .store
        .run(move |db| table::first(db, &app_id, limit))
        .await?;
    let now = sidecar.shared.clock.now();
    let full = jobs.len() == limit;
    for job in jobs {
        if running.contains(&job.name) {
            continue;
        }
        if job.due > now {
            return Ok(Some(job.due));
        }
        running.insert(job.name.clone());
        let sidecar = sidecar.clone();
        tasks.spawn(async move {
            tick(&sidecar, &job).await;
            job.name
        });
    }
    // All jobs of a full batch were due, so there may be more.
    Ok(full.then_some(now))
}

/// One tick: the callback with its retries, then the row. The row changes only after the callback, so a crash
/// in between fires again.
async fn tick(sidecar: &Sidecar, job: &Job) {
    let shared = &sidecar.shared;
    if job.expires.is_none_or(|expires| job.due <= expires) {
        match &job.spec.data {
            Some(data) => {
                if !fire(sidecar, job, data).await {
                    return;
                }
            }
            None => tracing::warn!(job = job.name, "a job without data does not call the app"),
        }
    }
    let next = job.spec.following(job.due, job.fired + 1, job.expires);
    let app_id = sidecar.app.app_id.clone();
    let (name, incarnation) = (job.name.clone(), job.incarnation.clone());
    let settled = shared
        .store
        .run(move |db| table::settle(db, &app_id, &name, &incarnation, next))
        .await;
    if let Err(error) = settled {
        tracing::error!(
            error = chain(&error),
            job = job.name,
            "a job has fired, which could not be stored, and fires again"
        );
        shared.clock.sleep(PAUSE).await;
    }
}

/// Calls the app until it accepts the job or the policy gives up; `false` if the sidecar stopped before that.
async fn fire(sidecar: &Sidecar, job: &Job, data: &Value) -> bool {
    let shared = &sidecar.shared;
    let policy = job
        .spec
        .failure_policy
        .clone()
        .unwrap_or_else(FailurePolicy::default_policy);
    let body = Bytes::from(sorted(data).to_string());
    let mut retries = 0;
    loop {
        tokio::select! {
            biased;
            () = shared.stopped() => return false,
            () = sidecar.channel.ready() => {}
        }
        let Err(why) = call(sidecar, &job.name, body.clone()).await else {
            return true;
        };
        let Some(wait) = policy.wait(retries) else {
            tracing::error!(job = job.name, app_id = sidecar.app.app_id, why, "a job is lost");
            return true;
        };
        tracing::warn!(
            job = job.name,
            app_id = sidecar.app.app_id,
            why,
            "a job failed and is retried"
        );
        retries += 1;
        tokio::select! {
            () = shared.clock.sleep(wait) => {}
            () = shared.stopped() => return false,
        }
    }
}

/// One callback: the data unchanged, without trace context.
async fn call(sidecar: &Sidecar, name: &str, body: Bytes) -> Result<(), String> {
    let mut request = Request::post(format!("/job/{name}"))
        .body(body)
        .map_err(|error| error.to_string())?;
    request
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let answer = sidecar
        .channel
        .send(request)
        .await
        .map_err(|error| chain(&error))?;
    match answer.status() {
        status if status.is_success() => Ok(()),
        StatusCode::NOT_FOUND => {
            tracing::warn!(
                job = name,
                "the app answers 404 to a job; for Dapr that is success"
            );
            Ok(())
        }
        status => Err(format!("the app answers {status}")),
    }
}
