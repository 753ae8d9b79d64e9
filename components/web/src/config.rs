//! `/config.json`: what the page must know before it can sign a person in.

use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::CACHE_CONTROL;
use nudge_component::Problem;
use nudge_component::serve::Json;
use nudge_component::settings::variable;
use serde::Serialize;

/// What the page asks a provider for: who it is, their address, and tokens that can be renewed.
const SCOPE: &str = "openid email profile offline_access";

#[derive(Serialize)]
struct Config {
    /// None: there is no provider, and people sign in with a token.
    oidc: Option<Oidc>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Oidc {
    issuer: String,
    client_id: String,
    scope: &'static str,
}

pub(crate) async fn read() -> Response {
    match config().await {
        Ok(config) => (
            [(CACHE_CONTROL, HeaderValue::from_static("no-cache"))],
            Json(config),
        )
            .into_response(),
        Err(error) => Problem::unavailable("the configuration", error).into_response(),
    }
}

async fn config() -> Result<Config, String> {
    let oidc = match (issuer().await?, variable("oidc_client_id").await?) {
        (Some(issuer), Some(client_id)) => Some(Oidc {
            issuer,
            client_id,
            scope: SCOPE,
        }),
        _ => None,
    };
    Ok(Config { oidc })
}

/// The issuer of the identity provider; none if people sign in with a token.
pub(crate) async fn issuer() -> Result<Option<String>, String> {
    variable("oidc_issuer").await
}
