//! How long starting takes, and the size of what is shipped.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use nudge_contract::names::app;
use spin_host::{Host, Manifest};

use crate::load::number;
use crate::results::{Measure, Results};
use crate::stack::Stack;

pub(crate) const COLD: Measure = Measure {
    name: "start of an api, until its first answer",
    setting: "starts",
};

const INSTANCES: Measure = Measure {
    name: "new instance of a component",
    setting: "instances",
};

const ARTIFACTS: Measure = Measure {
    name: "size of what is shipped",
    setting: "files",
};

/// Number of measured starts per round, after one that warms the caches of the disk and of compiled components.
const STARTS: u32 = 5;

/// Number of instances that are created.
const CREATED: u32 = 1_000;

/// Starts one more api beside the running ones, a few times.
pub(crate) async fn cold(results: &mut Results, subject: &str, stack: &Stack) -> Result<()> {
    stack.cold_start().await?;
    for _ in 0..STARTS {
        let time = stack.cold_start().await?;
        results.add(COLD, subject, 1, &[("ms", time.as_secs_f64() * 1_000.0)]);
    }
    Ok(())
}

/// Creates instances of each component in this process, one after the other.
pub(crate) async fn instances(results: &mut Results, root: &Path) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let host = Host::builder(Manifest::load(root.join("spin.toml"))?)
        .listen(([127, 0, 0, 1], 0).into())
        .state_dir(folder.path())
        .cache_dir(root.join("target/compiled"))
        .build()
        .await?;
    for id in app::ALL {
        let component = host.component(id)?;
        let mut times = Histogram::<u64>::new_with_bounds(1, 60_000_000, 3)?;
        for _ in 0..CREATED {
            let begun = Instant::now();
            let instance = component.instantiate().await.map_err(anyhow::Error::from)?;
            let time = u64::try_from(begun.elapsed().as_micros())?;
            times.saturating_record(time);
            drop(instance);
        }
        let microseconds = |quantile| number(times.value_at_quantile(quantile));
        let figures = [("p50 µs", microseconds(0.5)), ("p99 µs", microseconds(0.99))];
        results.add(INSTANCES, id, CREATED, &figures);
    }
    Ok(())
}

/// Measures the sizes of the files.
pub(crate) fn artifacts(results: &mut Results, root: &Path, native: &Path) -> Result<()> {
    let folder = root.join("target/wasm32-wasip2/release");
    let components = [
        "api",
        "notification",
        "email_delivery",
        "recurring_task",
        "dapr_bridge",
    ];
    for name in components {
        let file = folder.join(format!("nudge_{name}.wasm"));
        let size = std::fs::metadata(&file)
            .with_context(|| file.display().to_string())?
            .len();
        results.add(
            ARTIFACTS,
            &format!("nudge_{name}.wasm"),
            1,
            &[("kB", number(size) / 1_000.0)],
        );
    }
    if let Ok(native) = std::fs::metadata(native) {
        let size = number(native.len()) / 1_000.0;
        results.add(ARTIFACTS, "native, all four services", 1, &[("kB", size)]);
    }
    Ok(())
}
