//! Compares Nudge with the stack that it replaces, with itself without WebAssembly, and with the limits of a sidecar and a database: on
//! the same daprd, broker and database, one after the other, in several rounds. See docs/BENCHMARKS.md.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a platform that does not start ends the run; the table is the output"
)]

mod cost;
mod create;
mod events;
mod growth;
mod load;
mod plot;
mod ratios;
mod reminders;
mod results;
mod stack;
mod start;
mod usage;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};

use load::{Pace, Plan};
use results::Results;
use stack::{Programs, Stack, Subject};
use test_real::{Broker, Parts, State};
use tokio::signal::unix::{SignalKind, signal};

/// Measures the subjects in alternation, and writes a table, ratios and plots.
#[derive(Debug, Parser)]
struct Options {
    /// The subjects. Those in one process only create tasks, because only their memory differs.
    #[arg(long, value_delimiter = ',', default_values = ["nudge", "nudge-in-one", "native", "python"])]
    subjects: Vec<Subject>,
    /// How often each subject is restarted and measured.
    #[arg(long, default_value_t = 2)]
    rounds: u32,
    /// Numbers of clients that send as fast as they can.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64, 256])]
    clients: Vec<u32>,
    /// Requests per second of 64 clients together.
    #[arg(long, value_delimiter = ',', default_values_t = [50, 100])]
    rates: Vec<u32>,
    /// Seconds of each measurement that count.
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// Seconds of warm-up before that.
    #[arg(long, default_value_t = 1)]
    warm_up: u64,
    /// Leave out the limits of a sidecar and a database.
    #[arg(long)]
    no_limits: bool,
    /// Numbers of reminders that are due in one second; 0 for none. More than 1,000 are measured only in the last round, because they take minutes.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 10_000])]
    reminders: Vec<u32>,
    /// Seconds from the creation of the first task to the due instant, for each thousand reminders.
    #[arg(long, default_value_t = 20)]
    lead: u32,
    /// Reminders of one user that are due in one second, beside which another user has one each second, in the last round; 0: not
    /// measured.
    #[arg(long, default_value_t = 0)]
    beside: u32,
    /// Numbers of events in a burst; 0 for none. At most 1,000 through recurring-task and email-delivery, because more take minutes.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 10_000])]
    events: Vec<u32>,
    /// Numbers of stored tasks with which requests are measured, in the last round; 0 for none. Storing a million takes minutes.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 100_000, 1_000_000])]
    stored: Vec<u32>,
    /// The broker.
    #[arg(long, value_enum, default_value_t = BrokerName::Redis)]
    broker: BrokerName,
    /// The folder for the table, the ratios, the plots and the raw figures.
    #[arg(long, default_value = "target/bench")]
    out: PathBuf,
    /// The program of the spin host.
    #[arg(long, default_value = "target/native/spin-host")]
    spin_host: PathBuf,
    /// A folder with another spin-host, spin.toml and its components, for the subject nudge-before. It may have a folder
    /// `subscriptions` with a `subscriptions.yaml` of its own.
    #[arg(long, default_value = "target/bench/before")]
    before: PathBuf,
    /// The program with the services without WebAssembly.
    #[arg(long, default_value = "target/bench/native/release/nudge-native")]
    native: PathBuf,
    /// A Python with the packages of tests/load/peers/python/requirements.txt.
    #[arg(long, default_value = "target/bench/python/bin/python")]
    python: PathBuf,
}

/// Brokers that the sidecars of several services can share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum BrokerName {
    Redis,
    Kafka,
}

impl Options {
    fn parts(&self) -> Parts {
        Parts {
            broker: match self.broker {
                BrokerName::Redis => Broker::RedisStreams,
                BrokerName::Kafka => Broker::Kafka,
            },
            state: State::Postgresql,
        }
    }

