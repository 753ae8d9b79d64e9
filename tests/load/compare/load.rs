//! Sends requests at a pace, and measures their times.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use nudge_test_kit::http::{Call, Session};
use tokio::time::Instant;

/// When a request is sent.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    /// As soon as the previous one is answered: measures the maximum throughput; the times are mostly waiting for each other.
    FlatOut,
    /// This number per second from all connections together, each at its scheduled time, whether earlier ones were quick or not. The
    /// time of a request starts when it was scheduled, so that a slow one shows in those that it delays.
    PerSecond(u32),
}

/// One measurement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// Number of connections, each with one request at a time.
    pub(crate) clients: u32,
    pub(crate) pace: Pace,
    /// Requests of this time do not count.
    pub(crate) warm_up: Duration,
    pub(crate) duration: Duration,
}

/// The result of a measurement.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Response times, in microseconds.
    pub(crate) times: Histogram<u64>,
    /// Number of requests, including the warm-up.
    pub(crate) sent: u64,
    /// Number of errors, including the warm-up.
    pub(crate) errors: u64,
    /// The first error.
    pub(crate) error: Option<String>,
    /// Time from the end of the warm-up to the last response.
    pub(crate) elapsed: Duration,
}

impl Outcome {
    fn new() -> Result<Self> {
        // Microseconds to two minutes, three digits.
        let times = Histogram::new_with_bounds(1, 120_000_000, 3)?;
        Ok(Self {
            times,
            sent: 0,
            errors: 0,
            error: None,
            elapsed: Duration::ZERO,
        })
    }

    /// Responses per second.
    pub(crate) fn per_second(&self) -> f64 {
        number(self.times.len()) / self.elapsed.as_secs_f64()
    }

    /// A quantile of the response times, in milliseconds.
    pub(crate) fn milliseconds(&self, quantile: f64) -> f64 {
        number(self.times.value_at_quantile(quantile)) / 1_000.0
    }

    fn refused(&mut self, error: String) {
        self.errors += 1;
        self.error.get_or_insert(error);
    }

    fn add(&mut self, other: Self) -> Result<()> {
        self.times.add(other.times)?;
        self.sent += other.sent;
        self.errors += other.errors;
        self.error = self.error.take().or(other.error);
        Ok(())
    }
}

/// A count as a floating-point number.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
pub(crate) fn number(count: u64) -> f64 {
    count as f64
}

/// Repeats one action on its own connection.
pub(crate) trait Client: Send + 'static {
    /// Performs the action; `number` counts over all clients.
    fn once(&mut self, number: u32) -> impl Future<Output = Result<()>> + Send;
}

/// Runs a plan with its number of clients, which `client` creates.
pub(crate) async fn run<C: Client>(plan: Plan, client: impl AsyncFn(u32) -> Result<C>) -> Result<Outcome> {
    let mut clients = Vec::new();
    for number in 0..plan.clients {
        clients.push(client(number).await?);
    }
    let next = Arc::new(AtomicU32::new(0));
    let begin = Instant::now();
    let (counted, until) = (begin + plan.warm_up, begin + plan.warm_up + plan.duration);
    let mut running = tokio::task::JoinSet::new();
    for mut client in clients {
        let next = next.clone();
        running.spawn(async move {
            let mut outcome = Outcome::new()?;
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let due = match plan.pace {
                    Pace::FlatOut => Instant::now(),
                    Pace::PerSecond(rate) => begin + Duration::from_secs(1) * number / rate,
                };
                if due >= until {
                    return anyhow::Ok(outcome);
                }
                tokio::time::sleep_until(due).await;
                outcome.sent += 1;
                match client.once(number).await {
                    Ok(()) if due < counted => {}
                    Ok(()) => {
                        let time = u64::try_from(due.elapsed().as_micros())?;
                        outcome.times.saturating_record(time);
                    }
                    Err(error) => outcome.refused(format!("{error:#}")),
                }
            }
        });
    }
    let mut all = Outcome::new()?;
    while let Some(outcome) = running.join_next().await {
        all.add(outcome??)?;
    }
    all.elapsed = counted.elapsed();
    Ok(all)
}

/// Performs an action `count` times, as fast as possible. Stops at the first failure.
pub(crate) async fn all<C: Client>(
    count: u32,
    clients: u32,
    client: impl AsyncFn(u32) -> Result<C>,
) -> Result<()> {
    let next = Arc::new(AtomicU32::new(0));
    let mut running = tokio::task::JoinSet::new();
    for number in 0..clients.min(count) {
        let (next, mut client) = (next.clone(), client(number).await?);
        running.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return anyhow::Ok(());
                }
                client.once(number).await?;
            }
        });
    }
    while let Some(client) = running.join_next().await {
        client??;
    }
    Ok(())
}

/// Sends requests over one connection.
pub(crate) struct Requests<F> {
    session: Session,
    status: u16,
    call: F,
}

impl<F> Requests<F> {
    /// Opens a connection to `address`, for calls that must be answered with `status`.
    pub(crate) async fn open(address: SocketAddr, status: u16, call: F) -> Result<Self> {
        let session = Session::open(address).await.context("no connection")?;
        Ok(Self {
            session,
            status,
            call,
        })
    }
}

impl<F: Fn(u32) -> Call + Send + 'static> Client for Requests<F> {
    async fn once(&mut self, number: u32) -> Result<()> {
        let call = (self.call)(number);
        let answer = self.session.send(call).await?;
        anyhow::ensure!(
            answer.status == self.status,
            "{}: {:?}",
            answer.status,
            answer.body
        );
        Ok(())
    }
}
