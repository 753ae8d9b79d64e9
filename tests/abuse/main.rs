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
mod email;
mod honest;
mod raw;
mod target;
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
            "a_recipient_that_is_refused_delays_nobody",
            unsendable::refused_for_ever,
        ),
        waiting(
            "a_recipient_that_is_refused_for_now_delays_nobody",
            unsendable::refused_for_now,
        ),
        waiting("a_slow_recipient_delays_others_by_seconds", unsendable::slow),
        waiting(
            "a_recipient_that_is_never_answered_delays_others_by_seconds",
            unsendable::silent,
        ),
        waiting(
            "a_recipient_that_ends_the_connection_delays_nobody",
            unsendable::disconnected,
        ),
        waiting(
            "a_stranger_gets_one_confirmation_and_no_text_of_the_attacker",
            email::to_a_stranger,
        ),
        busy(
            "requests_that_never_end_hold_up_nobody",
            bodies::bodies_that_never_arrive,
        ),
    ];
    // One thread each: which of them run is up to `MACHINE`.
    arguments.test_threads = Some(arguments.test_threads.unwrap_or(trials.len()));
    libtest_mimic::run(&arguments, trials).exit();
}
