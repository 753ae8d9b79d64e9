//! A child process whose log is read.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How long a process may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// Lines of the log that an error shows.
const SHOWN: usize = 12;

/// A process that ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    /// Whether it has a process group of its own, which ends with it.
    group: bool,
}

impl Process {
    /// Starts a program and waits until a line of its log contains `ready`.
    pub(crate) fn start(command: &mut Command, ready: &str) -> Result<Self> {
        Self::spawn(command, ready, false)
    }

    /// As [`start`](Self::start), for a program that starts others.
    pub(crate) fn start_group(command: &mut Command, ready: &str) -> Result<Self> {
        Self::spawn(command.process_group(0), ready, true)
    }

    fn spawn(command: &mut Command, ready: &str, group: bool) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut process = Self {
            child: child.with_context(|| format!("{name} cannot be started"))?,
            group,
        };
        let lines = process.lines();
        let deadline = Instant::now() + PATIENCE;
        let mut log: Vec<String> = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match lines.recv_timeout(left) {
                Ok(line) if line.contains(ready) => break,
                Ok(line) => log.push(line),
                Err(error) => {
                    let last = log.len().saturating_sub(SHOWN);
                    let last = log.get(last..).unwrap_or_default().join("\n");
                    bail!("{name} does not say `{ready}` ({error}):\n{last}");
                }
            }
        }
        // The rest is read as well, or the process would wait for its pipe in the end.
        std::thread::spawn(move || lines.into_iter().for_each(drop));
        Ok(process)
    }

    fn lines(&mut self) -> Receiver<String> {
        let (sender, lines) = channel();
        let outputs: [Option<Box<dyn std::io::Read + Send>>; 2] = [
            self.child.stdout.take().map(|out| Box::new(out) as _),
            self.child.stderr.take().map(|out| Box::new(out) as _),
        ];
        for output in outputs.into_iter().flatten() {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        break;
                    }
                }
            });
        }
        lines
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        if self.group {
            let group = format!("-{}", self.child.id());
            let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Ports of the loopback interface that nobody listens on now.
///
/// # Errors
///
/// There are none.
pub fn free_ports<const N: usize>() -> Result<[u16; N]> {
    let mut listeners = Vec::new();
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free")?;
        *port = listener.local_addr()?.port();
        // Held until all are known, so that they differ.
        listeners.push(listener);
    }
    Ok(ports)
}
