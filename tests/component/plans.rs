//! The plan of every statement that the api runs on people's data: none reads a table from end to end.
//!
//! There is no list of the statements. The host's log names those that a day with the api runs, and the database says how it
//! would run them: SQLite with its triggers, PostgreSQL for any parameters.

use std::collections::BTreeSet;

use expect_test::expect;
use rusqlite::config::DbConfig;
use serde_json::json;

use crate::api::{delivery, relay};
use crate::day::day;
use crate::golden::stable;
use crate::host_log::{self, Line};
use crate::support::{Service, json as body, text};

/// Tables that may be read whole: one row a migration; and statements that may read theirs.
const SMALL: [&str; 6] = [
    "schema_migration",
    // One row a table that numbers its rows.
    "sqlite_sequence",
    "pragma_table_info",
    // Looked at by hand, during a migration.
    "FROM legacy_master WHERE user_id <>",
    "COUNT(*) FROM legacy_waiting",
    // At most 501 rows.
    "FROM token_revocation ORDER BY user_id, token_id LIMIT",
];

/// A statement that must be found out, so that a test which sees nothing fails.
pub(crate) const WITHOUT_INDEX: &str = "SELECT id FROM task WHERE title = $1";

/// Part of a statement that only a request of email-delivery runs, so that a request which fails is found out.
const BY_REMINDER: &str = "FROM reminder JOIN task ON task.id = reminder.task_id WHERE reminder.id IN ";

/// Part of the statement that leases reminders.
const LEASE: &str = "chosen AS MATERIALIZED";

/// The statements that a day with the api runs.
pub(crate) struct Statements(BTreeSet<String>);

impl Statements {
    /// Those that have a plan and are not about small tables only, and the one without an index.
    pub(crate) fn planned(&self) -> Vec<String> {
        let all = &self.0;
        assert!(all.len() > 50, "{all:#?}");
        for asked in [BY_REMINDER, LEASE] {
            assert!(all.iter().any(|sql| sql.contains(asked)), "{asked}: {all:#?}");
        }
        let without = [WITHOUT_INDEX.to_owned()];
        all.iter()
            .chain(&without)
            .filter(|sql| {
                ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"]
                    .iter()
                    .any(|verb| sql.starts_with(verb))
            })
            .filter(|sql| !SMALL.iter().any(|table| sql.contains(table)))
            .cloned()
            .collect()
    }
}

