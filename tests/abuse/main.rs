//! What one user, or anyone without a token, does to all others: each case attacks a system that other people use, prints what these
//! people notice, and fails if it is more than a bound.
//!
//! The comment of a case says what the attack did before there was a defence: the figures are of a machine with two cores, which other
//! builds used at the same time, so they are right to a factor of two. The bounds are seconds where the harm was tens of seconds: these are
//! not benchmarks.
//!
//! Most of the time passes while reminders become due, so cases run side by side, each on a system of its own. Those that need the
//! processor run one at a time, when the others have ended.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that panics has failed, and says where"
)]

mod bodies;
mod burst;
mod connections;
mod email;
mod feeds;
mod honest;
mod parts;
#[path = "../e2e/program.rs"]
#[allow(dead_code, reason = "the end-to-end tests use the rest")]
mod program;
mod quotas;
mod raw;
mod target;
mod tokens;
mod unsendable;

use libtest_mimic::{Arguments, Trial};
use test_trial::trial;
use tokio::sync::RwLock;

/// Cases that mostly wait share it; a case that needs the processor has it alone.
static MACHINE: RwLock<()> = RwLock::const_new(());

/// A case that runs beside others.
fn waiting<T: Future<Output = ()>>(name: &str, test: impl FnOnce() -> T + Send + 'static) -> Trial {
    trial(name, None, async || {
        let _shared = MACHINE.read().await;
        test().await;
    })
}

/// A case that runs alone.
fn busy<T: Future<Output = ()>>(name: &str, test: impl FnOnce() -> T + Send + 'static) -> Trial {
    trial(name, None, async || {
        let _alone = MACHINE.write().await;
        test().await;
    })
}

fn main() {
    let mut arguments = Arguments::from_args();
    let trials = vec![
        waiting(
            "a_recipient_that_is_refused_does_not_delay_others",
            unsendable::refused_for_ever,
        ),
        waiting(
            "a_recipient_that_is_refused_for_now_does_not_delay_others",
            unsendable::refused_for_now,
        ),
        waiting("a_slow_recipient_delays_others_by_seconds", unsendable::slow),
        waiting(
            "a_recipient_that_is_never_answered_delays_others_by_seconds",
            unsendable::silent,
        ),
        waiting(
            "a_recipient_that_ends_the_connection_does_not_delay_others",
            unsendable::disconnected,
        ),
        waiting(
            "a_stranger_gets_one_confirmation_and_no_text_of_the_attacker",
            email::to_a_stranger,
        ),
        waiting("confirmations_are_limited", email::confirmations),
        waiting("a_burst_of_one_user_does_not_delay_others", burst::five_thousand),
        waiting("a_sidecar_refuses_before_it_reads_a_body", parts::sidecar),
        waiting(
            "a_web_page_cannot_write_into_the_folder_of_emails",
            parts::mail_in_a_web_request,
        ),
        waiting("a_request_names_one_host", parts::two_hosts),
        waiting("a_revoked_token_is_refused", tokens::stolen),
        waiting("a_token_does_not_live_for_years", tokens::long_lived),
        waiting(
            "requests_that_never_end_do_not_hold_up_others",
            bodies::bodies_that_never_arrive,
        ),
        waiting(
            "answers_that_are_never_read_do_not_hold_up_others",
            bodies::answers_that_are_never_read,
        ),
        busy("open_feeds_and_load_do_not_hold_up_others", feeds::feeds_and_load),
        busy("a_bulk_call_costs_what_it_does", quotas::bulk_calls),
        busy("kept_answers_are_bounded_in_bytes", quotas::kept_answers),
        busy("huge_headers_take_bounded_memory", connections::huge_headers),
        waiting(
            "connections_that_send_nothing_do_not_hold_up_others",
            connections::silent,
        ),
    ];
    // One thread each: which of them run is up to `MACHINE`.
    arguments.test_threads = Some(arguments.test_threads.unwrap_or(trials.len()));
    libtest_mimic::run(&arguments, trials).exit();
}
