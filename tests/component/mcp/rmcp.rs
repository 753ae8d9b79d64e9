//! The official Rust client, which shares no code with the server.

use rmcp::model::{CallToolRequestParams, ClientConfig, ProtocolVersion};
use rmcp::service::{RoleClient, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientLifecycleMode, ClientServiceExt};
use serde_json::json;

use crate::support::{Service, ZONE};
use nudge_test_kit::tokens;

async fn connect(api: &Service, lifecycle: ClientLifecycleMode) -> RunningService<RoleClient, ClientConfig> {
    let url = format!("http://{}/mcp", api.host.local_addr());
    let token = tokens::mint("alice", ZONE, api.clock.now());
    let config = StreamableHttpClientTransportConfig::with_uri(url).auth_header(token);
    let transport = StreamableHttpClientTransport::from_config(config);
    ClientConfig::default()
        .serve_with_lifecycle(transport, lifecycle)
        .await
        .expect("a connection")
}

#[tokio::test]
async fn the_rust_client_lists_and_calls_tools_with_and_without_handshake() {
    let api = Service::start("api").await;
    for lifecycle in [
        ClientLifecycleMode::Initialize,
        ClientLifecycleMode::Discover {
            preferred_versions: vec![ProtocolVersion::V_2026_07_28],
        },
    ] {
        let client = connect(&api, lifecycle).await;
        let tools = client.list_all_tools().await.expect("tools");
        assert_eq!(tools.len(), 20);
        let arguments = json!({ "title": "Pay rent", "due_date": "2026-12-01" });
        let call =
            CallToolRequestParams::new("add_task").with_arguments(arguments.as_object().cloned().unwrap());
        let added = client.call_tool(call).await.expect("an answer");
        assert_eq!(added.is_error, Some(false));
        assert_eq!(
            added.structured_content.expect("structure")["task"]["title"],
            "Pay rent"
        );
        let unknown = json!({ "task_id": "Pay rent" });
        let call =
            CallToolRequestParams::new("get_task").with_arguments(unknown.as_object().cloned().unwrap());
        let refused = client.call_tool(call).await.expect("an answer");
        assert_eq!(refused.is_error, Some(true));
        assert_eq!(
            refused.structured_content.expect("structure")["code"],
            "TASK_NOT_FOUND"
        );
        client
            .call_tool(CallToolRequestParams::new("drop_tasks"))
            .await
            .expect_err("there is no such tool");
        client.cancel().await.expect("an end");
    }
}
