//! Reminders that are all due at the same instant.

use std::time::Duration;

use anyhow::{Result, ensure};
use hdrhistogram::Histogram;
use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::time::Instant;

use crate::load::{self, Requests, number};
use crate::results::{Measure, Results};
use crate::stack::{Stack, USERS};
use test_real::in_seconds;

pub(crate) const LATE: Measure = Measure {
    name: "reminders due in one second",
    setting: "reminders",
};

/// Maximum number of reminders in all rounds but the last: 10,000 take minutes.
pub(crate) const OF_EACH_ROUND: u32 = 1_000;

/// Maximum time for the emails of each thousand reminders after they are due.
const PATIENCE: Duration = Duration::from_secs(120);

/// Creates tasks whose reminders are due at one instant, and measures the time from there to each email.
pub(crate) async fn late(
    results: &mut Results,
    subject: &str,
    stack: &Stack,
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
    let left = at.duration_since(Timestamp::now());
    ensure!(
        left > SignedDuration::from_secs(2),
        "{subject} was still creating {count} tasks when their reminders were about to be due: give a longer --lead"
    );
    let mail = &stack.platform.mail;
    let others = mail.emails().len();
    let patience = left.unsigned_abs() + PATIENCE * count.div_ceil(1_000);
    let begun = Instant::now();
    // The files of the emails say when they arrived; checking them costs the system time.
    let mut looks = tokio::time::interval(Duration::from_secs(1));
    while mail.emails().len() < others + count as usize && begun.elapsed() < patience {
        looks.tick().await;
    }
    let late: Vec<f64> = mail.late(at).into_iter().skip(others).collect();
    let mut times = Histogram::<u64>::new_with_bounds(1, 600_000, 3)?;
    for seconds in &late {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "milliseconds of minutes; one that was early counts as on time"
        )]
        times.saturating_record((seconds.max(0.0) * 1_000.0) as u64);
    }
    let milliseconds = |quantile| number(times.value_at_quantile(quantile));
    results.add(
        LATE,
        subject,
        count,
        &[
            ("p50 ms", milliseconds(0.5)),
            ("p95 ms", milliseconds(0.95)),
            ("p99 ms", milliseconds(0.99)),
            ("last ms", milliseconds(1.0)),
            ("emails", number(late.len() as u64)),
        ],
    );
    Ok(())
}
