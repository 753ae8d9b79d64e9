//! Memory and processor time of processes, as Linux counts them.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

/// Ticks per second in /proc/PID/stat, which Linux fixes for programs (proc(5), sysconf(_SC_CLK_TCK)).
const TICKS: u64 = 100;

/// Memory of one or more processes and of all that they have started, in bytes (proc_pid_smaps(5), smaps_rollup).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Memory {
    /// Memory without a file: heap, stacks, Wasm memories. It cannot be shared or dropped.
    pub(crate) anonymous: u64,
    /// All memory, with shared pages divided equally among their processes.
    pub(crate) proportional: u64,
}

impl Memory {
    /// The sum over these processes and their descendants.
    pub(crate) fn of(processes: &[u32]) -> Result<Self> {
        let mut sum = Self::default();
        for process in processes {
            for member in tree(*process)? {
                match Self::of_one(member) {
                    Ok(memory) => {
                        sum.anonymous += memory.anonymous;
                        sum.proportional += memory.proportional;
                    }
                    // It ended while the others were read.
                    Err(_) if member != *process && !runs(member) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(sum)
    }

    fn of_one(process: u32) -> Result<Self> {
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
        Ok(Self {
            anonymous: bytes("Anonymous:")?,
            proportional: bytes("Pss:")?,
        })
    }
}

/// Processor time that these processes and their descendants have used so far, in user and kernel mode, including those that have ended
/// and were waited for.
pub(crate) fn processor_time(processes: &[u32]) -> Result<Duration> {
    let mut ticks = 0;
    for process in processes {
        for member in tree(*process)? {
            match Stat::of(member) {
                Ok(stat) => ticks += stat.own + stat.ended,
                // It ended while the others were read, and is counted with its parent the next time.
                Err(_) if member != *process => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(time(ticks))
}

/// A process and its descendants, parents before children.
fn tree(root: u32) -> Result<Vec<u32>> {
    let mut parents = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(process) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        // One that ends in the meantime is in no tree.
        if let Ok(stat) = Stat::of(process) {
            parents.push((process, stat.parent));
        }
    }
    let mut members = vec![root];
    let mut next = 0;
    while let Some(parent) = members.get(next).copied() {
        let children = parents.iter().filter(|(_, of)| *of == u64::from(parent));
        members.extend(children.map(|(child, _)| *child));
        next += 1;
    }
    Ok(members)
}

/// Whether a process runs: one that has ended and was not waited for does not.
fn runs(process: u32) -> bool {
    Stat::of(process).is_ok_and(|stat| !stat.is_zombie)
}

fn time(ticks: u64) -> Duration {
    Duration::from_millis(ticks * 1_000 / TICKS)
}

/// The fields of /proc/PID/stat that are needed (proc_pid_stat(5)); times in ticks.
struct Stat {
    is_zombie: bool,
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
        let fields: Vec<&str> = text
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        let numbers: Vec<u64> = fields
            .iter()
            .enumerate()
            .filter(|(place, _)| *place == 1 || (11..15).contains(place))
            .filter_map(|(_, field)| field.parse().ok())
            .collect();
        let [parent, user, kernel, ended_user, ended_kernel] = numbers[..] else {
            anyhow::bail!("no times in {path}");
        };
        Ok(Self {
            is_zombie: fields.first() == Some(&"Z"),
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

#[cfg(test)]
pub(crate) mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;
    use std::process::Command;
    use std::time::Instant;

    use test_dapr::Process;

    use super::*;

    /// What the child of [`spin`] holds, in bytes.
    const HELD: u64 = 8_000_000;

    /// A program that works through a child, as `spin up` does through `spin trigger http`. A process that has ended worked for the
    /// child before.
    pub(crate) fn spin(folder: &Path) -> Command {
        let script = format!(
            "#!/bin/sh\n\
             sh -c '\n\
               (i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done)\n\
               held=$(head -c {HELD} /dev/zero | tr \"\\0\" x)\n\
               i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done\n\
               echo Available Routes\n\
               sleep 1000\n\
               echo $held' &\n\
             wait\n"
        );
        let path: PathBuf = folder.join("spin");
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
        Command::new(path)
    }

    /// Returns once none of these processes runs.
    pub(crate) fn ended(processes: &[u32]) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while processes.iter().any(|process| runs(*process)) {
            assert!(Instant::now() < deadline, "processes are left: {processes:?}");
            std::thread::yield_now();
        }
    }

    /// A process and its descendants.
    pub(crate) fn members(process: &Process) -> Vec<u32> {
        tree(process.id()).unwrap()
    }

    #[test]
    fn what_a_child_uses_is_in_the_sum_and_no_process_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let process = Process::start_group(spin(folder.path()), "Available Routes").unwrap();
        let members = members(&process);
        let [root, child, ..] = members[..] else {
            panic!("{members:?}");
        };
        assert_eq!(root, process.id());

        let memory = Memory::of(&[root]).unwrap();
        assert!(Memory::of_one(root).unwrap().anonymous < HELD);
        assert!(memory.anonymous >= HELD, "{memory:?}");
        assert!(memory.proportional >= HELD, "{memory:?}");

        let of_child = Stat::of(child).unwrap();
        assert!(of_child.own > 0 && of_child.ended > 0);
        assert!(processor_time(&[root]).unwrap() >= time(of_child.own + of_child.ended));
        assert!(time(Stat::of(root).unwrap().own) < time(of_child.own));

        drop(process);
        ended(&members);
    }
}
