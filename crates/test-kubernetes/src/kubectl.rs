//! kubectl, as one user.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::certificates::{Authority, secret};
use crate::control_plane::ADDRESS;
use crate::parts::command;

/// Timeout of every wait.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// Interval of polling.
const PAUSE: Duration = Duration::from_millis(100);

/// How a user authenticates.
pub(crate) enum Credentials<'a> {
    /// By `tls.crt` and `tls.key` of a folder.
    Certificate(&'a Path),
    /// By a token.
    Token(&'a str),
}

/// Writes a kubeconfig.
pub(crate) fn kubeconfig(path: &Path, authority: &Authority, credentials: &Credentials<'_>) -> Result<()> {
    let user = match credentials {
        Credentials::Token(token) => format!("token: \"{token}\""),
        Credentials::Certificate(folder) => format!(
            "client-certificate: \"{0}/tls.crt\", client-key: \"{0}/tls.key\"",
            folder.display()
        ),
    };
    let text = format!(
        "apiVersion: v1\n\
         kind: Config\n\
         clusters: [{{name: test, cluster: {{server: \"https://{ADDRESS}\", certificate-authority: \"{}\"}}}}]\n\
         users: [{{name: test, user: {{{user}}}}}]\n\
         contexts: [{{name: test, context: {{cluster: test, user: test}}}}]\n\
         current-context: test\n",
        authority.path().display()
    );
    secret(path, &text)
}

/// The program, its user, and its discovery cache.
#[derive(Clone, Debug)]
pub(crate) struct Kubectl {
    pub(crate) program: PathBuf,
    pub(crate) kubeconfig: PathBuf,
    pub(crate) home: PathBuf,
}

impl Kubectl {
    /// Runs it, and returns its output.
    pub(crate) fn run(&self, arguments: &[&str], input: Option<&str>) -> Result<String> {
        let mut command = command(&self.program, &self.home);
        command.arg("--kubeconfig").arg(&self.kubeconfig).args(arguments);
        run(command, input)
    }

    /// Waits until an object exists, and then until it meets a condition.
    pub(crate) fn wait(&self, namespace: &str, object: &str, condition: &str) -> Result<()> {
        let timeout = format!("--timeout={}s", PATIENCE.as_secs());
        let wait = |condition: &str| {
            let condition = format!("--for={condition}");
            self.run(&["-n", namespace, "wait", object, &condition, &timeout], None)
        };
        wait("create")?;
        if condition == "create" {
            return Ok(());
        }
        wait(condition).map(drop).map_err(|error| {
            let status = self.run(&["-n", namespace, "get", object, "-ojsonpath={.status}"], None);
            error.context(format!("{object} is {}", status.unwrap_or_default()))
        })
    }
}

/// Runs a program that must succeed, and returns its output.
pub(crate) fn run(command: Command, input: Option<&str>) -> Result<String> {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let line = words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ");
    let output = output(command, input).with_context(|| line.clone())?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{line}: {}", errors.trim());
    String::from_utf8(output.stdout).context("not a text")
}

/// Runs a program to its end.
pub(crate) fn output(mut command: Command, input: Option<&str>) -> std::io::Result<Output> {
    let mut child = command
        .stdin(if input.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    // Read while it is written to: an answer may be longer than a pipe.
    std::thread::scope(|scope| {
        if let (Some(text), Some(mut stdin)) = (input, child.stdin.take()) {
            // It may end without reading everything, and says why.
            scope.spawn(move || stdin.write_all(text.as_bytes()));
        }
        child.wait_with_output()
    })
}

/// Polls until there is a value.
///
/// # Errors
///
/// There is none in time. The error has the reason of the last attempt.
pub(crate) fn until<T>(what: &str, mut attempt: impl FnMut() -> Result<T>) -> Result<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match attempt() {
            Ok(value) => return Ok(value),
            Err(error) if Instant::now() > deadline => {
                bail!("{what}: not within {} s: {error:#}", PATIENCE.as_secs())
            }
            Err(_) => std::thread::park_timeout(PAUSE),
        }
    }
}
