//! How the cost of a request grows with the number of stored tasks.
#![expect(clippy::indexing_slicing, reason = "unexpected JSON ends the run")]

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use http::Method;
use nudge_test_kit::http::Call;
use serde_json::json;
use tokio_postgres::{Client, Row};

use crate::cost::{Cost, figures, settle};
use crate::create::task;
use crate::load::{Pace, Plan, Requests, run};
use crate::results::{Measure, Results};
use crate::stack::{Stack, Subject, USERS};

/// The unit of the settings of these measures.
pub(crate) const STORED: &str = "stored tasks";

pub(crate) const READ: Measure = Measure {
    name: "growth: read a task",
    setting: STORED,
};

pub(crate) const FIRST_PAGE: Measure = Measure {
    name: "growth: first page",
    setting: STORED,
};

pub(crate) const SEARCH: Measure = Measure {
    name: "growth: search for a rare word",
    setting: STORED,
};

pub(crate) const CREATE: Measure = Measure {
    name: "growth: create a task",
    setting: STORED,
};

/// Number of clients, one per user.
const CLIENTS: u32 = USERS;

/// Number of tasks per statement.
const BATCH: u32 = 50_000;

/// Maximum number of tasks per user that are read and searched for.
const SAMPLE: u32 = 1_000;

/// The number in the copied tasks: no other text in them contains these digits.
const TEMPLATE: u32 = 99_999_999;

/// The tables in which a subject stores tasks.
struct Tables {
    tasks: &'static str,
    /// All tables with rows of tasks.
    all: &'static str,
    /// Statements: use a task of each user as a template, and store copies.
    template: &'static str,
    copy: &'static str,
}

impl Tables {
    fn of(subject: Subject) -> Self {
        match subject {
            Subject::Python => Self {
                tasks: "seed.tasks",
                all: "seed.tasks, seed.reminders",
                template: include_str!("growth/python-template.sql"),
                copy: include_str!("growth/python.sql"),
            },
            _ => Self {
                tasks: "task",
                all: "task, task_event, task_tag, reminder",
                template: include_str!("growth/nudge-template.sql"),
                copy: include_str!("growth/nudge.sql"),
            },
        }
    }
}

/// Stores each number of tasks and measures requests. Existing tasks are deleted.
pub(crate) async fn growth(
    results: &mut Results,
    name: &str,
    stack: &mut Stack,
    counts: &[u32],
    plan: Plan,
) -> Result<()> {
    if counts.is_empty() {
        return Ok(());
    }
    let plan = Plan {
        clients: CLIENTS,
        pace: Pace::FlatOut,
        ..plan
    };
    let tables = Tables::of(stack.subject());
    let database = stack.database().await?;
    take_templates(stack, &database, &tables).await?;
    for stored in counts {
        store(name, &database, &tables, *stored).await?;
        settle(stack).await?;
        for (measure, status, calls) in calls(stack, &database, &tables).await? {
            let before = Cost::of(stack)?;
            let outcome = run(plan, async |client| {
                let of = calls.get(client as usize).context("no such client")?.clone();
                Requests::open(stack.api()?, status, move |number| of(number)).await
            });
            let outcome = outcome.await?;
            ensure!(outcome.errors == 0, "{}: {:?}", measure.name, outcome.error);
            settle(stack).await?;
            let cost = before.until(stack)?;
            figures(results, measure, name, *stored, &outcome, Some(cost))?;
        }
    }
    Ok(())
}

/// Stores one task per user through the api, and nothing else, so that the copies look like what it stores.
async fn take_templates(stack: &mut Stack, database: &Client, tables: &Tables) -> Result<()> {
    database
        .batch_execute(&format!("TRUNCATE {}", tables.all))
        .await?;
    for user in 0..USERS {
        let mut template = task(TEMPLATE);
        template["reminders"] = json!([{ "minutesBefore": 30 }]);
        let call = stack.call(user, Method::POST, "/api/v1/tasks")?;
        let answer = call.json(&template).send().await?;
        ensure!(answer.status == 201, "{}: {:?}", answer.status, answer.body);
    }
    settle(stack).await?;
    database.batch_execute(tables.template).await?;
    let row = database.query_one("SELECT count(*) FROM template", &[]).await?;
    let templates: i64 = row.get(0);
    ensure!(
        templates == i64::from(USERS),
        "{templates} templates: are events not published?"
    );
    // The copying statement does the work of the triggers; their events would wait to be published.
    database
        .batch_execute("SET session_replication_role = replica; SET maintenance_work_mem = '256MB'")
        .await?;
    Ok(())
}

