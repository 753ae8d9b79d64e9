//! The Spin operator, with its webhooks, as the service account that its own roles are for.

use std::path::Path;

use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use test_dapr::Process;

use crate::certificates::Authority;
use crate::kubectl::{Credentials, Kubectl, kubeconfig, until};
use crate::network::NODE;
use crate::parts::{Parts, command};

/// Its namespace, and how the names of its objects begin.
const NAME: &str = "spin-operator";

/// What the webhooks are asked to see whether they answer: an executor that needs nothing.
const PROBE: &str = "{apiVersion: core.spinkube.dev/v1alpha1, kind: SpinAppExecutor, \
     metadata: {name: probe, namespace: default}, spec: {createDeployment: false}}";

/// Applies its objects and starts it. It is ready when its webhooks have answered.
pub(crate) fn start(
    parts: &Parts,
    authority: &Authority,
    kubectl: &Kubectl,
    folder: &Path,
) -> Result<Process> {
    let own = folder.join(NAME);
    objects(parts, authority, kubectl)?;
    // Where it looks for its certificate, in the folder for temporary files.
    let temporary = own.join("tmp");
    let service = format!("{NAME}-webhook-service.{NAME}.svc");
    authority.server(&temporary.join("k8s-webhook-server/serving-certs"), &[&service])?;
    let account = format!("{NAME}-controller-manager");
    let token = kubectl.run(&["-n", NAME, "create", "token", &account, "--duration=8h"], None)?;
    let credentials = own.join("kubeconfig");
    kubeconfig(&credentials, authority, &Credentials::Token(token.trim()))?;

    let mut operator = command(&parts.program(NAME), &own);
    operator
        .env("KUBECONFIG", credentials)
        .env("TMPDIR", temporary)
        .args(["--enable-webhooks=true", "--metrics-bind-address=0"])
        .arg("--health-probe-bind-address=127.0.0.1:8082");
    let process = Process::start(operator, "Serving webhook server")?;
    until("the webhooks of the Spin operator answer", || {
        kubectl.run(&["create", "--dry-run=server", "-f", "-"], Some(PROBE))
    })?;
    Ok(process)
}

/// Roles, Service and webhooks as it ships them. The Service leads to the process, the webhooks know the authority.
fn objects(parts: &Parts, authority: &Authority, kubectl: &Kubectl) -> Result<()> {
    let endpoint = format!(
        "{{apiVersion: v1, kind: Namespace, metadata: {{name: {NAME}}}}}\n---\n\
         {{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, addressType: IPv4, \
         metadata: {{name: local, namespace: {NAME}, labels: {{kubernetes.io/service-name: {NAME}-webhook-service}}}}, \
         ports: [{{port: 9443, protocol: TCP}}], endpoints: [{{addresses: [{NODE}], conditions: {{ready: true}}}}]}}"
    );
    kubectl.run(&["apply", "--server-side", "-f", "-"], Some(&endpoint))?;
    let folder = parts.objects().join(NAME).display().to_string();
    kubectl.run(&["apply", "--server-side", "-k", &folder], None)?;
    let bundle = STANDARD.encode(authority.pem());
    // One for the SpinApps, one for their executors.
    let knows = |number: usize| {
        format!(
            "{{\"op\": \"add\", \"path\": \"/webhooks/{number}/clientConfig/caBundle\", \"value\": \"{bundle}\"}}"
        )
    };
    let patch = format!("[{}, {}]", knows(0), knows(1));
    for kind in ["mutating", "validating"] {
        let webhooks = format!("{kind}webhookconfiguration/{NAME}-{kind}-webhook-configuration");
        kubectl.run(&["patch", &webhooks, "--type=json", "--patch", &patch], None)?;
    }
    Ok(())
}
