//! The page in a real browser, against the real `nudge up`: Chromium, driven over WebDriver.
//!
//! Each test has a system and a browser of its own. Where Chromium, chromedriver, Node with `npm ci` in tests/mcp, or axe-core with `npm ci`
//! in tests/lighthouse is missing, what needs it is ignored, and counted so.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

mod agent;
mod complete;
mod faults;
mod live;
mod offline;
#[path = "../e2e/program.rs"]
#[allow(dead_code, reason = "tests/e2e uses all of it")]
mod program;
mod provider;
mod quick_add;
mod sign_in;
mod site;
mod trail;
mod views;
mod webdriver;

use libtest_mimic::Arguments;
use test_trial::trial;

fn main() {
    let mut arguments = Arguments::from_args();
    // A browser, four sidecars and a host are enough for a small machine.
    arguments.test_threads = Some(1);
    let browser = webdriver::missing;
    let axe = || browser().or_else(views::missing_axe);
    let provider = || browser().or_else(provider::missing);
    let trials = vec![
        trial(
            "the link of nudge up signs in, in every tab, until the user signs out",
            browser(),
            sign_in::local,
        ),
        trial(
            "a link that is not valid does not end a session",
            browser(),
            sign_in::invalid_link,
        ),
        trial(
            "a user of a provider signs in, stays so, and signs out",
            provider(),
            sign_in::at_provider,
        ),
        trial(
            "a session that ends loses no input",
            provider(),
            sign_in::ended_session,
        ),
        trial(
            "quick add shows how a line is understood, and adds all of it",
            browser(),
            quick_add::one_line,
        ),
        trial("quick add asks what is ambiguous", browser(), quick_add::question),
        trial(
            "a task is completed, and that is undone",
            browser(),
            complete::and_undo,
        ),
        trial(
            "the next occurrence of a recurring task appears when one is completed",
            browser(),
            complete::recurring,
        ),
        trial(
            "a change appears in other windows without a reload",
            browser(),
            live::two_windows,
        ),
        trial(
            "edits made offline are shown, kept and sent once",
            browser(),
            offline::edits_are_kept,
        ),
        trial(
            "a conflict is shown field by field, and one version is kept",
            browser(),
            offline::conflict,
        ),
        trial(
            "a conflict is given up for the other version",
            browser(),
            offline::conflict_given_up,
        ),
        trial(
            "an agent works over MCP, is named in the trail, and is revoked",
            browser(),
            agent::life,
        ),
        trial(
            "the trail of a reminder that was sent grows on the page",
            browser(),
            trail::of_a_sent_reminder,
        ),
        trial(
            "a form says in words why it failed, and keeps what was typed",
            browser(),
            faults::of_a_form,
        ),
        trial(
            "quick add says in words why a line is not understood, and keeps it",
            browser(),
            faults::of_the_preview,
        ),
        trial(
            "a new task is refused in words, or sent again",
            browser(),
            faults::of_an_edit,
        ),
        trial(
            "a field is refused in words beside it, or sent again",
            browser(),
            faults::of_a_field,
        ),
        trial(
            "a token that is refused loses no input",
            browser(),
            faults::of_the_session,
        ),
        trial("every view is accessible", axe(), views::accessible),
        trial("every view fits, and has its picture", browser(), views::pictures),
        trial(
            "of ten thousand tasks only what is in sight is in the document",
            browser(),
            views::ten_thousand,
        ),
    ];
    libtest_mimic::run(&arguments, trials).exit();
}
