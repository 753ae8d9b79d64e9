//! Measures lists, search and creation with many tasks of one user. See README.md beside this file.
#![allow(clippy::indexing_slicing, reason = "unexpected JSON ends the run")]

#[path = "compare/load.rs"]
mod load;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use http::Method;
use load::{Client, Pace, Plan, Requests};
use nudge::{DataDir, System, SystemOptions, TokenRequest, mint};
use nudge_test_kit::http::{Call, Session};
use serde_json::{Value, json};

/// Number of tasks per bulk request, which is the maximum.
const BULK: usize = 100;

/// Number of tasks between two progress messages.
const PROGRESS: usize = 10_000;

/// Number of different words in the generated tasks; the n-th is about n times rarer than the first.
const VOCABULARY: f64 = 5_000.0;

/// Measures a running Nudge, or starts one.
#[derive(Debug, Parser)]
struct Options {
    /// Address of a running server, such as 127.0.0.1:3000; by default one is started in this process.
    #[arg(long, requires = "token")]
    address: Option<SocketAddr>,
    /// A token for that server. Its variable `rate_limit_per_minute` must be 0.
    #[arg(long)]
    token: Option<String>,
    /// Data folder of the started server, to reuse it with --tasks 0; by default a temporary one.
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// PostgreSQL for the started server, as `postgres://user@host:port/database`; by default SQLite.
    #[arg(long)]
    database_url: Option<String>,
    /// Number of tasks to create before measuring.
    #[arg(long, default_value_t = 100_000)]
    tasks: usize,
    /// Measure only the requests whose names begin with this.
    #[arg(long, default_value = "")]
    only: String,
    /// Number of concurrent requests.
    #[arg(long, default_value_t = 16)]
    clients: u32,
    /// Requests per second of all clients together, each at its scheduled time, whether earlier ones were quick or not; 0: every
    /// client sends as soon as it has a response, and the times are mostly waiting for the others.
    #[arg(long, default_value_t = 0)]
    rate: u32,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
}

/// The measured server.
#[derive(Clone)]
struct Target {
    address: SocketAddr,
    token: Arc<str>,
}

