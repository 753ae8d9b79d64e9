//! `kind: Resiliency`: timeouts, retries and circuit breakers for components and apps.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::source::Source;
use crate::breaker::{Breaker, Rule};
use crate::duration;
use crate::error::Error;
use crate::policy::{Policy, Retry};

/// The policies of one file.
#[derive(Clone, Debug)]
pub(crate) struct Resiliency {
    pub(crate) scopes: Vec<String>,
    apps: BTreeMap<String, Policy>,
    inbound: BTreeMap<String, Policy>,
    outbound: BTreeMap<String, Policy>,
}

impl Resiliency {
    /// The same policies for another sidecar, which has breakers of its own.
    pub(crate) fn fresh(&self) -> Self {
        let all = |policies: &BTreeMap<String, Policy>| {
            policies
                .iter()
                .map(|(name, policy)| (name.clone(), policy.fresh()))
                .collect()
        };
        let scopes = self.scopes.clone();
        Self {
            scopes,
            apps: all(&self.apps),
            inbound: all(&self.inbound),
            outbound: all(&self.outbound),
        }
    }

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
    #[serde(default)]
    circuit_breakers: BTreeMap<String, BreakerSpec>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct BreakerSpec {
    max_requests: Option<u32>,
    interval: Option<String>,
    timeout: Option<String>,
    trip: Option<String>,
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
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct TargetSpec {
    timeout: Option<String>,
    retry: Option<String>,
    circuit_breaker: Option<String>,
}

pub(crate) fn load(mut source: Source) -> Result<Resiliency, Error> {
    let spec: Spec = source.spec()?;
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
    let mut breakers = BTreeMap::new();
    for (name, breaker) in spec.policies.circuit_breakers {
        let rule = breaker_rule(&source, &name, &breaker)?;
        breakers.insert(name, rule);
    }
    let policy = |path: String, target: TargetSpec| -> Result<Policy, Error> {
        let unknown = |field: &str, name: &str| {
            source.error(format!("spec.targets.{path}.{field}: there is no policy {name}"))
        };
        let timeout = match &target.timeout {
            Some(name) => Some(*timeouts.get(name).ok_or_else(|| unknown("timeout", name))?),
            None => None,
        };
        let retry = match &target.retry {
            Some(name) => Some(retries.get(name).cloned().ok_or_else(|| unknown("retry", name))?),
            None => None,
        };
        let breaker = match &target.circuit_breaker {
            Some(name) => {
                let rule = breakers
                    .get(name)
                    .cloned()
                    .ok_or_else(|| unknown("circuitBreaker", name))?;
                Some(Arc::new(Breaker::new(rule)))
            }
            None => None,
        };
        Ok(Policy {
            timeout,
            retry,
            breaker,
        })
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
    duration::go(text)
        .ok_or_else(|| source.error(format!("spec.policies.{path}: {text} is not a valid duration")))
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

fn breaker_rule(source: &Source, name: &str, spec: &BreakerSpec) -> Result<Rule, Error> {
    let read = |field: &str, text: &Option<String>, default: Duration| match text {
        Some(text) => parse(source, &format!("circuitBreakers.{name}.{field}"), text),
        None => Ok(default),
    };
    let trip = spec.trip.as_deref().unwrap_or("consecutiveFailures > 5");
    let failures = failures(trip).ok_or_else(|| {
        source.error(format!(
            "spec.policies.circuitBreakers.{name}.trip: {trip} is not supported here; use \
             consecutiveFailures > n, or >= n"
        ))
    })?;
    Ok(Rule {
        failures,
        timeout: read("timeout", &spec.timeout, Duration::from_secs(60))?,
        max_requests: spec.max_requests.unwrap_or(1).max(1),
        interval: read("interval", &spec.interval, Duration::ZERO)?,
    })
}

/// The number of failures in a row in a `trip` expression.
fn failures(trip: &str) -> Option<u32> {
    let comparison = trip.trim().strip_prefix("consecutiveFailures")?.trim_start();
    match comparison.strip_prefix(">=") {
        Some(count) => count.trim().parse().ok(),
        None => comparison
            .strip_prefix('>')?
            .trim()
            .parse::<u32>()
            .ok()?
            .checked_add(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_trip_of_a_circuit_breaker() {
        assert_eq!(failures("consecutiveFailures > 5"), Some(6));
        assert_eq!(failures("consecutiveFailures>=2"), Some(2));
        assert_eq!(
            (
                failures("totalFailures > 5"),
                failures("consecutiveFailures == 2")
            ),
            (None, None)
        );
    }
}