/// Stores exactly that many tasks. Indexes are created afterwards, which takes half the time.
async fn store(name: &str, database: &Client, tables: &Tables, count: u32) -> Result<()> {
    let begun = Instant::now();
    let say = |what: &str| eprintln!("{:>6} s: {name}: {what}", begun.elapsed().as_secs());
    say(&format!("storing {count} tasks"));
    database
        .batch_execute(&format!("TRUNCATE {}", tables.all))
        .await?;
    let indexes = "SELECT pg_get_indexdef(indexrelid), CAST(CAST(indexrelid AS regclass) AS text) FROM pg_index \
         WHERE indrelid = ANY (CAST(string_to_array($1, ', ') AS regclass[])) \
         AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid)";
    let indexes = database.query(indexes, &[&tables.all]).await?;
    for index in &indexes {
        database
            .batch_execute(&format!("DROP INDEX {}", index.get::<_, &str>(1)))
            .await?;
    }
    let copy = database.prepare(tables.copy).await?;
    for first in (0..count).step_by(BATCH as usize) {
        let end = count.min(first + BATCH);
        let [first, last, count] = [first, end - 1, count].map(i64::from);
        database.execute(&copy, &[&first, &last, &count]).await?;
        say(&format!("{end} of {count} are stored"));
    }
    for index in &indexes {
        database.batch_execute(index.get(0)).await?;
    }
    let stored = format!("SELECT count(*) FROM {}", tables.tasks);
    let stored: i64 = database.query_one(&stored, &[]).await?.get(0);
    ensure!(stored == i64::from(count), "{stored} of {count} tasks are stored");
    // Otherwise the server would do so while requests are measured.
    for table in tables.all.split(", ") {
        database
            .batch_execute(&format!("VACUUM (ANALYZE) {table}"))
            .await?;
    }
    database.batch_execute("CHECKPOINT").await?;
    say("ready");
    Ok(())
}

/// The n-th request of a client.
type Of = Arc<dyn Fn(u32) -> Call + Send + Sync>;

/// The measures, the expected status of each, and the requests of each client.
async fn calls(stack: &Stack, database: &Client, tables: &Tables) -> Result<Vec<(Measure, u16, Vec<Of>)>> {
    let [mut reads, mut pages, mut searches, mut creates] = [const { Vec::new() }; 4];
    let sample = format!(
        "SELECT CAST(id AS text), substring(title FROM '[0-9]+') FROM {} WHERE user_id = $1 \
         ORDER BY md5(CAST(id AS text)) LIMIT {SAMPLE}",
        tables.tasks
    );
    for user in 0..USERS {
        let rows = database.query(&sample, &[&format!("user-{user}")]).await?;
        let get = |path: String| stack.call(user, Method::GET, &path);
        let all =
            |path: &dyn Fn(&Row) -> String| rows.iter().map(|row| get(path(row))).collect::<Result<Vec<_>>>();
        reads.push(in_turn(all(&|row| {
            format!("/api/v1/tasks/{}", row.get::<_, &str>(0))
        })?)?);
        pages.push(in_turn(vec![get("/api/v1/tasks".to_owned())?])?);
        searches.push(in_turn(all(&|row| {
            format!("/api/v1/tasks/search?query={}", row.get::<_, &str>(1))
        })?)?);
        let call = stack.call(user, Method::POST, "/api/v1/tasks")?;
        let create: Of = Arc::new(move |number| call.clone().json(&task(number)));
        creates.push(create);
    }
    let mut measures = vec![(READ, 200, reads), (FIRST_PAGE, 200, pages)];
    // The python stack has no search.
    if stack.subject() != Subject::Python {
        finds_one(&searches).await?;
        measures.push((SEARCH, 200, searches));
    }
    // The last one, because it adds tasks.
    measures.push((CREATE, 201, creates));
    Ok(measures)
}

/// One request after the other, starting over at the end.
fn in_turn(calls: Vec<Call>) -> Result<Of> {
    let first = calls.first().context("a user without tasks")?.clone();
    Ok(Arc::new(move |number| {
        let call = calls.get(number as usize % calls.len());
        call.unwrap_or(&first).clone()
    }))
}

/// Checks that a search finds the one task that has the word.
async fn finds_one(searches: &[Of]) -> Result<()> {
    let search = searches.first().context("no user")?;
    let answer = search(0).send().await?;
    let found = answer.json()?;
    let items = found["items"].as_array().map_or(0, Vec::len);
    ensure!(answer.status == 200 && items == 1, "the search found {found}");
    Ok(())
}
