//! Ticks at a fixed interval.

use std::time::{Duration, Instant, SystemTime};

use tokio::sync::watch;

use crate::{Clock, Kind};

/// A free-running ticker, as Go's `time.Ticker`: of the ticks that pass while no one waits, one is kept and the others are dropped;
/// later ticks stay in phase. Setting the clock back delays none.
#[derive(Debug)]
pub struct Ticker {
    interval: Duration,
    source: Source,
}

#[derive(Debug)]
enum Source {
    /// The next tick, on the monotonic clock.
    System(Instant),
    Stepped {
        clock: watch::Receiver<SystemTime>,
        /// What the clock showed when it was read last.
        seen: SystemTime,
        /// From then to the next tick.
        left: Duration,
    },
}

impl Ticker {
    pub(crate) fn new(clock: &Clock, interval: Duration) -> Self {
        let interval = interval.max(Duration::from_millis(1));
        let source = match &clock.0 {
            Kind::System => Source::System(Instant::now() + interval),
            Kind::Stepped(time) => {
                let clock = time.subscribe();
                let seen = *clock.borrow();
                Source::Stepped {
                    clock,
                    seen,
                    left: interval,
                }
            }
        };
        Self { interval, source }
    }

    /// Returns at the next tick, or at once if one has passed since the last call. No tick is lost if the future is dropped.
    pub async fn tick(&mut self) {
        match &mut self.source {
            Source::System(next) => {
                tokio::time::sleep_until((*next).into()).await;
                let late = next.elapsed();
                *next += self.interval + late.saturating_sub(phase(late, self.interval));
            }
            Source::Stepped { clock, seen, left } => loop {
                let now = *clock.borrow_and_update();
                let moved = now.duration_since(*seen).unwrap_or_default();
                *seen = now;
                if moved >= *left {
                    *left = self.interval - phase(moved - *left, self.interval);
                    return;
                }
                *left -= moved;
                // Without its clock, no tick comes any more.
                if clock.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            },
        }
    }
}

impl Ticker {
    /// Waits for something and drops the ticks until then. On the system's clock it does not wake up for them.
    pub async fn drop_until<T>(&mut self, event: impl Future<Output = T>) -> T {
        let mut event = std::pin::pin!(event);
        if let Source::System(_) = self.source {
            let event = event.await;
            if let Source::System(next) = &mut self.source {
                let late = next.elapsed();
                if !late.is_zero() {
                    *next += self.interval + late.saturating_sub(phase(late, self.interval));
                }
            }
            return event;
        }
        loop {
            tokio::select! {
                // A tick after the event is kept.
                biased;
                event = &mut event => return event,
                () = self.tick() => {}
            }
        }
    }
}

/// The part of `time` after the last whole interval.
fn phase(time: Duration, interval: Duration) -> Duration {
    let nanos = time.as_nanos() % interval.as_nanos();
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a tick is due now.
    async fn due(ticker: &mut Ticker) -> bool {
        let mut tick = std::pin::pin!(ticker.tick());
        std::future::poll_fn(|cx| std::task::Poll::Ready(tick.as_mut().poll(cx).is_ready())).await
    }

    #[tokio::test]
    async fn keeps_one_missed_tick_and_its_phase() {
        let second = Duration::from_secs(1);
        let clock = Clock::stepped(SystemTime::UNIX_EPOCH);
        let mut ticker = clock.ticker(10 * second);
        clock.advance(9 * second);
        assert!(!due(&mut ticker).await);
        clock.advance(second);
        assert!(due(&mut ticker).await);
        clock.advance(35 * second);
        assert!(due(&mut ticker).await);
        assert!(!due(&mut ticker).await, "the others are dropped");
        clock.advance(5 * second);
        assert!(due(&mut ticker).await, "at 50 s");
    }

    #[tokio::test]
    async fn ticks_before_an_event_are_dropped_and_the_phase_is_kept() {
        let second = Duration::from_secs(1);
        let clock = Clock::stepped(SystemTime::UNIX_EPOCH);
        let mut ticker = clock.ticker(10 * second);
        let event = async {
            clock.advance(35 * second);
            tokio::task::yield_now().await;
        };
        ticker.drop_until(event).await;
        assert!(!due(&mut ticker).await);
        clock.advance(5 * second);
        assert!(due(&mut ticker).await, "at 40 s");
        let interval = Duration::from_secs(5);
        let mut ticker = Clock::system().ticker(interval);
        let Source::System(next) = &mut ticker.source else {
            unreachable!("it is the system's clock");
        };
        *next -= 2 * interval;
        ticker.drop_until(std::future::ready(())).await;
        assert!(!due(&mut ticker).await);
    }

    #[tokio::test]
    async fn a_clock_that_is_set_back_delays_no_tick() {
        let second = Duration::from_secs(1);
        let clock = Clock::stepped(SystemTime::UNIX_EPOCH + 3_600 * second);
        let mut ticker = clock.ticker(10 * second);
        clock.advance(4 * second);
        assert!(!due(&mut ticker).await);
        clock.set_back(600 * second);
        assert!(!due(&mut ticker).await);
        clock.advance(6 * second);
        assert!(due(&mut ticker).await);
    }

    #[tokio::test]
    async fn the_systems_clock_ticks_in_phase() {
        let interval = Duration::from_millis(1);
        let mut ticker = Clock::system().ticker(interval);
        let start = Instant::now();
        for _ in 0..3 {
            ticker.tick().await;
        }
        assert!(start.elapsed() >= 2 * interval);
    }
}
