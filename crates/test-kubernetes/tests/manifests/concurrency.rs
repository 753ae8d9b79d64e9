//! `--app-max-concurrency` wherever else a sidecar of Nudge's is configured: without it email-delivery sends nothing, since Dapr's smtp
//! binding mixes up emails that are sent at the same time (docs/decisions/0032-one-email-at-a-time.md), and bursts take more memory in
//! the others.
//!
//! The SpinApps are looked at in `check.rs`. These cases need no tools.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use nudge_contract::names::app;
use serde_json::Value;

use super::yaml::{documents, root};

/// A case, by its name.
type Case = (&'static str, fn() -> Result<()>);

pub(super) const TESTS: [Case; 6] = [
    ("dapr.yaml limits what the code says", dapr_yaml),
    ("found: no limit in dapr.yaml", broken_dapr_yaml),
    ("real-up.sh limits what the code says", script),
    ("found: no limit in real-up.sh", broken_script),
    (
        "whatever else starts a sidecar takes the limit from the code",
        sources,
    ),
    ("found: a program that starts a sidecar without it", broken_source),
];

fn read(file: &str) -> Result<String> {
    fs::read_to_string(root()?.join(file)).with_context(|| file.to_owned())
}

/// Apps of a multi-app run whose limit is not the code's.
fn in_dapr_yaml(yaml: &str) -> Result<Vec<String>> {
    let documents = documents(yaml)?;
    let apps = documents
        .first()
        .and_then(|run| run["apps"].as_array())
        .context("a list of apps")?;
    let mut findings: Vec<String> = apps
        .iter()
        .filter_map(|run| {
            let id = run["appID"].as_str().unwrap_or_default();
            let wanted = app::max_concurrency(id).map_or(Value::Null, Value::from);
            let limit = &run["appMaxConcurrency"];
            (*limit != wanted).then(|| format!("{id}: appMaxConcurrency is {limit}, not {wanted}"))
        })
        .collect();
    for id in app::ALL {
        if !apps.iter().any(|run| run["appID"] == id) {
            findings.push(format!("{id} is not started"));
        }
    }
    Ok(findings)
}

fn dapr_yaml() -> Result<()> {
    let findings = in_dapr_yaml(&read("dapr.yaml")?)?;
    ensure!(findings.is_empty(), "{findings:#?}");
    Ok(())
}

fn broken_dapr_yaml() -> Result<()> {
    let yaml = read("dapr.yaml")?;
    for other in ["\n", "appMaxConcurrency: 2\n"] {
        let findings = in_dapr_yaml(&yaml.replace("appMaxConcurrency: 1\n", other))?;
        ensure!(
            matches!(findings.as_slice(), [one] if one.starts_with("email-delivery: appMaxConcurrency is")),
            "{findings:#?}"
        );
    }
    Ok(())
}

/// Services whose sidecar the script starts with another limit than the code's.
fn in_script(script: &str) -> Vec<String> {
    let mut findings = Vec::new();
    for id in app::ALL {
        let start = format!("start_daprd {id} ");
        let lines: Vec<&str> = script.lines().filter(|line| line.starts_with(&start)).collect();
        let [line] = lines.as_slice() else {
            findings.push(format!("{id} is started {} times", lines.len()));
            continue;
        };
        let mut words = line
            .split_whitespace()
            .skip_while(|word| *word != "--app-max-concurrency");
        let limit = words.nth(1).map(str::to_owned);
        let wanted = app::max_concurrency(id).map(|limit| limit.to_string());
        if limit != wanted {
            findings.push(format!(
                "{id}: --app-max-concurrency is {limit:?}, not {wanted:?}"
            ));
        }
    }
    // Else what a line of those says would not reach the sidecar.
    if !script.contains("--app-health-threshold 1000 \"$@\"") {
        findings.push("start_daprd does not hand on its arguments".to_owned());
    }
    findings
}

fn script() -> Result<()> {
    let findings = in_script(&read("scripts/real-up.sh")?);
    ensure!(findings.is_empty(), "{findings:#?}");
    Ok(())
}

fn broken_script() -> Result<()> {
    let script = read("scripts/real-up.sh")?;
    for (from, to) in [
        (" --app-max-concurrency 1\n", "\n"),
        ("--app-max-concurrency 1\n", "--app-max-concurrency 2\n"),
        ("api /health/live --app-max-concurrency 16", "api /health/live"),
        (" \"$@\"\n}", "\n}"),
    ] {
        let findings = in_script(&script.replace(from, to));
        ensure!(findings.len() == 1, "without `{from}`: {findings:#?}");
    }
    Ok(())
}

/// What starts sidecars of apps that are not Nudge's, or only says how it is done.
const OTHERS: [&str; 4] = [
    "crates/dapr-sidecar/",
    "crates/test-dapr/",
    "crates/test-kubernetes/",
    "tests/conformance/",
];

/// Whether a source file starts sidecars, and does not ask the code how many calls of the app may be in flight.
fn forgets(source: &str) -> bool {
    let starts = [".daprd(&", "Sidecars::bind(", "\"--app-id\"", "Daprd::start("];
    starts.iter().any(|start| source.contains(start)) && !source.contains("app::max_concurrency(")
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target") {
                rust_files(&path, found)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    Ok(())
}

fn sources() -> Result<()> {
    let root = root()?;
    let mut files = Vec::new();
    for folder in ["crates", "src", "tests"] {
        rust_files(&root.join(folder), &mut files)?;
    }
    let (mut starting, mut forgetting) = (0, Vec::new());
    for file in files {
        let name = file.strip_prefix(&root)?.to_string_lossy().into_owned();
        if OTHERS.iter().any(|other| name.starts_with(other)) {
            continue;
        }
        let source = fs::read_to_string(&file)?;
        starting += usize::from(source.contains("app::max_concurrency("));
        if forgets(&source) {
            forgetting.push(name);
        }
    }
    ensure!(forgetting.is_empty(), "{forgetting:#?}");
    // `nudge up`, the simulation, and the suites on real parts.
    ensure!(starting >= 3, "only {starting} files start sidecars of Nudge's");
    Ok(())
}

fn broken_source() -> Result<()> {
    for file in [
        "src/system.rs",
        "crates/test-real/src/platform.rs",
        "tests/e2e/chaos/roles.rs",
    ] {
        let source = read(file)?;
        ensure!(!forgets(&source), "{file}");
        ensure!(
            forgets(&source.replace("app::max_concurrency(", "limit(")),
            "{file}"
        );
    }
    Ok(())
}
