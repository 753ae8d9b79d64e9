//! PostgreSQL has an index for every statement that the api runs on tasks, whatever the parameters.

use test_postgres::Server;
use tokio_postgres::{NoTls, SimpleQueryMessage, connect};

use super::api_on;
use crate::plans::{WITHOUT_INDEX, everything, is_by_what_is_old};

pub(crate) async fn postgres_has_an_index_for_every_statement(server: Server) {
    let api = api_on(&server).await;
    let statements = everything(&api).await.planned();
    let (database, connection) = connect(server.url(), NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    // With these, a table is read from end to end only where no index can be used, whatever the parameters.
    let settings = "SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan";
    database.batch_execute(settings).await.unwrap();
    let mut scans = Vec::new();
    for sql in statements {
        let parameters = (1..100)
            .take_while(|place| sql.contains(&format!("${place}")))
            .count();
        let nulls = if parameters == 0 {
            String::new()
        } else {
            format!("({})", vec!["NULL"; parameters].join(", "))
        };
        let explain = format!("PREPARE asked AS {sql}; EXPLAIN EXECUTE asked{nulls}; DEALLOCATE asked");
        let messages = database.simple_query(&explain).await;
        let messages = messages.unwrap_or_else(|error| panic!("{error:?}: {sql}"));
        let steps = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        let plan: String = steps.collect();
        assert!(is_by_what_is_old(&sql, &plan), "{sql}: {plan}");
        if plan.contains("Seq Scan") {
            scans.push(sql);
        }
    }
    drop(database);
    connection.await.unwrap().unwrap();
    assert_eq!(scans, [WITHOUT_INDEX]);
}
