//! `scripts/deploy.sh` and `scripts/rollback.sh` on a cluster that is only pretended (`fakes/`): the order in which they roll out, and that
//! no program that they start has a secret among its arguments. `tests/deploy` runs them on a real API server.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nudge_contract::names::app;
use test_kubernetes::Tools;

use crate::yaml::root;

/// A case, by its name.
type Case = (&'static str, fn() -> Result<()>);

pub(super) const TESTS: [Case; 1] = [("the scripts sign as openssl does", hmac)];

/// Programs of the scripts that are recorded and then run as they are.
const RECORDED: [&str; 17] = [
    "awk", "base64", "cat", "comm", "cut", "date", "grep", "gzip", "head", "od", "openssl", "sed", "sort",
    "tail", "tee", "tr", "wc",
];

/// A folder with the pretended cluster, and programs that record how they are started.
struct Fake {
    folder: tempfile::TempDir,
}

impl Fake {
    fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let fakes = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/manifests/fakes");
        for name in ["bin", "programs", "cluster"] {
            fs::create_dir(folder.path().join(name))?;
        }
        let put = |file: &str, at: PathBuf| -> Result<()> {
            fs::copy(fakes.join(file), &at).with_context(|| file.to_owned())?;
            Ok(fs::set_permissions(&at, fs::Permissions::from_mode(0o755))?)
        };
        put("recorder", folder.path().join("bin/recorder"))?;
        for program in ["kubectl", "curl"] {
            put(program, folder.path().join("programs").join(program))?;
        }
        for program in RECORDED.into_iter().chain(["kubectl", "curl"]) {
            symlink("recorder", folder.path().join("bin").join(program))?;
        }
        Ok(Self { folder })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a script; returns the command lines of all recorded programs.
    fn run(&self, tools: &Tools, script: &str, arguments: &[&str]) -> Result<Vec<String>> {
        let record = self.path("record");
        fs::write(&record, "")?;
        let path = std::env::var("PATH")?;
        let programs = format!("{}:{path}", self.path("programs").display());
        let output = Command::new("bash")
            .arg(root()?.join("scripts").join(script))
            .args(arguments)
            .env("PATH", format!("{}:{programs}", self.path("bin").display()))
            .env("PROGRAMS", &programs)
            .env("RECORD", &record)
            .env("CLUSTER", self.path("cluster"))
            .env("KUSTOMIZE", tools.kustomize())
            .output()?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{script}: {errors}");
        Ok(fs::read_to_string(&record)?.lines().map(str::to_owned).collect())
    }

    /// Every value of every Secret on the cluster, and the token of the check.
    fn secrets(&self) -> Result<Vec<String>> {
        let mut secrets = Vec::new();
        for entry in fs::read_dir(self.path("cluster"))? {
            let path = entry?.path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let text = fs::read_to_string(&path)?;
            if name == "header" {
                let token = text.strip_prefix("authorization: Bearer ").context("a token")?;
                ensure!(token.split('.').count() == 3, "{token}");
                secrets.push(token.to_owned());
            } else if name.starts_with("secret-") {
                let (_, data) = text.split_once("data: {").context("data")?;
                let values = data.split('"').skip(3).step_by(4);
                for value in values {
                    secrets.push(String::from_utf8(STANDARD.decode(value)?)?);
                }
            }
        }
        // Not addresses, which are no secrets; a password in one is the value of another Secret.
        secrets.retain(|secret| secret.len() >= 32);
        Ok(secrets)
    }
}

/// Deploys twice and goes back. The script checks with a reminder, which needs a token.
pub(super) fn deploys(tools: &Tools) -> Result<()> {
    let fake = Fake::new()?;
    for overlay in ["minikube-rabbitmq", "minikube-redis"] {
        let images = [
            "--image",
            "registry.example.com/nudge:1",
            "--spin-image",
            "registry.example.com/nudge-spin:4.1",
        ];
        let arguments: Vec<&str> = [overlay].into_iter().chain(images).collect();
        let record = fake.run(tools, "deploy.sh", &arguments)?;
        let secrets = fake.secrets()?;
        ensure!(secrets.len() > 11, "{} secrets", secrets.len());
        for secret in &secrets {
            let shown = record.iter().find(|line| line.contains(secret));
            ensure!(shown.is_none(), "a secret is on a command line: {shown:?}");
        }
        ensure!(
            record.iter().any(|line| line.starts_with("openssl dgst")),
            "{record:#?}"
        );
        ensure!(
            steps(&record) == order(app::ALL),
            "{:#?} is not {:#?}",
            steps(&record),
            order(app::ALL)
        );
    }
    let record = fake.run(tools, "rollback.sh", &[])?;
    let [first, rest @ ..] = app::ALL;
    let mut back = rest.to_vec();
    back.push(first);
    ensure!(
        steps(&record) == order(back.clone()),
        "{:#?} is not {:#?}",
        steps(&record),
        order(back)
    );
    Ok(())
}

/// What is expected for apps that are rolled out one after another.
fn order<'a>(apps: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let steps = apps
        .into_iter()
        .map(|app_id| [format!("apply {app_id}"), format!("{app_id} is ready")]);
    steps.flatten().collect()
}

/// Applied SpinApps, and waits until they are ready, in order.
fn steps(record: &[String]) -> Vec<String> {
    let step = |line: &String| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let last = words.last()?.rsplit('/').next()?;
        let applied = last
            .strip_suffix(".yaml")
            .filter(|applied| app::ALL.contains(applied));
        match applied {
            Some(applied) if words.contains(&"apply") => Some(format!("apply {applied}")),
            _ => {
                let ready = words.iter().find_map(|word| word.strip_prefix("deployment/"))?;
                words.contains(&"rollout").then(|| format!("{ready} is ready"))
            }
        }
    };
    let lines = record.iter().filter(|line| line.starts_with("kubectl"));
    lines.filter_map(step).collect()
}

fn hmac() -> Result<()> {
    let script = "source scripts/k8s.sh; hmac_sha256 \"$KEY\" | od -An -v -tx1 | tr -d ' \\n'";
    for (key, expected) in [
        // RFC 4231, section 4.3.
        (
            "Jefe",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        // As long as a block of SHA-256, and longer than that: of Python's `hmac`.
        (
            "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "6c54f514609552a77307d5d6a0cb9503e347c9e91bb043432173f2a3353c8141",
        ),
        (
            "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0",
            "aee331fcce94bb058e73ca9fd01f1bbc1ed8147ba002af7195cc2396ebc1c570",
        ),
    ] {
        let output = Command::new("bash")
            .current_dir(root()?)
            .args([
                "-c",
                &format!("printf 'what do ya want for nothing?' | ({script})"),
            ])
            .env("KEY", key)
            .output()?;
        let found = String::from_utf8_lossy(&output.stdout);
        ensure!(
            found == expected,
            "{key}: {found} {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(())
}
