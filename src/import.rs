//! `nudge import`: the tables of the legacy system, which Nudge replaces. Rows are applied as the events of that system are, so a row
//! changes nothing if Nudge has it already, or has something newer, or if its user moved. An import can be repeated at any time.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use futures_util::StreamExt as _;
use http::Method;
use nudge_contract::legacy::{
    Action, Applied, IMPORT, LegacyChange, LegacyChanges, LegacyFields, LegacyResults, instant, user,
};
use nudge_contract::names::route;
use serde_json::{Map, Value};
use tokio_postgres::{Client, NoTls};

use crate::cli;
use crate::sidecar::Sidecar;

/// Maximum number of rows, and about the maximum number of bytes, per call: the api takes 256 KiB, and the resiliency policy gives it two seconds.
const ROWS: usize = 10;
const BYTES: usize = 96 * 1024;

/// Number of concurrent calls.
const CALLS: usize = 4;

/// Number of rows per query.
const PAGE: i64 = 500;

/// The columns of a task that Nudge takes over.
const FIELDS: [&str; 7] = [
    "title",
    "description",
    "priority",
    "due_date",
    "recurrence_rule",
    "category_id",
    "completed",
];

/// The results for the rows of a table.
#[derive(Debug, Default)]
struct Counts {
    read: u32,
    created: u32,
    updated: u32,
    unchanged: u32,
    refused: Vec<String>,
}

/// Imports everything, and prints the counts of each table. Fails if a row was refused.
pub(crate) fn run(options: &cli::Global, import: &cli::Import) -> Result<()> {
    let sidecar = Sidecar::find(&import.sidecar, &options.data_dir)?;
    let runtime = tokio::runtime::Runtime::new().context("the async runtime cannot start")?;
    let refused = runtime.block_on(import_all(&sidecar, import))?;
    anyhow::ensure!(
        refused == 0,
        "{refused} rows were refused: correct them in the legacy system and import again; the others are imported"
    );
    Ok(())
}

async fn import_all(sidecar: &Sidecar, import: &cli::Import) -> Result<usize> {
    let (client, connection) = tokio_postgres::connect(&import.from, NoTls)
        .await
        .context("the database to import from cannot be reached")?;
    let connection = tokio::spawn(connection);
    client.batch_execute("SET TIME ZONE 'UTC'").await?;
    let mut refused = 0;
    for table in ["categories", "tags", "tasks"] {
        let mut importing = Importing {
            sidecar,
            table,
            batches: Vec::new(),
            counts: Counts::default(),
        };
        importing.table(&client, import.remind_before).await?;
        let counts = importing.counts;
        println!(
            "{table}: read {}, created {}, updated {}, unchanged {}, refused {}",
            counts.read,
            counts.created,
            counts.updated,
            counts.unchanged,
            counts.refused.len()
        );
        for line in &counts.refused {
            println!("  refused: {line}");
        }
        refused += counts.refused.len();
    }
    drop(client);
    let _ = connection.await;
    Ok(refused)
}

/// The rows of one call: their numbers, and the corresponding changes.
#[derive(Default)]
struct Batch {
    ids: Vec<i64>,
    changes: Vec<LegacyChange>,
    bytes: usize,
}

/// The import of one table.
struct Importing<'a> {
    sidecar: &'a Sidecar,
    table: &'static str,
    batches: Vec<Batch>,
    counts: Counts,
}

impl Importing<'_> {
    async fn table(&mut self, client: &Client, remind_before: Option<u32>) -> Result<()> {
        let sql = format!(
            "SELECT id::bigint, row_to_json(t)::text FROM {} t WHERE id > $1::bigint ORDER BY id LIMIT {PAGE}",
            self.table
        );
        let mut last = i64::MIN;
        loop {
            let rows = client
                .query(&sql, &[&last])
                .await
                .with_context(|| format!("the table {} cannot be read", self.table))?;
            let Some(end) = rows.last() else { break };
            let first = last;
            last = end.get(0);
            let tags = match self.table {
                "tasks" => tags(client, first, last).await?,
                _ => BTreeMap::new(),
            };
            for row in &rows {
                let (id, text): (i64, String) = (row.get(0), row.get(1));
                self.counts.read += 1;
                let columns: Map<String, Value> = serde_json::from_str(&text)?;
                let tags = tags.get(&id).cloned().unwrap_or_default();
                match change(self.table, id, &columns, tags, remind_before) {
                    Ok(change) => self.add(id, change)?,
                    Err(reason) => self.refuse(id, &reason.to_string()),
                }
            }
            self.send().await?;
        }
        Ok(())
    }

    fn refuse(&mut self, id: i64, reason: &str) {
        self.counts.refused.push(format!("{} {id}: {reason}", self.table));
    }

    fn add(&mut self, id: i64, change: LegacyChange) -> Result<()> {
        let bytes = serde_json::to_vec(&change)?.len();
        if bytes > 2 * BYTES {
            self.refuse(id, "description: it has more than 10,000 characters: shorten it");
            return Ok(());
        }
        let full = |batch: &Batch| batch.ids.len() == ROWS || batch.bytes + bytes > BYTES;
        if self.batches.last().is_none_or(full) {
            self.batches.push(Batch::default());
        }
        if let Some(batch) = self.batches.last_mut() {
            batch.bytes += bytes;
            batch.ids.push(id);
            batch.changes.push(change);
        }
        Ok(())
    }

    /// Sends the batches, several calls at a time. Rows do not depend on each other.
    async fn send(&mut self) -> Result<()> {
        let sidecar = self.sidecar;
        let calls = std::mem::take(&mut self.batches).into_iter().map(async |batch| {
            let body = LegacyChanges {
                changes: batch.changes,
            };
            let answer: Result<LegacyResults> = sidecar
                .ask(Method::POST, route::LEGACY_CHANGES, Some(&body))
                .await;
            answer.map(|answer| (batch.ids, answer.results))
        });
        let mut answers = futures_util::stream::iter(calls).buffered(CALLS);
        while let Some(answer) = answers.next().await {
            let (ids, results) = answer?;
            anyhow::ensure!(
                results.len() == ids.len(),
                "the api returned a different number of results"
            );
            for (id, result) in ids.into_iter().zip(results) {
                match result {
                    Applied::Created => self.counts.created += 1,
                    Applied::Updated => self.counts.updated += 1,
                    Applied::Unchanged => self.counts.unchanged += 1,
                    Applied::Waiting => self.refuse(id, "it waits for its task, which a row must not"),
                    Applied::Refused { reason } => self.refuse(id, &reason),
                }
            }
        }
        Ok(())
    }
}

