//! What checks manifests without a cluster.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::Missing;
use crate::kubectl::{output, run};
use crate::parts::cache;

/// kustomize, and kubeconform with the schemas of Kubernetes, the Spin operator, Dapr and KEDA.
#[derive(Clone, Debug)]
pub struct Tools {
    folder: PathBuf,
}

impl Tools {
    /// Looks where `scripts/get-kubernetes-tools.sh` puts them: `$NUDGE_CACHE`, else `~/.cache/nudge`.
    ///
    /// # Errors
    ///
    /// The first that is missing.
    pub fn find() -> Result<Self, Missing> {
        let folder = cache()?.join("kubernetes-tools");
        let needed = ["kustomize", "kubeconform", "schemas"];
        match needed.into_iter().find(|tool| !folder.join(tool).exists()) {
            None => Ok(Self { folder }),
            Some(tool) => Err(Missing::Tool {
                tool,
                folder: folder.display().to_string(),
            }),
        }
    }

    /// The program that renders.
    pub fn kustomize(&self) -> PathBuf {
        self.folder.join("kustomize")
    }

    /// The objects of a folder with a `kustomization.yaml`, as YAML.
    ///
    /// # Errors
    ///
    /// kustomize cannot make them; the error is what it says.
    pub fn render(&self, folder: &Path) -> Result<String> {
        let mut command = Command::new(self.kustomize());
        command.arg("build").arg(folder);
        run(command, None)
    }

    /// Whether every object is as its kind's schema says, with no field that the schema does not know.
    ///
    /// # Errors
    ///
    /// What is wrong with which, or that an object's kind is unknown.
    pub fn conform(&self, yaml: &str) -> Result<()> {
        let schemas = self.folder.join("schemas");
        let file = "{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json";
        let location = format!("{}/{file}", schemas.display());
        let mut command = Command::new(self.folder.join("kubeconform"));
        // With JSON every finding is in one place, and so is how many were looked at.
        command.args([
            "-strict",
            "-summary",
            "-output",
            "json",
            "-schema-location",
            &location,
        ]);
        let output = output(command, Some(yaml)).context("kubeconform cannot be run")?;
        let said = String::from_utf8_lossy(&output.stdout);
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{said}{error}");
        // Nothing is found where nothing is looked at.
        ensure!(
            said.contains("\"skipped\": 0") && !said.contains("\"valid\": 0"),
            "{said}"
        );
        Ok(())
    }
}