/// All that the api does, as far as statements go.
pub(crate) async fn everything(api: &Service) -> Statements {
    let alice = api.user("alice");
    // Migrations read tables whole, once.
    body(&alice.get("/api/v1/tasks").await, 200);
    host_log::record();
    // Those that are refused are meant to be.
    let refused = day(api)
        .await
        .into_iter()
        .filter(|line| line["status"].as_u64() >= Some(400));
    let refused: Vec<String> = refused
        .map(|line| format!("{} {}", line["status"], text(&line, "request")))
        .collect();
    expect![[r#"
        [
          "409 POST /api/v1/tags",
          "400 GET /api/v1/tasks/search?query=%25",
          "422 POST twice"
        ]
    "#]]
    .assert_eq(&stable(&json!(refused)));

    let category = alice
        .create("/api/v1/categories", &json!({ "name": "Garden" }))
        .await;
    let category = format!("/api/v1/categories/{}", text(&category, "id"));
    body(&alice.patch(&category, &json!({ "color": "#00ff00" })).await, 200);
    assert_eq!(alice.delete(&category).await.status, 204);
    let plants = json!({ "title": "Water the plants", "due": "2026-12-01T09:00", "reminders": [{ "minutesBefore": 5 }] });
    for number in 0..5 {
        api.pass(number);
        alice.create("/api/v1/tasks", &plants).await;
    }
    for path in [
        "tasks/search?query=plants&limit=2",
        "tasks/search?query=water+pl",
        "tasks?text=water",
        "tasks?text=water&sort=title&status=pending",
        // 天気, 明日の天気を見る and 학교 가: terms inside of a text, and two beginnings
        "tasks/search?query=%e5%a4%a9%e6%b0%97",
        "tasks/search?query=%e6%98%8e%e6%97%a5%e3%81%ae%e5%a4%a9%e6%b0%97%e3%82%92%e8%a6%8b%e3%82%8b",
        "tasks/search?query=%ed%95%99%ea%b5%90+%ea%b0%80",
        "tasks?text=%e5%a4%a9%e6%b0%97",
    ] {
        let page = body(&alice.get(&format!("/api/v1/{path}")).await, 200);
        if let Some(cursor) = page["nextCursor"].as_str() {
            body(&alice.get(&format!("/api/v1/{path}&cursor={cursor}")).await, 200);
        }
    }
    let task = alice.create("/api/v1/tasks", &plants).await;
    assert_eq!(delivery(api, &task).await["decision"], "send");
    let sidecar = api.sidecar();
    crate::api::leases::everything(api).await;
    crate::api::batches::everything(api).await;
    crate::api::legacy::everything(api).await;
    crate::api::dead_letters::everything(api).await;
    crate::api::recipients::everything(api).await;
    crate::api::trail::everything(api).await;
    body(&sidecar.get("/health/ready").await, 200);
    relay(api).await;
    let statements = host_log::take().into_iter().filter_map(|line| match line {
        Line::Statement(text) => Some(text),
        _ => None,
    });
    Statements(statements.collect())
}

#[tokio::test]
async fn sqlite_reads_no_table_from_end_to_end() {
    let api = Service::start("api").await;
    let statements = everything(&api).await.planned();
    let database = rusqlite::Connection::open(api.state().join("sqlite_db.db")).unwrap();
    database
        .set_db_config(DbConfig::SQLITE_DBCONFIG_TRIGGER_EQP, true)
        .unwrap();
    let mut scans = Vec::new();
    for sql in statements {
        let mut plan = database.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let steps = plan.raw_query().mapped(|row| row.get::<_, String>("detail"));
        let steps: Vec<String> = steps.map(Result::unwrap).collect();
        assert!(is_by_what_is_old(&sql, &steps.concat()), "{sql}: {steps:?}");
        if steps.iter().any(|step| reads_all(step)) {
            scans.push(sql);
        }
    }
    assert_eq!(scans, [WITHOUT_INDEX]);
}

/// Whether what looks for tasks with old terms, or labels with old keys, reads those alone: the id would lead it past all of them.
pub(crate) fn is_by_what_is_old(sql: &str, plan: &str) -> bool {
    let is_read = |column: &str| sql.starts_with("SELECT") && sql.contains(column);
    (!sql.contains("OCTET_LENGTH(terms)") || plan.contains("task_with_old_terms"))
        && (!is_read("keyed_name") || plan.contains("_with_old_key"))
}

/// Whether a step of a plan reads a table, or all of an index (<https://sqlite.org/eqp.html>). A partial index holds what the
/// statement is about and nothing else; FTS5 names after `INDEX 0:` what it looks up.
fn reads_all(step: &str) -> bool {
    let Some(what) = step.strip_prefix("SCAN ") else {
        return false;
    };
    let partial = [
        "task_event_left_over",
        "task_without_successor",
        "dead_letter_waiting",
        "task_with_old_terms",
        "category_with_old_key",
        "tag_with_old_key",
    ];
    let part_of_the_statement = [
        "few",
        "json_each",
        "item VIRTUAL TABLE",
        "(subquery",
        "(join",
        // Of the statements in tasks/leases/store.rs.
        "flying",
        "free",
        "room",
        "idle",
        "first_due",
        "last_due",
        "hidden",
        "anyone",
        "turns",
        "placed",
        "chosen",
        "due",
        // Of the list in dead_letters.rs.
        "letter",
        "waiting",
    ];
    let looked_up = what.starts_with("task_text VIRTUAL TABLE INDEX") && !what.ends_with(':');
    let known = partial.iter().any(|index| what.ends_with(index))
        || part_of_the_statement.iter().any(|rows| what.starts_with(rows))
        || what.contains("CONSTANT ROW")
        || what.ends_with("VALUES CLAUSE");
    !(looked_up || known)
}
