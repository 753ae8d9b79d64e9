//! What a job is: the body of its creation, and the instants that follow from it.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::duration;

/// A job as it was scheduled, in Dapr's JSON. Unknown fields are ignored, as in Dapr.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JobSpec {
    /// Must be absent: the name is in the path.
    #[serde(skip_serializing)]
    pub(crate) name: Option<String>,
    pub(crate) schedule: Option<String>,
    pub(crate) repeats: Option<u32>,
    pub(crate) due_time: Option<String>,
    pub(crate) ttl: Option<String>,
    /// The body of the callback. A job without data never calls the app, as recorded.
    pub(crate) data: Option<Value>,
    pub(crate) failure_policy: Option<FailurePolicy>,
    #[serde(default, skip_serializing)]
    pub(crate) overwrite: bool,
}

/// What happens when the callback fails.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum FailurePolicy {
    Constant(Constant),
    Drop {},
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Constant {
    /// A protobuf duration, `"0.5s"`; absent means immediately.
    #[serde(skip_serializing_if = "Option::is_none")]
    interval: Option<String>,
    /// Absent means without limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_retries: Option<u32>,
}

impl FailurePolicy {
    /// The policy that daprd fills in.
    pub(crate) fn default_policy() -> Self {
        Self::Constant(Constant {
            interval: Some("1s".to_owned()),
            max_retries: Some(3),
        })
    }

    /// How long to wait before retry number `done + 1`; `None` if there is none.
    pub(crate) fn wait(&self, done: u32) -> Option<Duration> {
        match self {
            Self::Drop {} => None,
            Self::Constant(constant) if constant.max_retries.is_some_and(|max| done >= max) => None,
            Self::Constant(constant) => Some(
                constant
                    .interval
                    .as_deref()
                    .and_then(duration::protobuf)
                    .unwrap_or_default(),
            ),
        }
    }

    /// The interval if it is not a protobuf duration.
    pub(crate) fn bad_interval(&self) -> Option<&str> {
        match self {
            Self::Constant(Constant {
                interval: Some(interval),
                ..
            }) if duration::protobuf(interval).is_none() => Some(interval),
            _ => None,
        }
    }
}

/// The instants of a job.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ticks {
    /// The first tick.
    pub(crate) due: SystemTime,
    /// Ticks after this do not happen.
    pub(crate) expires: Option<SystemTime>,
}

impl JobSpec {
    /// Validates the job and computes its first tick. An error has the words of Dapr's scheduler as far as they
    /// were recorded.
    pub(crate) fn ticks(&self, now: SystemTime) -> Result<Ticks, String> {
        let interval = self.schedule.as_deref().map(interval).transpose()?;
        if self.repeats == Some(0) {
            return Err("defined repeats must be greater than 0".to_owned());
        }
        let expires = match (&self.ttl, interval) {
            (None, _) => None,
            (Some(_), None) => return Err("job must have a schedule to have a ttl".to_owned()),
            (Some(ttl), Some(_)) => Some(instant(ttl, now)?),
        };
        let due = match (&self.due_time, interval) {
            (Some(due), _) => instant(due, now)?,
            (None, Some(interval)) => now.checked_add(interval).ok_or("the schedule never fires")?,
            (None, None) => return Err("job must have either a schedule or a due time".to_owned()),
        };
        Ok(Ticks { due, expires })
    }

    /// The tick after `due`, when `fired` ticks are over; `None` if that was the last.
    pub(crate) fn following(
        &self,
        due: SystemTime,
        fired: u32,
        expires: Option<SystemTime>,
    ) -> Option<SystemTime> {
        if self.repeats.is_some_and(|repeats| fired >= repeats) {
            return None;
        }
        // From the tick, not from now: every missed tick is replayed.
        let next = due.checked_add(interval(self.schedule.as_deref()?).ok()?)?;
        expires.is_none_or(|expires| next <= expires).then_some(next)
    }
}

/// The interval of `@every 15s`. Dapr's scheduler also has cron with six fields and descriptors such as `@hourly`, which are
/// refused here.
fn interval(text: &str) -> Result<Duration, String> {
    if let Some(interval) = text.strip_prefix("@every ") {
        return duration::go(interval.trim())
            .filter(|interval| !interval.is_zero())
            .ok_or_else(|| format!("failed to parse duration {text}"));
    }
    let fields = text.split_whitespace().count();
    Err(if fields == 6 || text.starts_with('@') {
        format!(
            "schedule \"{text}\" is not supported by the embedded sidecar, which has \"@every <duration>\" only; Dapr's scheduler \
             also has cron with six fields and descriptors such as @hourly"
        )
    } else {
        format!("expected exactly 6 fields, found {fields}: [{text}]")
    })
}

