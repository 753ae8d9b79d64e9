//! The same requests on SQLite and on PostgreSQL have the same answers.

use futures_util::future::join_all;
use serde_json::json;
use test_postgres::Server;

use super::{api_on, on};
use crate::api::{languages, legacy, search, texts};
use crate::day::day;
use crate::golden::stable;
use crate::support::{Service, Setup, text};

pub(crate) async fn both_databases_answer_alike(server: Server) {
    let postgres = api_on(&server).await;
    let sqlite = Service::start("api").await;
    let (postgres, sqlite) = (day(&postgres).await, day(&sqlite).await);
    assert!(sqlite.len() > 40, "{}", sqlite.len());
    assert_eq!(postgres.len(), sqlite.len());
    for (postgres, sqlite) in stable(&json!(postgres))
        .lines()
        .zip(stable(&json!(sqlite)).lines())
    {
        assert_eq!(postgres, sqlite);
    }
}

pub(crate) async fn postgres_finds_words_page_by_page(server: Server) {
    let api = api_on(&server).await;
    search::pages(&api, "alice").await;
    search::new_and_old(&api, "carol").await;
}

pub(crate) async fn postgres_finds_words_of_every_language(server: Server) {
    let setup = Setup::new("api").variable("rate_limit_per_minute", "0");
    let api = on(&server, setup).await;
    languages::languages(&api, "alice").await;
    languages::spaceless_pages(&api, "bob").await;
    languages::longest(&api, "carol").await;
}

/// Runs statements as another program does, on a connection of its own.
pub(super) async fn run(server: &Server, statements: &str) {
    let (database, connection) = tokio_postgres::connect(server.url(), tokio_postgres::NoTls)
        .await
        .unwrap();
    let connection = tokio::spawn(connection);
    database.batch_execute(statements).await.unwrap();
    drop(database);
    connection.await.unwrap().unwrap();
}

pub(crate) async fn postgres_finds_what_an_older_replica_stored_after_the_relay_ran(server: Server) {
    let api = api_on(&server).await;
    languages::refreshed(&api, "alice", async |statement: &str| {
        run(&server, statement).await;
    })
    .await;
}

pub(crate) async fn postgres_tells_apart_what_an_older_replica_named_after_the_relay_ran(server: Server) {
    let api = api_on(&server).await;
    texts::keyed(&api, "alice", async |statement: &str| {
        run(&server, statement).await;
    })
    .await;
}

pub(crate) async fn postgres_tells_labels_apart_as_sqlite_does(server: Server) {
    let api = api_on(&server).await;
    let alice = api.user("alice");
    let home = alice.create("/api/v1/tags", &json!({ "name": "Home" })).await;
    let path = format!("/api/v1/tags/{}", text(&home, "id"));
    assert_eq!(
        alice
            .post("/api/v1/tags", &json!({ "name": "home" }))
            .await
            .status,
        409
    );
    assert_eq!(alice.patch(&path, &json!({ "name": "HOME" })).await.status, 200);
    let bodies = ["Work", "work", "WORK", "wOrK"].map(|name| json!({ "name": name }));
    let at_once = bodies.iter().map(|body| alice.post("/api/v1/tags", body));
    let answers = join_all(at_once).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409]);
}

pub(crate) async fn numbers_of_tasks_made_on_postgres_begin_above_the_other_systems(server: Server) {
    legacy::numbers_begin_above(api_on(&server).await).await;
}

pub(crate) async fn a_change_that_arrives_while_postgres_stores_its_task_is_applied(server: Server) {
    // Row security, by which the test decides what a statement finds, is not for superusers.
    let role = "CREATE ROLE app LOGIN; GRANT ALL ON SCHEMA public TO app";
    run(&server, role).await;
    let setup = Setup::new("api")
        .variable("database_url", &server.url().replace("nudge@", "app@"))
        .variable("database_host", &server.host());
    let api = setup.start().await;
    legacy::stored_meanwhile(&api, async |statements: &str| run(&server, statements).await).await;
}
