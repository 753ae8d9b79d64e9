//! `nudge up` in a process of its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nudge_test_kit::components;

/// A running program. Dropping it kills it, as `kill -9` does.
pub(crate) struct Program {
    child: Child,
    pub(crate) address: SocketAddr,
    /// The link that signs the local user in to the page; empty if there is none.
    #[allow(dead_code, reason = "not every test opens the page")]
    pub(crate) link: String,
}

impl Program {
    pub(crate) fn start(data: &Path) -> Self {
        // A test that polls sends more requests than a user may.
        Self::start_with(data, &["rate_limit_per_minute=0"])
    }

    /// Starts it with these variables of `spin.toml`, each as `NAME=VALUE`.
    pub(crate) fn start_with(data: &Path, variables: &[&str]) -> Self {
        Self::start_as(data, variables, |_| ())
    }

    /// The same, with what `change` adds to the command.
    pub(crate) fn start_as(data: &Path, variables: &[&str], change: impl FnOnce(&mut Command)) -> Self {
        let root = components::built();
        let mut command = Command::new(env!("CARGO_BIN_EXE_nudge"));
        change(
            command
                .current_dir(root)
                .args(["up", "--no-build", "--listen", "127.0.0.1:0"])
                // Tokens of tests on a stepped clock live for a year.
                .args(["--variable", "token_max_hours=8784"])
                .args(variables.iter().flat_map(|variable| ["--variable", variable]))
                .arg("--data-dir")
                .arg(data)
                .env("RUST_LOG", "warn")
                .stdout(Stdio::piped()),
        );
        let mut child = command.spawn().expect("the program starts");
        let output = BufReader::new(child.stdout.take().expect("it is piped"));
        // The greeting has the address and ends with how to stop; a program that exits without it has failed.
        let lines: Vec<String> = output
            .lines()
            .map_while(Result::ok)
            .take_while(|line| !line.starts_with("Ctrl-C"))
            .collect();
        let line = lines
            .iter()
            .find(|line| line.trim_start().starts_with("API"))
            .expect("the program says that it is ready");
        let url = line.split_whitespace().nth(1).expect("an address follows");
        let address = url
            .trim_start_matches("http://")
            .trim_end_matches("/api/v1/tasks");
        let link = lines.iter().find(|line| line.contains("/#token="));
        Self {
            link: link.map(|link| link.trim().to_owned()).unwrap_or_default(),
            address: address.parse().expect("an address"),
            child,
        }
    }

    /// Its process.
    #[allow(dead_code, reason = "tests/abuse measures its memory")]
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it is still running");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
