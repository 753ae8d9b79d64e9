//! Reminders that are all due at the same instant.

use std::time::Duration;

use anyhow::{Result, ensure};
use hdrhistogram::Histogram;
use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::time::Instant;

use crate::cost::{Cost, settle};
use crate::load::{self, Requests, number};
use crate::results::{Measure, Results};
use crate::stack::{Stack, USERS};
use test_real::{MailServer, in_seconds};

pub(crate) const LATE: Measure = Measure {
    name: "reminders due in one second",
    setting: "reminders",
};

pub(crate) const BESIDE: Measure = Measure {
    name: "a reminder of one user each second, beside a burst of another",
    setting: "reminders of the burst",
};

/// Number of reminders beside a burst, one each second.
const OTHERS: u32 = 20;

/// Maximum number of tasks in a bulk request.
const BULK: u32 = 100;

/// Maximum number of reminders in all rounds but the last: 10,000 take minutes.
pub(crate) const OF_EACH_ROUND: u32 = 1_000;

/// Maximum time for the emails of each thousand reminders after they are due.
const PATIENCE: Duration = Duration::from_secs(120);

/// Creates tasks whose reminders are due at one instant, and measures the time from there to each email.
pub(crate) async fn late(
    results: &mut Results,
    subject: &str,
    stack: &mut Stack,
    count: u32,
    lead: u32,
) -> Result<()> {
    let at = in_seconds(i64::from(lead));
    let due = at + SignedDuration::from_mins(1);
    load::all(count, USERS, async |client| {
        let call = stack.call(client, Method::POST, "/api/v1/tasks")?;
        let of = move |number| {
            let task = json!({
                "title": format!("No. {number}"),
                "due": due.to_string(),
                "reminders": [{ "minutesBefore": 1 }],
            });
            call.clone().json(&task)
        };
        Requests::open(stack.api()?, 201, of).await
    })
    .await?;
    settle(stack).await?;
    let cost = Cost::of(stack)?;
    let left = at.duration_since(Timestamp::now());
    ensure!(
        left > SignedDuration::from_secs(2),
        "{subject} was still creating {count} tasks when their reminders were about to be due: give a longer --lead"
    );
    let others = stack.platform.mail.emails().len();
    let patience = left.unsigned_abs() + PATIENCE * count.div_ceil(1_000);
    arrive(&stack.platform.mail, others + count as usize, patience).await;
    settle(stack).await?;
    let cost = cost.until(stack)?;
    let late: Vec<f64> = stack.platform.mail.late(at).into_iter().skip(others).collect();
    let mut figures = quantiles(&late)?;
    let each = |time: Duration| time.as_secs_f64() * 1e3 / f64::from(count);
    figures.extend([
        ("services ms/reminder", each(cost.services)),
        ("sidecars ms/reminder", each(cost.sidecars)),
        ("database ms/reminder", each(cost.database)),
    ]);
    results.add(LATE, subject, count, &figures);
    Ok(())
}

/// Creates a burst of reminders of one user that are due in one second, and of another user one each second from then on. Measures
/// how late those of the other user are.
pub(crate) async fn beside_a_burst(
    results: &mut Results,
    subject: &str,
    stack: &mut Stack,
    count: u32,
    lead: u32,
) -> Result<()> {
    let at = in_seconds(i64::from(lead));
    let task = |title: String, at: Timestamp| {
        let due = at + SignedDuration::from_mins(1);
        json!({ "title": title, "due": due.to_string(), "reminders": [{ "minutesBefore": 1 }] })
    };
    let call = stack.call(0, Method::POST, "/api/v1/tasks/bulk")?;
    for first in (0..count).step_by(BULK as usize) {
        let numbers = first..count.min(first + BULK);
        let operations =
            numbers.map(|number| json!({ "op": "create", "task": task(format!("No. {number}"), at) }));
        let operations: Vec<_> = operations.collect();
        let answer = call
            .clone()
            .json(&json!({ "operations": operations }))
            .send()
            .await?;
        ensure!(answer.status == 200, "{}: {:?}", answer.status, answer.body);
    }
    let call = stack.call(1, Method::POST, "/api/v1/tasks")?;
    for number in 0..OTHERS {
        let own = task(
            format!("beside {number}"),
            at + SignedDuration::from_secs(number.into()),
        );
        let answer = call.clone().json(&own).send().await?;
        ensure!(answer.status == 201, "{}: {:?}", answer.status, answer.body);
    }
    let left = at.duration_since(Timestamp::now());
    ensure!(left > SignedDuration::ZERO, "give a longer --lead");
    let others = stack.platform.mail.emails().len();
    let patience = left.unsigned_abs() + PATIENCE * count.div_ceil(1_000);
    arrive(&stack.platform.mail, others + (count + OTHERS) as usize, patience).await;
    let mail = stack.platform.mail.emails();
    let late = mail.iter().filter_map(|mail| {
        let number: i64 = MailServer::subject(mail)
            .strip_prefix("Reminder: beside ")?
            .parse()
            .ok()?;
        let due = at + SignedDuration::from_secs(number);
        Some(MailServer::came(mail).duration_since(due).as_secs_f64())
    });
    let late: Vec<f64> = late.collect();
    let last = stack.platform.mail.late(at).last().copied().unwrap_or_default();
    let mut figures = quantiles(&late)?;
    figures.push(("the burst's last s", last));
    results.add(BESIDE, subject, count, &figures);
    Ok(())
}

/// Waits until so many emails have arrived, or the time is up.
async fn arrive(mail: &MailServer, count: usize, patience: Duration) {
    let begun = Instant::now();
    // The files of the emails say when they arrived; checking them costs the system time.
    let mut looks = tokio::time::interval(Duration::from_secs(1));
    while mail.emails().len() < count && begun.elapsed() < patience {
        looks.tick().await;
    }
}

/// The distribution of seconds.
fn quantiles(late: &[f64]) -> Result<Vec<(&'static str, f64)>> {
    let mut times = Histogram::<u64>::new_with_bounds(1, 600_000, 3)?;
    for seconds in late {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "milliseconds of minutes; one that was early counts as on time"
        )]
        times.saturating_record((seconds.max(0.0) * 1_000.0) as u64);
    }
    let milliseconds = |quantile| number(times.value_at_quantile(quantile));
    Ok(vec![
        ("p50 ms", milliseconds(0.5)),
        ("p95 ms", milliseconds(0.95)),
        ("p99 ms", milliseconds(0.99)),
        ("last ms", milliseconds(1.0)),
        ("emails", number(late.len() as u64)),
    ])
}
