//! The trail of a task, and who made its changes: as on SQLite.

use test_postgres::Server;

use super::api_on;
use crate::api::{feed, trail};

pub(crate) async fn every_version_says_who_made_it(server: Server) {
    feed::versions_say_who_made_them(&api_on(&server).await).await;
}

pub(crate) async fn a_sent_reminder_is_told_step_by_step(server: Server) {
    trail::a_sent_reminder_is_told_step_by_step_of(&api_on(&server).await).await;
}

pub(crate) async fn what_holds_up_a_reminder_is_told_with_what_to_do(server: Server) {
    trail::what_holds_up_a_reminder_is_told_with_what_to_do_of(&api_on(&server).await).await;
}

pub(crate) async fn a_failure_and_quiet_hours_are_told_with_what_to_do(server: Server) {
    trail::a_failure_and_quiet_hours_are_told_with_what_to_do_of(&api_on(&server).await).await;
}
