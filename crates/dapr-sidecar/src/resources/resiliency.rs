//! `kind: Resiliency`: timeouts and retries for components and apps.
//!
//! Circuit breakers and jitter do not exist here and are refused by name.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use step_clock::Clock;

use super::load::Source;
use crate::{Error, duration};

/// The policies of one file.
#[derive(Clone, Debug)]
pub(crate) struct Resiliency {
    pub(crate) scopes: Vec<String>,
    apps: BTreeMap<String, Policy>,
    inbound: BTreeMap<String, Policy>,
    outbound: BTreeMap<String, Policy>,
}

/// What to do around one kind of call. The default does nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Policy {
    /// Longest time of one attempt, on real time.
    pub(crate) timeout: Option<Duration>,
    pub(crate) retry: Option<Retry>,
}

/// How to repeat what failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Retry {
    interval: Duration,
    /// For an exponential policy: the interval grows by half each time, up to this.
    max_interval: Option<Duration>,
    /// `None`: for ever.
    max_retries: Option<u32>,
}

impl Retry {
    /// How long to wait before retry number `done + 1`; `None` when there is no further one.
    pub(crate) fn wait(&self, done: u32) -> Option<Duration> {
        if self.max_retries.is_some_and(|max| done >= max) {
            return None;
        }
        Some(match self.max_interval {
            None => self.interval,
            // The library behind Dapr multiplies by 1.5; its random part is left out.
            Some(max) => self.interval.mul_f64(1.5_f64.powi(done.min(64) as i32)).min(max),
        })
    }
}

impl Policy {
    /// Runs `attempt` until it succeeds or the retries are used up. An error of `None` is a timeout.
    pub(crate) async fn run<T, E, F: Future<Output = Result<T, E>>>(
        &self,
        clock: &Clock,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T, Option<E>> {
        let mut done = 0;
        loop {
            let result = match self.timeout {
                None => attempt().await.map_err(Some),
                Some(limit) => match tokio::time::timeout(limit, attempt()).await {
                    Ok(result) => result.map_err(Some),
                    Err(_) => Err(None),
                },
            };
            let wait = self.retry.as_ref().and_then(|retry| retry.wait(done));
            match (result, wait) {
                (Err(_), Some(wait)) => clock.sleep(wait).await,
                (result, _) => return result,
            }
            done += 1;
        }
    }
}

impl Resiliency {
    pub(crate) fn app(&self, name: &str) -> Option<&Policy> {
        self.apps.get(name)
    }
    pub(crate) fn inbound(&self, component: &str) -> Option<&Policy> {
        self.inbound.get(component)
    }
    pub(crate) fn outbound(&self, component: &str) -> Option<&Policy> {
        self.outbound.get(component)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Spec {
    policies: Policies,
    targets: Targets,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Policies {
    #[serde(default)]
    timeouts: BTreeMap<String, String>,
    #[serde(default)]
    retries: BTreeMap<String, RetrySpec>,
    circuit_breakers: Option<serde_norway::Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RetrySpec {
    policy: String,
    duration: Option<String>,
    max_interval: Option<String>,
    max_retries: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Targets {
    #[serde(default)]
    apps: BTreeMap<String, TargetSpec>,
    #[serde(default)]
    components: BTreeMap<String, ComponentSpec>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ComponentSpec {
    inbound: Option<TargetSpec>,
    outbound: Option<TargetSpec>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetSpec {
    timeout: Option<String>,
    retry: Option<String>,
}

pub(crate) fn load(mut source: Source) -> Result<Resiliency, Error> {
    let spec: Spec = source.spec()?;
    if spec.policies.circuit_breakers.is_some() {
        return Err(source.error("spec.policies.circuitBreakers: circuit breakers do not exist here"));
    }
    let mut timeouts = BTreeMap::new();
    for (name, text) in spec.policies.timeouts {
        let limit = parse(&source, &format!("timeouts.{name}"), &text)?;
        timeouts.insert(name, limit);
    }
    let mut retries = BTreeMap::new();
    for (name, retry) in spec.policies.retries {
        let policy = retry_policy(&source, &name, &retry)?;
        retries.insert(name, policy);
    }
    let policy = |path: String, target: TargetSpec| -> Result<Policy, Error> {
        let unknown =
            |field: &str, name: &str| source.error(format!("spec.targets.{path}.{field}: no policy {name}"));
        let timeout = match &target.timeout {
            Some(name) => Some(*timeouts.get(name).ok_or_else(|| unknown("timeout", name))?),
            None => None,
        };
        let retry = match &target.retry {
            Some(name) => Some(retries.get(name).cloned().ok_or_else(|| unknown("retry", name))?),
            None => None,
        };
        Ok(Policy { timeout, retry })
    };
    let (mut apps, mut inbound, mut outbound) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for (name, target) in spec.targets.apps {
        apps.insert(name.clone(), policy(format!("apps.{name}"), target)?);
    }
    for (name, target) in spec.targets.components {
        if let Some(target) = target.inbound {
            inbound.insert(
                name.clone(),
                policy(format!("components.{name}.inbound"), target)?,
            );
        }
        if let Some(target) = target.outbound {
            outbound.insert(
                name.clone(),
                policy(format!("components.{name}.outbound"), target)?,
            );
        }
    }
    Ok(Resiliency {
        scopes: source.scopes,
        apps,
        inbound,
        outbound,
    })
}

fn parse(source: &Source, path: &str, text: &str) -> Result<Duration, Error> {
    duration::go(text).ok_or_else(|| source.error(format!("spec.policies.{path}: {text} is no duration")))
}

fn retry_policy(source: &Source, name: &str, spec: &RetrySpec) -> Result<Retry, Error> {
    let read = |field: &str, text: &Option<String>, default: Duration| match text {
        Some(text) => parse(source, &format!("retries.{name}.{field}"), text),
        None => Ok(default),
    };
    // Dapr's defaults: a constant policy waits 5 s; an exponential one starts at 500 ms and stops growing at 60 s.
    let (interval, max_interval) = match spec.policy.as_str() {
        "constant" => (read("duration", &spec.duration, Duration::from_secs(5))?, None),
        "exponential" if spec.duration.is_none() => {
            let max = read("maxInterval", &spec.max_interval, Duration::from_secs(60))?;
            (Duration::from_millis(500), Some(max))
        }
        "exponential" => {
            return Err(source.error(format!(
                "spec.policies.retries.{name}.duration: only for a constant policy"
            )));
        }
        other => {
            return Err(source.error(format!(
                "spec.policies.retries.{name}.policy: {other} is neither constant nor exponential"
            )));
        }
    };
    let max_retries = spec.max_retries.and_then(|max| u32::try_from(max).ok());
    Ok(Retry {
        interval,
        max_interval,
        max_retries,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_policy_waits_evenly_and_ends() {
        let retry = Retry {
            interval: Duration::from_millis(500),
            max_interval: None,
            max_retries: Some(3),
        };
        let waits: Vec<_> = (0..).map_while(|done| retry.wait(done)).collect();
        assert_eq!(waits, [Duration::from_millis(500); 3]);
    }

    #[test]
    fn an_exponential_policy_grows_to_its_maximum_and_may_go_on_for_ever() {
        let second = Duration::from_secs(1);
        let retry = Retry {
            interval: second,
            max_interval: Some(2 * second),
            max_retries: None,
        };
        let waits: Vec<_> = (0..3).filter_map(|done| retry.wait(done)).collect();
        assert_eq!(waits, [second, second.mul_f64(1.5), 2 * second]);
        assert_eq!(retry.wait(u32::MAX), Some(2 * second));
    }
}
