//! A clock that is either the system's or one that a test steps.
//!
//! Code that waits for a wall-clock instant takes a [`Clock`] and calls [`Clock::sleep_until`]. In production this sets a
//! timer; in a test it waits until [`Clock::advance`] is called.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use std::time::{Duration, SystemTime};
//! use step_clock::Clock;
//!
//! let clock = Clock::stepped(SystemTime::UNIX_EPOCH);
//! let sleeper = tokio::spawn({ let clock = clock.clone(); async move { clock.sleep(Duration::from_secs(60)).await } });
//! tokio::task::yield_now().await;
//! clock.advance(Duration::from_secs(60));
//! sleeper.await.expect("the sleeper ends once the clock has moved");
//! # }
//! ```

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::watch;

mod ticker;

pub use ticker::Ticker;

/// Maximum duration of a single timer of the system clock. A wall clock can be set while a timer runs (NTP, suspend), so a
/// long wait consists of short ones, and the clock is read again after each.
const LONGEST_NAP: Duration = Duration::from_secs(30);

/// Tells the time of day and waits for it. Cheap to clone; clones of a stepped clock share their time.
#[derive(Clone, Debug)]
pub struct Clock(Kind);

#[derive(Clone, Debug)]
enum Kind {
    System,
    Stepped(Arc<watch::Sender<SystemTime>>),
}

impl Clock {
    /// The operating system's clock.
    pub fn system() -> Self {
        Self(Kind::System)
    }

    /// A clock that shows `start` until [`Clock::advance`] or [`Clock::set`] moves it.
    pub fn stepped(start: SystemTime) -> Self {
        Self(Kind::Stepped(Arc::new(watch::Sender::new(start))))
    }

    /// The current time.
    pub fn now(&self) -> SystemTime {
        match &self.0 {
            Kind::System => SystemTime::now(),
            Kind::Stepped(time) => *time.borrow(),
        }
    }

    /// Moves a stepped clock forward and wakes the tasks whose deadline has passed. Does nothing on the system clock.
    pub fn advance(&self, by: Duration) {
        if let Kind::Stepped(time) = &self.0 {
            time.send_modify(|now| *now += by);
        }
    }

    /// Moves a stepped clock backward, as an operator or a time server may do. Tasks that wait for an instant wait longer. Does
    /// nothing on the system clock.
    pub fn set_back(&self, by: Duration) {
        if let Kind::Stepped(time) = &self.0 {
            time.send_modify(|now| *now -= by);
        }
    }

    /// Moves a stepped clock forward to `to`, never backward. Does nothing on the system clock.
    pub fn set(&self, to: SystemTime) {
        if let Kind::Stepped(time) = &self.0 {
            time.send_modify(|now| *now = (*now).max(to));
        }
    }

    /// Returns once the clock shows `deadline` or later.
    pub async fn sleep_until(&self, deadline: SystemTime) {
        match &self.0 {
            Kind::System => {
                while let Ok(left) = deadline.duration_since(SystemTime::now()) {
                    if left.is_zero() {
                        return;
                    }
                    tokio::time::sleep(left.min(LONGEST_NAP)).await;
                }
            }
            Kind::Stepped(time) => {
                let mut seen = time.subscribe();
                // The sender lives in `self`, so the wait cannot fail.
                let _ = seen.wait_for(|now| *now >= deadline).await;
            }
        }
    }

    /// Returns once `duration` has passed on this clock, counted from the call, not from the first poll.
    pub fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        let clock = self.clone();
        let deadline = self.now() + duration;
        async move { clock.sleep_until(deadline).await }
    }

    /// Ticks every `interval` from now on, wherever the wall clock is set meanwhile. `interval` must not be zero.
    pub fn ticker(&self, interval: Duration) -> Ticker {
        Ticker::new(self, interval)
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stepped_clock_wakes_a_sleeper_only_once_its_deadline_has_passed() {
        let clock = Clock::stepped(SystemTime::UNIX_EPOCH);
        let mut sleeper = Box::pin(clock.sleep(Duration::from_secs(10)));
        clock.advance(Duration::from_secs(9));
        assert!(futures_ready(&mut sleeper).await.is_none());
        clock.advance(Duration::from_secs(1));
        assert!(futures_ready(&mut sleeper).await.is_some());
    }

    #[test]
    fn setting_a_stepped_clock_never_moves_it_back() {
        let clock = Clock::stepped(SystemTime::UNIX_EPOCH + Duration::from_secs(5));
        clock.set(SystemTime::UNIX_EPOCH);
        assert_eq!(clock.now(), SystemTime::UNIX_EPOCH + Duration::from_secs(5));
    }

    async fn futures_ready<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        std::future::poll_fn(|cx| match std::pin::Pin::new(&mut *future).poll(cx) {
            std::task::Poll::Ready(value) => std::task::Poll::Ready(Some(value)),
            std::task::Poll::Pending => std::task::Poll::Ready(None),
        })
        .await
    }
}
