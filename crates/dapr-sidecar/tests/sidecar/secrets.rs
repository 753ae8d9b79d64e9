//! Secret stores.

use std::sync::Arc;

use dapr_sidecar::{App, Clock};
use serde_json::json;

use crate::bench::{Bench, assert_recorded, start};

const YAML: &str = "
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: localsecrets}
spec:
  type: secretstores.local.file
  version: v1
  metadata:
  - {name: secretsFile, value: secrets/secrets.json}
  - {name: nestedSeparator, value: ':'}
";

#[tokio::test]
async fn answers_as_recorded() {
    let dir = Arc::new(tempfile::tempdir().expect("a folder"));
    for folder in ["resources", "secrets"] {
        std::fs::create_dir(dir.path().join(folder)).expect("a folder");
    }
    std::fs::write(dir.path().join("resources/all.yaml"), YAML).expect("written");
    let secrets = r#"{"plain": "s3cr3t", "pg": {"connectionString": "host=x"}}"#;
    std::fs::write(dir.path().join("secrets/secrets.json"), secrets).expect("written");
    let clock = Clock::stepped(start());
    let bench = Bench::bind_in(dir, clock, vec![App::new("orders")])
        .await
        .expect("good resources");
    let nested = bench.get("/v1.0/secrets/localsecrets/pg:connectionString").await;
    assert_eq!(
        (nested.status, nested.json()),
        (200, json!({"pg:connectionString": "host=x"}))
    );
    assert_eq!(
        bench.get("/v1.0/secrets/localsecrets/plain").await.body,
        "{\"plain\":\"s3cr3t\"}\n"
    );
    assert_eq!(bench.get("/v1.0/secrets/localsecrets/pg").await.status, 500);
    let bulk = bench.get("/v1.0/secrets/localsecrets/bulk").await.json();
    assert_eq!(
        bulk,
        json!({"pg:connectionString": {"pg:connectionString": "host=x"}, "plain": {"plain": "s3cr3t"}})
    );
    assert_recorded(
        &bench.get("/v1.0/secrets/localsecrets/zip").await,
        "secret-missing.txt",
    );
    assert_recorded(
        &bench.get("/v1.0/secrets/none/x").await,
        "secret-unknown-store.txt",
    );
}
