//! Readiness, which anybody may ask for and which costs calls of others.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::problem::Problem;

/// How long a result is given to others, in each instance.
pub const GOOD_FOR: Duration = Duration::from_secs(1);

/// The last result of an instance. It is not specific to a request.
#[derive(Debug, Default)]
pub struct Readiness(Mutex<Option<Last>>);

#[derive(Debug)]
struct Last {
    /// When the last check began, so that no result is older than it seems.
    checked_at: Instant,
    /// Of the last check that ended.
    result: Option<Result<(), Problem>>,
}

impl Readiness {
    /// One that has checked nothing.
    pub const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Runs a check, unless one began within the last second: then that one's result counts, or while it runs, the one before.
    /// Requests that come during the very first check run one as well.
    ///
    /// # Errors
    ///
    /// That of the check. Its text for the log is logged once, by the request that checked.
    pub async fn check(&self, check: impl AsyncFnOnce() -> Result<(), Problem>) -> Result<(), Problem> {
        if let Some(result) = self.recent(Instant::now()) {
            return result;
        }
        let result = check().await;
        if let Some(last) = &mut *self.last() {
            last.result = Some(result.clone().map_err(Problem::without_log));
        }
        result
    }

    /// The last result if it may be given. If not, the caller checks, and others wait for what it finds.
    fn recent(&self, now: Instant) -> Option<Result<(), Problem>> {
        let mut last = self.last();
        if let Some(Last {
            checked_at,
            result: Some(result),
        }) = &*last
            && now.duration_since(*checked_at) < GOOD_FOR
        {
            return Some(result.clone());
        }
        let before = last.take().and_then(|last| last.result);
        *last = Some(Last {
            checked_at: now,
            result: before,
        });
        None
    }

    fn last(&self) -> std::sync::MutexGuard<'_, Option<Last>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn now<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("it waits"),
        }
    }

    #[test]
    fn one_check_counts_for_all_requests_of_a_second_good_or_bad() {
        for good in [true, false] {
            let (readiness, checks) = (Readiness::new(), Cell::new(0));
            let ask = || {
                now(readiness.check(async || {
                    checks.set(checks.get() + 1);
                    if good {
                        Ok(())
                    } else {
                        Err(Problem::unavailable("the database", "no route"))
                    }
                }))
                .is_ok()
            };
            assert_eq!([ask(), ask(), ask()], [good; 3]);
            assert_eq!(checks.get(), 1);
            readiness.last().as_mut().unwrap().checked_at -= GOOD_FOR;
            assert_eq!([ask(), ask()], [good; 2]);
            assert_eq!(checks.get(), 2);
        }
    }

    #[test]
    fn while_one_request_checks_again_others_get_the_last_result() {
        let readiness = Readiness::new();
        assert!(now(readiness.check(async || Ok(()))).is_ok());
        readiness.last().as_mut().unwrap().checked_at -= GOOD_FOR;
        let slow = pin!(readiness.check(async || std::future::pending().await));
        assert!(slow.poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let other = now(readiness.check(async || Err(Problem::internal("a second check"))));
        assert!(other.is_ok());
    }
}
