//! Simulates a burst: many reminders of many users, due at once, and replicas that lease, decide and report them. See README.md
//! beside this file.
#![allow(clippy::indexing_slicing, reason = "unexpected JSON ends the run")]

#[path = "compare/usage.rs"]
#[allow(dead_code, reason = "the comparison uses the rest")]
mod usage;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use hdrhistogram::Histogram;
use http::Method;
use jiff::Timestamp;
use nudge_contract::names::{app, route};
use nudge_test_kit::dapr::FakeDapr;
use nudge_test_kit::http::{Call, Session};
use nudge_test_kit::{components, limits, tokens};
use serde_json::{Value, json};
use spin_host::{Host, Manifest, RunningHost};
use test_postgres::Server;
use tokio::sync::Mutex;

/// The token that the simulated sidecars send.
const APP_TOKEN: &str = "app-token-of-the-simulation";

/// Reminders per lease, as notification asks for them.
const LEASE: usize = 64;

/// Reminders per batch, as email-delivery gets them.
const BATCH: usize = 32;

/// Rows per statement that copies the template.
const COPIES: u64 = 100_000;

/// Measures how fast due reminders leave the database. The api is the real component on PostgreSQL; scheduler, broker and mail
/// server are left out: each worker leases as notification does, then asks and reports as email-delivery does.
#[derive(Debug, Parser)]
struct Options {
    /// Number of reminders that are due at the beginning.
    #[arg(long, default_value_t = 1_000_000)]
    due: u64,
    /// Number of users that they belong to.
    #[arg(long, default_value_t = 500_000)]
    users: u64,
    /// Number of reminders that are due later, which leases must not look at.
    #[arg(long, default_value_t = 1_000_000)]
    later: u64,
    /// Numbers of replicas, each an api and a worker, measured one after another.
    #[arg(long, value_delimiter = ',', default_value = "1,2,4")]
    replicas: Vec<usize>,
    /// Maximum number of reminders in flight (variable `reminders_in_flight`).
    #[arg(long, default_value_t = 128)]
    in_flight: u32,
    /// Milliseconds that the mail server takes for an email.
    #[arg(long, default_value_t = 0)]
    email_ms: u64,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    if let Some(missing) = Server::missing() {
        anyhow::bail!("{missing}");
    }
    let server = Server::start().await;
    let first = replica(&server, &options).await?;
    store(&server, first.local_addr(), &options).await?;
    println!(
        "| replicas | reminders/s | lease p50 ms | p99 ms | ask p50 ms | report p50 ms | a user's own p50 ms | p99 ms | database µs/reminder |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    );
    for replicas in &options.replicas {
        let mut hosts = Vec::new();
        for _ in 0..*replicas {
            hosts.push(replica(&server, &options).await?);
        }
        measure(&server, &hosts, &options).await?;
        for host in hosts {
            host.shutdown().await;
        }
    }
    first.shutdown().await;
    Ok(())
}

/// An api beside a sidecar that accepts everything.
async fn replica(server: &Server, options: &Options) -> Result<RunningHost> {
    let state = std::env::temp_dir();
    let mut host = Host::builder(Manifest::load(components::built().join("spin.toml"))?)
        .components([app::API])
        .listen(([127, 0, 0, 1], 0).into())
        .state_dir(state.join("nudge-due"))
        .cache_dir(state.join("nudge-due-compiled"))
        .variable("dapr_app_token", APP_TOKEN)
        .variable("reminders_in_flight", options.in_flight.to_string())
        .variable("database_url", server.url())
        .variable("database_host", server.host())
        .extension(Arc::new(FakeDapr::new()));
    for (name, value) in limits::NONE {
        host = host.variable(name, value);
    }
    Ok(host.build().await?.start())
}

/// Stores one task through the api, and copies it with other ids and instants.
async fn store(server: &Server, api: SocketAddr, options: &Options) -> Result<()> {
    let begun = Instant::now();
    let say = |what: &str| eprintln!("{:>6} s: {what}", begun.elapsed().as_secs());
    let token = tokens::mint("template", "Europe/Berlin", SystemTime::now());
    let task = json!({
        "title": "Pay the invoice of the electricity company",
        "description": "The number is on the first page; pay from the joint account.",
        "due": "2031-05-12T09:30:00+02:00",
        "reminders": [{ "minutesBefore": 30 }],
    });
    let call = Call::new(api, Method::POST, "/api/v1/tasks")
        .bearer(&token)
        .json(&task);
    let answer = call.send().await?;
    ensure!(answer.status == 201, "{}: {:?}", answer.status, answer.body);
    let (database, connection) = tokio_postgres::connect(server.url(), tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    // The copying statements do the work of the triggers, and no event waits to be published.
    database
        .batch_execute(
            "CREATE TABLE template AS SELECT * FROM task; CREATE TABLE template_reminder AS SELECT * FROM reminder; \
             CREATE TABLE template_person AS SELECT * FROM person; \
             TRUNCATE task, reminder, person, task_event; SET session_replication_role = replica",
        )
        .await?;
    let columns = async |table: &str| -> Result<Vec<String>> {
        let rows = database
            .query(
                "SELECT column_name::text FROM information_schema.columns WHERE table_name = $1 ORDER BY ordinal_position",
                &[&table],
            )
            .await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    };
    // Column lists in which some columns are expressions of the number `n` and the instant `at`.
    let replaced = |columns: &[String], of: &[(&str, String)]| -> String {
        let each = columns.iter().map(|column| {
            let own = of.iter().find(|(name, _)| name == column);
            own.map_or_else(
                || format!("template.{column}"),
                |(_, expression)| expression.clone(),
            )
        });
        each.collect::<Vec<_>>().join(", ")
    };
    let uuid = |kind: char| format!("lpad(to_hex(n), 8, '0') || '-0000-7000-8{kind}00-000000000000'");
    let user = format!("'user-' || (n % {})", options.users);
    let now = Timestamp::now().as_millisecond();
    // A year from now, a second apart; what is due was due in the last minute.
    let at = format!(
        "CASE WHEN n < {} THEN {now} - (n % 60000) ELSE {now} + 31536000000 + n * 1000 END",
        options.due
    );
    let (task, reminder, person) = (
        columns("task").await?,
        columns("reminder").await?,
        columns("person").await?,
    );
    let reminders = format!(
        "jsonb_build_array(template.reminders::jsonb -> 0 || jsonb_build_object('id', {}, 'remindAt', {at}))::text",
        uuid('1')
    );
    let tasks = replaced(
        &task,
        &[
            ("id", uuid('0')),
            ("user_id", user.clone()),
            ("due_at", format!("{at} + 1800000")),
            ("reminders", reminders),
        ],
    );
    let all = replaced(
        &reminder,
        &[
            ("id", uuid('1')),
            ("task_id", uuid('0')),
            ("user_id", user),
            ("remind_at", at.clone()),
            ("attempt_at", at.clone()),
        ],
    );
    let total = options.due + options.later;
    for start in (0..total).step_by(usize::try_from(COPIES)?) {
        let end = total.min(start + COPIES) - 1;
        for (table, columns) in [("task", &tasks), ("reminder", &all)] {
            let from = if table == "task" {
                "template"
            } else {
                "template_reminder template"
            };
            let copy = format!(
                "INSERT INTO {table} SELECT {columns} FROM {from}, generate_series({start}::bigint, {end}) AS n"
            );
            database
                .batch_execute(&copy)
                .await
                .with_context(|| copy.clone())?;
        }
        say(&format!("{} of {total} are stored", end + 1));
    }
    let people = replaced(
        &person,
        &[
            ("id", "'user-' || n".to_owned()),
            ("email", "'user-' || n || '@example.com'".to_owned()),
        ],
    );
    database
        .batch_execute(&format!(
            "INSERT INTO person SELECT {people} FROM template_person template, generate_series(0, {} - 1) AS n; \
             SET session_replication_role = origin",
            options.users
        ))
        .await?;
    // Otherwise the server would do so during the measurement; not in one statement with others.
    for statement in ["VACUUM (ANALYZE) task, reminder, person", "CHECKPOINT"] {
        database.batch_execute(statement).await?;
    }
    let size = "SELECT pg_total_relation_size('task') + pg_total_relation_size('reminder')";
    let size: i64 = database.query_one(size, &[]).await?.get(0);
    say(&format!(
        "ready: {} bytes for each task with its reminder",
        size / i64::try_from(total)?
    ));
    Ok(())
}

/// Histograms of one measurement, in microseconds.
struct Times {
    lease: Mutex<Histogram<u64>>,
    ask: Mutex<Histogram<u64>>,
    report: Mutex<Histogram<u64>>,
    /// From the instant that a user with a single reminder is due until its lease.
    own: Mutex<Histogram<u64>>,
}

async fn measure(server: &Server, hosts: &[RunningHost], options: &Options) -> Result<()> {
    let histogram = || -> Result<_> { Ok(Mutex::new(Histogram::<u64>::new(3)?)) };
    let times = Arc::new(Times {
        lease: histogram()?,
        ask: histogram()?,
        report: histogram()?,
        own: histogram()?,
    });
    let done = Arc::new(AtomicU64::new(0));
    let used = usage::processor_time(&[server.id()])?;
    let begun = Instant::now();
    let until = begun + Duration::from_secs(options.seconds);
    let email = Duration::from_millis(options.email_ms);
    let workers = hosts.iter().map(|host| {
        let worker = Worker {
            api: host.local_addr(),
            email,
            times: times.clone(),
            done: done.clone(),
        };
        tokio::spawn(worker.run(until))
    });
    let workers: Vec<_> = workers.collect();
    let single = hosts.first().context("no replica")?.local_addr();
    let others = tokio::spawn(others(single, until));
    for worker in workers {
        worker.await??;
    }
    others.await??;
    let seconds = begun.elapsed().as_secs_f64();
    let done = done.load(Ordering::Relaxed);
    let used = usage::processor_time(&[server.id()])?.saturating_sub(used);
    #[expect(clippy::cast_precision_loss, reason = "far below 2⁵³")]
    let (count, milliseconds) = (done as f64, |micros: u64| micros as f64 / 1_000.0);
    let quantile =
        async |times: &Mutex<Histogram<u64>>, q| milliseconds(times.lock().await.value_at_quantile(q));
    // Between more users than are served in the time of a measurement, none of those may have had a turn.
    let own = async |q| {
        let leased = !times.own.lock().await.is_empty();
        let value = quantile(&times.own, q).await;
        if leased {
            format!("{value:.0}")
        } else {
            "none leased".to_owned()
        }
    };
    println!(
        "| {} | {:.0} | {:.1} | {:.1} | {:.1} | {:.1} | {} | {} | {:.0} |",
        hosts.len(),
        count / seconds,
        quantile(&times.lease, 0.5).await,
        quantile(&times.lease, 0.99).await,
        quantile(&times.ask, 0.5).await,
        quantile(&times.report, 0.5).await,
        own(0.5).await,
        own(0.99).await,
        used.as_secs_f64() * 1e6 / count,
    );
    Ok(())
}

/// Users who have one reminder each, five per second, that is due at once: they wait for their turn in the burst.
async fn others(api: SocketAddr, until: Instant) -> Result<()> {
    let mut number = 0;
    let mut ticks = tokio::time::interval(Duration::from_millis(200));
    while Instant::now() < until {
        ticks.tick().await;
        number += 1;
        let user = format!("single-{}-{number}", Timestamp::now().as_millisecond());
        let token = tokens::mint(&user, "Europe/Berlin", SystemTime::now());
        let at = Timestamp::now() + Duration::from_secs(1);
        let task = json!({ "title": "single", "reminders": [{ "at": at.to_string() }] });
        let call = Call::new(api, Method::POST, "/api/v1/tasks")
            .bearer(&token)
            .json(&task);
        let answer = call.send().await?;
        ensure!(answer.status == 201, "{}: {:?}", answer.status, answer.body);
    }
    Ok(())
}

/// What notification and email-delivery do, without what is between them.
struct Worker {
    api: SocketAddr,
    email: Duration,
    times: Arc<Times>,
    done: Arc<AtomicU64>,
}

impl Worker {
    async fn run(self, until: Instant) -> Result<()> {
        let mut session = Session::open(self.api).await?;
        while Instant::now() < until {
            let leased = self
                .timed(
                    &mut session,
                    route::LEASES,
                    &json!({ "limit": LEASE }),
                    200,
                    &self.times.lease,
                )
                .await?;
            let items = leased["items"].as_array().context("no items")?;
            if items.is_empty() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            for batch in items.chunks(BATCH) {
                self.deliver(&mut session, batch).await?;
            }
        }
        Ok(())
    }

    async fn deliver(&self, session: &mut Session, batch: &[Value]) -> Result<()> {
        let now = Timestamp::now();
        for item in batch.iter().filter(|item| item["task"]["title"] == "single") {
            let at: Timestamp = item["remindAt"].as_str().context("no instant")?.parse()?;
            let late = u64::try_from(now.duration_since(at).as_micros()).unwrap_or(0);
            self.times.own.lock().await.record(late)?;
        }
        let asked: Vec<Value> = batch
            .iter()
            .map(|item| json!({ "reminderId": item["reminderId"], "remindAt": item["remindAt"] }))
            .collect();
        let decided = self
            .timed(
                session,
                route::DELIVERIES,
                &json!({ "items": asked }),
                200,
                &self.times.ask,
            )
            .await?;
        let decided = decided["items"].as_array().context("no items")?;
        let mut entries = Vec::new();
        for (item, decision) in batch.iter().zip(decided) {
            // Single users have no address.
            if decision["decision"] == "skip" {
                continue;
            }
            tokio::time::sleep(self.email).await;
            entries.push(json!({ "entryId": entries.len().to_string(), "event": sent(item) }));
        }
        let count = entries.len() as u64;
        let said = self
            .timed(
                session,
                route::REMINDER_OUTCOMES,
                &json!({ "entries": entries }),
                200,
                &self.times.report,
            )
            .await?;
        let statuses = said["statuses"].as_array().context("no statuses")?;
        ensure!(
            statuses.iter().all(|entry| entry["status"] == "SUCCESS"),
            "{said}"
        );
        self.done.fetch_add(count, Ordering::Relaxed);
        Ok(())
    }

    async fn timed(
        &self,
        session: &mut Session,
        path: &str,
        body: &Value,
        status: u16,
        times: &Mutex<Histogram<u64>>,
    ) -> Result<Value> {
        let call = Call::new(self.api, Method::POST, path)
            .header("dapr-api-token", APP_TOKEN)
            .json(body);
        let begun = Instant::now();
        let answer = session.send(call).await?;
        times
            .lock()
            .await
            .record(u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX))?;
        ensure!(
            answer.status == status,
            "{path}: {}: {:?}",
            answer.status,
            answer.body
        );
        answer.json()
    }
}

/// The event that a reminder was sent.
fn sent(item: &Value) -> Value {
    let data = json!({
        "schemaVersion": 1,
        "reminderId": item["reminderId"],
        "taskId": item["task"]["id"],
        "remindAt": item["remindAt"],
        "at": Timestamp::now().to_string(),
    });
    json!({
        "specversion": "1.0",
        "id": format!("{}:sent", item["reminderId"]),
        "source": app::EMAIL_DELIVERY,
        "type": "nudge.reminder.sent.v1",
        "data": data,
    })
}