impl Target {
    fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Call {
        let call = Call::new(self.address, method, path).bearer(&self.token);
        body.into_iter().fold(call, Call::json)
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    let temporary = tempfile::tempdir()?;
    let (target, system) = match (options.address, &options.token) {
        (Some(address), Some(token)) => {
            let token = token.as_str().into();
            (Target { address, token }, None)
        }
        _ => {
            let folder = options
                .data_dir
                .clone()
                .unwrap_or_else(|| temporary.path().to_owned());
            let (target, system) = start(&options, DataDir::open(folder)?).await?;
            (target, Some(system))
        }
    };
    seed(&target, options.tasks).await?;
    println!(
        "| request | req/s | p50 ms | p95 ms | p99 ms | errors |\n| --- | --- | --- | --- | --- | --- |"
    );
    let wanted = |name: &str| name.starts_with(&options.only);
    for (name, path) in requests().into_iter().filter(|(name, _)| wanted(name)) {
        measure(&options, &target, name, 200, move |_| {
            (Method::GET, path.to_owned(), None)
        })
        .await?;
    }
    if wanted("create") {
        measure(&options, &target, "create", 201, |number| {
            (
                Method::POST,
                "/api/v1/tasks".to_owned(),
                Some(task(number as usize + 10_000_000)),
            )
        })
        .await?;
    }
    if let Some(system) = system {
        system.shutdown().await;
    }
    Ok(())
}

async fn start(options: &Options, data: DataDir) -> Result<(Target, System)> {
    let request = TokenRequest {
        user: "load".to_owned(),
        email: None,
        time_zone: Some("Europe/Berlin".to_owned()),
        hours: 24,
    };
    let mut system = SystemOptions::new(nudge_test_kit::components::built(), data);
    let unlimited = nudge_test_kit::limits::NONE.map(|(name, value)| (name.to_owned(), value.to_owned()));
    system.variables.extend(unlimited);
    if let Some(url) = &options.database_url {
        let host = url
            .rsplit('@')
            .next()
            .and_then(|rest| rest.split('/').next())
            .context("no host in the URL")?;
        system.variables.insert("database_url".to_owned(), url.clone());
        system
            .variables
            .insert("database_host".to_owned(), format!("postgres://{host}"));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let token = mint(&system.data, &request, i64::try_from(now)?)?;
    let system = System::start(system).await?;
    let address = system.url().trim_start_matches("http://").parse()?;
    let token = token.as_str().into();
    Ok((Target { address, token }, system))
}

/// The measured requests, with their names.
fn requests() -> [(&'static str, &'static str); 18] {
    [
        ("health", "/health/live"),
        ("list", "/api/v1/tasks"),
        ("list, by due", "/api/v1/tasks?sort=due"),
        ("list, by priority", "/api/v1/tasks?sort=priority"),
        ("list, by updated", "/api/v1/tasks?sort=updated&limit=100"),
        ("list, by title", "/api/v1/tasks?sort=title"),
        (
            "list, pending and urgent",
            "/api/v1/tasks?status=pending&priority=urgent",
        ),
        ("list, upcoming", "/api/v1/tasks?upcomingDays=7"),
        ("list, common word", "/api/v1/tasks?text=everywhere"),
        (
            "list, common word, by due",
            "/api/v1/tasks?text=everywhere&sort=due",
        ),
        ("list, rare word", "/api/v1/tasks?text=needle"),
        ("search, common word", "/api/v1/tasks/search?query=everywhere"),
        (
            "search, beginning of a common word",
            "/api/v1/tasks/search?query=everyw",
        ),
        ("search, one letter", "/api/v1/tasks/search?query=b"),
        ("search, rare word", "/api/v1/tasks/search?query=needle"),
        ("search, no hit", "/api/v1/tasks/search?query=nowhere"),
        ("search, two words", "/api/v1/tasks/search?query=everywhere+ba"),
        (
            "search, three words",
            "/api/v1/tasks/search?query=everywhere+needle+b",
        ),
    ]
}

/// Creates tasks in bulk, four requests at a time.
async fn seed(target: &Target, tasks: usize) -> Result<()> {
    let begin = Instant::now();
    let requests = u32::try_from(tasks.div_ceil(BULK))?;
    load::all(requests, 4, async |_| {
        Ok(Seed {
            session: Session::open(target.address).await?,
            target: target.clone(),
            tasks,
            begin,
        })
    })
    .await?;
    println!("{tasks} tasks in {:.1?}\n", begin.elapsed());
    Ok(())
}

/// A client that creates tasks.
struct Seed {
    session: Session,
    target: Target,
    /// Shared by all clients.
    tasks: usize,
    begin: Instant,
}

impl Client for Seed {
    async fn once(&mut self, number: u32) -> Result<()> {
        let (first, tasks) = (number as usize * BULK, self.tasks);
        if first > 0 && first.is_multiple_of(PROGRESS) {
            eprintln!("created {first} of {tasks} tasks ({:.0?})", self.begin.elapsed());
        }
        let operations: Vec<Value> = (first..tasks.min(first + BULK))
            .map(|number| json!({ "op": "create", "task": task(number) }))
            .collect();
        let body = json!({ "operations": operations });
        let call = self.target.call(Method::POST, "/api/v1/tasks/bulk", Some(&body));
        let answer = self.session.send(call).await?;
        ensure!(answer.status == 200, "{}: {:?}", answer.status, answer.body);
        let answer = answer.json()?;
        let mut results = answer["results"].as_array().into_iter().flatten();
        if let Some(refused) = results.find(|result| result["status"] != 201) {
            bail!("{refused}");
        }
        Ok(())
    }
}

/// Sends requests from all clients for the duration of a measurement, and prints a row of the table.
async fn measure<F>(options: &Options, target: &Target, name: &str, status: u16, request: F) -> Result<()>
where
    F: Fn(u32) -> (Method, String, Option<Value>) + Send + Sync + Copy + 'static,
{
    let plan = Plan {
        clients: options.clients,
        pace: match options.rate {
            0 => Pace::FlatOut,
            rate => Pace::PerSecond(rate),
        },
        warm_up: Duration::ZERO,
        duration: Duration::from_secs(options.seconds),
    };
    let outcome = load::run(plan, async |_| {
        let (address, target) = (target.address, target.clone());
        let call = move |number| {
            let (method, path, body) = request(number);
            target.call(method, &path, body.as_ref())
        };
        Requests::open(address, status, call).await
    });
    let outcome = outcome.await?;
    let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|quantile| outcome.milliseconds(quantile));
    println!(
        "| {name} | {:.0} | {p50:.1} | {p95:.1} | {p99:.1} | {} |",
        outcome.per_second(),
        outcome.errors
    );
    if let Some(error) = outcome.error {
        eprintln!("{name}: the first error: {error}");
    }
    Ok(())
}

/// A realistic task: few words are frequent and most are rare, four of five tasks have `everywhere`, one of ten
/// thousand has `needle`. The same number is the same task.
fn task(number: usize) -> Value {
    let mut random = Random(number as u64 + 1);
    let mut title: Vec<String> = (0..5).map(|_| word(&mut random)).collect();
    if !number.is_multiple_of(5) {
        title.push("everywhere".to_owned());
    }
    if number.is_multiple_of(10_000) {
        title.push("needle".to_owned());
    }
    let description: Vec<String> = (0..20).map(|_| word(&mut random)).collect();
    let mut task = json!({ "title": title.join(" "), "description": description.join(" ") });
    let kind = random.next();
    if let Some(priority) = ["low", "high", "urgent"].get((kind % 8) as usize) {
        task["priority"] = json!(priority);
    }
    if !kind.is_multiple_of(3) {
        task["due"] = json!(format!(
            "{}-{:02}-{:02}",
            2027 + kind % 2,
            1 + kind / 7 % 12,
            1 + kind / 91 % 28
        ));
    }
    task
}

/// A pseudo word by Zipf's law.
fn word(random: &mut Random) -> String {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank"
    )]
    let mut rank = VOCABULARY.powf(random.next() as f64 / (1_u64 << 31) as f64) as usize + 16;
    let mut word = String::new();
    while rank > 0 {
        word.extend("bcdfghklmnprstvw".chars().nth(rank % 16));
        word.extend("aeiou".chars().nth(rank / 16 % 5));
        rank /= 80;
    }
    word
}

/// A generator of 31 random bits (splitmix64), the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) >> 33
    }
}