/// The tags of the tasks after the first id, up to the last.
async fn tags(client: &Client, first: i64, last: i64) -> Result<BTreeMap<i64, Vec<i64>>> {
    let sql = "SELECT task_id::bigint, tag_id::bigint FROM task_tags WHERE task_id > $1::bigint AND task_id <= $2::bigint ORDER BY 1, 2";
    let rows = client
        .query(sql, &[&first, &last])
        .await
        .context("the table task_tags cannot be read")?;
    let mut tags: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for row in rows {
        tags.entry(row.get(0)).or_default().push(row.get(1));
    }
    Ok(tags)
}

/// The change that corresponds to a row.
fn change(
    table: &str,
    id: i64,
    columns: &Map<String, Value>,
    tags: Vec<i64>,
    remind_before: Option<u32>,
) -> Result<LegacyChange> {
    let text = |name: &str| columns.get(name).and_then(Value::as_str).map(str::to_owned);
    let at = |name: &str| text(name).map(|text| instant(name, &text)).transpose();
    let user_id = match columns.get("user_id") {
        Some(Value::String(id)) => user("user_id", id.clone())?,
        Some(Value::Number(id)) => user("user_id", id.to_string())?,
        _ => anyhow::bail!("user_id: it is missing: set it to the owner of the row"),
    };
    let created = at("created_at")?;
    let action = match table {
        "tasks" => {
            let known = columns.iter().filter(|(name, _)| FIELDS.contains(&name.as_str()));
            let mut fields: Map<String, Value> =
                known.map(|(name, value)| (name.clone(), value.clone())).collect();
            fields.insert("tag_ids".to_owned(), tags.into());
            Action::Stored {
                task: id,
                created_at: created,
                fields: LegacyFields::read(&fields)?,
                reminded: columns.get("reminder_sent") == Some(&Value::Bool(true)),
                remind_before,
            }
        }
        _ => {
            let (name, color) = (text("name").unwrap_or_default(), text("color"));
            match table {
                "tags" => Action::Tag {
                    number: id,
                    name,
                    color,
                },
                _ => Action::Category {
                    number: id,
                    name,
                    color,
                },
            }
        }
    };
    let changed = at("updated_at")?.or(created);
    Ok(LegacyChange {
        event_id: IMPORT.to_owned(),
        at: changed.unwrap_or(jiff::Timestamp::UNIX_EPOCH),
        user_id,
        action,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(json: Value) -> Map<String, Value> {
        json.as_object().expect("an object").clone()
    }

    #[test]
    fn a_row_becomes_the_change_that_an_event_would() {
        let columns = row(serde_json::json!({
            "id": 7, "user_id": "3", "title": "Rent", "description": "", "completed": false, "priority": "high",
            "due_date": "2026-12-01T09:00:00", "category_id": 2, "recurrence_rule": "monthly", "reminder_sent": true,
            "created_at": "2026-01-01T08:00:00.5", "updated_at": "2026-02-01T08:00:00+00:00", "added_later": 1,
        }));
        let change = change("tasks", 7, &columns, vec![4, 5], Some(60)).expect("a task");
        assert_eq!(
            serde_json::to_value(change).expect("JSON"),
            serde_json::json!({
                "eventId": "import", "at": "2026-02-01T08:00:00Z", "userId": "3", "kind": "stored", "task": 7,
                "createdAt": "2026-01-01T08:00:00.5Z", "reminded": true, "remindBefore": 60,
                "fields": {
                    "title": "Rent", "description": null, "status": "pending", "priority": "high", "due": "2026-12-01T09:00:00Z",
                    "category": 2, "recurrence": "monthly", "tags": [4, 5],
                },
            })
        );
    }

    #[test]
    fn a_bad_date_is_refused_by_the_name_of_its_column() {
        for column in ["due_date", "created_at", "updated_at"] {
            let mut columns = row(serde_json::json!({ "user_id": "3", "title": "Rent" }));
            columns.insert(column.to_owned(), "noon".into());
            let error = change("tasks", 7, &columns, Vec::new(), None);
            let error = error.expect_err("no date").to_string();
            let words = format!("{column}: \"noon\" is not an instant");
            assert!(error.starts_with(&words), "{error} does not begin with {words}");
        }
    }

    #[test]
    fn a_row_without_an_owner_is_refused_by_the_name_of_the_column() {
        let error = change(
            "tasks",
            7,
            &row(serde_json::json!({ "title": "Rent" })),
            Vec::new(),
            None,
        );
        assert_eq!(
            error.expect_err("a row without an owner").to_string(),
            "user_id: it is missing: set it to the owner of the row"
        );
    }
}
