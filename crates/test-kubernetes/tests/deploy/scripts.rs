//! The scripts, as a person runs them.

use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use test_kubernetes::Cluster;

use crate::pods::NAMESPACE;
use crate::yaml::root;

/// How a script ended.
pub(crate) struct Ran {
    success: bool,
    /// All that it wrote; after a failure, what is on the cluster besides.
    pub(crate) said: String,
}

impl Ran {
    /// It did what it should, and said so.
    pub(crate) fn says(&self, words: &str) -> Result<()> {
        ensure!(self.success && self.said.contains(words), "{}", self.said);
        Ok(())
    }

    /// It did not, and said why.
    pub(crate) fn fails(&self, words: &str) -> Result<()> {
        ensure!(!self.success && self.said.contains(words), "{}", self.said);
        Ok(())
    }
}

/// Runs one of `scripts/` against the cluster.
pub(crate) fn script(cluster: &Cluster, words: &[&str]) -> Result<Ran> {
    let (name, arguments) = words.split_first().context("a script")?;
    let parts = test_kubernetes::find()?;
    let path = std::env::var("PATH")?;
    let begin = Instant::now();
    let output = Command::new("bash")
        .arg(root()?.join("scripts").join(name))
        .args(arguments)
        .env("PATH", format!("{}:{path}", parts.folder().display()))
        .env("KUBECONFIG", cluster.kubeconfig())
        .output()?;
    eprintln!("{}: {:.1} s", words.join(" "), begin.elapsed().as_secs_f64());
    let mut said = [output.stdout, output.stderr]
        .map(|text| String::from_utf8_lossy(&text).into_owned())
        .to_vec();
    let success = output.status.success();
    if !success {
        for what in ["pods", "events"] {
            said.push(cluster.kubectl(&["-n", NAMESPACE, "get", what])?);
        }
    }
    let said = said.join("\n");
    Ok(Ran { success, said })
}

/// Runs deploy.sh with images that are said to be somewhere.
pub(crate) fn deploy(cluster: &Cluster, overlay: &str, version: &str, more: &[&str]) -> Result<Ran> {
    let image = format!("registry.example.com/nudge:{version}");
    let spin = "registry.example.com/nudge-spin:4.1";
    let mut words = vec![
        "deploy.sh",
        overlay,
        "--image",
        &image,
        "--spin-image",
        spin,
        "--no-check",
    ];
    words.extend(more);
    script(cluster, &words)
}
