//! A child process whose log is read.

use std::fs::File;
use std::io::{BufRead, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// How long a process may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// Lines of the log that an error shows.
const SHOWN: usize = 12;

/// What lines say that name the cause.
const WHY: [&str; 4] = ["panic", "fatal", "no space", "in use"];

/// Where logs are kept, one file a process, if this names a folder.
const LOGS: &str = "NUDGE_TEST_LOGS";

/// A process that ends when it is dropped. It can be killed and frozen before, and started again as it was.
#[derive(Debug)]
pub struct Process {
    command: Command,
    child: Child,
    /// Whether it has a process group of its own, which ends with it.
    group: bool,
}

impl Process {
    /// Starts a program and waits until a line of its log contains `ready`.
    ///
    /// # Errors
    ///
    /// It does not start, or does not say so within a minute. The error holds what it logged last.
    pub fn start(command: Command, ready: &str) -> Result<Self> {
        Self::spawn(command, ready, false)
    }

    /// As [`start`](Self::start), for a program that starts others: they end with it. A Ctrl-C in the terminal does not reach them.
    ///
    /// # Errors
    ///
    /// Those of [`start`](Self::start).
    pub fn start_group(mut command: Command, ready: &str) -> Result<Self> {
        command.process_group(0);
        Self::spawn(command, ready, true)
    }

    /// As [`start_group`](Self::start_group), without waiting until it is ready.
    ///
    /// # Errors
    ///
    /// It does not start.
    pub fn launch_group(mut command: Command) -> Result<Self> {
        command.process_group(0);
        let mut process = Self::new(command, true)?;
        drain(process.lines()?);
        Ok(process)
    }

    fn new(mut command: Command, group: bool) -> Result<Self> {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Ok(Self {
            child: child(&mut command)?,
            command,
            group,
        })
    }

    fn spawn(command: Command, ready: &str, group: bool) -> Result<Self> {
        let mut process = Self::new(command, group)?;
        let name = process.name();
        let lines = process.lines()?;
        let deadline = Instant::now() + PATIENCE;
        let mut log: Vec<String> = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match lines.recv_timeout(left) {
                Ok(line) if line.contains(ready) => break,
                Ok(line) => log.push(line),
                Err(error) => {
                    bail!("{name} does not say `{ready}` ({error}):\n{}", shown(&log));
                }
            }
        }
        drain(lines);
        Ok(process)
    }

    fn name(&self) -> String {
        self.command.get_program().to_string_lossy().into_owned()
    }

    /// What it writes from now on, line by line.
    fn lines(&mut self) -> Result<Receiver<String>> {
        let (sender, lines) = channel();
        let outputs: [Option<Box<dyn std::io::Read + Send>>; 2] = [
            self.child.stdout.take().map(|out| Box::new(out) as _),
            self.child.stderr.take().map(|out| Box::new(out) as _),
        ];
        for (number, output) in outputs.into_iter().flatten().enumerate() {
            let sender = sender.clone();
            let mut kept = self.log_file(number)?;
            std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    // A log that cannot be kept any more is no reason to end a test.
                    if let Some(file) = &mut kept {
                        let _ = writeln!(file, "{line}");
                    }
                    if sender.send(line).is_err() {
                        break;
                    }
                }
            });
        }
        Ok(lines)
    }

    fn log_file(&self, output: usize) -> Result<Option<File>> {
        let Some(folder) = std::env::var_os(LOGS).map(PathBuf::from) else {
            return Ok(None);
        };
        let program = PathBuf::from(self.command.get_program());
        let program = program.file_name().unwrap_or_default().to_string_lossy();
        let path = folder.join(format!("{program}-{}-{output}.log", self.child.id()));
        let file = File::create(&path).with_context(|| format!("{LOGS}: {}", path.display()))?;
        Ok(Some(file))
    }

    /// Ends it at once, as `kill -9` does, if it runs.
    pub fn kill(&mut self) {
        // It may have ended by itself.
        if self.group {
            let _ = self.signal("KILL");
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again as it was started, without waiting for it.
    ///
    /// # Errors
    ///
    /// It runs, or cannot be started.
    pub fn revive(&mut self) -> Result<()> {
        ensure!(!self.runs(), "{} runs", self.name());
        self.child = child(&mut self.command)?;
        drain(self.lines()?);
        Ok(())
    }

    /// Whether it has not ended.
    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Stops it as `kill -STOP` does: it keeps its connections and does not respond.
    ///
    /// # Errors
    ///
    /// It does not run.
    pub fn freeze(&self) -> Result<()> {
        self.signal("STOP")
    }

    /// Lets it go on.
    ///
    /// # Errors
    ///
    /// It does not run.
    pub fn thaw(&self) -> Result<()> {
        self.signal("CONT")
    }

    /// Its id, for those who look at what it uses.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    fn signal(&self, signal: &str) -> Result<()> {
        let whole = if self.group { "-" } else { "" };
        let sent = Command::new("kill")
            .args([
                &format!("-{signal}"),
                "--",
                &format!("{whole}{}", self.child.id()),
            ])
            .stderr(Stdio::null())
            .status()
            .context("there is no `kill`")?;
        ensure!(sent.success(), "{} does not run", self.name());
        Ok(())
    }
}

/// The end of a log, after the lines that say why it ends: a stack may be longer than what is shown.
fn shown(log: &[String]) -> String {
    let (before, last) = log.split_at(log.len().saturating_sub(SHOWN));
    let why = before.iter().filter(|line| {
        let line = line.to_lowercase();
        WHY.iter().any(|word| line.contains(word))
    });
    let lines: Vec<&str> = why.take(SHOWN).chain(last).map(String::as_str).collect();
    lines.join("\n")
}

fn child(command: &mut Command) -> Result<Child> {
    let name = command.get_program().to_string_lossy().into_owned();
    command
        .spawn()
        .with_context(|| format!("{name} cannot be started"))
}

/// Reads a log to its end, or the process would wait for its pipe sometime.
fn drain(lines: Receiver<String>) {
    std::thread::spawn(move || lines.into_iter().for_each(drop));
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_shown_before_a_long_stack() {
        let mut log = vec![
            "starting".to_owned(),
            "level=panic msg=\"failed to create WAL\" error=\"no space left on device\"".to_owned(),
        ];
        log.extend((0..40).map(|frame| format!("frame {frame}")));
        let shown = shown(&log);
        assert!(shown.starts_with("level=panic"), "{shown}");
        assert!(shown.ends_with("frame 39"), "{shown}");
        assert!(!shown.contains("starting"), "{shown}");
        assert_eq!(shown.lines().count(), SHOWN + 1);
    }
}
