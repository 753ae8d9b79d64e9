//! Where OAuth clients learn who gives them a token (RFC 9728), and what their tokens are for (RFC 8707).

use http::Method;
use nudge_test_kit::signing::SigningKey;
use serde_json::{Value, json};

use super::identity_provider::{ISSUER, Provider, claims};
use crate::support::{PUBLIC_URL, Service, Setup, json as body, send};

const ROOT: &str = "/.well-known/oauth-protected-resource";
const OF_MCP: &str = "/.well-known/oauth-protected-resource/mcp";

fn ping() -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": "ping", "params": {} })
}

/// The status of a request to REST, and of one to MCP.
async fn statuses(api: &Service, token: &str) -> (u16, u16) {
    let caller = api.bearer(token);
    let rest = caller.get("/api/v1/tasks").await.status.as_u16();
    (rest, caller.post("/mcp", &ping()).await.status.as_u16())
}

#[tokio::test]
async fn the_metadata_names_the_resource_and_its_provider() {
    let api = Setup::new("api").variable("oidc_issuer", ISSUER).start().await;
    for (path, resource) in [
        (ROOT, PUBLIC_URL.to_owned()),
        (OF_MCP, format!("{PUBLIC_URL}/mcp")),
    ] {
        let answer = send(
            api.anybody()
                .call(Method::GET, path)
                .header("origin", "https://chat.example.com"),
        )
        .await;
        assert_eq!(
            body(&answer, 200),
            json!({
                "resource": resource,
                "authorization_servers": [ISSUER],
                "scopes_supported": ["openid", "email", "profile"],
                "bearer_methods_supported": ["header"],
                "resource_name": "Nudge",
            })
        );
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        let preflight = api.anybody().call(Method::OPTIONS, path);
        let preflight = preflight.header("origin", "https://chat.example.com");
        let answer = send(preflight.header("access-control-request-method", "GET")).await;
        assert_eq!(answer.status, 204);
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        let taken = answer.header("access-control-allow-headers").to_lowercase();
        assert!(taken.contains("mcp-protocol-version"), "{taken}");
        assert_eq!(answer.header("access-control-allow-credentials"), "");
    }
}

#[tokio::test]
async fn without_a_provider_or_an_address_there_is_no_metadata() {
    for (name, value) in [("oidc_issuer", ""), ("public_url", "")] {
        let setup = Setup::new("api")
            .variable("oidc_issuer", ISSUER)
            .variable(name, value);
        let api = setup.start().await;
        for path in [ROOT, OF_MCP] {
            let answer = api.anybody().get(path).await;
            assert_eq!(body(&answer, 404)["code"], "no_such_route", "{name} {path}");
            assert_eq!(answer.header("access-control-allow-origin"), "*");
        }
        let answer = api.anybody().get("/api/v1/tasks").await;
        assert_eq!(answer.header("www-authenticate"), "Bearer", "{name}");
    }
}

#[tokio::test]
async fn a_challenge_says_where_the_metadata_is() {
    let api = Setup::new("api").variable("oidc_issuer", ISSUER).start().await;
    for (method, path, metadata) in [
        (Method::GET, "/api/v1/tasks", ROOT),
        (Method::DELETE, "/api/v1/me", ROOT),
        (Method::POST, "/mcp", OF_MCP),
    ] {
        let metadata = format!("resource_metadata=\"{PUBLIC_URL}{metadata}\"");
        let answer = send(api.anybody().call(method.clone(), path)).await;
        assert_eq!(answer.status, 401, "{path}");
        assert_eq!(answer.header("www-authenticate"), format!("Bearer {metadata}"));
        let answer = send(api.bearer("x.y.z").call(method, path)).await;
        assert_eq!(answer.status, 401, "{path}");
        let refused = format!("Bearer error=\"invalid_token\", {metadata}");
        assert_eq!(answer.header("www-authenticate"), refused);
    }
    let page = api
        .anybody()
        .call(Method::POST, "/mcp")
        .header("origin", "http://localhost:6274");
    let answer = send(page.json(&ping())).await;
    assert_eq!(answer.status, 401);
    let shown = answer.header("access-control-expose-headers").to_lowercase();
    assert!(shown.contains("www-authenticate"), "{shown}");
}

#[tokio::test]
async fn a_token_counts_where_its_audience_says() {
    let key = SigningKey::ed25519(1);
    let provider = Provider::start().await;
    provider.publish(&[key.jwk("a")]);
    let setup = provider.setup().variable("jwt_audience", "tasks");
    let api = setup.variable("oidc_issuer", ISSUER).start().await;
    let mcp = format!("{PUBLIC_URL}/mcp");
    for (audience, expected) in [
        (json!("tasks"), (200, 200)),
        (json!(PUBLIC_URL), (200, 200)),
        (json!(format!("{PUBLIC_URL}/")), (200, 200)),
        (json!(["https://other.example.com", mcp]), (401, 200)),
        (json!(mcp), (401, 200)),
        (json!(format!("{mcp}/x")), (401, 401)),
        (json!(format!("{PUBLIC_URL}.example.com/mcp")), (401, 401)),
        (json!("https://other.example.com/mcp"), (401, 401)),
        (json!("nudge"), (401, 401)),
    ] {
        let mut claims = claims(&api);
        claims["aud"] = audience.clone();
        assert_eq!(
            statuses(&api, &key.token("a", &claims)).await,
            expected,
            "{audience}"
        );
    }
}

#[tokio::test]
async fn without_a_provider_for_clients_an_address_is_no_audience() {
    let key = SigningKey::ed25519(1);
    let (_provider, api) = Provider::with(&[key.jwk("a")]).await;
    for audience in [PUBLIC_URL.to_owned(), format!("{PUBLIC_URL}/mcp")] {
        let mut claims = claims(&api);
        claims["aud"] = json!(audience);
        assert_eq!(
            statuses(&api, &key.token("a", &claims)).await,
            (401, 401),
            "{audience}"
        );
    }
}
