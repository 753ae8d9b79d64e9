//! Memory and processor time of processes, as Linux counts them.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

/// Ticks per second in /proc/PID/stat, which Linux fixes for programs (proc(5), sysconf(_SC_CLK_TCK)).
const TICKS: u64 = 100;

/// Memory of one or more processes, in bytes (proc_pid_smaps(5), smaps_rollup).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Memory {
    /// Memory without a file: heap, stacks, Wasm memories. It cannot be shared or dropped.
    pub(crate) anonymous: u64,
    /// All memory, with shared pages divided equally among their processes.
    pub(crate) proportional: u64,
}

impl Memory {
    /// The sum over these processes.
    pub(crate) fn of(processes: &[u32]) -> Result<Self> {
        let mut sum = Self::default();
        for process in processes {
            let path = format!("/proc/{process}/smaps_rollup");
            let text = std::fs::read_to_string(&path).with_context(|| path.clone())?;
            let bytes = |field: &str| -> Result<u64> {
                let line = text.lines().find_map(|line| line.strip_prefix(field));
                let kilobytes = line.and_then(|line| line.split_whitespace().next());
                let kilobytes: u64 = kilobytes
                    .with_context(|| format!("no {field} in {path}"))?
                    .parse()?;
                Ok(kilobytes * 1_024)
            };
            sum.anonymous += bytes("Anonymous:")?;
            sum.proportional += bytes("Pss:")?;
        }
        Ok(sum)
    }
}

/// Processor time that these processes have used so far, in user and kernel mode.
pub(crate) fn processor_time(processes: &[u32]) -> Result<Duration> {
    let mut ticks = 0;
    for process in processes {
        ticks += Stat::of(*process)?.own;
    }
    Ok(time(ticks))
}

/// Processor time that a process and its children, including ended ones, have used so far.
pub(crate) fn processor_time_of_all(parent: u32) -> Result<Duration> {
    let stat = Stat::of(parent)?;
    let mut ticks = stat.own + stat.ended;
    for entry in std::fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(process) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // A child that ends in the meantime is counted with its parent the next time.
        if let Ok(child) = Stat::of(process)
            && child.parent == u64::from(parent)
        {
            ticks += child.own;
        }
    }
    Ok(time(ticks))
}

fn time(ticks: u64) -> Duration {
    Duration::from_millis(ticks * 1_000 / TICKS)
}

/// The fields of /proc/PID/stat that are needed (proc_pid_stat(5)); times in ticks.
struct Stat {
    parent: u64,
    own: u64,
    /// Of children that have ended and were waited for.
    ended: u64,
}

impl Stat {
    fn of(process: u32) -> Result<Self> {
        let path = format!("/proc/{process}/stat");
        let text = std::fs::read_to_string(&path).with_context(|| path.clone())?;
        // The name, in parentheses, may contain anything. After it come the state, ppid, and as 12th to 15th field utime, stime, cutime
        // and cstime.
        let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace();
        let numbers: Vec<u64> = fields
            .enumerate()
            .filter(|(place, _)| *place == 1 || (11..15).contains(place))
            .filter_map(|(_, field)| field.parse().ok())
            .collect();
        let [parent, user, kernel, ended_user, ended_kernel] = numbers[..] else {
            anyhow::bail!("no times in {path}");
        };
        Ok(Self {
            parent,
            own: user + kernel,
            ended: ended_user + ended_kernel,
        })
    }
}

/// The machine, in a line.
pub(crate) fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(Path::new(path)).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once(':'))
            .map(|(_, value)| value.trim().to_owned())
            .unwrap_or_default()
    };
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let kilobytes = field(&read("/proc/meminfo"), "MemTotal")
        .trim_end_matches(" kB")
        .parse::<u64>();
    format!(
        "{processors} cores of {}, {} GB, Linux {}",
        field(&read("/proc/cpuinfo"), "model name"),
        kilobytes.unwrap_or_default() / 1_000_000,
        read("/proc/sys/kernel/osrelease").trim(),
    )
}
