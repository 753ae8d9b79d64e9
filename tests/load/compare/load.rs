//! Requests at a pace, and how long they take.

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
    /// As soon as the one before is answered: tells how many there can be; the times are mostly waiting for each other.
    FlatOut,
    /// So many per second from all connections together, each at its time whether the one before was quick or not. A request's
    /// time begins when it was to be sent, so that a slow one shows in those that it held up.
    PerSecond(u32),
}

/// One measurement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// Connections, each with one request at a time.
    pub(crate) clients: u32,
    pub(crate) pace: Pace,
    /// What is sent in this time is not counted.
    pub(crate) warm_up: Duration,
    pub(crate) duration: Duration,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Times of the answers, in microseconds.
    pub(crate) times: Histogram<u64>,
    /// Requests, with those of the warm-up.
    pub(crate) sent: u64,
    /// Those of the warm-up, too.
    pub(crate) errors: u64,
    /// The first of them.
    pub(crate) error: Option<String>,
    /// From the end of the warm-up to the last answer.
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

    /// Answers in a second.
    pub(crate) fn per_second(&self) -> f64 {
        number(self.times.len()) / self.elapsed.as_secs_f64()
    }

    /// A quantile of the times, in milliseconds.
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

/// A count, to be divided.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
pub(crate) fn number(count: u64) -> f64 {
    count as f64
}

/// Does one thing, over and over, on a connection of its own.
pub(crate) trait Client: Send + 'static {
    /// Does it for the n-th time of all clients.
    fn once(&mut self, number: u32) -> impl Future<Output = Result<()>> + Send;
}

/// Runs a plan with as many clients as it wants, each made by `client`.
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

/// Does something `count` times, as fast as these clients are done with it. The first failure ends it.
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
    /// A connection to `address`, for calls that are answered with `status`.
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
