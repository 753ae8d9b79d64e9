//! The manifests in `k8s/`, without a cluster: every overlay is rendered by kustomize, validated by kubeconform against the schemas of
//! Kubernetes, Dapr, the Spin operator and KEDA, and held against `spin.toml` and the names that the code uses. The same checks are
//! shown broken manifests, one fault each, and must name it. `tests/chain.rs` asks a real API server.

#![allow(clippy::indexing_slicing, reason = "tests")]

mod check;
mod concurrency;
mod dapr;
mod faults;
mod network;
mod scopes;
mod scripts;
#[path = "../yaml/mod.rs"]
mod yaml;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::json;
use test_kubernetes::Tools;

use check::Manifests;
use faults::Fault;
use yaml::{documents, put, root};

const OVERLAYS: [&str; 4] = ["minikube", "minikube-redis", "minikube-rabbitmq", "oke"];

/// A case.
type Test = Box<dyn FnOnce(&Tools) -> Result<()> + Send>;

fn main() {
    let arguments = Arguments::from_args();
    let tools = Tools::find();
    let missing = tools.as_ref().err().map(ToString::to_string);
    if let Some(missing) = &missing {
        eprintln!("the tests of the manifests are ignored: {missing}");
    }
    let ignored = missing.is_some();
    let mut trials = Vec::new();
    let mut trial = |name: String, test: Test| {
        let tools = tools.as_ref().ok().cloned();
        let run = move || {
            let tools = tools.ok_or_else(|| Failed::from("the tools are missing"))?;
            test(&tools).map_err(|error| Failed::from(format!("{error:#}")))
        };
        trials.push(Trial::test(name, run).with_ignored_flag(ignored));
    };
    for overlay in OVERLAYS {
        trial(
            format!("{overlay} is valid"),
            Box::new(move |tools| tools.conform(&rendered(tools, overlay)?)),
        );
        trial(
            format!("{overlay} agrees with spin.toml and the code"),
            Box::new(move |tools| {
                let findings = manifests(tools, overlay)?.findings();
                ensure!(findings.is_empty(), "{}", findings.join("\n"));
                Ok(())
            }),
        );
    }
    trial(
        "the hardening is valid, and of every service".to_owned(),
        Box::new(hardening),
    );
    trial(
        "the shim takes the place of the container".to_owned(),
        Box::new(shim),
    );
    trial(
        "the scripts roll out the api first, and show no secret".to_owned(),
        Box::new(scripts::deploys),
    );
    for fault in faults::all() {
        trial(
            format!("found: {} in {} {}", fault.what, fault.kind, fault.name),
            Box::new(move |tools| found(tools, &fault)),
        );
    }
    trial("found: an unknown field".to_owned(), Box::new(unknown_field));
    for (name, test) in concurrency::TESTS
        .into_iter()
        .chain(scopes::TESTS)
        .chain(scripts::TESTS)
    {
        trials.push(Trial::test(name, move || {
            test().map_err(|error| Failed::from(format!("{error:#}")))
        }));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// An overlay's objects, which kustomize makes once for all cases.
fn rendered(tools: &Tools, overlay: &'static str) -> Result<String> {
    static RENDERED: Mutex<BTreeMap<&str, String>> = Mutex::new(BTreeMap::new());
    let mut rendered = RENDERED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(yaml) = rendered.get(overlay) {
        return Ok(yaml.clone());
    }
    let yaml = tools.render(&root()?.join("k8s/overlays").join(overlay))?;
    rendered.insert(overlay, yaml.clone());
    Ok(yaml)
}

fn manifests(tools: &Tools, overlay: &'static str) -> Result<Manifests> {
    let spin: toml::Value = toml::from_str(&fs::read_to_string(root()?.join("spin.toml"))?)?;
    let secrets = secrets_of(&fs::read_to_string(root()?.join("scripts/deploy.sh"))?);
    Ok(Manifests::new(
        documents(&rendered(tools, overlay)?)?,
        serde_json::to_value(spin)?,
        secrets,
    ))
}

/// `make NAME KEY=…` and `want NAME KEY …` of the script, as `NAME/KEY`; `$app` in a name is each app.
fn secrets_of(script: &str) -> BTreeSet<String> {
    let mut secrets = BTreeSet::new();
    for line in script.lines() {
        let mut words = line
            .split_whitespace()
            .skip_while(|word| !["make", "want"].contains(word))
            .skip(1);
        let Some(name) = words.next().map(|name| name.trim_matches('"')) else {
            continue;
        };
        let keys = words.map(|word| word.trim_matches('"').split('=').next().unwrap_or_default());
        for key in keys {
            let names = nudge_contract::names::app::ALL.map(|app| name.replace("$app", app));
            secrets.extend(names.map(|name| format!("{name}/{key}")));
        }
    }
    secrets
}

fn hardening(tools: &Tools) -> Result<()> {
    let yaml = tools.render(&root()?.join("k8s/hardening"))?;
    tools.conform(&yaml)?;
    let deployments: BTreeSet<String> = documents(&yaml)?
        .iter()
        .map(|object| {
            let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
            let containers = &object["spec"]["template"]["spec"]["containers"];
            // What is applied is merged by the container's name.
            assert_eq!(containers[0]["name"], name.as_str(), "{object:#}");
            let mut findings = Vec::new();
            check::restricted_pod(&object["spec"]["template"]["spec"], &mut findings);
            assert_eq!(findings, Vec::<String>::new(), "the namespace would refuse it");
            name
        })
        .collect();
    let services: BTreeSet<String> = nudge_contract::names::app::ALL.map(str::to_owned).into();
    ensure!(deployments == services, "{deployments:?}");
    Ok(())
}

fn shim(tools: &Tools) -> Result<()> {
    // kustomize takes relative paths only, and from a folder that is really there.
    let folder = tempfile::tempdir()?;
    let up: PathBuf = folder
        .path()
        .canonicalize()?
        .components()
        .skip(1)
        .map(|_| "..")
        .collect();
    let at = up.join(root()?.strip_prefix("/")?).join("k8s");
    let kustomization = json!({
        "resources": [at.join("base")],
        "components": [at.join("components/kafka"), at.join("components/postgresql"), at.join("components/shim")],
    });
    fs::write(
        folder.path().join("kustomization.yaml"),
        kustomization.to_string(),
    )?;
    let yaml = tools.render(folder.path())?;
    tools.conform(&yaml)?;
    ensure!(yaml.contains("runtimeClassName: wasmtime-spin-v2"), "{yaml}");
    ensure!(!yaml.contains("spinImage"), "the webhook refuses both\n{yaml}");
    Ok(())
}

fn found(tools: &Tools, fault: &Fault) -> Result<()> {
    let mut manifests = manifests(tools, fault.overlay)?;
    let object = manifests
        .object(fault.kind, fault.name)
        .with_context(|| format!("there is no {} {}", fault.kind, fault.name))?;
    put(object, fault.at, fault.value.clone())?;
    let findings = manifests.findings();
    let named = findings.iter().any(|finding| finding.contains(fault.finding));
    ensure!(named, "no finding says `{}`: {findings:#?}", fault.finding);
    Ok(())
}

/// kubeconform is asked whether it looks at all.
fn unknown_field(tools: &Tools) -> Result<()> {
    let yaml = rendered(tools, "minikube")?.replace("serviceAccountName: api", "serviceAccount: api");
    let refused = tools
        .conform(&yaml)
        .err()
        .context("an unknown field of a SpinApp is let through")?;
    ensure!(format!("{refused:#}").contains("serviceAccount"), "{refused:#}");
    Ok(())
}
