//! Measures Nudge beside real daprds, Kafka and PostgreSQL: the memory of a sidecar, and the latency of an event. See README.md
//! beside this file.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "what is not as it should be ends the run"
)]

#[path = "../portability/system.rs"]
mod system;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use http::Method;
use jiff::{SignedDuration, Timestamp};
use nudge_contract::names::app;
use nudge_test_kit::http::{Call, Session};
use serde_json::json;
use tokio::time::Instant;

use system::{Combination, Data, System};
use test_real::{API_TOKEN, MailServer, Parts};

/// Measures sidecars, broker and the way of an event.
#[derive(Debug, Parser)]
struct Options {
    /// Number of events per measurement of publishing.
    #[arg(long, default_value_t = 1_000)]
    events: usize,
    /// Number of reminders in the measurement from the change to the email.
    #[arg(long, default_value_t = 300)]
    reminders: u32,
    /// Changes per second of that measurement.
    #[arg(long, default_value_t = 5)]
    rate: u32,
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    if let Some(missing) = Parts::USUAL.missing() {
        anyhow::bail!("{missing}");
    }
    eprintln!("starting Kafka, PostgreSQL, the scheduler, four sidecars and the services");
    let mut system = System::start(Combination {
        parts: Parts::USUAL,
        data: Data::Postgresql,
    })
    .await;
    let idle = memory(&mut system)?;

    println!("| what | count | p50 ms | p95 ms | p99 ms | most ms |\n| --- | --- | --- | --- | --- | --- |");
    line(
        "publish, one at a time",
        publish(&system, options.events, 1).await?,
    );
    line(
        "publish, 50 in flight",
        publish(&system, options.events, 50).await?,
    );
    line(
        "change to mail accepted",
        change_to_mail(&system, options.reminders, options.rate).await?,
    );

    let loaded = memory(&mut system)?;
    println!("\n| sidecar of | idle MB | after the load MB | most MB |\n| --- | --- | --- | --- |");
    for (app, idle, loaded) in app::ALL
        .iter()
        .zip(idle)
        .zip(loaded)
        .map(|((app, idle), loaded)| (app, idle, loaded))
    {
        println!(
            "| {app} | {:.0} | {:.0} | {:.0} |",
            idle.now, loaded.now, loaded.most
        );
    }
    Ok(())
}

/// Resident memory of a process, in megabytes.
struct Memory {
    now: f64,
    most: f64,
}

/// The memory of each sidecar, as Linux counts it (proc(5), VmRSS and VmHWM).
fn memory(system: &mut System) -> Result<Vec<Memory>> {
    let mut all = Vec::new();
    for daprd in &mut system.daprds {
        let path = format!("/proc/{}/status", daprd.process().id());
        let status = std::fs::read_to_string(&path).with_context(|| path.clone())?;
        let field = |name: &str| -> Result<f64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kilobytes = line.and_then(|line| line.split_whitespace().nth(1));
            let kilobytes: f64 = kilobytes
                .with_context(|| format!("no {name} in {path}"))?
                .parse()?;
            Ok(kilobytes / 1_024.0)
        };
        all.push(Memory {
            now: field("VmRSS")?,
            most: field("VmHWM")?,
        });
    }
    Ok(all)
}

/// Publishes events on a topic without consumers through the sidecar of the api, and measures the time of each.
async fn publish(system: &System, events: usize, in_flight: usize) -> Result<Vec<Duration>> {
    let sidecar = system.daprds[0].address();
    let next = Arc::new(AtomicUsize::new(0));
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..in_flight {
        let next = next.clone();
        clients.spawn(async move {
            let mut session = Session::open(sidecar).await?;
            let mut times = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= events {
                    return anyhow::Ok(times);
                }
                let path = format!("/v1.0/publish/pubsub/load?metadata.partitionKey={}", number % 100);
                let event = json!({ "number": number, "text": "x".repeat(1_000) });
                let call = Call::new(sidecar, Method::POST, path)
                    .header("dapr-api-token", API_TOKEN)
                    .json(&event);
                let begun = Instant::now();
                let answer = session.send(call).await?;
                ensure!(answer.status == 204, "{}: {:?}", answer.status, answer.body);
                times.push(begun.elapsed());
            }
        });
    }
    let mut times = Vec::new();
    while let Some(client) = clients.join_next().await {
        times.extend(client??);
    }
    Ok(times)
}

/// Creates tasks with an immediate reminder, and measures the time from the request to the email in the folder of the mail server.
async fn change_to_mail(system: &System, count: u32, rate: u32) -> Result<Vec<Duration>> {
    let begun = Instant::now();
    let mut sent = BTreeMap::new();
    for number in 0..count {
        tokio::time::sleep_until(begun + Duration::from_secs(1) / rate * number).await;
        // A relative reminder whose time has passed fires at once.
        let due = Timestamp::now() + SignedDuration::from_secs(50);
        let task = json!({ "title": format!("No. {number}"), "due": due.to_string(), "reminders": [{ "minutesBefore": 1 }] });
        sent.insert(format!("Reminder: No. {number}"), Timestamp::now());
        system.send(Method::POST, "/api/v1/tasks", Some(task), 201).await;
    }
    let all = count as usize;
    system
        .until("all emails are there", async |system| {
            system.platform.mail.emails().len() >= all
        })
        .await;
    let mut times = Vec::new();
    for mail in system.platform.mail.emails() {
        let sent = sent
            .get(&MailServer::subject(&mail))
            .context("a mail of no task")?;
        times.push(MailServer::came(&mail).duration_since(*sent).try_into()?);
    }
    Ok(times)
}

fn line(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let last = times.len().saturating_sub(1);
    let [p50, p95, p99, most] = [50, 95, 99, 100].map(|percent| {
        let time = times[(times.len() * percent / 100).min(last)];
        time.as_secs_f64() * 1_000.0
    });
    println!(
        "| {what} | {} | {p50:.1} | {p95:.1} | {p99:.1} | {most:.1} |",
        times.len()
    );
}
