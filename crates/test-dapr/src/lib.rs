//! The real Dapr for a test, and brokers and stores for it, if this machine has them: `scripts/get-dapr.sh` builds Dapr,
//! `scripts/get-kafka.sh`, `get-redis.sh` and `get-rabbitmq.sh` get the others.
//!
//! ```no_run
//! # fn test() -> anyhow::Result<()> {
//! use test_dapr::{Dapr, Options};
//!
//! let dapr = Dapr::find()?;
//! let scheduler = dapr.scheduler()?;
//! let daprd = dapr.daprd(&Options {
//!     app_id: "orders".to_owned(),
//!     scheduler: Some(scheduler.address()),
//!     resources: vec!["dapr-components/common".into(), "dapr-components/local".into()],
//!     ..Options::default()
//! })?;
//! println!("DAPR_HTTP_ENDPOINT=http://{}", daprd.address());
//! # Ok(()) }
//! ```
//!
//! Everything listens on loopback only, on ports that were free. What is started ends, by SIGKILL, when it is dropped; a test can
//! kill it before, freeze it, and start it again on its data. If `NUDGE_TEST_LOGS` names a folder, logs are kept there.

mod cache;
mod daprd;
mod kafka;
mod process;
mod rabbitmq;
mod redis;
mod scheduler;

pub use cache::cache;
pub use daprd::{AppHealth, Daprd, Options};
pub use kafka::Kafka;
pub use process::Process;
pub use rabbitmq::RabbitMq;
pub use redis::Redis;
pub use scheduler::Scheduler;
pub use test_ports::free_ports;

use std::path::PathBuf;

use anyhow::{Result, ensure};

/// The version that Nudge is held against.
pub const VERSION: &str = "1.16.0";

/// Where the programs are.
#[derive(Clone, Debug)]
pub struct Dapr {
    folder: PathBuf,
}

impl Dapr {
    /// Looks where `scripts/get-dapr.sh` puts them: `$NUDGE_CACHE`, else `~/.cache/nudge`.
    ///
    /// # Errors
    ///
    /// They are not there: a sentence that says how to get them.
    pub fn find() -> Result<Self> {
        let folder = cache::folder()?.join(format!("dapr-{VERSION}"));
        for program in ["daprd", "scheduler"] {
            ensure!(
                folder.join(program).is_file(),
                "there is no {program} {VERSION} in {}: run scripts/get-dapr.sh",
                folder.display()
            );
        }
        Ok(Self { folder })
    }

    /// Starts a scheduler with data of its own.
    ///
    /// # Errors
    ///
    /// It does not start.
    pub fn scheduler(&self) -> Result<Scheduler> {
        Scheduler::start(&self.folder.join("scheduler"))
    }

    /// Starts a sidecar and waits until it is ready, which it is when its app answers.
    ///
    /// # Errors
    ///
    /// It does not start, or is not ready within a minute. The error holds what it logged last.
    pub fn daprd(&self, options: &Options) -> Result<Daprd> {
        Daprd::start(&self.folder.join("daprd"), options)
    }
}
