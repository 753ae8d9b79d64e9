//! What needs a PostgreSQL server: components on it, and the whole system.
//!
//! On a machine without PostgreSQL all of it is ignored, and counted so; with `NUDGE_REQUIRE_POSTGRES=yes` it fails there.
//! The modules are those of `component`, whose cases for SQLite are not part of this suite.
#![allow(
    dead_code,
    unused_imports,
    reason = "the tests that use the rest are in `component`"
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what does not hold fails the test"
)]

mod api;
#[path = "../e2e/support.rs"]
mod bench;
mod day;
mod golden;
mod host_log;
mod openapi;
mod plans;
mod sample;
mod support;

mod postgres {
    pub(crate) mod accounts;
    pub(crate) mod databases;
    pub(crate) mod plans;
    pub(crate) mod whole_system;

    use test_postgres::Server;

    use crate::support::{Service, Setup};

    /// The api with its data in this PostgreSQL.
    async fn api_on(server: &Server) -> Service {
        Setup::new("api")
            .variable("database_url", server.url())
            .variable("database_host", &server.host())
            .start()
            .await
    }
}

use libtest_mimic::Arguments;

/// Functions of `postgres` as trials.
macro_rules! trials {
    ($($module:ident::$case:ident),* $(,)?) => {
        vec![$(test_postgres::trial(
            concat!(stringify!($module), "::", stringify!($case)),
            postgres::$module::$case,
        )),*]
    };
}

fn main() {
    let trials = trials![
        accounts::what_is_stored_during_account_deletion_is_deleted_as_well,
        databases::both_databases_answer_alike,
        databases::postgres_finds_words_page_by_page,
        databases::postgres_finds_words_of_every_language,
        databases::postgres_finds_what_an_older_replica_stored_after_the_relay_ran,
        databases::postgres_tells_apart_what_an_older_replica_named_after_the_relay_ran,
        databases::postgres_tells_labels_apart_as_sqlite_does,
        databases::numbers_of_tasks_made_on_postgres_begin_above_the_other_systems,
        plans::postgres_has_an_index_for_every_statement,
        whole_system::the_same_components_keep_their_tasks_in_postgresql,
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
