//! Leases and batches, whose statements differ most between the two databases.

use test_postgres::Server;

use super::databases::run;
use super::{api_beside, api_on};
use crate::api::{batches, dead_letters, lease_fairness, lease_ids, leases};

pub(crate) async fn a_lease_is_exclusive_until_it_expires(server: Server) {
    leases::exclusive_until_it_expires(&api_on(&server).await).await;
}

pub(crate) async fn a_burst_of_one_user_does_not_delay_the_reminder_of_another(server: Server) {
    let api = api_on(&server).await;
    leases::passes_a_burst(&api, async |statement: &str| run(&server, statement).await).await;
}

pub(crate) async fn the_reminder_of_another_is_leased_in_the_next_round_whatever_one_user_has_due(
    server: Server,
) {
    let api = api_on(&server).await;
    lease_fairness::beside_a_backlog(&api, async |statement: &str| run(&server, statement).await).await;
}

pub(crate) async fn users_take_turns(server: Server) {
    leases::take_turns(&api_on(&server).await).await;
}

pub(crate) async fn a_change_of_the_task_keeps_the_lease_and_a_move_of_the_reminder_ends_it(server: Server) {
    leases::kept_by_a_change(&api_on(&server).await).await;
}

pub(crate) async fn a_deferred_reminder_is_leased_again_later(server: Server) {
    leases::deferred(&api_on(&server).await).await;
}

pub(crate) async fn a_repeated_request_gets_the_same_reminders(server: Server) {
    lease_ids::repeated(&api_on(&server).await).await;
}

pub(crate) async fn an_event_of_a_lease_that_was_followed_by_another_is_not_sent(server: Server) {
    lease_ids::superseded(&api_on(&server).await).await;
}

pub(crate) async fn the_earliest_deferral_of_a_lease_counts(server: Server) {
    lease_ids::earliest(&api_on(&server).await).await;
}

pub(crate) async fn a_response_says_whether_reminders_may_become_due_again(server: Server) {
    lease_ids::pending(&api_on(&server).await).await;
}

pub(crate) async fn due_seconds_are_each_named_once(server: Server) {
    leases::seconds(&api_on(&server).await).await;
}

pub(crate) async fn a_response_ends_where_it_is_large_and_the_rest_is_not_leased(server: Server) {
    leases::large(&api_on(&server).await).await;
}

pub(crate) async fn replicas_lease_different_reminders(server: Server) {
    let api = api_on(&server).await;
    let other = api_beside(&server, &api).await;
    leases::disjoint(&[&api, &other]).await;
}

pub(crate) async fn reminders_that_were_stored_before_leases_are_leased(server: Server) {
    let api = api_on(&server).await;
    leases::remind(&api, "alice", "a", 1).await;
    leases::remind(&api, "bob", "b", 1).await;
    let old = include_str!("../api/before_leases/postgres.sql");
    run(&server, &leases::before_leases("", old)).await;
    leases::upgraded(&api, &api_beside(&server, &api).await).await;
}

pub(crate) async fn outcomes_of_a_batch_fail_alone(server: Server) {
    batches::outcomes_alone(&api_on(&server).await).await;
}

pub(crate) async fn outcomes_of_two_reminders_of_a_task_are_both_stored(server: Server) {
    batches::outcomes_of_one_task(&api_on(&server).await).await;
}

pub(crate) async fn a_change_at_the_same_time_loses_no_outcome(server: Server) {
    batches::outcomes_beside_changes(&api_on(&server).await).await;
}

pub(crate) async fn an_outcome_of_a_closing_account_holds_up_no_other(server: Server) {
    let api = api_on(&server).await;
    batches::outcomes_of_closing(&api, async |statement: &str| run(&server, statement).await).await;
}

pub(crate) async fn each_reminder_of_a_batch_has_a_decision(server: Server) {
    batches::decisions(&api_on(&server).await).await;
}

pub(crate) async fn each_completed_task_of_a_batch_gets_its_next_occurrence(server: Server) {
    let api = api_on(&server).await;
    batches::next_occurrences(&api, async |statement: &str| run(&server, statement).await).await;
}

pub(crate) async fn a_user_has_a_bounded_number_of_dead_letters_and_users_take_turns(server: Server) {
    dead_letters::bounded(&api_on(&server).await).await;
}
