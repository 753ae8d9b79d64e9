//! The power fails while Nudge is in use, and every acknowledged change is still there afterwards.
//!
//! What SQLite syncs is recorded below it, and the files are made as a cut at any moment leaves them. For files that are not
//! SQLite's there is a real file system on a loop device, which takes Linux and root; elsewhere that is ignored, and counted so.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

mod device;
mod people;
mod recorded;

use libtest_mimic::Arguments;
use nudge::Synchronous;
use test_power_cut::FileSystem;
use test_trial::trial;

fn main() {
    let mut arguments = Arguments::from_args();
    // Each is a whole system.
    arguments.test_threads = Some(1);
    let missing = FileSystem::missing();
    let trials = vec![
        trial(
            "what_was_answered_survives_a_power_cut_at_any_moment",
            None,
            async || {
                assert_eq!(recorded::losses(Synchronous::Full).await, 0);
            },
        ),
        trial(
            "a_power_cut_takes_what_the_setting_normal_does_not_sync",
            None,
            async || {
                assert!(recorded::losses(Synchronous::Normal).await > 0);
            },
        ),
        trial(
            "files_are_on_the_device_when_they_are_published",
            missing.clone(),
            device::files,
        ),
        trial(
            "mail_is_on_the_device_when_the_sender_is_told_so",
            missing.clone(),
            device::mail,
        ),
        trial(
            "the_key_of_tokens_is_on_the_device_when_it_is_used",
            missing.clone(),
            device::key,
        ),
        trial("a_device_has_what_was_answered", missing.clone(), async || {
            assert_eq!(device::losses(Synchronous::Full).await, 0);
        }),
        trial(
            "a_device_lacks_what_the_setting_normal_does_not_sync",
            missing.clone(),
            async || {
                assert!(device::losses(Synchronous::Normal).await > 0);
            },
        ),
    ];
    libtest_mimic::run(&arguments, trials).exit();
}