    fn plan(&self) -> Plan {
        Plan {
            clients: 1,
            pace: Pace::FlatOut,
            warm_up: Duration::from_secs(self.warm_up),
            duration: Duration::from_secs(self.seconds),
        }
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let interrupted = interrupted()?;
    unless(interrupted, measure(Options::parse())).await
}

/// Completes on Ctrl-C and on SIGTERM, from now on.
fn interrupted() -> Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be awaited")?;
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be awaited")?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Does `work` unless it is interrupted: then it is dropped, and every process that it has started ends.
async fn unless(interrupted: impl Future<Output = ()>, work: impl Future<Output = Result<()>>) -> Result<()> {
    tokio::select! {
        done = work => done,
        () = interrupted => anyhow::bail!("interrupted"),
    }
}

async fn measure(mut options: Options) -> Result<()> {
    for counts in [&mut options.reminders, &mut options.events, &mut options.stored] {
        counts.retain(|count| *count > 0);
    }
    for program in [
        &mut options.spin_host,
        &mut options.before,
        &mut options.native,
        &mut options.python,
    ] {
        *program = std::path::absolute(&program).with_context(|| program.display().to_string())?;
    }
    let programs = Programs {
        spin_host: options.spin_host.clone(),
        before: options.before.clone(),
        native: options.native.clone(),
        python: options.python.clone(),
    };
    for subject in &options.subjects {
        programs.check(*subject)?;
    }
    if let Some(missing) = options.parts().missing() {
        anyhow::bail!("{missing}");
    }
    let root = nudge_test_kit::components::built();
    let mut results = Results::default();
    let begun = Instant::now();
    for round in 1..=options.rounds {
        for (number, subject) in options.subjects.iter().enumerate() {
            eprintln!(
                "{:>4.0?} s: round {round} of {}: {subject}",
                begun.elapsed().as_secs(),
                options.rounds
            );
            let mut stack = Stack::start(*subject, options.parts(), &programs, root).await?;
            cost::settle(&mut stack).await?;
            if number == 0 && !options.no_limits {
                create::limits(
                    &mut results,
                    &stack,
                    &options.clients,
                    &options.rates,
                    options.plan(),
                )
                .await?;
                cost::settle(&mut stack).await?;
            }
            let name = subject.to_string();
            create::flat_out(&mut results, &name, &mut stack, &options.clients, options.plan()).await?;
            create::at_rates(&mut results, &name, &mut stack, &options.rates, options.plan()).await?;
            start::cold(&mut results, &name, &stack).await?;
            if !subject.is_one_process() {
                bursts(&mut results, &name, &mut stack, &options, round).await?;
                if round == options.rounds {
                    growth::growth(&mut results, &name, &mut stack, &options.stored, options.plan()).await?;
                }
            }
            // Keep what is measured, even if the rest fails.
            write(&options, &results)?;
        }
    }
    start::instances(&mut results, root).await?;
    start::artifacts(&mut results, root, &options.native)?;
    print!("{}", write(&options, &results)?);
    eprintln!(
        "table, ratios, plots and raw figures are in {}",
        options.out.display()
    );
    Ok(())
}

/// Bursts of events and reminders.
async fn bursts(
    results: &mut Results,
    name: &str,
    stack: &mut Stack,
    options: &Options,
    round: u32,
) -> Result<()> {
    for events in &options.events {
        events::through_notification(results, name, stack, *events).await?;
    }
    for events in events::at_most(&options.events, events::OF_TASKS) {
        events::through_recurring_task(results, name, stack, events).await?;
        events::through_email_delivery(results, name, stack, events).await?;
    }
    let is_last = round == options.rounds;
    for reminders in options
        .reminders
        .iter()
        .filter(|count| is_last || **count <= reminders::OF_EACH_ROUND)
    {
        let lead = options.lead * reminders.div_ceil(1_000);
        reminders::late(results, name, stack, *reminders, lead).await?;
        cost::settle(stack).await?;
    }
    if is_last && options.beside > 0 {
        let lead = options.lead * options.beside.div_ceil(1_000);
        reminders::beside_a_burst(results, name, stack, options.beside, lead).await?;
        cost::settle(stack).await?;
    }
    Ok(())
}

/// Writes the table, the ratios, the plots and the raw figures; returns the table.
fn write(options: &Options, results: &Results) -> Result<String> {
    std::fs::create_dir_all(&options.out).with_context(|| options.out.display().to_string())?;
    let mut text = format!("{}; broker {:?}\n", usage::machine(), options.broker);
    for measure in results.measures() {
        text += &format!("\n## {}\n\n{}", measure.name, results.table(*measure));
    }
    let ratios = ratios::table(results);
    text += &format!("\n## nudge, of what others take\n\n{ratios}");
    plot::pictures(results, &options.out)?;
    std::fs::write(options.out.join("ratios.md"), &ratios)?;
    std::fs::write(options.out.join("table.md"), &text)?;
    std::fs::write(options.out.join("figures.jsonl"), results.lines()?)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use test_dapr::Process;

    use super::*;
    use crate::usage::tests::{ended, members, spin};

    #[tokio::test]
    async fn an_interrupted_benchmark_leaves_no_process() {
        let folder = tempfile::tempdir().unwrap();
        let (sender, started) = tokio::sync::oneshot::channel();
        let processes = Mutex::new(Vec::new());
        let work = async {
            let process = Process::start_group(spin(folder.path()), "Available Routes")?;
            *processes.lock().unwrap() = members(&process);
            sender.send(()).unwrap();
            std::future::pending::<()>().await;
            drop(process);
            Ok(())
        };
        let interrupted = async { started.await.unwrap() };
        let error = unless(interrupted, work).await.unwrap_err();
        assert_eq!(error.to_string(), "interrupted");
        let processes = processes.lock().unwrap();
        assert!(processes.len() >= 2, "{processes:?}");
        ended(&processes);
    }
}
