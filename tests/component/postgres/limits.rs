//! The limits of one user, whose counters are triggers that the two databases write differently.

use http::Method;
use serde_json::json;
use test_postgres::Server;

use super::databases::run;
use super::{api_beside, api_on, on};
use crate::api::me_leaving::delete_account;
use crate::api::{limits, relay, settled};
use crate::support::{Setup, json as body, send};

pub(crate) async fn every_limit_names_itself_and_the_way_out(server: Server) {
    let api = on(&server, limits::small(Setup::new("api"))).await;
    limits::everything(&api).await;
}

/// Fails unless the condition holds.
async fn check(server: &Server, condition: &str) {
    run(
        server,
        &format!(
            "DO $$ BEGIN ASSERT ({condition}), '{}'; END $$",
            condition.replace('\'', "''")
        ),
    )
    .await;
}

pub(crate) async fn what_was_there_before_is_counted_and_closing_the_account_forgets_it(server: Server) {
    let api = api_on(&server).await;
    let alice = api.user("alice");
    for number in 0..3 {
        let call = alice
            .call(Method::POST, "/api/v1/tasks")
            .header("idempotency-key", format!("k{number}"));
        body(&send(call.json(&json!({ "title": "x" }))).await, 201);
    }
    settled(&api).await;
    let counted = "SELECT tasks = 3 AND kept_bytes = (SELECT SUM(512 + OCTET_LENGTH(body)) FROM idempotency) FROM usage";
    check(&server, counted).await;
    // As a database of the version before.
    for statement in [
        "DROP TABLE usage",
        "DROP FUNCTION tasks_counted CASCADE",
        "DROP FUNCTION task_deletion_counted CASCADE",
        "DROP FUNCTION idempotency_counted CASCADE",
        "DROP FUNCTION idempotency_deletions_counted CASCADE",
        "DELETE FROM schema_migration WHERE number = 13",
    ] {
        run(&server, statement).await;
    }
    let upgraded = api_beside(&server, &api).await;
    assert_eq!(upgraded.user("alice").get("/api/v1/me").await.status, 200);
    check(&server, counted).await;
    delete_account(&upgraded.user("alice")).await;
    for _ in 0..3 {
        upgraded.pass(10);
        relay(&upgraded).await;
    }
    check(&server, "SELECT COUNT(*) = 0 FROM usage").await;
}
