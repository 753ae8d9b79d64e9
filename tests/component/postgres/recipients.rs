//! Which address emails go to, when they stop, and how many are sent: as on SQLite.

use test_postgres::Server;

use super::{api_on, on};
use crate::api::{recipients, recipients_limits};
use crate::support::Setup;

pub(crate) async fn an_address_counts_once_its_holder_has_confirmed_it(server: Server) {
    recipients::an_address_counts_once_its_holder_has_confirmed_it_of(&api_on(&server).await).await;
}

pub(crate) async fn confirmations_are_limited(server: Server) {
    recipients_limits::confirmations_are_limited_of(&api_on(&server).await).await;
}

pub(crate) async fn a_stranger_is_never_written_to_again(server: Server) {
    recipients::a_stranger_is_never_written_to_again_of(&api_on(&server).await).await;
}

pub(crate) async fn a_recipient_stops_emails_and_their_user_resumes_them(server: Server) {
    recipients::a_recipient_stops_emails_and_their_user_resumes_them_of(&api_on(&server).await).await;
}

pub(crate) async fn a_refused_recipient_gets_no_more_emails(server: Server) {
    recipients::a_refused_recipient_gets_no_more_emails_of(&api_on(&server).await).await;
}

pub(crate) async fn emails_of_a_day_are_limited(server: Server) {
    let setup = Setup::new("api").variable("emails_per_user_and_day", "2");
    recipients_limits::emails_of_a_day_are_limited_of(&on(&server, setup).await).await;
}
