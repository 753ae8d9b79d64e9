//! Creating tasks: how many per second, how long each takes, and its cost.

use anyhow::{Context, Result, ensure};
use http::Method;
use nudge_test_kit::http::Call;
use serde_json::{Value, json};

use crate::cost::{Cost, figures, settle};
use crate::load::{Client, Outcome, Pace, Plan, Requests, number, run};
use crate::results::{Measure, Results};
use crate::stack::Stack;
use crate::usage::Memory;
use test_real::API_TOKEN;

pub(crate) const FLAT_OUT: Measure = Measure {
    name: "create a task, flat out",
    setting: "clients",
};

pub(crate) const AT_A_RATE: Measure = Measure {
    name: "create a task, at a rate",
    setting: "requests/s",
};

pub(crate) const MEMORY: Measure = Measure {
    name: "memory of the services",
    setting: "clients",
};

/// Number of clients that send at a rate.
const CLIENTS: u32 = 64;

/// A typical task.
pub(crate) fn task(number: u32) -> Value {
    json!({
        "title": format!("Pay the invoice no. {number}"),
        "description": "The one that came on Monday, to the account that is written on its second page, with its number.",
        "priority": "high",
        "due": "2031-05-12T09:30:00+02:00",
    })
}

/// Runs a plan on a stack, one user per client.
async fn create(stack: &Stack, plan: Plan) -> Result<Outcome> {
    run(plan, async |client| {
        let call = stack.call(client, Method::POST, "/api/v1/tasks")?;
        let of = move |number| call.clone().json(&task(number));
        Requests::open(stack.api()?, 201, of).await
    })
    .await
}

/// Throughput at each number of clients, and memory.
pub(crate) async fn flat_out(
    results: &mut Results,
    subject: &str,
    stack: &mut Stack,
    clients: &[u32],
    plan: Plan,
) -> Result<()> {
    memory(results, subject, stack, 0)?;
    for clients in clients {
        let plan = Plan {
            clients: *clients,
            pace: Pace::FlatOut,
            ..plan
        };
        let before = Cost::of(stack)?;
        let outcome = create(stack, plan).await?;
        memory(results, subject, stack, *clients)?;
        settle(stack).await?;
        figures(
            results,
            FLAT_OUT,
            subject,
            *clients,
            &outcome,
            Some(before.until(stack)?),
        )?;
    }
    Ok(())
}

/// Response times at each rate.
pub(crate) async fn at_rates(
    results: &mut Results,
    subject: &str,
    stack: &mut Stack,
    rates: &[u32],
    plan: Plan,
) -> Result<()> {
    for rate in rates {
        let plan = Plan {
            clients: CLIENTS,
            pace: Pace::PerSecond(*rate),
            ..plan
        };
        let before = Cost::of(stack)?;
        let outcome = create(stack, plan).await?;
        settle(stack).await?;
        figures(
            results,
            AT_A_RATE,
            subject,
            *rate,
            &outcome,
            Some(before.until(stack)?),
        )?;
    }
    Ok(())
}

/// Lower bounds of a request: publishing an event of the same size on the sidecar, and a bare INSERT.
pub(crate) async fn limits(
    results: &mut Results,
    stack: &Stack,
    clients: &[u32],
    rates: &[u32],
    plan: Plan,
) -> Result<()> {
    let flat_out = clients
        .iter()
        .map(|clients| (*clients, Pace::FlatOut, FLAT_OUT, *clients));
    let at_rates = rates
        .iter()
        .map(|rate| (CLIENTS, Pace::PerSecond(*rate), AT_A_RATE, *rate));
    let sidecar = stack.sidecar()?;
    let database = stack.database().await?;
    database
        .batch_execute("CREATE TABLE IF NOT EXISTS bare (id TEXT PRIMARY KEY, data TEXT NOT NULL)")
        .await?;
    for (clients, pace, measure, setting) in flat_out.chain(at_rates) {
        let plan = Plan {
            clients,
            pace,
            ..plan
        };
        let publish = run(plan, async |_| {
            // The topic without a consumer, in the scope of the api.
            let call = Call::new(sidecar, Method::POST, "/v1.0/publish/pubsub/task-updates")
                .header("dapr-api-token", API_TOKEN);
            Requests::open(sidecar, 204, move |number| call.clone().json(&task(number))).await
        });
        figures(results, measure, "limit: publish", setting, &publish.await?, None)?;
        // As many connections as a service keeps; PostgreSQL accepts a hundred.
        let plan = Plan {
            clients: clients.min(64),
            ..plan
        };
        let insert = run(plan, async |_| Insert::open(stack).await);
        figures(results, measure, "limit: INSERT", setting, &insert.await?, None)?;
    }
    Ok(())
}

/// A connection to the database with its statement.
struct Insert {
    client: tokio_postgres::Client,
    statement: tokio_postgres::Statement,
}

impl Insert {
    async fn open(stack: &Stack) -> Result<Self> {
        let client = stack.database().await?;
        let statement = client.prepare("INSERT INTO bare VALUES ($1, $2)").await?;
        Ok(Self { client, statement })
    }
}

impl Client for Insert {
    async fn once(&mut self, number: u32) -> Result<()> {
        let (id, data) = (uuid::Uuid::now_v7().to_string(), task(number).to_string());
        let rows = self.client.execute(&self.statement, &[&id, &data]).await?;
        ensure!(rows == 1, "{rows} rows");
        Ok(())
    }
}

fn memory(results: &mut Results, subject: &str, stack: &mut Stack, clients: u32) -> Result<()> {
    let processes = stack.processes();
    let each = |process: &u32| Memory::of(std::slice::from_ref(process));
    let api = each(processes.first().context("no service")?)?;
    let all = Memory::of(&processes)?;
    let megabytes = |bytes: u64| number(bytes) / 1e6;
    let largest = processes.iter().map(each).collect::<Result<Vec<_>>>()?;
    let largest = largest
        .iter()
        .map(|memory| memory.anonymous)
        .max()
        .unwrap_or_default();
    results.add(
        MEMORY,
        subject,
        clients,
        &[
            ("processes", number(processes.len() as u64)),
            ("api anonymous MB", megabytes(api.anonymous)),
            ("largest anonymous MB", megabytes(largest)),
            ("all anonymous MB", megabytes(all.anonymous)),
            ("all PSS MB", megabytes(all.proportional)),
        ],
    );
    Ok(())
}
