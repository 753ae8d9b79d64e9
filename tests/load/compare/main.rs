//! Compares Nudge with the stack that it replaces, with itself without WebAssembly, and with what a sidecar and a database can do at
//! most: on the same daprd, broker and database, one after the other, several rounds. See docs/BENCHMARKS.md.
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
#[path = "../../real/mod.rs"]
mod real;
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
use real::{Broker, Parts, State};
use results::Results;
use stack::{Programs, Stack, Subject};

/// Measures what is compared, and writes a table.
#[derive(Debug, Parser)]
struct Options {
    /// What is compared. Those in one process only create tasks: it is their memory that differs.
    #[arg(long, value_delimiter = ',', default_values = ["nudge", "nudge-in-one", "native", "python"])]
    subjects: Vec<Subject>,
    /// How often each is started anew and measured.
    #[arg(long, default_value_t = 2)]
    rounds: u32,
    /// Numbers of clients that send as fast as they can.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64, 256])]
    clients: Vec<u32>,
    /// Requests per second of 64 clients together.
    #[arg(long, value_delimiter = ',', default_values_t = [50, 100])]
    rates: Vec<u32>,
    /// Seconds that are counted, of each measurement.
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// Seconds before them.
    #[arg(long, default_value_t = 1)]
    warm_up: u64,
    /// Leave out what a sidecar and a database can do at most.
    #[arg(long)]
    no_limits: bool,
    /// Numbers of reminders that are due in one second; 0 for none. More than 1,000 only in the last round: they take minutes.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 10_000])]
    reminders: Vec<u32>,
    /// Seconds from the first of their tasks to the instant that they are due, for each thousand.
    #[arg(long, default_value_t = 20)]
    lead: u32,
    /// Numbers of events that come at once; 0 for none. Through recurring-task and email-delivery at most 1,000: more take minutes.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 10_000])]
    events: Vec<u32>,
    /// Numbers of stored tasks that requests are measured with, in the last round; 0 for none. A million take minutes to store.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 100_000, 1_000_000])]
    stored: Vec<u32>,
    /// The broker.
    #[arg(long, value_enum, default_value_t = BrokerName::Redis)]
    broker: BrokerName,
    /// Where the table and the raw figures go.
    #[arg(long, default_value = "target/bench")]
    out: PathBuf,
    /// The spin host.
    #[arg(long, default_value = "target/native/spin-host")]
    spin_host: PathBuf,
    /// A folder with another spin-host, spin.toml and its components, for the subject nudge-before.
    #[arg(long, default_value = "target/bench/before")]
    before: PathBuf,
    /// The services without WebAssembly.
    #[arg(long, default_value = "target/bench/native/release/nudge-native")]
    native: PathBuf,
    /// A Python with what tests/load/peers/python/requirements.txt asks for.
    #[arg(long, default_value = "target/bench/python/bin/python")]
    python: PathBuf,
}

/// Brokers that sidecars of several services share.
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
    let mut options = Options::parse();
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
            // What is measured stays, whatever becomes of the rest.
            write(&options, &results)?;
        }
    }
    start::instances(&mut results, root).await?;
    start::artifacts(&mut results, root, &options.native)?;
    print!("{}", write(&options, &results)?);
    eprintln!("table, plots and raw figures are in {}", options.out.display());
    Ok(())
}

/// Events and reminders that come all at once.
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
    Ok(())
}

/// What Nudge creates, of what others create in the same run, as a table.
fn ratios(options: &Options, results: &Results) -> String {
    let peers = [Subject::NudgeBefore, Subject::Native, Subject::Python].map(|peer| peer.to_string());
    let mut text = "\n## created by nudge, of what others create\n\n| clients |".to_owned();
    text += &peers.each_ref().map(|peer| format!(" of {peer} |")).concat();
    text += "\n| --- | --- | --- | --- |\n";
    for clients in &options.clients {
        let created = |subject: &str| {
            let measure = create::FLAT_OUT.name;
            results.median(measure, subject, *clients, "answers/s")
        };
        let of = |peer: &String| Some(created("nudge")? / created(peer)?);
        let cells = peers
            .each_ref()
            .map(|peer| of(peer).map(results::short).unwrap_or_default());
        text += &format!("| {clients} | {} |\n", cells.join(" | "));
    }
    text
}

/// Writes the table, the plots and the raw figures; gives back the table.
fn write(options: &Options, results: &Results) -> Result<String> {
    std::fs::create_dir_all(&options.out).with_context(|| options.out.display().to_string())?;
    let mut text = format!("{}; broker {:?}\n", usage::machine(), options.broker);
    for measure in results.measures() {
        text += &format!("\n## {}\n\n{}", measure.name, results.table(*measure));
    }
    text += &ratios(options, results);
    plot::all(results, &options.out)?;
    std::fs::write(options.out.join("table.md"), &text)?;
    std::fs::write(options.out.join("figures.jsonl"), results.lines()?)?;
    Ok(text)
}
