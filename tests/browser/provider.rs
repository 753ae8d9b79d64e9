//! A real OpenID Connect provider: tests/mcp/provider.mjs.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde::Deserialize;

use crate::webdriver::is_installed;

/// What the machine lacks.
pub(crate) fn missing() -> Option<String> {
    if !is_installed("node") {
        return Some("node is not installed".to_owned());
    }
    let found = folder().join("node_modules/oidc-provider").is_dir();
    (!found).then(|| "oidc-provider is not installed (npm ci in tests/mcp)".to_owned())
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/mcp")
}

/// A running provider. Dropping it ends it.
pub(crate) struct Provider {
    child: Child,
    pub(crate) says: Says,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Says {
    pub(crate) issuer: String,
    pub(crate) jwks_uri: String,
    pub(crate) client_id: String,
}

impl Provider {
    /// Starts one whose access tokens are valid for so many seconds.
    pub(crate) fn start(seconds: u32) -> Self {
        let mut child = Command::new("node")
            .current_dir(folder())
            .args(["provider.mjs", "--seconds", &seconds.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node starts");
        let output = BufReader::new(child.stdout.take().expect("it is piped"));
        let line = output.lines().next().expect("a line").expect("text");
        Self {
            says: serde_json::from_str(&line).expect("JSON"),
            child,
        }
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
