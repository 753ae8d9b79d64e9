//! Jobs: <https://docs.dapr.io/reference/api/jobs_api/>.
//!
//! The path is `/v1.0-alpha1/jobs` up to Dapr 1.17 and `/v1.0/jobs` from 1.18. The version of the sidecar decides; it is
//! requested once per instance of the component.

use std::sync::OnceLock;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::Bridge;
use crate::bindings::Error;
use crate::bindings::exports::nudge::dapr::jobs::{FailurePolicy, Guest, Job, Outcome, Timing};
use crate::sidecar::{Call, segment};
use crate::{error, metadata};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Schedule<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    due_time: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schedule: Option<&'a str>,
    data: &'a RawValue,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    overwrite: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_policy: Option<Policy>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Policy {
    Drop {},
    #[serde(rename_all = "camelCase")]
    Constant {
        /// google.protobuf.Duration in JSON: seconds, with up to nine decimals, and an `s`.
        interval: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        max_retries: Option<u32>,
    },
}

impl From<FailurePolicy> for Policy {
    fn from(policy: FailurePolicy) -> Self {
        match policy {
            FailurePolicy::Drop => Self::Drop {},
            FailurePolicy::Constant(constant) => Self::Constant {
                interval: format!(
                    "{}.{:03}s",
                    constant.interval_ms / 1_000,
                    constant.interval_ms % 1_000
                ),
                max_retries: constant.max_retries,
            },
        }
    }
}

impl Guest for Bridge {
    async fn schedule(name: String, job: Job) -> Result<Outcome, Error> {
        let data: &RawValue = serde_json::from_str(&job.data)
            .map_err(|reason| error::invalid(format!("data of job {name} is not JSON: {reason}")))?;
        let (due_time, schedule) = match &job.timing {
            Timing::Once(instant) => (Some(instant.as_str()), None),
            Timing::Repeated(schedule) => (None, Some(schedule.as_str())),
        };
        let body = Schedule {
            due_time,
            schedule,
            data,
            overwrite: job.overwrite,
            failure_policy: job.failure_policy.map(Policy::from),
        };
        let body =
            serde_json::to_vec(&body).map_err(|reason| error::invalid(format!("job {name}: {reason}")))?;
        let answer = Call::post(path(&name).await?).json(body).send().await?;
        if answer.status == 409 {
            return Ok(Outcome::Exists);
        }
        answer.success().map(|_| Outcome::Scheduled)
    }

    async fn exists(name: String) -> Result<bool, Error> {
        let answer = Call::get(path(&name).await?).send().await?;
        // For a job that does not exist, Dapr answers 500 with this message.
        if answer.status == 500
            && error::failure(answer.status, &answer.body)
                .message
                .contains("job not found")
        {
            return Ok(false);
        }
        answer.success().map(|_| true)
    }

    async fn delete(name: String) -> Result<(), Error> {
        Call::delete(path(&name).await?)
            .send()
            .await?
            .success()
            .map(|_| ())
    }
}

async fn path(name: &str) -> Result<String, Error> {
    static STABLE: OnceLock<bool> = OnceLock::new();
    let stable = match STABLE.get() {
        Some(stable) => *stable,
        None => {
            let metadata = metadata::read().await?;
            *STABLE.get_or_init(|| has_stable_jobs(&metadata.runtime_version))
        }
    };
    let version = if stable { "v1.0" } else { "v1.0-alpha1" };
    Ok(format!("/{version}/jobs/{}", segment(name)))
}

/// A version that cannot be parsed (`edge`, a custom build) is treated as a recent one.
fn has_stable_jobs(version: &str) -> bool {
    let mut numbers = version
        .trim_start_matches('v')
        .split(['.', '-'])
        .map_while(|part| part.parse::<u32>().ok());
    match (numbers.next(), numbers.next()) {
        (Some(major), Some(minor)) => (major, minor) >= (1, 18),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stable_path_starts_with_1_18() {
        for (version, stable) in [
            ("1.16.0", false),
            ("1.17.4-rc.1", false),
            ("1.18.0", true),
            ("v1.18.0-rc.2", true),
            ("2.0.0", true),
            ("edge", true),
        ] {
            assert_eq!(has_stable_jobs(version), stable, "{version}");
        }
    }

    #[test]
    fn intervals_are_protobuf_durations() {
        let policy = Policy::from(FailurePolicy::Constant(
            crate::bindings::exports::nudge::dapr::jobs::ConstantPolicy {
                interval_ms: 500,
                max_retries: None,
            },
        ));
        assert_eq!(
            serde_json::to_string(&policy).unwrap(),
            r#"{"constant":{"interval":"0.500s"}}"#
        );
    }
}
