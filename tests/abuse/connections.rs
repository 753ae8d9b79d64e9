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

/// Headers of so many lines of 10 KB, which do not end.
fn headers(lines: usize) -> String {
    let line = |number| format!("x-{number}: {}\r\n", "x".repeat(9_990));
    let lines: String = (0..lines).map(line).collect();
    format!("GET /health/live HTTP/1.1\r\nhost: x\r\n{lines}")
}

/// 390 KiB of headers that do not end, on 200 connections, and then on 2,000; and headers that are just small enough, on 2,000.
///
/// Before: memory grew by 59 MiB, and by 800 MiB.
pub(crate) async fn huge_headers() {
    let victim = Victim::start();
    let visitor = victim.visitor();
    let Some(before) = victim.memory() else {
        eprintln!("the memory of a process is not known here");
        return;
    };
    let many = connections(2_000);
    let mut grown = Vec::new();
    for (wanted, lines, most) in [(200, 39, 48), (many, 39, 64), (many, 3, 128)] {
        let head = headers(lines);
        let mut open = Vec::new();
        while open.len() < wanted {
            open.push(raw::send(victim.program.address, head.as_bytes()).await);
        }
        // The last bytes are read by now.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let mebibytes = victim.memory().expect("it runs").saturating_sub(before) / 1_024;
        let case = format!(
            "{wanted} connections with {} KB of headers: memory grew by {mebibytes} MiB from {} MiB",
            head.len() / 1_000,
            before / 1_024
        );
        eprintln!("{case}");
        grown.push((mebibytes, most, case));
    }
    let visits = visitor.stop().await;
    visits.check("huge headers");
    for (mebibytes, most, case) in grown {
        assert!(mebibytes < most, "{case}, more than {most} MiB");
    }
}

/// 2,000 connections that send nothing.
///
/// Before: no harm was seen either, as long as the process may open so many files; a bound of connections must not make it one.
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
