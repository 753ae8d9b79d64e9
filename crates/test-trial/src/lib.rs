//! A test that is ignored, and counted so, where a machine lacks what it needs.
//!
//! Rust's own harness decides at compile time what it ignores. A suite with `harness = false` decides when it runs:
//!
//! ```no_run
//! let missing = std::env::var_os("BROKER").is_none().then(|| "BROKER names no broker".to_owned());
//! let trials = vec![test_trial::trial("an_event_arrives", missing, async || {
//!     // The test.
//! })];
//! libtest_mimic::run(&libtest_mimic::Arguments::from_args(), trials).exit();
//! ```

use std::time::Duration;

use libtest_mimic::Trial;
use tokio::runtime::Builder;

/// A test on a runtime of its own, with two threads. If something is missing, it is ignored and the reason is printed.
pub fn trial<T: Future<Output = ()>>(
    name: &str,
    missing: Option<String>,
    test: impl FnOnce() -> T + Send + 'static,
) -> Trial {
    let mut runtime = Builder::new_multi_thread();
    runtime.worker_threads(2);
    on(runtime, name, missing, test)
}

/// The same on the thread of the test alone, as `#[tokio::test]` does it.
pub fn trial_on_one_thread<T: Future<Output = ()>>(
    name: &str,
    missing: Option<String>,
    test: impl FnOnce() -> T + Send + 'static,
) -> Trial {
    on(Builder::new_current_thread(), name, missing, test)
}

fn on<T: Future<Output = ()>>(
    mut runtime: Builder,
    name: &str,
    missing: Option<String>,
    test: impl FnOnce() -> T + Send + 'static,
) -> Trial {
    if let Some(missing) = &missing {
        eprintln!("{name} is ignored: {missing}");
    }
    let trial = Trial::test(name, move || {
        let runtime = runtime.enable_all().build()?;
        runtime.block_on(test());
        runtime.shutdown_timeout(Duration::from_secs(1));
        Ok(())
    });
    trial.with_ignored_flag(missing.is_some())
}
