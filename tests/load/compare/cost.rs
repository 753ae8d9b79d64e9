//! The cost of requests: processor time of services, sidecars and database.

use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::time::Instant;

use crate::create::AT_A_RATE;
use crate::load::{Outcome, number};
use crate::results::{Measure, Results};
use crate::stack::Stack;
use crate::usage::processor_time;

/// Processor time so far.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) services: Duration,
    pub(crate) sidecars: Duration,
    /// Of the database server, which also stores the state of the services.
    pub(crate) database: Duration,
}

impl Cost {
    pub(crate) fn of(stack: &mut Stack) -> Result<Self> {
        Ok(Self {
            services: processor_time(&stack.processes())?,
            sidecars: processor_time(&stack.sidecars())?,
            database: processor_time(&[stack.platform.postgres.id()])?,
        })
    }

    pub(crate) fn until(self, stack: &mut Stack) -> Result<Self> {
        let now = Self::of(stack)?;
        Ok(Self {
            services: now.services.saturating_sub(self.services),
            sidecars: now.sidecars.saturating_sub(self.sidecars),
            database: now.database.saturating_sub(self.database),
        })
    }
}

/// Adds the figures of an outcome.
pub(crate) fn figures(
    results: &mut Results,
    measure: Measure,
    subject: &str,
    setting: u32,
    outcome: &Outcome,
    cost: Option<Cost>,
) -> Result<()> {
    let answered = outcome.times.len();
    let error = outcome.error.as_deref().unwrap_or_default();
    ensure!(
        answered > 0,
        "{subject}: {}: no request was answered: {error}",
        measure.name
    );
    if outcome.errors > 0 {
        eprintln!(
            "{subject}, {setting}: {} errors, the first: {error}",
            outcome.errors
        );
    }
    let mut figures = vec![
        ("p50 ms", outcome.milliseconds(0.5)),
        ("p95 ms", outcome.milliseconds(0.95)),
        ("p99 ms", outcome.milliseconds(0.99)),
    ];
    // At a rate, the number of answers only says whether the subject kept up.
    let place = if measure.name == AT_A_RATE.name {
        figures.len()
    } else {
        0
    };
    figures.insert(place, ("answers/s", outcome.per_second()));
    if let Some(cost) = cost {
        let each = |time: Duration| time.as_secs_f64() * 1e6 / number(outcome.sent);
        figures.push(("services µs/request", each(cost.services)));
        figures.push(("sidecars µs/request", each(cost.sidecars)));
        figures.push(("database µs/request", each(cost.database)));
    }
    figures.push(("errors", number(outcome.errors)));
    results.add(measure, subject, setting, &figures);
    Ok(())
}

/// Waits until background work is done: less than a twentieth of a processor is used for half a second.
pub(crate) async fn settle(stack: &mut Stack) -> Result<()> {
    const PAUSE: Duration = Duration::from_millis(500);
    let begun = Instant::now();
    let mut before = Cost::of(stack)?;
    while begun.elapsed() < Duration::from_secs(60) {
        tokio::time::sleep(PAUSE).await;
        let now = Cost::of(stack)?;
        let used = (now.services + now.sidecars).saturating_sub(before.services + before.sidecars);
        if used < PAUSE / 20 {
            return Ok(());
        }
        before = now;
    }
    eprintln!("background work goes on after a minute");
    Ok(())
}