/// An instant as RFC 3339, or a Go or ISO 8601 duration from now.
fn instant(text: &str, now: SystemTime) -> Result<SystemTime, String> {
    let instant = match duration::go(text).or_else(|| duration::iso(text)) {
        Some(offset) => now.checked_add(offset),
        None => text.parse::<Timestamp>().ok().map(SystemTime::from),
    };
    instant.ok_or_else(|| format!("unsupported time/duration format: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(json: &str) -> JobSpec {
        serde_json::from_str(json).expect("a job")
    }

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_due_time_is_an_instant_or_a_duration_from_now() {
        for (due, seconds) in [
            ("1970-01-01T00:00:30Z", 30),
            ("20s", 120),
            ("PT1M", 160),
            ("0s", 100),
        ] {
            let ticks = spec(&format!(r#"{{"dueTime":"{due}"}}"#))
                .ticks(at(100))
                .expect("a good job");
            assert_eq!(ticks.due, at(seconds), "{due}");
        }
        for bad in ["tomorrow", "5000000000000000h"] {
            assert!(spec(&format!(r#"{{"dueTime":"{bad}"}}"#)).ticks(at(0)).is_err());
        }
    }

    #[test]
    fn a_due_time_with_a_schedule_is_the_first_tick_and_repeats_count_it() {
        let job = spec(r#"{"dueTime":"3s","schedule":"@every 1s","repeats":2}"#);
        assert_eq!(job.ticks(at(0)).expect("a good job").due, at(3));
        assert_eq!(job.following(at(3), 1, None), Some(at(4)));
        assert_eq!(job.following(at(4), 2, None), None);
    }

    #[test]
    fn a_time_to_live_ends_the_ticks() {
        let job = spec(r#"{"schedule":"@every 2s","ttl":"5s"}"#);
        let ticks = job.ticks(at(0)).expect("a good job");
        assert_eq!((ticks.due, ticks.expires), (at(2), Some(at(5))));
        assert_eq!(job.following(at(2), 1, ticks.expires), Some(at(4)));
        assert_eq!(job.following(at(4), 2, ticks.expires), None);
    }

    #[test]
    fn refuses_in_the_recorded_words() {
        let refusal = |json: &str| spec(json).ticks(at(0)).expect_err("not a job");
        assert_eq!(
            refusal(r#"{"dueTime":"1h","ttl":"10s"}"#),
            "job must have a schedule to have a ttl"
        );
        assert_eq!(
            refusal(r#"{"schedule":"@every 1h","repeats":0}"#),
            "defined repeats must be greater than 0"
        );
        for (schedule, words) in [
            ("nonsense", "expected exactly 6 fields, found 1: [nonsense]"),
            ("*/5 * * * *", "expected exactly 6 fields, found 5: [*/5 * * * *]"),
            ("@every x", "failed to parse duration @every x"),
            ("@every 0s", "failed to parse duration @every 0s"),
        ] {
            assert_eq!(refusal(&format!(r#"{{"schedule":"{schedule}"}}"#)), words);
        }
    }

    #[test]
    fn a_schedule_that_only_dapr_has_is_refused_by_name() {
        for schedule in ["0 30 9 * * mon-fri", "@hourly"] {
            let refusal = spec(&format!(r#"{{"schedule":"{schedule}"}}"#))
                .ticks(at(0))
                .unwrap_err();
            assert!(
                refusal.starts_with(&format!(
                    "schedule \"{schedule}\" is not supported by the embedded sidecar"
                )),
                "{refusal}"
            );
        }
    }

    #[test]
    fn retries_as_the_policy_says() {
        let waits = |json: &str| -> Vec<Duration> {
            let policy: FailurePolicy = serde_json::from_str(json).expect("a policy");
            (0..10).map_while(|done| policy.wait(done)).collect()
        };
        assert_eq!(
            waits(r#"{"constant":{"interval":"0.5s","maxRetries":2}}"#),
            [Duration::from_millis(500); 2]
        );
        assert_eq!(waits(r#"{"constant":{"maxRetries":5}}"#), [Duration::ZERO; 5]);
        assert_eq!(waits(r#"{"constant":{"interval":"1s"}}"#).len(), 10);
        assert_eq!(waits(r#"{"drop":{}}"#), []);
    }
}
