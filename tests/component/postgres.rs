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
    pub(crate) mod leases;
    pub(crate) mod limits;
    pub(crate) mod plans;
    pub(crate) mod recipients;
    pub(crate) mod trail;
    pub(crate) mod whole_system;

    use test_postgres::Server;

    use crate::support::{Service, Setup};

    /// The api with its data in this PostgreSQL.
    async fn api_on(server: &Server) -> Service {
        on(server, Setup::new("api")).await
    }

    /// Another replica, with the same sidecar and the same clock.
    async fn api_beside(server: &Server, other: &Service) -> Service {
        on(server, Setup::new("api").beside(other)).await
    }

    async fn on(server: &Server, setup: Setup) -> Service {
        setup
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
        accounts::what_a_user_who_comes_back_stores_is_not_deleted_by_a_late_run,
        accounts::a_user_revokes_the_tokens_that_were_issued_until_now,
        accounts::an_agent_acts_for_its_user_until_it_is_removed,
        accounts::agents_have_names_and_a_number,
        databases::both_databases_answer_alike,
        databases::postgres_finds_words_page_by_page,
        databases::postgres_finds_words_of_every_language,
        databases::postgres_finds_what_an_older_replica_stored_after_the_relay_ran,
        databases::postgres_tells_apart_what_an_older_replica_named_after_the_relay_ran,
        databases::postgres_tells_labels_apart_as_sqlite_does,
        databases::numbers_of_tasks_made_on_postgres_begin_above_the_other_systems,
        databases::a_change_that_arrives_while_postgres_stores_its_task_is_applied,
        leases::a_lease_is_exclusive_until_it_expires,
        leases::a_burst_of_one_user_does_not_delay_the_reminder_of_another,
        leases::the_reminder_of_another_is_leased_in_the_next_round_whatever_one_user_has_due,
        leases::users_take_turns,
        leases::a_change_of_the_task_keeps_the_lease_and_a_move_of_the_reminder_ends_it,
        leases::a_deferred_reminder_is_leased_again_later,
        leases::a_repeated_request_gets_the_same_reminders,
        leases::an_event_of_a_lease_that_was_followed_by_another_is_not_sent,
        leases::the_earliest_deferral_of_a_lease_counts,
        leases::a_response_says_whether_reminders_may_become_due_again,
        leases::due_seconds_are_each_named_once,
        leases::a_response_ends_where_it_is_large_and_the_rest_is_not_leased,
        leases::replicas_lease_different_reminders,
        leases::reminders_that_were_stored_before_leases_are_leased,
        leases::outcomes_of_a_batch_fail_alone,
        leases::outcomes_of_two_reminders_of_a_task_are_both_stored,
        leases::a_change_at_the_same_time_loses_no_outcome,
        leases::an_outcome_of_a_closing_account_holds_up_no_other,
        leases::each_reminder_of_a_batch_has_a_decision,
        leases::a_user_has_a_bounded_number_of_dead_letters_and_users_take_turns,
        leases::each_completed_task_of_a_batch_gets_its_next_occurrence,
        limits::every_limit_names_itself_and_the_way_out,
        limits::what_was_there_before_is_counted_and_closing_the_account_forgets_it,
        plans::postgres_has_an_index_for_every_statement,
        recipients::an_address_counts_once_its_holder_has_confirmed_it,
        recipients::confirmations_are_limited,
        recipients::a_stranger_is_never_written_to_again,
        recipients::a_recipient_stops_emails_and_their_user_resumes_them,
        recipients::a_refused_recipient_gets_no_more_emails,
        recipients::emails_of_a_day_are_limited,
        trail::every_version_says_who_made_it,
        trail::a_sent_reminder_is_told_step_by_step,
        trail::what_holds_up_a_reminder_is_told_with_what_to_do,
        trail::a_failure_and_quiet_hours_are_told_with_what_to_do,
        whole_system::the_same_components_keep_their_tasks_in_postgresql,
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
