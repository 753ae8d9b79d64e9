//! Policies of calls: a time limit, retries, a circuit breaker.

use std::sync::Arc;
use std::time::Duration;

use step_clock::Clock;

use crate::breaker::{Breaker, Refusal};

/// The policy of one kind of call. The default does nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Policy {
    /// Maximum duration of one attempt, in real time.
    pub(crate) timeout: Option<Duration>,
    pub(crate) retry: Option<Retry>,
    pub(crate) breaker: Option<Arc<Breaker>>,
}

/// Why a call did not succeed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed<E> {
    /// Its last attempt failed.
    #[error("{0}")]
    Call(E),
    /// Its last attempt took too long; in Go's words.
    #[error("context deadline exceeded")]
    Timeout,
    /// It was not made.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// How to retry a failed call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Retry {
    pub(crate) interval: Duration,
    /// For an exponential policy: the interval grows by half each time, up to this.
    pub(crate) max_interval: Option<Duration>,
    /// `None` is without limit.
    pub(crate) max_retries: Option<u32>,
}

impl Retry {
    /// How long to wait before retry number `done + 1`; `None` if there is none.
    pub(crate) fn wait(&self, done: u32) -> Option<Duration> {
        if self.max_retries.is_some_and(|max| done >= max) {
            return None;
        }
        Some(match self.max_interval {
            None => self.interval,
            // Dapr's library multiplies by 1.5; its random part is omitted.
            Some(max) => self.interval.mul_f64(1.5_f64.powi(done.min(64) as i32)).min(max),
        })
    }
}

impl Policy {
    /// The same policy with a breaker of its own.
    pub(crate) fn fresh(&self) -> Self {
        let breaker = self.breaker.as_ref().map(|breaker| Arc::new(breaker.fresh()));
        Self {
            breaker,
            ..self.clone()
        }
    }

    /// Runs `attempt` until it succeeds, the retries are used up or the breaker is open.
    pub(crate) async fn run<T, E, F: Future<Output = Result<T, E>>>(
        &self,
        clock: &Clock,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T, Failed<E>> {
        let mut done = 0;
        loop {
            if let Some(breaker) = &self.breaker {
                breaker.admit(clock.now())?;
            }
            let result = match self.timeout {
                None => attempt().await.map_err(Failed::Call),
                Some(limit) => match tokio::time::timeout(limit, attempt()).await {
                    Ok(result) => result.map_err(Failed::Call),
                    Err(_) => Err(Failed::Timeout),
                },
            };
            if let Some(breaker) = &self.breaker {
                breaker.report(result.is_ok(), clock.now());
            }
            let wait = self.retry.as_ref().and_then(|retry| retry.wait(done));
            match (result, wait) {
                (Err(_), Some(wait)) => clock.sleep(wait).await,
                (result, _) => return result,
            }
            done += 1;
        }
    }
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
    fn an_exponential_policy_grows_to_its_maximum_and_may_have_no_end() {
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
