//! The power fails while people use Nudge, and what was answered is there when it is back.
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

use std::time::Duration;

use libtest_mimic::{Arguments, Trial};
use nudge::Synchronous;
use test_power_cut::FileSystem;

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
            &missing,
            device::files,
        ),
        trial(
            "mail_is_on_the_device_when_the_sender_is_told_so",
            &missing,
            device::mail,
        ),
        trial(
            "the_key_of_tokens_is_on_the_device_when_it_is_used",
            &missing,
            device::key,
        ),
        trial("a_device_has_what_was_answered", &missing, async || {
            assert_eq!(device::losses(Synchronous::Full).await, 0);
        }),
        trial(
            "a_device_lacks_what_the_setting_normal_does_not_sync",
            &missing,
            async || {
                assert!(device::losses(Synchronous::Normal).await > 0);
            },
        ),
    ];
    libtest_mimic::run(&arguments, trials).exit();
}

fn trial<'a>(
    name: &str,
    missing: impl Into<Option<&'a Option<String>>>,
    test: impl AsyncFnOnce() + Send + 'static,
) -> Trial {
    let missing = missing.into().and_then(Option::as_ref);
    if let Some(missing) = missing {
        eprintln!("{name} is ignored: {missing}");
    }
    let trial = Trial::test(name, move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        runtime.block_on(test());
        runtime.shutdown_timeout(Duration::from_secs(1));
        Ok(())
    });
    trial.with_ignored_flag(missing.is_some())
}
