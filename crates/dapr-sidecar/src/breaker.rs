//! Circuit breakers: after too many failures in a row, calls are refused for some time.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// When a breaker opens and closes again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    /// Failures in a row that open it.
    pub(crate) failures: u32,
    /// How long it stays open.
    pub(crate) timeout: Duration,
    /// Maximum number of calls at the same time while half-open; that many successes close it.
    pub(crate) max_requests: u32,
    /// How often a closed breaker forgets its failures; zero for never.
    pub(crate) interval: Duration,
}

/// A breaker and its state. Every sidecar has its own.
#[derive(Debug)]
pub(crate) struct Breaker {
    rule: Rule,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    Closed {
        failures: u32,
        since: Option<SystemTime>,
    },
    Open {
        since: SystemTime,
    },
    HalfOpen {
        begun: u32,
        succeeded: u32,
    },
}

/// Why a call was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("circuit breaker is open")]
    Open,
    #[error("too many requests")]
    Probing,
}

impl Breaker {
    pub(crate) fn new(rule: Rule) -> Self {
        Self {
            rule,
            state: Mutex::new(State::Closed {
                failures: 0,
                since: None,
            }),
        }
    }

    /// The same breaker in its initial state.
    pub(crate) fn fresh(&self) -> Self {
        Self::new(self.rule.clone())
    }

    /// Admits a call or refuses it. The caller must [`Self::report`] the result of an admitted call.
    pub(crate) fn admit(&self, now: SystemTime) -> Result<(), Refusal> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *state {
            State::Closed { failures, since } => {
                let age = now.duration_since(*since.get_or_insert(now)).unwrap_or_default();
                if !self.rule.interval.is_zero() && age >= self.rule.interval {
                    (*failures, *since) = (0, Some(now));
                }
                Ok(())
            }
            State::Open { since } if now.duration_since(*since).unwrap_or_default() < self.rule.timeout => {
                Err(Refusal::Open)
            }
            State::Open { .. } => {
                *state = State::HalfOpen {
                    begun: 1,
                    succeeded: 0,
                };
                Ok(())
            }
            State::HalfOpen { begun, .. } if *begun >= self.rule.max_requests => Err(Refusal::Probing),
            State::HalfOpen { begun, .. } => {
                *begun += 1;
                Ok(())
            }
        }
    }

    /// Reports the result of a call.
    pub(crate) fn report(&self, success: bool, now: SystemTime) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match (&mut *state, success) {
            (State::Closed { failures, .. }, true) => *failures = 0,
            (State::Closed { failures, .. }, false) => {
                *failures += 1;
                if *failures >= self.rule.failures {
                    *state = State::Open { since: now };
                }
            }
            (State::HalfOpen { succeeded, .. }, true) => {
                *succeeded += 1;
                if *succeeded >= self.rule.max_requests {
                    *state = State::Closed {
                        failures: 0,
                        since: Some(now),
                    };
                }
            }
            (State::HalfOpen { .. }, false) => *state = State::Open { since: now },
            // A call that started before the breaker opened.
            (State::Open { .. }, _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaker(interval: u64) -> Breaker {
        let seconds = Duration::from_secs;
        Breaker::new(Rule {
            failures: 2,
            timeout: seconds(5),
            max_requests: 1,
            interval: seconds(interval),
        })
    }

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn opens_after_failures_in_a_row_and_closes_after_a_successful_call() {
        let breaker = breaker(0);
        for success in [false, true, false, false] {
            assert_eq!(breaker.admit(at(0)), Ok(()));
            breaker.report(success, at(0));
        }
        assert_eq!(breaker.admit(at(4)), Err(Refusal::Open));
        assert_eq!(breaker.admit(at(5)), Ok(()));
        assert_eq!(breaker.admit(at(5)), Err(Refusal::Probing));
        breaker.report(true, at(5));
        assert_eq!(breaker.admit(at(5)), Ok(()));
    }

    #[test]
    fn a_failed_call_opens_it_again() {
        let breaker = breaker(0);
        breaker.report(false, at(0));
        breaker.report(false, at(0));
        assert_eq!(breaker.admit(at(5)), Ok(()));
        breaker.report(false, at(5));
        assert_eq!(breaker.admit(at(9)), Err(Refusal::Open));
        assert_eq!(breaker.admit(at(10)), Ok(()));
    }

    #[test]
    fn forgets_old_failures_after_its_interval() {
        let breaker = breaker(10);
        assert_eq!(breaker.admit(at(0)), Ok(()));
        breaker.report(false, at(0));
        assert_eq!(breaker.admit(at(10)), Ok(()));
        breaker.report(false, at(10));
        assert_eq!(
            breaker.admit(at(11)),
            Ok(()),
            "two failures, but not within one interval"
        );
    }
}
