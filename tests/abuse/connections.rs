//! Connections without a token, to a program of its own, whose memory is measured.

use std::time::Duration;

use http::Method;
use nudge_test_kit::http::Call;
use tempfile::TempDir;

use crate::honest::Visitor;
use crate::program::Program;
use crate::raw;

/// The program, and where its data are.
struct Victim {
    program: Program,
    _folder: TempDir,
}

impl Victim {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            program: Program::start(folder.path()),
            _folder: folder,
        }
    }

    fn visitor(&self) -> Visitor {
        Visitor::sending(Call::new(self.program.address, Method::GET, "/health/live"))
    }

    /// The memory of the process, in KiB, or nothing on a system without `/proc`.
    fn memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.program.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().trim_end_matches("kB").trim().parse().ok()
    }
}

/// As many connections as this process may have, at most.
fn connections(wanted: usize) -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let soft = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))
        .and_then(|line| line.split_whitespace().next()?.parse().ok());
    wanted.min(soft.unwrap_or(1_024_usize).saturating_sub(200))
}

/// 390 KiB of headers that do not end, on 200 connections, and then on 2,000.
pub(crate) async fn huge_headers() {
    let victim = Victim::start();
    let visitor = victim.visitor();
    let mut head = "GET /health/live HTTP/1.1\r\nhost: x\r\n".to_owned();
    for number in 0..40 {
        head.push_str(&format!("x-{number}: {}\r\n", "x".repeat(9_900)));
    }
    let Some(before) = victim.memory() else {
        eprintln!("the memory of a process is not known here");
        return;
    };
    let mut open = Vec::new();
    let mut grown = Vec::new();
    for wanted in [200, connections(2_000)] {
        while open.len() < wanted {
            open.push(raw::send(victim.program.address, head.as_bytes()).await);
        }
        // The last bytes are read by now.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let now = victim.memory().expect("it runs");
        grown.push((wanted, now.saturating_sub(before) / 1_024));
        eprintln!(
            "{wanted} connections with 390 KiB of headers: memory grew by {} MiB from {} MiB",
            now.saturating_sub(before) / 1_024,
            before / 1_024
        );
    }
    let visits = visitor.stop().await;
    drop(open);
    visits.check("huge headers");
    for (connections, mebibytes) in grown {
        assert!(
            mebibytes < 32,
            "{connections} connections with huge headers: memory grew by {mebibytes} MiB"
        );
    }
}

/// 2,000 connections that send nothing.
pub(crate) async fn silent() {
    let victim = Victim::start();
    let mut open = Vec::new();
    for _ in 0..connections(2_000) {
        open.push(raw::send(victim.program.address, b"").await);
    }
    let visitor = victim.visitor();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let visits = visitor.stop().await;
    visits.check("2,000 connections that send nothing");
}
